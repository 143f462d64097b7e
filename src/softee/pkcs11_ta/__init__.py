# SPDX-License-Identifier: Apache-2.0
"""The PKCS#11 trusted application: OP-TEE's command ABI on our tables."""
