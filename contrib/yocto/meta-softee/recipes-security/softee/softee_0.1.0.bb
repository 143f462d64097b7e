# SPDX-License-Identifier: Apache-2.0
SUMMARY = "OP-TEE's PKCS#11 token as a process of its own"
DESCRIPTION = "Programs use keys through PKCS#11, and never hold them: the keys are in a daemon. \
               What programs load is in a package of its own, and needs the C library alone."
# Where you have it from: there is no place yet that everybody can fetch it from.
SOFTEE_URI ??= "git://git.example.org/softee.git;protocol=https;branch=main"
HOMEPAGE = "https://git.example.org/softee"
BUGTRACKER = "https://git.example.org/softee/issues"
SECTION = "libs"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"
CVE_PRODUCT = "softee"

SRC_URI = "${SOFTEE_URI}"
# nooelint: oelint.vars.autorev - name the revision that you have tried
SRCREV = "${AUTOREV}"

inherit meson pkgconfig python3-dir systemd useradd

# Python's part needs no compiler: it is copied, beside the libraries where Yocto has them.
EXTRA_OEMESON = "-Dpython=false \
                 -Dsystem_unit_dir=${systemd_system_unitdir} \
                 -Duser_unit_dir=${systemd_user_unitdir} \
                 -Dsysusers_dir=${nonarch_libdir}/sysusers.d \
                 -Dtmpfiles_dir=${nonarch_libdir}/tmpfiles.d"

do_install:append() {
    install -d ${D}${PYTHON_SITEPACKAGES_DIR} ${D}${bindir} ${D}${sysconfdir}/softee
    cp -r --no-preserve=ownership ${S}/src/softee ${D}${PYTHON_SITEPACKAGES_DIR}/
    ln -rs ${D}${libdir} ${D}${PYTHON_SITEPACKAGES_DIR}/softee/lib
    printf '#!/usr/bin/env python3\nimport sys\nfrom softee.cli.main import main\nsys.exit(main())\n' > ${D}${bindir}/softee
    chmod 0755 ${D}${bindir}/softee
    install -m 0644 ${S}/src/softee/system/etc/softee.toml ${D}${sysconfdir}/softee/
}

PACKAGE_BEFORE_PN = "${PN}-client"

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --home-dir /nonexistent --shell /sbin/nologin softee"
SYSTEMD_SERVICE:${PN} = "softee.socket softee.service"

FILES:${PN}-client += "${datadir}/p11-kit \
                       ${libdir}/libckteec.so.* \
                       ${libdir}/libteec.so.* \
                       ${libdir}/pkcs11"
FILES:${PN} += "${PYTHON_SITEPACKAGES_DIR}/softee \
                ${nonarch_libdir}/sysusers.d \
                ${nonarch_libdir}/tmpfiles.d \
                ${systemd_user_unitdir}"
CONFFILES:${PN} = "${sysconfdir}/softee/softee.toml"

RDEPENDS:${PN} += "${PN}-client \
                   libseccomp \
                   python3-bcrypt \
                   python3-click \
                   python3-cryptography \
                   python3-modules \
                   python3-msgspec \
                   python3-pycryptodome \
                   python3-rich"
# Its libraries have the same names.
RCONFLICTS:${PN}-client = "optee-client"
