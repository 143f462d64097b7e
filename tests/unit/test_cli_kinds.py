# SPDX-License-Identifier: Apache-2.0
"""The table of the kinds of keys that can be made: every row is one that softee's own token takes."""

import pytest

from softee.cli.cryptoki.kinds import KINDS, USES, Kind, guarded, key_attributes, kind_name, kind_of
from softee.cli.cryptoki.structures import Value
from softee.cli.ephemeral_keys import Keys
from softee.cli.failure import CliError
from softee.names import CKA, CKK, CKO, MechanismFlag
from softee.pkcs11_ta.keys.table import find_key_type
from softee.pkcs11_ta.token.profiles import PORTABLE


def shown(template: dict[int, Value]) -> dict[CKA, bytes]:
    """Return a template's values as a module shows them."""
    encoded = {one: v.to_bytes(8, "little") if isinstance(v, int) else bytes(v) for one, v in template.items()}
    return {CKA(one): value for one, value in encoded.items()}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_made_by_a_mechanism_that_the_token_has(name: str) -> None:
    kind = KINDS[name]
    spec = PORTABLE.mechanisms[kind.mechanism]
    assert spec.flags & (MechanismFlag.GENERATE if kind.public is None else MechanismFlag.GENERATE_KEY_PAIR)
    found = find_key_type(kind.key_type)
    assert found is not None
    params = (kind.public or {}).get(CKA.EC_PARAMS)
    assert params is None or any(params in curve for curve in found.curves.values())


@pytest.mark.parametrize("name", [name for name in KINDS if not name.startswith("rsa")])
def test_a_key_is_shown_under_the_name_of_its_kind(name: str) -> None:
    kind = KINDS[name]
    template = {CKA.KEY_TYPE: int(kind.key_type), **(kind.public or {}), **kind.secret}
    assert kind_name(shown(template)) == name
    for params in kind.curve:
        assert kind_name(shown(template | {CKA.EC_PARAMS: params})) == name


def test_an_rsa_key_is_shown_with_its_size_and_an_unknown_one_with_nothing() -> None:
    assert kind_name(shown({CKA.KEY_TYPE: int(CKK.RSA), CKA.MODULUS: b"\x80" + bytes(255)})) == "rsa:2048"
    assert kind_name(shown({CKA.KEY_TYPE: int(CKK.RSA)})) is None
    assert kind_name(shown({CKA.KEY_TYPE: int(CKK.EC), CKA.EC_PARAMS: b"other"})) is None
    assert kind_name(shown({CKA.KEY_TYPE: int(CKK.DES3), CKA.VALUE_LEN: 24})) is None
    assert kind_name({}) is None


@pytest.mark.parametrize(("name", "known"), [("rsa:1000", "rsa:2048, rsa:3072, rsa:4096."), ("dsa", "rsa:2048")])
def test_a_kind_that_there_is_not_is_told_with_those_that_there_are(name: str, known: str) -> None:
    with pytest.raises(CliError, match=known) as refused:
        kind_of(name)
    assert refused.value.status == 2


def test_small_and_capital_letters_are_alike() -> None:
    assert kind_of("EC:BrainpoolP256R1") is KINDS["ec:brainpoolP256r1"]
    assert kind_of("Ed25519") is KINDS["ed25519"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("key_class", [CKO.PUBLIC_KEY, CKO.PRIVATE_KEY, CKO.SECRET_KEY])
def test_what_a_key_is_for_is_what_is_said_and_nothing_else(key_class: CKO, use: str) -> None:
    given = key_attributes(key_class, CKK.RSA, "label", b"\x01", [use])
    usages = {
        attribute for one in USES.values() for part in (one.public, one.private, one.secret) for attribute in part
    }
    row = USES[use]
    wanted = {CKO.PUBLIC_KEY: row.public, CKO.PRIVATE_KEY: row.private, CKO.SECRET_KEY: row.secret}[key_class]
    assert {one for one in usages if given.get(one)} == set(wanted)
    assert given[CKA.PRIVATE] is (key_class != CKO.PUBLIC_KEY)
    assert given[CKA.TOKEN] is True


def test_a_private_key_is_never_readable() -> None:
    assert guarded(extractable=True) == {CKA.SENSITIVE: True, CKA.EXTRACTABLE: True}
    assert guarded(extractable=False) == {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False}


def test_keys_of_a_throw_away_token_are_named_after_their_kinds() -> None:
    found = Keys.parse("rsa:2048,ed25519,ec:prime256v1,ed25519,ed25519")
    assert list(found.kinds) == ["rsa-2048", "ed25519", "ec-prime256v1", "ed25519-2", "ed25519-3"]
    assert all(isinstance(kind, Kind) for kind in found.kinds.values())
    with pytest.raises(CliError, match="no kind of keys ''"):
        Keys.parse("rsa:2048,")
