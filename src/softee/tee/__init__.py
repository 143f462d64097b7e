# SPDX-License-Identifier: Apache-2.0
"""The TEE core: client identities, trusted applications by UUID, sealing, secure storage. Knows no PKCS#11."""
