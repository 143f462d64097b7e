# SPDX-License-Identifier: Apache-2.0
"""Attributes: every one of every kind of object, read, searched by, given, left out, changed and copied."""

from collections.abc import Iterator, Mapping

from board.differential.script import Script, Value, mechanism, template
from board.differential.zoo import HANDLES, OBJECTS, P256, Attributes
from softee.names import CKA, CKK, CKM, CKO
from softee.names.attribute_kinds import ATTRIBUTE_KINDS, AttributeKind

READ = tuple(CKA)
"""All that PKCS#11 3.2 has."""

GIVEN = tuple(one for one in CKA if int(one) < 0x600 or int(one) > 0x40000000)
"""Those of 2.40, but for a vendor's."""

BOOLEANS = frozenset(
    {
        CKA.TOKEN,
        CKA.PRIVATE,
        CKA.TRUSTED,
        CKA.SENSITIVE,
        CKA.ENCRYPT,
        CKA.DECRYPT,
        CKA.WRAP,
        CKA.UNWRAP,
        CKA.SIGN,
        CKA.SIGN_RECOVER,
        CKA.VERIFY,
        CKA.VERIFY_RECOVER,
        CKA.DERIVE,
        CKA.EXTRACTABLE,
        CKA.LOCAL,
        CKA.NEVER_EXTRACTABLE,
        CKA.ALWAYS_SENSITIVE,
        CKA.MODIFIABLE,
        CKA.COPYABLE,
        CKA.DESTROYABLE,
        CKA.ALWAYS_AUTHENTICATE,
        CKA.WRAP_WITH_TRUSTED,
    }
)

PERMANENT = (CKA.TOKEN,)
"""Not given as true: a token object outlives its case."""


def values(kind: CKA) -> Iterator[tuple[str, Value]]:
    """Values of an attribute, good and bad ones, by what to call them."""
    if kind in BOOLEANS:
        yield "false", False
        if kind not in PERMANENT:
            yield "true", True
        yield "2", b"\2"
        yield "no byte", "x"
        yield "2 bytes", b"\1\1"
    elif ATTRIBUTE_KINDS.get(kind) is AttributeKind.ULONG:
        yield "0", 0
        yield "1", 1
        yield "all ones", "u~"
        yield "no byte", "x"
        yield "NULL", "n0"
        yield "4 bytes", bytes(4)
        yield "16 bytes", bytes(16)
    elif ATTRIBUTE_KINDS.get(kind) is AttributeKind.TEMPLATE:
        yield "an empty template", "[]"
        yield "a template", f"[{int(CKA.SENSITIVE):#x}=x01]"
    elif ATTRIBUTE_KINDS.get(kind) is AttributeKind.ULONG_LIST:
        yield "no mechanism", "x"
        yield "a mechanism", int(CKM.AES_ECB).to_bytes(8, "little")
        yield "half a mechanism", bytes(4)
    else:
        yield "no byte", "x"
        yield "NULL", "n0"
        yield "a byte", b"\1"
        yield "8 bytes", b"20260101"


def reading(script: Script) -> None:
    """C_GetAttributeValue with no buffer, and with a large one."""
    script.case("read")
    for name, handle in HANDLES.items():
        for kind in READ:
            for room in ("n0", "r600"):
                line = f"C_GetAttributeValue $s {handle} {template([(kind, room)])}"
                script.call(f"{name}/CKA_{kind.name}/{room}", line, alone=True)


def small_rooms(script: Script) -> None:
    """C_GetAttributeValue with buffers around the value's size, of several attributes at once, and of no object."""
    script.case("rooms")
    for name, handle in HANDLES.items():
        for kind, value in OBJECTS[name].items():
            size = len(value) if isinstance(value, bytes) else 1 if isinstance(value, bool) else 8
            for room in (0, 1, 4, size - 1, size, size + 1):
                line = f"C_GetAttributeValue $s {handle} {template([(kind, f'r{room}')])}"
                script.call(f"{name}/CKA_{kind.name}/{room}", line, alone=True)
        mixed: list[tuple[int, Value]] = [(CKA.CLASS, "r8"), (CKA.VALUE, "r3"), (CKA.MODULUS, "r3"), (CKA.TOKEN, "r1")]
        script.call(f"{name}/mixed", f"C_GetAttributeValue $s {handle} {template(mixed)}", alone=True)
        script.call(f"{name}/nothing", f"C_GetAttributeValue $s {handle} - 0", alone=True)
        script.call(f"{name}/NULL", f"C_GetAttributeValue $s {handle} - 1", alone=True)
        script.put("n", "0")
        script.call(f"{name}/size", f"C_GetObjectSize $s {handle} &n", alone=True)
    script.call("no object", f"C_GetAttributeValue $s 4242 {template([(CKA.CLASS, 'r8')])}", alone=True)
    script.put("n", "0")
    script.call("no object", "C_GetObjectSize $s 4242 &n", alone=True)
    script.call("NULL", f"C_GetObjectSize $s {HANDLES['aes']} -", alone=True)


KINDS = ("aes", "generic", "hmac-sha256", "ec-public", "ec-private", "rsa-public", "rsa-private", "data", "certificate")


def _create(script: Script, label: str, attributes: Mapping[CKA, Value]) -> None:
    script.call(label, f"C_CreateObject $s {template(attributes.items())} &ho", fresh=True)


def creating(script: Script) -> None:
    """C_CreateObject with each attribute left out, and with each one given, in values of all kinds."""
    script.case("create")
    for name in KINDS:
        base = OBJECTS[name]
        for kind in base:
            _create(script, f"{name}/without CKA_{kind.name}", {key: base[key] for key in base if key is not kind})
        for kind in GIVEN:
            for what, value in values(kind):
                _create(script, f"{name}/CKA_{kind.name}/{what}", {**base, kind: value})
    for attributes in ({CKA.CLASS: 7}, {CKA.CLASS: CKO.SECRET_KEY}, {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: 0x7FFF}):
        _create(script, f"{len(attributes)} attributes, {attributes[CKA.CLASS]}", attributes)
    twice = template([*OBJECTS["aes"].items(), (CKA.LABEL, b"a"), (CKA.LABEL, b"b")])
    script.call("an attribute twice", f"C_CreateObject $s {twice} &ho", fresh=True)
    script.call("nothing", "C_CreateObject $s - 0 &ho", fresh=True)
    script.call("NULL", "C_CreateObject $s - 1 &ho", fresh=True)
    script.call("no handle", f"C_CreateObject $s {template(OBJECTS['aes'].items())} -", fresh=True)


SET = tuple(one for one in GIVEN if one in BOOLEANS or one in ATTRIBUTE_KINDS or int(one) < 0x200)


def setting(script: Script) -> None:
    """C_SetAttributeValue with each attribute, and what is there then."""
    script.case("set")
    for name in KINDS:
        for kind in SET:
            for what, value in values(kind):
                script.begin()
                script.put("ho", "0")
                line = f"C_CreateObject $s {template(OBJECTS[name].items())} &ho"
                script.call(f"{name}/CKA_{kind.name}/{what}", line)
                line = f"C_SetAttributeValue $s $ho {template([(kind, value)])}"
                script.call(f"{name}/CKA_{kind.name}/{what}", line)
                line = f"C_GetAttributeValue $s $ho {template([(kind, 'r64')])}"
                script.call(f"{name}/CKA_{kind.name}/{what}", line)


def copying(script: Script) -> None:
    """C_CopyObject with each attribute, and what is there then."""
    script.case("copy")
    for name in ("aes", "rsa-private", "ec-public", "data"):
        for kind in SET:
            for what, value in values(kind):
                script.begin()
                script.put("ho", "0")
                line = f"C_CopyObject $s {HANDLES[name]} {template([(kind, value)])} &ho"
                script.call(f"{name}/CKA_{kind.name}/{what}", line)
                line = f"C_GetAttributeValue $s $ho {template([(kind, 'r64')])}"
                script.call(f"{name}/CKA_{kind.name}/{what}", line)


def finding(script: Script) -> None:
    """C_FindObjectsInit with each attribute, and how many are found."""
    script.case("find")
    for kind in GIVEN:
        for what, value in values(kind):
            script.begin()
            script.put("n", "0")
            script.call(f"CKA_{kind.name}/{what}", f"C_FindObjectsInit $s {template([(kind, value)])}")
            script.call(f"CKA_{kind.name}/{what}", "C_FindObjects $s &ho 1 &n")
            script.call(f"CKA_{kind.name}/{what}", "C_FindObjectsFinal $s")


MAKE: Mapping[str, tuple[CKM, Attributes]] = {
    "aes": (CKM.AES_KEY_GEN, {CKA.TOKEN: False, CKA.VALUE_LEN: 16}),
    "generic": (CKM.GENERIC_SECRET_KEY_GEN, {CKA.TOKEN: False, CKA.VALUE_LEN: 16}),
}


def generating(script: Script) -> None:
    """C_GenerateKey with each attribute, and what the key is then; key pairs of all curves and of few sizes."""
    script.case("generate")
    for name, (one, base) in MAKE.items():
        for size in (0, 1, 15, 16, 17, 24, 31, 32, 33, 64, 512, 513, 4096):
            _generate(script, f"{name}/{size} bytes", one, {**base, CKA.VALUE_LEN: size})
        for kind in GIVEN:
            for what, value in values(kind):
                _generate(script, f"{name}/CKA_{kind.name}/{what}", one, {**base, kind: value})
        _generate(script, f"{name}/nothing", one, {})
    for key_type in (CKK.AES, CKK.GENERIC_SECRET, CKK.SHA256_HMAC, CKK.RSA):
        attributes: Attributes = {CKA.TOKEN: False, CKA.VALUE_LEN: 32, CKA.KEY_TYPE: key_type}
        for one, _ in MAKE.values():
            _generate(script, f"CKK_{key_type.name} by CKM_{one.name}", one, attributes)


def _generate(script: Script, label: str, one: CKM, attributes: Mapping[CKA, Value]) -> None:
    line = f"C_GenerateKey $s {mechanism(one)} {template(attributes.items())} &ho"
    script.call(label, line, fresh=True)


CURVES = {
    "P-192": "06082a8648ce3d030101",
    "P-224": "06052b81040021",
    "P-256": P256.hex(),
    "P-384": "06052b81040022",
    "P-521": "06052b81040023",
    "secp256k1": "06052b8104000a",
    "brainpoolP256r1": "06092b2403030208010107",
    "Ed25519": "06092b06010401da470f01",
    "nothing": "",
    "a byte": "06",
    "no curve": "06012a",
    "trailing byte": f"{P256.hex()}00",
}


def pairs(script: Script) -> None:
    """C_GenerateKeyPair with all curves, and with templates that lack something or say too much."""
    script.case("pairs")
    for name, curve in CURVES.items():
        public = template([(CKA.EC_PARAMS, bytes.fromhex(curve))])
        line = f"C_GenerateKeyPair $s {mechanism(CKM.EC_KEY_PAIR_GEN)} {public} {template([(CKA.SIGN, True)])} &ho &hp"
        script.call(name, line, fresh=True)
    for what, public, private in (
        ("no curve", "- 0", template([(CKA.SIGN, True)])),
        ("no private template", template([(CKA.EC_PARAMS, P256)]), "- 0"),
        ("another class", template([(CKA.EC_PARAMS, P256), (CKA.CLASS, CKO.SECRET_KEY)]), "- 0"),
        ("another type", template([(CKA.EC_PARAMS, P256), (CKA.KEY_TYPE, CKK.RSA)]), template([(CKA.SIGN, True)])),
        ("a value", template([(CKA.EC_PARAMS, P256)]), template([(CKA.VALUE, bytes(32))])),
    ):
        line = f"C_GenerateKeyPair $s {mechanism(CKM.EC_KEY_PAIR_GEN)} {public} {private} &ho &hp"
        script.call(what, line, fresh=True)
    for bits in (0, 255, 256, 512, 4097):
        public = template([(CKA.MODULUS_BITS, bits)])
        private = template([(CKA.SIGN, True)])
        line = f"C_GenerateKeyPair $s {mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN)} {public} {private} &ho &hp"
        script.call(f"RSA, {bits} bits", line, fresh=True)


def made_objects(script: Script) -> None:
    """What keys are that the token made."""
    script.case("made")
    for name, (one, base) in MAKE.items():
        script.call(name, f"C_GenerateKey $s {mechanism(one)} {template(base.items())} &ho")
        _dump(script, name, "$ho")
    public, private = template([(CKA.EC_PARAMS, P256)]), template([(CKA.SIGN, True)])
    script.call("pair", f"C_GenerateKeyPair $s {mechanism(CKM.EC_KEY_PAIR_GEN)} {public} {private} &ho &hp")
    _dump(script, "ec-public", "$ho")
    _dump(script, "ec-private", "$hp")


def _dump(script: Script, name: str, handle: str) -> None:
    for kind in READ:
        line = f"C_GetAttributeValue $s {handle} {template([(kind, 'r600')])}"
        by_chance = kind in (CKA.VALUE, CKA.EC_POINT, CKA.CHECK_VALUE)
        script.call(f"{name}/CKA_{kind.name}", line, chance=by_chance, alone=True)
    script.call(name, f"C_GetObjectSize $s {handle} &n", alone=True)


ALL = (
    reading,
    small_rooms,
    creating,
    setting,
    copying,
    finding,
    generating,
    pairs,
    made_objects,
)
"""What is tried."""
