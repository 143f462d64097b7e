# SPDX-License-Identifier: Apache-2.0
# Not tried: see contrib/README.md.
SUMMARY = "OP-TEE's PKCS#11 token as a process of its own"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=REPLACE"
SRC_URI = "git://REPLACE;protocol=https;branch=main"
SRCREV = "REPLACE"
S = "${WORKDIR}/git"

inherit meson pkgconfig systemd useradd python3-dir

EXTRA_OEMESON = "-Dpython=false"
RDEPENDS:${PN} = "python3 python3-click python3-cryptography python3-msgspec python3-pycryptodome python3-rich libseccomp"
RCONFLICTS:${PN} = "optee-client"

SYSTEMD_SERVICE:${PN} = "softee.socket softee.service"
USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --home-dir /nonexistent --shell /sbin/nologin softee"

do_install:append() {
    install -d ${D}${PYTHON_SITEPACKAGES_DIR} ${D}${bindir} ${D}${sysconfdir}/softee
    cp -r ${S}/src/softee ${D}${PYTHON_SITEPACKAGES_DIR}/
    ln -s ${libdir} ${D}${PYTHON_SITEPACKAGES_DIR}/softee/lib
    printf '#!/usr/bin/env python3\nfrom softee.cli.main import main\nmain()\n' > ${D}${bindir}/softee
    chmod 0755 ${D}${bindir}/softee
    install -m 0644 ${S}/src/softee/system/etc/softee.toml ${D}${sysconfdir}/softee/
}

FILES:${PN} += "${PYTHON_SITEPACKAGES_DIR}/softee ${systemd_unitdir} ${nonarch_libdir}/sysusers.d \
    ${nonarch_libdir}/tmpfiles.d ${datadir}/p11-kit ${libdir}/pkcs11"
CONFFILES:${PN} = "${sysconfdir}/softee/softee.toml"
