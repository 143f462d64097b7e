################################################################################
#
# softee
#
################################################################################

# SPDX-License-Identifier: Apache-2.0
SOFTEE_VERSION = $(call qstrip,$(BR2_PACKAGE_SOFTEE_REVISION))
SOFTEE_SITE = $(call qstrip,$(BR2_PACKAGE_SOFTEE_REPOSITORY))
SOFTEE_SITE_METHOD = git
SOFTEE_LICENSE = Apache-2.0
SOFTEE_LICENSE_FILES = LICENSE
SOFTEE_INSTALL_STAGING = YES
SOFTEE_CONF_OPTS = -Dpython=false

# The revision is the user's: nobody knows the hash of its archive.
BR_NO_CHECK_HASH_FOR += $(SOFTEE_SOURCE)

# Units and users are the secure world's, which is not here.
SOFTEE_OF_THE_SERVICE = \
	systemd/system/softee.service \
	systemd/system/softee.socket \
	systemd/user/softee.service \
	systemd/user/softee.socket \
	sysusers.d/softee.conf \
	tmpfiles.d/softee.conf

define SOFTEE_REMOVE_SERVICE
	rm -f $(addprefix $(TARGET_DIR)/usr/lib/,$(SOFTEE_OF_THE_SERVICE))
endef
SOFTEE_POST_INSTALL_TARGET_HOOKS += SOFTEE_REMOVE_SERVICE

$(eval $(meson-package))
