# SPDX-License-Identifier: Apache-2.0
"""Keys that the token makes: from templates with each attribute, of all sizes and curves, and what they are then."""

from collections.abc import Mapping

from board.differential.attributes import GIVEN, READ, values
from board.differential.mechanisms import SHARED
from board.differential.script import Script, Value, mechanism, template
from board.differential.zoo import ED25519, P256, Attributes
from softee.names import CKA, CKK, CKM, CKO

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
    "Ed25519": ED25519.hex(),
    "nothing": "",
    "a byte": "06",
    "no curve": "06012a",
    "trailing byte": f"{P256.hex()}00",
}


def pairs(script: Script) -> None:
    """C_GenerateKeyPair with all curves, and with templates that lack something or say too much."""
    script.case("pairs")
    for one, kind in ((CKM.EC_KEY_PAIR_GEN, CKK.EC), (CKM.EC_EDWARDS_KEY_PAIR_GEN, CKK.EC_EDWARDS)):
        for name, curve in CURVES.items() if one in SHARED else ():
            public = template([(CKA.KEY_TYPE, kind), (CKA.EC_PARAMS, bytes.fromhex(curve))])
            private = template([(CKA.KEY_TYPE, kind), (CKA.SIGN, True)])
            line = f"C_GenerateKeyPair $s {mechanism(one)} {public} {private} &ho &hp"
            script.call(f"CKM_{one.name}/{name}", line, fresh=True)
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


ALL = (generating, pairs, made_objects)
"""What is tried."""
