# SPDX-License-Identifier: Apache-2.0
"""What a CK_ULONG says where it has no number to say."""

UNAVAILABLE_INFORMATION = 0xFFFFFFFF
"""CK_UNAVAILABLE_INFORMATION as it travels: 32 bits. The client library widens it."""
