# SPDX-License-Identifier: Apache-2.0
"""A hostile client's ways to a key's value, or to rights that it was not given, through attributes."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.template import MOST_ATTRIBUTES, encode_template
from softee.pkcs11_ta.objects.kinds import HIDDEN_PARTS
from support.commands import c
from support.object_calls import FIRST_SESSION_OBJECT, create, fresh_caller, generate, get, search, wire
from support.samples import PROTECTED, as_template, sample
from support.samples.aes import AES_KEY
from support.samples.ec import ec_key
from support.samples.rsa import rsa_key
from support.token_world import SO_PIN, Caller, template, u32

PROTECTIONS = [
    pytest.param({"SENSITIVE": True, "EXTRACTABLE": True}, id="sensitive"),
    pytest.param({"SENSITIVE": False, "EXTRACTABLE": False}, id="unextractable"),
    pytest.param({"SENSITIVE": True, "EXTRACTABLE": False}, id="both"),
]


@pytest.fixture(scope="module")
def caller() -> Caller:
    return fresh_caller()[0]


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.open()


def set_value(caller: Caller, session: int, handle: int, *attributes: tuple[int, bytes | bool | int]) -> CKR:
    return caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, template(*attributes)).rv


def copy(caller: Caller, session: int, handle: int, *attributes: tuple[int, bytes | bool | int]) -> CKR:
    return caller.call(c.COPY_OBJECT, session, handle, template(*attributes)).rv


@pytest.mark.parametrize("token", [False, True], ids=["session", "token"])
@pytest.mark.parametrize("kind", PROTECTED)
@pytest.mark.parametrize("protection", PROTECTIONS)
def test_invariant_1_a_protected_value_is_in_no_reply(
    caller: Caller, session: int, kind: str, protection: dict[str, bool], *, token: bool
) -> None:
    key = create(caller, session, kind, TOKEN=token, **protection)
    secrets = [value for part, value in sample(kind).items() if part in HIDDEN_PARTS]
    assert secrets
    for attribute in HIDDEN_PARTS:
        unknown = attribute == CKA.SEED and not kind.startswith(("ML-DSA", "ML-KEM"))
        refused = CKR.ATTRIBUTE_TYPE_INVALID if unknown else CKR.ATTRIBUTE_SENSITIVE
        for space in (b"", bytes(1), bytes(4096)):
            wanted = template((attribute, space), (CKA.CLASS, bytes(4)), (attribute, space))
            answer = caller.call(c.GET_ATTRIBUTE_VALUE, session, key, wanted, capacity=len(encode_template(wanted)))
            assert answer.rv is refused
            assert not any(isinstance(secret, bytes) and secret in answer.output for secret in secrets)


@pytest.mark.parametrize("kind", PROTECTED)
def test_a_search_does_not_tell_whether_a_guess_of_a_hidden_value_is_right(
    caller: Caller, session: int, kind: str
) -> None:
    label = f"guessed {kind}".encode()
    key = create(caller, session, kind, TOKEN=True, SENSITIVE=True, LABEL=label)
    assert search(caller, session, template((CKA.LABEL, label))) == [key]
    for part, value in as_template(sample(kind)):
        if part in HIDDEN_PARTS:
            assert search(caller, session, template((CKA.LABEL, label), (part, value))) == []


@pytest.mark.parametrize("change", [set_value, copy])
@pytest.mark.parametrize(
    ("before", "attack"),
    [
        ((CKA.SENSITIVE, True), (CKA.SENSITIVE, False)),
        ((CKA.EXTRACTABLE, False), (CKA.EXTRACTABLE, True)),
        ((CKA.WRAP_WITH_TRUSTED, True), (CKA.WRAP_WITH_TRUSTED, False)),
        ((CKA.LABEL, b""), (CKA.ALWAYS_SENSITIVE, True)),
        ((CKA.LABEL, b""), (CKA.NEVER_EXTRACTABLE, True)),
        ((CKA.LABEL, b""), (CKA.LOCAL, False)),
        ((CKA.LABEL, b""), (CKA.LOCAL, True)),
        ((CKA.LABEL, b""), (CKA.KEY_GEN_MECHANISM, 0)),
        ((CKA.LABEL, b""), (CKA.VALUE, AES_KEY)),
        ((CKA.LABEL, b""), (CKA.VALUE_LEN, 32)),
        ((CKA.LABEL, b""), (CKA.KEY_TYPE, int(CKK.GENERIC_SECRET))),
        ((CKA.LABEL, b""), (CKA.CLASS, int(CKO.DATA))),
        ((CKA.LABEL, b""), (CKA.TRUSTED, True)),
        ((CKA.LABEL, b""), (CKA.ALLOWED_MECHANISMS, b"")),
        ((CKA.LABEL, b""), (CKA.UNWRAP_TEMPLATE, b"")),
    ],
)
def test_invariant_5_what_moves_one_way_or_never_is_not_moved_back(
    caller: Caller,
    session: int,
    change: Callable[..., CKR],
    before: tuple[int, bytes | bool | int],
    attack: tuple[int, bytes | bool | int],
) -> None:
    key = generate(caller, session, before)
    assert change(caller, session, key, attack) is CKR.ATTRIBUTE_READ_ONLY
    assert change(caller, session, key, (CKA.LABEL, b"harmless"), attack) is CKR.ATTRIBUTE_READ_ONLY
    assert get(caller, session, key, CKA.LABEL) == b""


@pytest.mark.parametrize("change", [set_value, copy])
@pytest.mark.parametrize("token", [False, True], ids=["session", "token"])
@pytest.mark.parametrize("kind", ["RSA private key", "EC private key"])
def test_a_private_key_is_not_passed_off_as_the_half_of_anothers(
    caller: Caller, session: int, kind: str, change: Callable[..., CKR], *, token: bool
) -> None:
    key = create(caller, session, kind, TOKEN=token)
    own, others = (public_key_info(pair) for pair in (PAIRS[kind](), ec.generate_private_key(ec.SECP256R1())))
    for false in (others, own[:-1], own + b"\0", b"\x30\x00"):
        assert change(caller, session, key, (CKA.PUBLIC_KEY_INFO, false)) is CKR.ATTRIBUTE_VALUE_INVALID
        assert get(caller, session, key, CKA.PUBLIC_KEY_INFO) == b""
    assert change(caller, session, key, (CKA.PUBLIC_KEY_INFO, own)) is CKR.OK


PAIRS: dict[str, Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]] = {
    "RSA private key": rsa_key,
    "EC private key": ec_key,
}


def public_key_info(pair: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_invariant_5_a_private_object_does_not_become_public_by_a_copy(caller: Caller, session: int) -> None:
    private = create(caller, session, PRIVATE=True)
    for token in (False, True):
        refused = copy(caller, session, private, (CKA.TOKEN, token), (CKA.PRIVATE, False))
        assert refused is CKR.TEMPLATE_INCONSISTENT


def test_a_copy_of_a_copy_wins_nothing(caller: Caller, session: int) -> None:
    key = create(caller, session, "AES key", EXTRACTABLE=True, SENSITIVE=True, COPYABLE=True)
    for _ in range(3):
        key = caller.ok(c.COPY_OBJECT, session, key, template((CKA.MODIFIABLE, True), (CKA.TOKEN, True))).handle
        assert get(caller, session, key, CKA.VALUE) is CKR.ATTRIBUTE_SENSITIVE
        assert get(caller, session, key, CKA.ALWAYS_SENSITIVE) == b"\0"
        assert get(caller, session, key, CKA.LOCAL) == b"\0"


@pytest.mark.parametrize(
    "smuggled",
    [
        (CKA.LOCAL, True),
        (CKA.ALWAYS_SENSITIVE, True),
        (CKA.NEVER_EXTRACTABLE, True),
        (CKA.KEY_GEN_MECHANISM, int(CKM.AES_KEY_GEN)),
    ],
)
def test_a_key_does_not_come_with_a_false_history(
    caller: Caller, session: int, smuggled: tuple[int, bytes | bool | int]
) -> None:
    imported = template(*as_template(sample("AES key")), smuggled)
    assert caller.call(c.CREATE_OBJECT, session, imported).rv is CKR.TEMPLATE_INCONSISTENT
    wanted = template((CKA.VALUE_LEN, 16), smuggled)
    generated = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted)
    assert generated.rv is CKR.TEMPLATE_INCONSISTENT
    unwrapper = create(caller, session, "AES key", UNWRAP=True)
    wanted = template((CKA.CLASS, 4), (CKA.KEY_TYPE, int(CKK.AES)), smuggled)
    unwrapped = caller.call(c.UNWRAP_KEY, session, unwrapper, CKM.AES_ECB, b"", wanted, data=bytes(16))
    assert unwrapped.rv is CKR.TEMPLATE_INCONSISTENT


def test_trust_is_the_security_officers(caller: Caller, session: int) -> None:
    trusted = (CKA.TRUSTED, True)
    answer = caller.call(c.CREATE_OBJECT, session, template(*as_template(sample("AES key")), trusted))
    assert answer.rv is CKR.ATTRIBUTE_READ_ONLY
    wanted = template((CKA.VALUE_LEN, 16), trusted)
    assert caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted).rv is CKR.ATTRIBUTE_READ_ONLY
    key = generate(caller, session)
    assert set_value(caller, session, key, trusted) is CKR.ATTRIBUTE_READ_ONLY
    assert copy(caller, session, key, trusted) is CKR.ATTRIBUTE_READ_ONLY


def test_a_trusted_certificate_is_not_changed_not_even_by_a_copy() -> None:
    caller, session = fresh_caller()
    certificate = create(caller, session, "X.509 certificate", TOKEN=True, PRIVATE=False, LABEL=b"a root")
    assert set_value(caller, session, certificate, (CKA.LABEL, b"our root")) is CKR.OK
    caller.logout(session)
    caller.login(session, CKU.SO, SO_PIN)
    assert set_value(caller, session, certificate, (CKA.TRUSTED, True)) is CKR.OK
    caller.logout(session)
    caller.login(session)
    for attack in ((CKA.LABEL, b"their root"), (CKA.TRUSTED, False), (CKA.SUBJECT, b"\x30\x01")):
        for change in (set_value, copy):
            assert change(caller, session, certificate, attack) is CKR.ATTRIBUTE_READ_ONLY
    assert set_value(caller, session, certificate) is CKR.OK
    assert copy(caller, session, certificate) is CKR.OK
    assert get(caller, session, certificate, CKA.LABEL) == b"our root"
    assert get(caller, session, certificate, CKA.TRUSTED) == b"\1"


def test_anybody_may_say_that_something_is_not_trusted(caller: Caller, session: int) -> None:
    key = create(caller, session, "AES key", TRUSTED=False)
    assert set_value(caller, session, key, (CKA.TRUSTED, False)) is CKR.OK
    assert get(caller, session, generate(caller, session, (CKA.TRUSTED, False)), CKA.TRUSTED) == b"\0"


def test_a_trusted_key_is_changed_as_any_other() -> None:
    caller, session = fresh_caller()
    key = generate(caller, session, (CKA.TOKEN, True))
    caller.logout(session)
    caller.login(session, CKU.SO, SO_PIN)
    assert set_value(caller, session, key, (CKA.TRUSTED, True)) is CKR.OK
    caller.logout(session)
    caller.login(session)
    assert set_value(caller, session, key, (CKA.LABEL, b"changed")) is CKR.OK


def test_an_unextractable_key_is_not_wrapped(caller: Caller, session: int) -> None:
    wrapper = create(caller, session, "AES key", WRAP=True)
    for kind in PROTECTED:
        kept = create(caller, session, kind, EXTRACTABLE=False)
        for mechanism, parameter in ((CKM.AES_ECB, b""), (CKM.AES_CBC, bytes(16))):
            answer = caller.call(c.WRAP_KEY, session, wrapper, kept, mechanism, parameter)
            assert answer.rv is CKR.KEY_UNEXTRACTABLE


def test_a_wrap_template_is_no_oracle_for_a_kept_keys_value(caller: Caller, session: int) -> None:
    kept = create(caller, session, "AES key", EXTRACTABLE=False)
    answers = set()
    for guess in (AES_KEY, bytes(16)):
        wrapper = create(caller, session, "AES key", WRAP=True, WRAP_TEMPLATE=((int(CKA.VALUE), guess),))
        answers.add(caller.call(c.WRAP_KEY, session, wrapper, kept, CKM.AES_ECB, b"").rv)
    assert answers == {CKR.KEY_UNEXTRACTABLE}


@pytest.mark.parametrize("token", [False, True], ids=["session", "token"])
def test_invariant_6_private_objects_are_nowhere_without_the_users_login(*, token: bool) -> None:
    caller, session = fresh_caller()
    private = create(caller, session, "AES key", TOKEN=token, PRIVATE=True, EXTRACTABLE=True, WRAP=True)
    public = create(caller, session, "AES key", TOKEN=True, EXTRACTABLE=True, WRAP=True)
    caller.logout(session)
    for role in (None, CKU.SO):
        if role is not None:
            caller.login(session, role, SO_PIN)
        for rv in all_uses(caller, session, private, public):
            assert rv in {CKR.OBJECT_HANDLE_INVALID, CKR.KEY_HANDLE_INVALID, CKR.WRAPPING_KEY_HANDLE_INVALID}
        assert private not in search(caller, session, template())
        if role is not None:
            caller.logout(session)
    caller.login(session)
    back = search(caller, session, template((CKA.PRIVATE, True)))
    assert len(back) == token, "private session objects go at logout, token objects come back at login"
    assert private not in back, "under a handle of their own"


def all_uses(caller: Caller, session: int, handle: int, other: int) -> list[CKR]:
    """Return how every command answers that takes an object."""
    aes = (CKM.AES_ECB, b"")
    return [
        answer.rv
        for answer in (
            caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, template((CKA.CLASS, bytes(4)))),
            caller.call(c.GET_OBJECT_SIZE, session, handle),
            caller.call(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, b"x"))),
            caller.call(c.COPY_OBJECT, session, handle, template()),
            caller.call(c.DESTROY_OBJECT, session, handle),
            caller.call(c.ENCRYPT_INIT, session, handle, *aes),
            caller.call(c.WRAP_KEY, session, other, handle, *aes),
            caller.call(c.WRAP_KEY, session, handle, other, *aes),
        )
    ]


def test_invariant_2_another_clients_session_objects_cannot_be_named(caller: Caller, session: int) -> None:
    mine = create(caller, session, "AES key", EXTRACTABLE=True)
    stranger = Caller(caller.application)
    theirs = stranger.open()
    assert mine >= FIRST_SESSION_OBJECT
    for rv in all_uses(stranger, theirs, mine, mine):
        assert rv in {CKR.OBJECT_HANDLE_INVALID, CKR.KEY_HANDLE_INVALID, CKR.WRAPPING_KEY_HANDLE_INVALID}
    assert mine not in search(stranger, theirs, template())


@pytest.mark.parametrize(
    "control",
    [
        u32(0xFFFFFFFF, 1) + u32(CKA.LABEL, 4) + b"abcd",
        u32(12, 0xFFFFFFFF) + u32(CKA.LABEL, 4) + b"abcd",
        u32(12, 1) + u32(CKA.LABEL, 0xFFFFFFFF) + b"abcd",
        u32(12, 2) + u32(CKA.LABEL, 4) + b"abcd",
        u32(12, 0) + u32(CKA.LABEL, 4) + b"abcd",
        u32(12, 1) + u32(CKA.LABEL, 3) + b"abcd",
        u32(0x80000000, 0x80000000),
        u32(0),
        b"",
    ],
)
@pytest.mark.parametrize("command", [c.CREATE_OBJECT, c.FIND_OBJECTS_INIT], ids=lambda command: command.name)
def test_invariant_3_a_template_that_lies_about_its_size_is_refused(
    caller: Caller, session: int, command: Command[Any], control: bytes
) -> None:
    assert caller.send(command, u32(session) + control).rv is CKR.ARGUMENTS_BAD


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(u32(0x12345678, 1) + b"x", id="an attribute that is not known"),
        pytest.param(u32(CKA.CLASS, 1) + b"x", id="a value of a wrong size"),
        pytest.param(u32(CKA.LABEL, 2) + b"x", id="a value that is cut"),
    ],
)
@pytest.mark.parametrize("depth", [1, 2])
def test_invariant_3_what_a_template_within_a_template_hides_is_looked_at(
    caller: Caller, session: int, inner: bytes, depth: int
) -> None:
    nested = u32(len(inner), 1) + inner
    for _ in range(depth - 1):
        nested = encode_template(((CKA.WRAP_TEMPLATE, nested),))
    wanted = template((CKA.VALUE_LEN, 16), (CKA.UNWRAP_TEMPLATE, nested))
    answer = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted)
    assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_invariant_3_templates_nested_without_end_are_refused(caller: Caller, session: int) -> None:
    inner = template((CKA.LABEL, b""))
    for kind in itertools.islice(itertools.cycle([CKA.WRAP_TEMPLATE, CKA.UNWRAP_TEMPLATE]), 2000):
        inner = template((kind, inner))
    wanted = template((CKA.VALUE_LEN, 16), (CKA.UNWRAP_TEMPLATE, inner))
    answer = caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", wanted)
    assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_invariant_3_a_template_of_very_many_attributes_is_answered(caller: Caller, session: int) -> None:
    """The most that there may be, and very many more, which are not even looked at."""
    data = create(caller, session)
    for count, rv in ((MOST_ATTRIBUTES - 1, CKR.OK), (50_000, CKR.ARGUMENTS_BAD)):
        many = template(*((CKA.LABEL, b"same") for _ in range(count)), (CKA.CLASS, int(CKO.DATA)))
        assert caller.call(c.CREATE_OBJECT, session, many).rv is rv
        wanted = template(*((CKA.CLASS, bytes(4)) for _ in range(count)))
        capacity = len(encode_template(wanted))
        assert caller.call(c.GET_ATTRIBUTE_VALUE, session, data, wanted, capacity=capacity).rv is rv


def test_a_client_cannot_fill_the_memory_with_session_objects(caller: Caller, session: int) -> None:
    large = wire("data", VALUE=bytes(1 << 20))
    answers = [caller.call(c.CREATE_OBJECT, session, large).rv for _ in range(20)]
    assert set(answers) == {CKR.OK, CKR.DEVICE_MEMORY}
    caller.ok(c.CLOSE_SESSION, session)
    again = caller.open()
    assert caller.call(c.CREATE_OBJECT, again, large).rv is CKR.OK
    caller.ok(c.CLOSE_SESSION, again)


@pytest.mark.parametrize("kind", [*PROTECTED, "data"])
@pytest.mark.parametrize("sensitive", [False, True])
def test_no_private_part_is_told_ahead(caller: Caller, session: int, kind: str, *, sensitive: bool) -> None:
    """Neither of the object that is asked for, nor of one that follows, whatever CKA_SENSITIVE says."""
    changes = {} if kind == "data" else {"SENSITIVE": sensitive, "EXTRACTABLE": not sensitive}
    handles = [create(caller, session, kind, **changes) for _ in range(2)]
    asked = (session, handles[0], template((CKA.CLASS, b"")), u32(handles[1]), u32(CKA.CLASS, *sorted(HIDDEN_PARTS)))
    answer = caller.ok(c.GET_ATTRIBUTES_AHEAD, *asked)
    told = answer.output[len(encode_template(asked[2])) + 12 :]
    object_class = sample(kind)[CKA.CLASS]
    assert isinstance(object_class, int)
    assert told == b"".join(u32(handle, 12, CKA.CLASS, 4, object_class) for handle in handles)
