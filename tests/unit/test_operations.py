# SPDX-License-Identifier: Apache-2.0
"""When each step of an operation may come, and what is left of the operation afterwards.

The rules are those of PKCS#11 3.2 §5.8, PKCS#11 3.2 §5.10, PKCS#11 3.2 §5.12, PKCS#11 3.2 §5.13, PKCS#11 3.2 §5.15.
"""

import hashlib
import itertools
from collections.abc import Callable

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR, CKU, ParamType, TeeResult
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.session.operations import ENCRYPT, STREAM_RULES, Operations, Phase, Step
from softee.wire.values import Memref
from support.commands import c
from support.token_world import USER_PIN, Attribute, Caller, make_application, template, u32

SHA256 = (CKM.SHA256, b"")
ECDSA = (CKM.ECDSA, b"")
ECDSA_SHA256 = (CKM.ECDSA_SHA256, b"")
CBC_PAD = (CKM.AES_CBC_PAD, bytes(16))
DIGEST = bytes(range(32))


@pytest.fixture
def caller() -> Caller:
    return Caller(make_application())


@pytest.fixture
def session(caller: Caller) -> int:
    return caller.set_up()


def test_the_table_answers_for_every_phase_and_step() -> None:
    assert set(STREAM_RULES) == set(itertools.product(Phase, Step))


STEPS = (
    c.ENCRYPT_UPDATE,
    c.ENCRYPT_FINAL,
    c.ENCRYPT_ONESHOT,
    c.DECRYPT_UPDATE,
    c.DECRYPT_FINAL,
    c.DECRYPT_ONESHOT,
    c.SIGN_UPDATE,
    c.SIGN_FINAL,
    c.SIGN_ONESHOT,
    c.VERIFY_UPDATE,
    c.VERIFY_FINAL,
    c.VERIFY_ONESHOT,
    c.DIGEST_UPDATE,
    c.DIGEST_FINAL,
    c.DIGEST_ONESHOT,
)


@pytest.mark.parametrize("command", STEPS, ids=lambda command: command.name)
def test_no_step_without_init(caller: Caller, session: int, command: Command[object]) -> None:
    assert caller.call(command, session, data=b"x").rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("command", [one for one in STEPS if "DIGEST" not in one.name], ids=lambda one: one.name)
def test_another_kind_s_operation_is_not_mine_and_stays(caller: Caller, session: int, command: Command[object]) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    assert caller.call(command, session, data=b"x").rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.ok(c.DIGEST_ONESHOT, session, data=b"x").output == hashlib.sha256(b"x").digest()


def test_a_session_has_one_cryptographic_operation_and_a_search_beside_it(caller: Caller, session: int) -> None:
    key = caller.aes_key(session)
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    assert caller.call(c.DIGEST_INIT, session, *SHA256).rv is CKR.OPERATION_ACTIVE
    assert caller.call(c.ENCRYPT_INIT, session, key, *CBC_PAD).rv is CKR.OPERATION_ACTIVE
    caller.ok(c.FIND_OBJECTS_INIT, session, template())
    assert caller.call(c.FIND_OBJECTS_INIT, session, template()).rv is CKR.OPERATION_ACTIVE
    assert caller.ok(c.FIND_OBJECTS, session).output == u32(key)
    caller.ok(c.DIGEST_FINAL, session)
    caller.ok(c.FIND_OBJECTS_FINAL, session)
    other = caller.open()
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC_PAD)
    caller.ok(c.ENCRYPT_INIT, other, key, *CBC_PAD)


def test_a_refused_init_leaves_the_active_operation(caller: Caller, session: int) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    assert caller.call(c.DIGEST_INIT, session, 0x9999, b"").rv is CKR.OPERATION_ACTIVE
    caller.ok(c.DIGEST_ONESHOT, session, data=b"x")


def test_digest_in_parts_in_one_and_of_nothing(caller: Caller, session: int) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    for part in (b"a", b"", b"bc"):
        caller.ok(c.DIGEST_UPDATE, session, data=part)
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256(b"abc").digest()
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256().digest()


@pytest.mark.parametrize("capacity", [0, 31])
def test_a_small_buffer_leaves_a_digest_as_it_was(caller: Caller, session: int, capacity: int) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    for _ in range(2):
        answer = caller.call(c.DIGEST_ONESHOT, session, data=b"x", capacity=capacity)
        assert (answer.result, answer.rv, answer.size) == (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 32)
    assert caller.ok(c.DIGEST_ONESHOT, session, data=b"x", capacity=32).output == hashlib.sha256(b"x").digest()
    assert caller.call(c.DIGEST_UPDATE, session, data=b"x").rv is CKR.OPERATION_NOT_INITIALIZED


def test_one_shot_does_not_end_a_multi_part_operation_and_ends_it_as_an_error(caller: Caller, session: int) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    caller.ok(c.DIGEST_UPDATE, session, data=b"x")
    assert caller.call(c.DIGEST_ONESHOT, session, data=b"x").rv is CKR.OPERATION_ACTIVE
    assert caller.call(c.DIGEST_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED


def test_sign_in_one_part_and_in_several(caller: Caller, session: int) -> None:
    public, private = caller.ec_pair(session)
    for parts in ([b"abc"], [b"a", b"bc"], []):
        caller.ok(c.SIGN_INIT, session, private, *ECDSA_SHA256)
        for part in parts:
            caller.ok(c.SIGN_UPDATE, session, data=part)
        for capacity in (0, 63):
            assert caller.call(c.SIGN_FINAL, session, capacity=capacity).size == 64
        signature = caller.ok(c.SIGN_FINAL, session, capacity=64).output
        caller.ok(c.VERIFY_INIT, session, public, *ECDSA_SHA256)
        caller.ok(c.VERIFY_ONESHOT, session, data=b"".join(parts), second=signature)
        caller.ok(c.VERIFY_INIT, session, public, *ECDSA_SHA256)
        for part in parts:
            caller.ok(c.VERIFY_UPDATE, session, data=part)
        caller.ok(c.VERIFY_FINAL, session, second=signature)


@pytest.mark.parametrize("capacity", [0, 63])
def test_a_small_buffer_leaves_a_signature_as_it_was(caller: Caller, session: int, capacity: int) -> None:
    _, private = caller.ec_pair(session)
    caller.ok(c.SIGN_INIT, session, private, *ECDSA)
    answer = caller.call(c.SIGN_ONESHOT, session, data=DIGEST, capacity=capacity)
    assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, 64)
    assert caller.call(c.SIGN_INIT, session, private, *ECDSA).rv is CKR.OPERATION_ACTIVE
    assert caller.ok(c.SIGN_ONESHOT, session, data=DIGEST).size == 64
    assert caller.call(c.SIGN_ONESHOT, session, data=DIGEST).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("step", [c.SIGN_UPDATE, c.SIGN_FINAL], ids=lambda step: step.name)
def test_a_single_part_mechanism_refuses_parts_and_ends(caller: Caller, session: int, step: Command[object]) -> None:
    _, private = caller.ec_pair(session)
    caller.ok(c.SIGN_INIT, session, private, *ECDSA)
    assert caller.call(step, session, data=DIGEST).rv is CKR.MECHANISM_INVALID
    assert caller.call(c.SIGN_ONESHOT, session, data=DIGEST).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize(
    ("change", "rv"),
    [
        (lambda one: one[:63], CKR.SIGNATURE_LEN_RANGE),
        (lambda one: one[:63] + bytes([one[63] ^ 1]), CKR.SIGNATURE_INVALID),
    ],
    ids=["short", "wrong"],
)
def test_a_bad_signature_ends_the_operation(caller: Caller, session: int, change: object, rv: CKR) -> None:
    assert callable(change)
    public, private = caller.ec_pair(session)
    caller.ok(c.SIGN_INIT, session, private, *ECDSA)
    signature = caller.ok(c.SIGN_ONESHOT, session, data=DIGEST).output
    caller.ok(c.VERIFY_INIT, session, public, *ECDSA)
    assert caller.call(c.VERIFY_ONESHOT, session, data=DIGEST, second=change(signature)).rv is rv
    assert caller.call(c.VERIFY_ONESHOT, session, data=DIGEST, second=signature).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("mechanism", [CKM.ECDSA_SHA256, CKM.SHA256_HMAC], ids=lambda mechanism: mechanism.name)
@pytest.mark.parametrize("parts", [[b"abc"], [b"a", b"bc"], []], ids=["in one part", "in two", "in none"])
def test_only_the_right_signature_of_all_parts_verifies(
    caller: Caller, session: int, mechanism: CKM, parts: list[bytes]
) -> None:
    public, private = caller.ec_pair(session)
    if mechanism is CKM.SHA256_HMAC:
        public = private = secret(caller, session, bytes(range(32)), (CKA.SIGN, True), (CKA.VERIFY, True))
    caller.ok(c.SIGN_INIT, session, private, mechanism, b"")
    signature = caller.ok(c.SIGN_ONESHOT, session, data=b"".join(parts)).output

    def verify(said: list[bytes], signature: bytes) -> CKR:
        caller.ok(c.VERIFY_INIT, session, public, mechanism, b"")
        for part in said:
            caller.ok(c.VERIFY_UPDATE, session, data=part)
        rv = caller.call(c.VERIFY_FINAL, session, second=signature).rv
        assert caller.call(c.VERIFY_FINAL, session, second=signature).rv is CKR.OPERATION_NOT_INITIALIZED
        return rv

    assert verify(parts, signature) is CKR.OK
    assert verify([*parts, b"more"], signature) is CKR.SIGNATURE_INVALID
    assert verify(parts, signature[:-1] + bytes([signature[-1] ^ 1])) is CKR.SIGNATURE_INVALID
    assert verify(parts, bytes(len(signature))) is CKR.SIGNATURE_INVALID
    assert verify(parts, signature[:-1]) is CKR.SIGNATURE_LEN_RANGE
    assert verify(parts, b"") is CKR.SIGNATURE_LEN_RANGE


def encrypted(caller: Caller, session: int, key: int, data: bytes) -> bytes:
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC_PAD)
    return caller.ok(c.ENCRYPT_ONESHOT, session, data=data).output


def test_a_decryption_fits_into_a_buffer_of_its_true_size(caller: Caller, session: int) -> None:
    key = caller.aes_key(session)
    ciphertext = encrypted(caller, session, key, b"0123456789")
    caller.ok(c.DECRYPT_INIT, session, key, *CBC_PAD)
    most = caller.call(c.DECRYPT_ONESHOT, session, data=ciphertext, capacity=0)
    assert (most.rv, most.size) == (CKR.BUFFER_TOO_SMALL, 16)
    nine = caller.call(c.DECRYPT_ONESHOT, session, data=ciphertext, capacity=9)
    assert (nine.rv, nine.size) == (CKR.BUFFER_TOO_SMALL, 10)
    assert caller.ok(c.DECRYPT_ONESHOT, session, data=ciphertext, capacity=10).output == b"0123456789"
    assert caller.call(c.DECRYPT_ONESHOT, session, data=ciphertext).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("null", [False, True], ids=["no room", "no buffer"])
def test_the_size_of_a_decryption_tells_nothing_of_its_padding(caller: Caller, session: int, *, null: bool) -> None:
    key = caller.aes_key(session)
    right = [encrypted(caller, session, key, bytes(size)) for size in (16, 24, 31)]
    nothing = Memref(ParamType.MEMREF_OUTPUT, null=null)
    for ciphertext in (*right, bytes(32)):
        caller.ok(c.DECRYPT_INIT, session, key, *CBC_PAD)
        data = Memref(ParamType.MEMREF_INPUT, bytearray(ciphertext))
        asked = caller.invoke(c.DECRYPT_ONESHOT.number, u32(session), data, nothing)
        assert (asked.result, asked.rv, asked.size) == (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 32)
        caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, c.DECRYPT_ONESHOT.number)


def test_asking_for_the_size_of_a_part_takes_none_of_it(caller: Caller, session: int) -> None:
    key = caller.aes_key(session)
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC_PAD)
    nothing = Memref(ParamType.MEMREF_OUTPUT, null=True)
    asked = caller.invoke(
        c.ENCRYPT_UPDATE.number, u32(session), Memref(ParamType.MEMREF_INPUT, bytearray(b"asked")), nothing
    )
    assert (asked.result, asked.rv, asked.size) == (TeeResult.SHORT_BUFFER, CKR.BUFFER_TOO_SMALL, 0)
    caller.ok(c.ENCRYPT_UPDATE, session, data=b"given")
    out = caller.ok(c.ENCRYPT_FINAL, session).output
    assert out == encrypted(caller, session, key, b"given")


def test_encryption_in_parts_waits_for_its_buffers(caller: Caller, session: int) -> None:
    key = caller.aes_key(session)
    data = bytes(range(40))
    wanted = encrypted(caller, session, key, data)
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC_PAD)
    for _ in range(2):
        small = caller.call(c.ENCRYPT_UPDATE, session, data=data, capacity=31)
        assert (small.rv, small.size) == (CKR.BUFFER_TOO_SMALL, 32)
    out = caller.ok(c.ENCRYPT_UPDATE, session, data=data, capacity=32).output
    for capacity in (0, 15):
        small = caller.call(c.ENCRYPT_FINAL, session, capacity=capacity)
        assert (small.rv, small.size) == (CKR.BUFFER_TOO_SMALL, 16)
    out += caller.ok(c.ENCRYPT_FINAL, session, capacity=16).output
    assert out == wanted
    assert caller.call(c.ENCRYPT_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED


def test_nothing_follows_an_end_that_was_computed_but_its_buffer(caller: Caller, session: int) -> None:
    key = caller.aes_key(session)
    caller.ok(c.ENCRYPT_INIT, session, key, *CBC_PAD)
    assert caller.call(c.ENCRYPT_FINAL, session, capacity=0).rv is CKR.BUFFER_TOO_SMALL
    assert caller.call(c.ENCRYPT_UPDATE, session, data=b"more").rv is CKR.OPERATION_ACTIVE
    assert caller.call(c.ENCRYPT_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED


def test_bad_ciphertext_ends_the_operation(caller: Caller, session: int) -> None:
    key = caller.aes_key(session)
    caller.ok(c.DECRYPT_INIT, session, key, *CBC_PAD)
    assert caller.call(c.DECRYPT_ONESHOT, session, data=b"short").rv is CKR.ENCRYPTED_DATA_LEN_RANGE
    assert caller.call(c.DECRYPT_ONESHOT, session, data=b"short").rv is CKR.OPERATION_NOT_INITIALIZED


def secret(caller: Caller, session: int, value: bytes, *extra: Attribute) -> int:
    kind = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.GENERIC_SECRET))
    attributes = template(
        *kind, (CKA.TOKEN, False), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True), (CKA.VALUE, value), *extra
    )
    return caller.ok(c.CREATE_OBJECT, session, attributes).handle


def test_a_key_is_digested_between_parts(caller: Caller, session: int) -> None:
    key = secret(caller, session, b"key material")
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    caller.ok(c.DIGEST_UPDATE, session, data=b"before ")
    caller.ok(c.DIGEST_KEY, session, key)
    assert caller.ok(c.DIGEST_FINAL, session).output == hashlib.sha256(b"before key material").digest()


def test_what_is_no_secret_key_is_not_digested(caller: Caller, session: int) -> None:
    public, private = caller.ec_pair(session)
    for handle, rv in ((public, CKR.KEY_INDIGESTIBLE), (private, CKR.KEY_INDIGESTIBLE), (99, CKR.KEY_HANDLE_INVALID)):
        caller.ok(c.DIGEST_INIT, session, *SHA256)
        assert caller.call(c.DIGEST_KEY, session, handle).rv is rv
        assert caller.call(c.DIGEST_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.call(c.DIGEST_KEY, session, public).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("command", [c.DIGEST_UPDATE, c.DIGEST_FINAL, c.DIGEST_ONESHOT, c.DIGEST_KEY])
def test_release_ends_the_operation_of_the_command(caller: Caller, session: int, command: Command[object]) -> None:
    caller.ok(c.DIGEST_INIT, session, *SHA256)
    assert caller.call(c.RELEASE_ACTIVE_PROCESSING, session, c.SIGN_FINAL.number).rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.call(c.RELEASE_ACTIVE_PROCESSING, session, c.LOGIN.number).rv is CKR.ARGUMENTS_BAD
    caller.ok(c.RELEASE_ACTIVE_PROCESSING, session, command.number)
    assert caller.call(c.DIGEST_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.call(c.RELEASE_ACTIVE_PROCESSING, session, command.number).rv is CKR.OPERATION_NOT_INITIALIZED


def test_logout_ends_the_operations_of_the_client(caller: Caller, session: int) -> None:
    other = caller.open()
    _, private = caller.ec_pair(session)
    caller.ok(c.SIGN_INIT, session, private, *ECDSA)
    caller.ok(c.FIND_OBJECTS_INIT, other, template())
    assert caller.logout(other) is CKR.OK
    assert caller.call(c.SIGN_ONESHOT, session, data=DIGEST).rv is CKR.OPERATION_NOT_INITIALIZED
    assert caller.call(c.FIND_OBJECTS, other).rv is CKR.OPERATION_NOT_INITIALIZED


class Ended:
    """An operation that another session's logout ends, with all others, just when somebody looks at it."""

    purpose = ENCRYPT

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @property
    def phase(self) -> Phase:
        self._operations.clear()
        return Phase.IDLE

    @property
    def context_login(self) -> bool:
        self._operations.clear()
        return False


@pytest.mark.parametrize("look", [Operations.require_idle, Operations.active, Operations.waiting_for_login])
def test_a_logout_disturbs_nobody_who_looks_at_the_operations(look: Callable[[Operations], object]) -> None:
    operations = Operations(one_at_a_time=True)
    operations.begin(Ended(operations))  # type: ignore[arg-type] # plays one
    assert not look(operations)


@pytest.fixture
def careful_key(caller: Caller, session: int) -> int:
    """A private key with CKA_ALWAYS_AUTHENTICATE."""
    return caller.ec_pair(session, (CKA.ALWAYS_AUTHENTICATE, True))[1]


def test_a_careful_key_wants_a_login_before_each_use(caller: Caller, session: int, careful_key: int) -> None:
    for _ in range(2):
        caller.ok(c.SIGN_INIT, session, careful_key, *ECDSA)
        assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OK
        assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OPERATION_NOT_INITIALIZED
        assert caller.ok(c.SIGN_ONESHOT, session, data=DIGEST).size == 64


def test_without_it_a_careful_key_does_nothing(caller: Caller, session: int, careful_key: int) -> None:
    caller.ok(c.SIGN_INIT, session, careful_key, *ECDSA)
    assert caller.call(c.SIGN_ONESHOT, session, data=DIGEST).rv is CKR.USER_NOT_LOGGED_IN
    assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OPERATION_NOT_INITIALIZED


def test_a_wrong_pin_for_a_careful_key_counts(caller: Caller, session: int, careful_key: int) -> None:
    caller.ok(c.SIGN_INIT, session, careful_key, *ECDSA)
    assert caller.login(session, CKU.CONTEXT_SPECIFIC, b"wrong") is CKR.PIN_INCORRECT
    assert caller.token_flags() == 0x1040D
    assert caller.login(session, CKU.CONTEXT_SPECIFIC, USER_PIN) is CKR.OK
    assert caller.token_flags() == 0x40D
    assert caller.ok(c.SIGN_ONESHOT, session, data=DIGEST).size == 64


def test_a_careful_key_stays_confirmed_for_all_parts(caller: Caller, session: int, careful_key: int) -> None:
    caller.ok(c.SIGN_INIT, session, careful_key, *ECDSA_SHA256)
    assert caller.login(session, CKU.CONTEXT_SPECIFIC) is CKR.OK
    caller.ok(c.SIGN_UPDATE, session, data=b"x")
    caller.ok(c.SIGN_UPDATE, session, data=b"y")
    assert caller.ok(c.SIGN_FINAL, session).size == 64
