# SPDX-License-Identifier: Apache-2.0
"""Attributes: every one of every kind of object, read, searched by, given, left out, changed and copied."""

from collections.abc import Iterator, Mapping

from board.differential.script import Script, Value, template
from board.differential.zoo import HANDLES, MADE, OBJECTS
from softee.names import CKA, CKM, CKO
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
                script.call(f"{name}/CKA_{kind.name}/{room}", line, chance=name in MADE, alone=True)


def small_rooms(script: Script) -> None:
    """C_GetAttributeValue with buffers around the value's size, of several attributes at once, and of no object."""
    script.case("rooms")
    for name, attributes in OBJECTS.items():
        handle = HANDLES[name]
        for kind, value in attributes.items():
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


ALL = (reading, small_rooms, creating, setting, copying, finding)
"""What is tried."""
