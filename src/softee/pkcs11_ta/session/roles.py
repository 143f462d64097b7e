# SPDX-License-Identifier: Apache-2.0
"""What keys are wanted for: the attribute, the classes and the return values of each use."""

from dataclasses import dataclass, replace

from softee.names import CKA, CKO, CKR

_PUBLIC = frozenset({CKO.SECRET_KEY, CKO.PUBLIC_KEY})
_PRIVATE = frozenset({CKO.SECRET_KEY, CKO.PRIVATE_KEY})


@dataclass(frozen=True, slots=True)
class Role:
    """What a key is wanted for.

    ``usage`` is the attribute that must be true, if any, ``classes`` the classes of keys that can do it. The return
    values are those for a bad handle, type, size and permission.
    """

    usage: CKA | None
    classes: frozenset[CKO]
    bad_handle: CKR = CKR.KEY_HANDLE_INVALID
    bad_type: CKR = CKR.KEY_TYPE_INCONSISTENT
    bad_size: CKR = CKR.KEY_SIZE_RANGE
    not_permitted: CKR = CKR.KEY_FUNCTION_NOT_PERMITTED


TO_ENCRYPT = Role(CKA.ENCRYPT, _PUBLIC)
TO_DECRYPT = Role(CKA.DECRYPT, _PRIVATE)
TO_SIGN = Role(CKA.SIGN, _PRIVATE)
TO_VERIFY = Role(CKA.VERIFY, _PUBLIC)
TO_SIGN_RECOVER = Role(CKA.SIGN_RECOVER, _PRIVATE)
TO_VERIFY_RECOVER = Role(CKA.VERIFY_RECOVER, _PUBLIC)
TO_DERIVE = Role(CKA.DERIVE, _PRIVATE, not_permitted=CKR.KEY_TYPE_INCONSISTENT)
TO_TELL_ITS_PUBLIC_KEY = Role(None, frozenset({CKO.PRIVATE_KEY}), not_permitted=CKR.KEY_TYPE_INCONSISTENT)
"""Which its owner may know anyway; section 6.43 asks for no usage."""
TO_ENCAPSULATE = Role(CKA.ENCAPSULATE, frozenset({CKO.PUBLIC_KEY}), not_permitted=CKR.KEY_TYPE_INCONSISTENT)
TO_WRAP = Role(
    CKA.WRAP,
    _PUBLIC,
    CKR.WRAPPING_KEY_HANDLE_INVALID,
    CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
    CKR.WRAPPING_KEY_SIZE_RANGE,
    CKR.WRAPPING_KEY_TYPE_INCONSISTENT,
)
TO_UNWRAP = Role(
    CKA.UNWRAP,
    _PRIVATE,
    CKR.UNWRAPPING_KEY_HANDLE_INVALID,
    CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
    CKR.UNWRAPPING_KEY_SIZE_RANGE,
    CKR.UNWRAPPING_KEY_TYPE_INCONSISTENT,
)
"""For C_DeriveKey, C_WrapKey, C_UnwrapKey the standard has no CKR_KEY_FUNCTION_NOT_PERMITTED; OP-TEE answers these."""
TO_DECAPSULATE = replace(TO_UNWRAP, usage=CKA.DECAPSULATE, classes=frozenset({CKO.PRIVATE_KEY}))
"""The standard gives C_DecapsulateKey the return values of C_UnwrapKey, and C_EncapsulateKey those of C_DeriveKey."""
