# SPDX-License-Identifier: Apache-2.0
"""The mechanisms that are tried: those that both tokens have, and what each of them takes."""

import re
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKD, CKG, CKM
from softee.pkcs11_ta.token.profiles import OPTEE

SHARED = tuple(OPTEE.mechanisms)
"""Those of the profile ``optee``: what a board has too, and CKM_AES_CBC_PAD."""

_BOARD_S = frozenset(
    {
        CKM.RSA_X_509,
        CKM.RSA_AES_KEY_WRAP,
        CKM.EDDSA,
        CKM.EC_EDWARDS_KEY_PAIR_GEN,
        CKM.ECDH1_DERIVE,
        CKM.AES_CBC_ENCRYPT_DATA,
        CKM.AES_ECB_ENCRYPT_DATA,
    }
)
LATER = _BOARD_S - frozenset(SHARED)
"""Those that a board has alone. They are tried from the day that the profile has them."""

ALONE = LATER | {CKM.AES_CBC_PAD}
"""Those that one of them lists and the other does not."""

OTHERS = (0x80001234, CKM.DES3_ECB, CKM.KEA_DERIVE, 0xFFFFFFFF)
"""Those that neither has."""

IV = f"b{'00' * 16}"
_HASHES = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
_OAEP = (f"u{CKM.SHA_1}", f"u{CKG.MGF1_SHA1}", "u1", "p01", "u1")


def gcm(*, iv: int = 12, aad: int = 5, tag_bits: int = 128) -> str:
    """AES-GCM's parameter, by the sizes of what is in it."""
    return f"p{'00' * iv},u{iv},u{8 * iv},p{'00' * aad},u{aad},u{tag_bits}"


def ecdh(kdf: int, point: bytes, shared: bytes = b"") -> str:
    """The parameter of Diffie-Hellman on curves."""
    return f"u{kdf},u{len(shared)},{f'p{shared.hex()}' if shared else 'u0'},u{len(point)},p{point.hex()}"


def to_encrypt(size: int) -> str:
    """Data to derive a key from by encryption: the end of the parameter, or all of it."""
    return f"p{bytes(range(size)).hex()},u{size}"


OTHER = ec.generate_private_key(ec.SECP256R1()).public_key()
"""Somebody to share a secret with."""

POINT = OTHER.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _pss(hashed: str) -> str:
    return f"u{CKM['SHA_1' if hashed == 'SHA1' else hashed]},u{CKG[f'MGF1_{hashed}']},u20"


GOOD: Mapping[CKM, str] = {
    CKM.AES_CBC: IV,
    CKM.AES_CBC_PAD: IV,
    CKM.AES_CTS: IV,
    CKM.AES_CTR: f"u1,{IV}",
    CKM.AES_GCM: gcm(),
    CKM.RSA_PKCS_OAEP: ",".join(_OAEP),
    CKM.RSA_PKCS_PSS: _pss("SHA256"),
    CKM.RSA_AES_KEY_WRAP: f"u256,s[{';'.join(_OAEP)}]",
    CKM.ECDH1_DERIVE: ecdh(CKD.NULL, POINT),
    CKM.AES_ECB_ENCRYPT_DATA: to_encrypt(32),
    CKM.AES_CBC_ENCRYPT_DATA: f"{IV},{to_encrypt(32)}",
    **{CKM[f"{hashed}_RSA_PKCS_PSS"]: _pss(hashed) for hashed in _HASHES},
    **{one: "u8" for one in SHARED if one.name.endswith("_GENERAL")},
}
"""A parameter that each mechanism takes, where it takes one."""


def label(number: int) -> str:
    """A mechanism's name."""
    try:
        return f"CKM_{CKM(number).name}"
    except ValueError:
        return hex(number)


_USES: tuple[tuple[str, tuple[str, str, str]], ...] = (
    (r"AES_CMAC.*", ("C_SignInit", "aes", "C_VerifyInit")),
    (r"AES_(ECB|CBC|CBC_PAD|CTR|CTS|GCM)", ("C_EncryptInit", "aes", "C_DecryptInit")),
    (r"ECDSA.*", ("C_SignInit", "ec-private", "")),
    (r"EDDSA", ("C_SignInit", "edwards-private", "")),
    (r"RSA_PKCS_OAEP", ("C_EncryptInit", "rsa-public", "")),
    (r".*RSA_(PKCS|X_509|PKCS_PSS)", ("C_SignInit", "rsa-private", "")),
)


def good_key(one: CKM) -> tuple[str, str, str] | None:
    """A function and a key that the mechanism takes, and a second function."""
    if "HMAC" in one.name:
        hashed = one.name.removesuffix("_GENERAL").removesuffix("_HMAC").replace("_", "").lower()
        return "C_SignInit", f"hmac-{hashed}", "C_VerifyInit"
    return next((use for pattern, use in _USES if re.fullmatch(pattern, one.name)), None)


def in_names(numbers: str) -> str:
    """What C_GetMechanismList wrote, less those that one of them has alone."""
    listed = [int.from_bytes(bytes.fromhex(numbers[at : at + 16]), "little") for at in range(0, len(numbers), 16)]
    return " ".join(label(number) for number in listed if number not in ALONE)
