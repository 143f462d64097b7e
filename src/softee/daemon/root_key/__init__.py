# SPDX-License-Identifier: Apache-2.0
"""Where the root key comes from. It stands for a device's hardware-unique key."""
