# SPDX-License-Identifier: Apache-2.0
"""softee: OP-TEE's PKCS#11 token on any Linux machine."""

__version__ = "0.1.0"
