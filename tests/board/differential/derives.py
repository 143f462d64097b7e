# SPDX-License-Identifier: Apache-2.0
"""C_DeriveKey with every mechanism, key, parameter and template, and what the key is then."""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from board.differential.mechanisms import GOOD, IV, OTHER, POINT, SHARED, ecdh, to_encrypt
from board.differential.script import Script, mechanism, template
from board.differential.zoo import HANDLES, Attributes, secret
from softee.names import CKA, CKD, CKK, CKM, CKO

COMPRESSED = OTHER.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
BAD_POINT = POINT[:-1] + bytes([POINT[-1] ^ 1])

_SIZES = (0, 1, 15, 16, 17, 32, 48, 64)

PARAMETERS: Mapping[CKM, Mapping[str, str]] = {
    CKM.ECDH1_DERIVE: {
        "good": GOOD[CKM.ECDH1_DERIVE],
        "DER": ecdh(CKD.NULL, bytes([4, len(POINT)]) + POINT),
        "compressed": ecdh(CKD.NULL, COMPRESSED),
        "no point of the curve": ecdh(CKD.NULL, BAD_POINT),
        "no point": ecdh(CKD.NULL, b""),
        "half a point": ecdh(CKD.NULL, POINT[:33]),
        "shared data": ecdh(CKD.NULL, POINT, b"shared"),
        "SHA-1": ecdh(CKD.SHA1_KDF, POINT),
        "no KDF": ecdh(0, POINT),
        "a byte": "b00",
        "none": "",
    },
    CKM.AES_ECB_ENCRYPT_DATA: {
        "good": GOOD[CKM.AES_ECB_ENCRYPT_DATA],
        **{f"{size} bytes": to_encrypt(size) for size in _SIZES},
        "a byte": "b00",
        "none": "",
    },
    CKM.AES_CBC_ENCRYPT_DATA: {
        "good": GOOD[CKM.AES_CBC_ENCRYPT_DATA],
        **{f"{size} bytes": f"{IV},{to_encrypt(size)}" for size in _SIZES},
        "a byte": "b00",
        "none": "",
    },
}

BASE: Attributes = {**secret(CKK.AES, bytes(range(16)), uses=False), CKA.DERIVE: True}
"""OP-TEE derives nothing from a key that may encrypt."""

_SECRET: Attributes = {CKA.CLASS: CKO.SECRET_KEY, CKA.TOKEN: False, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
GENERIC: Attributes = {**_SECRET, CKA.KEY_TYPE: CKK.GENERIC_SECRET}
DERIVED: Mapping[str, Attributes] = {
    "nothing": {},
    "no type": _SECRET,
    "generic": GENERIC,
    **{f"generic of {size} bytes": {**GENERIC, CKA.VALUE_LEN: size} for size in (0, 1, 15, 16, 31, 32, 33, 512)},
    "AES": {**_SECRET, CKA.KEY_TYPE: CKK.AES},
    **{f"AES of {size} bytes": {**_SECRET, CKA.KEY_TYPE: CKK.AES, CKA.VALUE_LEN: size} for size in (16, 17, 24, 32)},
    "HMAC": {**_SECRET, CKA.KEY_TYPE: CKK.SHA256_HMAC, CKA.VALUE_LEN: 32},
    "EC": {CKA.CLASS: CKO.PRIVATE_KEY, CKA.KEY_TYPE: CKK.EC},
    "RSA secret": {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.RSA},
    "data": {CKA.CLASS: CKO.DATA},
    "a value": {**GENERIC, CKA.VALUE_LEN: 16, CKA.VALUE: bytes(16)},
}
"""Templates for keys that come out."""

SHOWN = (CKA.VALUE, CKA.VALUE_LEN, CKA.LOCAL, CKA.ALWAYS_SENSITIVE, CKA.NEVER_EXTRACTABLE, CKA.KEY_GEN_MECHANISM)


def _shared() -> Iterator[tuple[CKM, Mapping[str, str]]]:
    return ((one, parameters) for one, parameters in PARAMETERS.items() if one in SHARED)


def _derive(script: Script, label: str, given: str, key: str, wanted: Attributes) -> None:
    script.begin()
    script.put("ho", "0")
    if key == "$hb":
        script.call(f"{label}/base", f"C_CreateObject $s {template(BASE.items())} &hb")
    script.call(label, f"C_DeriveKey $s {given} {key} {template(wanted.items())} &ho")
    for kind in SHOWN:
        script.call(f"{label}/CKA_{kind.name}", f"C_GetAttributeValue $s $ho {template([(kind, 'r64')])}")


def keys(script: Script) -> None:
    """C_DeriveKey from every key."""
    script.case("derives")
    for one, parameters in _shared():
        given = mechanism(one, parameters["good"])
        for name, key in HANDLES.items():
            _derive(script, f"CKM_{one.name}/from {name}", given, key, {**GENERIC, CKA.VALUE_LEN: 16})


def parameters_and_templates(script: Script) -> None:
    """C_DeriveKey with every parameter, and into keys of all kinds."""
    script.case("derives")
    for one, parameters in _shared():
        key = HANDLES["ec-private"] if one is CKM.ECDH1_DERIVE else "$hb"
        for what, parameter in parameters.items():
            label = f"CKM_{one.name}/parameter {what}"
            _derive(script, label, mechanism(one, parameter), key, {**GENERIC, CKA.VALUE_LEN: 16})
        for what, wanted in DERIVED.items():
            _derive(script, f"CKM_{one.name}/into {what}", mechanism(one, parameters["good"]), key, wanted)


ALL = (keys, parameters_and_templates)
"""What is tried."""
