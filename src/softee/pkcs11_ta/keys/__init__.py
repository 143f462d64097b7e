# SPDX-License-Identifier: Apache-2.0
"""What a key is made of: sizes, curves, checks, PKCS#8, and what mechanisms may see of it."""
