# SPDX-License-Identifier: Apache-2.0
# Not tried: see contrib/README.md.
SOFTEE_VERSION = 0.1.0
SOFTEE_SITE = REPLACE
SOFTEE_LICENSE = Apache-2.0
SOFTEE_LICENSE_FILES = LICENSE
SOFTEE_INSTALL_STAGING = YES
SOFTEE_CONF_OPTS = -Dpython=false

$(eval $(meson-package))
