# SPDX-License-Identifier: Apache-2.0
"""Attacks on the secure world's memory, time and numbers, and on values that it must not show."""

import tracemalloc

import pytest

from softee.names import CKA, CKG, CKK, CKM, CKO, CKR, CKZ, ParamType
from softee.pkcs11_ta.abi.command import LARGEST_WITH_VALUE
from softee.pkcs11_ta.abi.template import encode_template
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.handlers import wrap
from softee.pkcs11_ta.mechanisms.rsa.oaep import LARGEST_LABEL
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.record import decode_object, encode_object
from softee.pkcs11_ta.objects.showing import matches
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.token.object import LAST_SESSION_HANDLE
from softee.pkcs11_ta.token.objects import LARGEST_CACHED
from softee.wire.codec import Reader
from softee.wire.frames import MAX_LENGTH
from softee.wire.values import Memref
from support.commands import c
from support.object_calls import create, fresh_caller, generate, get, search, wire
from support.samples import as_template, sample
from support.token_world import Attribute, Caller, make_application, sessions_with, template, u32

MIB = 1 << 20


def peak_of(caller: Caller, session: int, handle: int, attribute: int, times: int) -> int:
    """Return how many bytes it takes at most to ask for one attribute so many times, with no space for it."""
    request = template((attribute, b"")) * times
    capacity = len(encode_template(request))
    tracemalloc.start()
    try:
        caller.call(c.GET_ATTRIBUTE_VALUE, session, handle, request, capacity=capacity)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_invariant_3_asking_for_one_value_many_times_does_not_copy_it_many_times() -> None:
    caller, session = fresh_caller()
    handle = create(caller, session, VALUE=bytes(MIB // 4))
    assert peak_of(caller, session, handle, CKA.VALUE, 1000) < 8 * MIB


def test_invariant_3_a_long_list_of_mechanisms_is_written_once_however_often_it_is_asked_for() -> None:
    caller, session = fresh_caller()
    handle = generate(caller, session, (CKA.ALLOWED_MECHANISMS, u32(CKM.AES_ECB) * 60_000))
    assert peak_of(caller, session, handle, CKA.ALLOWED_MECHANISMS, 1000) < 8 * MIB


@pytest.mark.parametrize(
    ("flags", "attribute", "refusal"),
    [(4, CKA.TOKEN, CKR.SESSION_READ_ONLY), (6, CKA.PRIVATE, CKR.USER_NOT_LOGGED_IN)],
    ids=["a read-only session", "nobody logged in"],
)
def test_a_session_that_must_not_make_an_object_makes_the_token_do_no_work(
    monkeypatch: pytest.MonkeyPatch, flags: int, attribute: CKA, refusal: CKR
) -> None:
    caller, session = fresh_caller()
    caller.logout(session)
    unwrapper = create(caller, session, "AES key", UNWRAP=True)
    reader = caller.open(flags=flags)

    def works(*_: object) -> None:
        raise AssertionError("the token works")

    for place in ("mechanisms.rsa.keygen.rsa.generate_private_key", "handlers.keygen.complete_new",
                  "handlers.objects.complete_new", "handlers.wrap._add_content"):  # fmt: skip
        monkeypatch.setattr(f"softee.pkcs11_ta.{place}", works)
    wanted = (attribute, True)
    pair = template((CKA.MODULUS_BITS, 4096)), template(wanted)
    secret = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES))
    for answer in (
        caller.call(c.CREATE_OBJECT, reader, wire("RSA private key", **{attribute.name: True})),
        caller.call(c.GENERATE_KEY, reader, CKM.AES_KEY_GEN, b"", template((CKA.VALUE_LEN, 16), wanted)),
        caller.call(c.GENERATE_KEY_PAIR, reader, CKM.RSA_PKCS_KEY_PAIR_GEN, b"", *pair),
        caller.call(c.UNWRAP_KEY, reader, unwrapper, CKM.AES_ECB, b"", template(*secret, wanted), data=bytes(16)),
    ):
        assert answer.rv is refusal


def test_the_plaintext_of_an_unwrapped_key_is_kept_in_the_object_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytearray] = []
    add_content = wrap._add_content

    def content_noted(session: Session, made: Given, plain: bytearray, *, proven: bool) -> None:
        seen.append(plain)
        add_content(session, made, plain, proven=proven)

    monkeypatch.setattr(wrap, "_add_content", content_noted)
    caller, session = fresh_caller()
    unwrapper = generate(caller, session, (CKA.UNWRAP, True))
    aes = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES))
    caller.ok(c.UNWRAP_KEY, session, unwrapper, CKM.AES_ECB, b"", aes, data=bytes(16))
    refused = caller.call(c.UNWRAP_KEY, session, unwrapper, CKM.AES_ECB, b"", aes, data=bytes(48))
    assert refused.rv is CKR.WRAPPED_KEY_LEN_RANGE
    assert sorted(map(len, seen)) == [16, 48]
    assert not any(any(part) for part in seen)


def test_an_attribute_that_is_asked_for_twice_is_given_twice() -> None:
    caller, session = fresh_caller()
    handle = create(caller, session, LABEL=b"a label")
    answer = caller.ok(c.GET_ATTRIBUTE_VALUE, session, handle, template(*[(CKA.LABEL, bytes(7))] * 2))
    assert answer.output == encode_template(template(*[(CKA.LABEL, b"a label")] * 2))


def test_invariant_3_a_request_larger_than_a_frame_is_not_decoded() -> None:
    """A memory file could hold 64 MiB of attributes, whose decoding would take gigabytes and many seconds."""
    caller, session = fresh_caller()
    control = u32(session) + bytes(MAX_LENGTH)
    assert caller.invoke(c.FIND_OBJECTS_INIT.number, control).rv is CKR.DEVICE_MEMORY
    output = Memref(ParamType.MEMREF_OUTPUT, capacity=4)
    control = u32(session) + bytes(LARGEST_WITH_VALUE)
    assert caller.invoke(c.CREATE_OBJECT.number, control, None, output).rv is CKR.DEVICE_MEMORY


VALUE = (CKA.VALUE, bytes(16 << 20))


def test_a_data_object_of_16_mib_comes_back() -> None:
    caller, session = fresh_caller()
    data = template((CKA.CLASS, CKO.DATA), (CKA.TOKEN, True), VALUE)
    handle = caller.ok(c.CREATE_OBJECT, session, data).handle
    answer = caller.ok(c.GET_ATTRIBUTE_VALUE, session, handle, (VALUE,), capacity=(16 << 20) + 16)
    assert answer.output == encode_template((VALUE,))


@pytest.mark.parametrize(
    "large",
    [
        ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET), VALUE),
        ((CKA.CLASS, CKO.CERTIFICATE), VALUE),
        (VALUE,),
        ((CKA.CLASS, CKO.DATA), (CKA.LABEL, bytes(MAX_LENGTH + 1))),
        ((CKA.CLASS, CKO.DATA), (CKA.VALUE, bytes(MIB)), *[(CKA.APPLICATION, bytes(MAX_LENGTH // 2 + 1))] * 2),
    ],
)
def test_invariant_3_nothing_but_a_data_objects_value_is_larger_than_a_frame(large: tuple[Attribute, ...]) -> None:
    caller, session = fresh_caller()
    assert caller.call(c.CREATE_OBJECT, session, template(*large)).rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_invariant_3_a_large_request_has_no_more_attributes_than_a_frame_holds() -> None:
    caller, session = fresh_caller()
    many = encode_template(((0, b""),))[8:] * (MAX_LENGTH // 8 + 1)
    control = u32(session, len(many), MAX_LENGTH // 8 + 1) + many
    output = Memref(ParamType.MEMREF_OUTPUT, capacity=4)
    assert caller.invoke(c.CREATE_OBJECT.number, control, None, output).rv is CKR.ARGUMENTS_BAD


def test_a_label_that_would_stay_in_memory_with_each_session_is_refused() -> None:
    caller, session = fresh_caller()
    key = create(caller, session, "RSA public key", ENCRYPT=True)
    head = u32(CKM.SHA_1, CKG.MGF1_SHA1, CKZ.DATA_SPECIFIED)
    too_long = head + u32(LARGEST_LABEL + 1) + bytes(LARGEST_LABEL + 1)
    answer = caller.call(c.ENCRYPT_INIT, session, key, CKM.RSA_PKCS_OAEP, too_long)
    assert answer.rv is CKR.MECHANISM_PARAM_INVALID
    longest = head + u32(LARGEST_LABEL) + bytes(LARGEST_LABEL)
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.RSA_PKCS_OAEP, longest)


def test_large_token_objects_do_not_stay_in_memory() -> None:
    caller, session = fresh_caller()
    wanted = wire("data", TOKEN=True, VALUE=bytes(MIB // 2))
    tracemalloc.start()
    try:
        handles = [caller.ok(c.CREATE_OBJECT, session, wanted).handle for _ in range(20)]
        stored = 20 * (MIB // 2)  # in the store, which here is memory too
        assert tracemalloc.get_traced_memory()[0] < stored + 4 * MIB
    finally:
        tracemalloc.stop()
    assert get(caller, session, handles[-1], CKA.APPLICATION) == b""
    assert len(encode_template(wanted)) > LARGEST_CACHED


def test_an_object_that_has_grown_too_large_to_be_kept_is_not_served_as_it_was() -> None:
    caller, session = fresh_caller()
    handle = create(caller, session, TOKEN=True, LABEL=b"small")
    for label in (b"large" * LARGEST_CACHED, b"small again"):
        caller.ok(c.SET_ATTRIBUTE_VALUE, session, handle, template((CKA.LABEL, label)))
        assert search(caller, session, template((CKA.LABEL, label))) == [handle]
    assert get(caller, session, handle, CKA.LABEL) == b"small again"


def test_session_object_handles_run_out_instead_of_wrapping_around() -> None:
    caller, session = fresh_caller()
    (opened,) = sessions_with(caller.application.slots.token(0))
    opened.objects._next_handle = LAST_SESSION_HANDLE  # two thousand million objects later
    last = create(caller, session)
    assert last == LAST_SESSION_HANDLE
    assert caller.call(c.CREATE_OBJECT, session, wire("data")).rv is CKR.DEVICE_MEMORY
    assert search(caller, session, template()) == [last]


def test_session_handles_run_out_instead_of_wrapping_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.pkcs11_ta.session.client.LAST_HANDLE", 1)
    caller = Caller(make_application())
    caller.open()
    assert caller.call(c.OPEN_SESSION, 0, 6).rv is CKR.SESSION_COUNT
    assert len(caller.application.slots.token(0).sessions) == 1


def test_a_key_that_asks_for_a_login_before_each_use_is_private() -> None:
    caller, session = fresh_caller()
    public = {"PRIVATE": False, "ALWAYS_AUTHENTICATE": True}
    refused = caller.call(c.CREATE_OBJECT, session, wire("EC private key", **public))
    assert refused.rv is CKR.TEMPLATE_INCONSISTENT
    assert create(caller, session, "EC private key", PRIVATE=True, ALWAYS_AUTHENTICATE=True)


class Watched(SecretBytes):
    """A secret value that nobody may compare: the time that takes depends on how much of a guess is right."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a hidden value was compared with a guess")

    __hash__ = None  # type: ignore[assignment]  # as bytearray has it


def test_a_search_does_not_compare_a_hidden_value() -> None:
    attributes: Given = {
        CKA.CLASS: 4,
        CKA.SENSITIVE: True,
        CKA.EXTRACTABLE: False,
        CKA.VALUE: Watched(16),
    }
    assert not matches(attributes, {CKA.VALUE: SecretBytes(16)})


def test_a_private_value_is_never_copied_into_bytes_that_cannot_be_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    value = b"a private value!"
    given = rules.parse(as_template(sample("AES key", VALUE=value)))
    record = encode_object(rules.make(given, rules.CREATE, is_so=False))
    taken: list[bytes] = []
    take = Reader.take

    def noted(reader: Reader, count: int) -> bytes:
        taken.append(take(reader, count))
        return taken[-1]

    monkeypatch.setattr(Reader, "take", noted)
    assert decode_object(record)[CKA.VALUE] == value
    assert taken
    assert value not in taken
