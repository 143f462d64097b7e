# SPDX-License-Identifier: Apache-2.0
"""RSA keys: which types and sizes the token takes."""

from softee.names import CKK
from softee.pkcs11_ta.keys.view import SizeRange

KEY_TYPES = frozenset({CKK.RSA})
KEY_SIZE = SizeRange(256, 4096)
"""In bits of the modulus."""
