# SPDX-License-Identifier: Apache-2.0
"""The binding to PKCS#11 modules: C's layouts are the standard's, secrets are overwritten, refusals are sentences."""

import ctypes
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from softee.cli.cryptoki import structures as c
from softee.cli.cryptoki.choice import TokenChoice
from softee.cli.cryptoki.module import Module, Token
from softee.cli.cryptoki.refusals import SENTENCES, RefusedError
from softee.cli.cryptoki.signing import signing_key
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.names import CKA, CKM, CKR, TokenFlag
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from support.cryptoki import facts


def test_the_functions_stand_in_the_order_of_the_standard() -> None:
    names = [one["name"] for one in facts()["functions"]]
    assert [f"C_{name}" for name in c.FUNCTIONS] == names[: len(c.FUNCTIONS)]
    assert len(c.FUNCTIONS) == 68


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (c.Attribute, "CK_ATTRIBUTE"),
        (c.Mechanism, "CK_MECHANISM"),
        (c.TokenInfo, "CK_TOKEN_INFO"),
    ],
)
def test_a_structure_is_laid_out_as_the_standard_s(ours: type[ctypes.Structure], name: str) -> None:
    layout = facts()["structs"][name]
    assert ctypes.sizeof(ours) == layout["size_lp64"]
    offsets = {field["offset_lp64"] for field in layout["fields"]}
    assert {getattr(ours, field[0]).offset for field in ours._fields_} <= offsets


def test_a_template_is_what_c_reads_and_is_overwritten_afterwards() -> None:
    secret = SecretBytes(b"secret")
    template: dict[int, c.Value] = {CKA.TOKEN: True, CKA.CLASS: 3, CKA.VALUE: secret, CKA.LABEL: b""}
    with c.template_of(template) as (rows, count):
        assert count.value == len(template)
        assert [ctypes.string_at(row.value, row.length) for row in rows] == [
            *(b"\1", (3).to_bytes(8, "little"), b"secret", b""),
        ]
        places = [(row.value, row.length) for row in rows]
        assert [row.type for row in rows] == list(template)
        kept = rows
    assert all(ctypes.string_at(place, length) == bytes(length) for place, length in places)
    assert secret == b"secret"
    del kept


@pytest.mark.parametrize("pin", [b"1234", b"", None])
def test_a_pin_is_handed_over_as_it_stands_in_memory(pin: bytes | None) -> None:
    with c.pin_of(None if pin is None else bytearray(pin)) as (given, length):
        assert length.value == len(pin or b"")
        assert (given is None) == (pin is None)
        if pin:
            assert isinstance(given, ctypes.Array)
            assert given.raw == pin


def test_a_mechanism_has_no_parameter() -> None:
    made = c.Mechanism(CKM.ECDSA)
    assert (made.type, made.parameter, made.length) == (CKM.ECDSA, None, 0)


@pytest.mark.parametrize("rv", SENTENCES)
def test_a_refusal_that_people_meet_is_a_sentence_with_its_name(rv: CKR) -> None:
    error = RefusedError("C_Login", rv)
    assert str(error).endswith(f"(C_Login: CKR_{rv.name}).")
    assert error.rv == rv


@pytest.mark.parametrize(("rv", "name"), [(CKR.HOST_MEMORY, "CKR_HOST_MEMORY"), (0x80000123, "0x80000123")])
def test_another_refusal_is_told_by_its_name_or_number(rv: int, name: str) -> None:
    assert str(RefusedError("C_Login", rv)) == f"C_Login was refused with {name}."


def test_what_is_no_module_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(CliError, match=r"The PKCS#11 module cannot be loaded: .*text\.so"):
        Module(tmp_path / "text.so")
    with pytest.raises(CliError, match=r"libc\.so\.6 is no PKCS#11 module"):
        Module(Path("libc.so.6"))


def test_a_module_that_gives_no_functions_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = SimpleNamespace(C_GetFunctionList=lambda _: CKR.GENERAL_ERROR)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: refusing)
    with pytest.raises(CliError, match=r"x\.so is a PKCS#11 module that gives no functions"):
        Module(Path("x.so"))


def test_a_function_that_a_module_does_not_have_is_not_called() -> None:
    module = object.__new__(Module)
    module._functions = c.FunctionList()
    with pytest.raises(RefusedError, match="The module cannot do this"):
        module.call("C_InitToken")


class _Asked:
    """A session that notes what it is asked to sign."""

    def __init__(self) -> None:
        self.mechanisms: list[CKM] = []

    def sign(self, mechanism: CKM, _: int, data: bytes) -> bytes:
        self.mechanisms.append(mechanism)
        return data


@pytest.mark.parametrize(
    ("private", "arguments"),
    [
        (rsa.generate_private_key(65537, 2048), (PSS(MGF1(SHA256()), 32), SHA256())),
        (rsa.generate_private_key(65537, 2048), (PKCS1v15(), SHA512())),
        (ec.generate_private_key(ec.SECP256R1()), (ec.ECDSA(Prehashed(SHA256())),)),
    ],
    ids=["PSS", "another hash", "a digest"],
)
def test_no_signature_is_made_that_was_not_thought_of(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, arguments: tuple[object, ...]
) -> None:
    asked = _Asked()
    key, _ = signing_key(cast("Any", asked), 1, private.public_key())
    with pytest.raises(TypeError, match="something else than"):
        key.sign(b"data", *arguments)  # type: ignore[arg-type]  # as the library would, were it changed
    assert asked.mechanisms == []


def token(slot: int, label: str, flags: TokenFlag = TokenFlag.TOKEN_INITIALIZED) -> Token:
    return Token(slot, label, "maker", "model", f"s{slot}", flags, (4, 128))


TOKENS = (token(0, "one"), token(1, "two"), token(2, "two"), token(3, "", TokenFlag(0)))


@pytest.mark.parametrize(
    ("choice", "uri", "slot"),
    [
        (TokenChoice(label="one"), None, 0),
        (TokenChoice(slot=1), None, 1),
        (TokenChoice(label="two", slot=2), None, 2),
        (TokenChoice(slot=3), None, 3),
        (TokenChoice(), Uri(token="one"), 0),
        (TokenChoice(), Uri(serial="s2"), 2),
        (TokenChoice(), Uri(slot=1, manufacturer="maker", model="model"), 1),
    ],
)
def test_the_token_is_the_one_that_is_named(choice: TokenChoice, uri: Uri | None, slot: int) -> None:
    assert choice.among(TOKENS, uri).slot == slot


def test_a_pin_s_length_is_looked_at_before_anything_is_destroyed() -> None:
    TOKENS[0].require_length(bytearray(4), bytearray(128), bytearray())
    for length in (3, 129):
        with pytest.raises(CliError, match="takes PINs of 4 to 128 bytes"):
            TOKENS[0].require_length(bytearray(8), bytearray(length))


def test_the_only_token_that_is_initialized_needs_no_name() -> None:
    assert TokenChoice().among(TOKENS[::3]).slot == 0


@pytest.mark.parametrize(
    ("choice", "uri", "sentence"),
    [
        (TokenChoice(), None, "There are several such tokens"),
        (TokenChoice(label="two"), None, "There are several such tokens"),
        (TokenChoice(label="three"), None, "There is no such token"),
        (TokenChoice(label="one", slot=1), None, "There is no such token"),
        (TokenChoice(), Uri(token="one", serial="s1"), "There is no such token"),
    ],
)
def test_a_token_that_is_not_clear_is_not_guessed(choice: TokenChoice, uri: Uri | None, sentence: str) -> None:
    with pytest.raises(CliError, match=sentence):
        choice.among(TOKENS, uri)
