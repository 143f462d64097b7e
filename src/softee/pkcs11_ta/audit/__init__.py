# SPDX-License-Identifier: Apache-2.0
"""Security events of the PKCS#11 application, for the audit log."""
