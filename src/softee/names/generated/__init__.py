# SPDX-License-Identifier: Apache-2.0
"""PKCS#11's names, made by tools/gen_names.py from the facts of the standard. Import them from softee.names."""
