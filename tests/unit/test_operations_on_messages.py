# SPDX-License-Identifier: Apache-2.0
"""Encryption message by message: nonces, tags, and when each step may come."""

import itertools

import pytest

from softee.names import CKA, CKM, CKR, GeneratorFunction, MechanismFlag, ParamType, TeeResult
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import by_message
from softee.pkcs11_ta.session.operations import MESSAGE_RULES, MessageStep, Phase
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from softee.wire.values import Memref
from support.commands import c
from support.mechanism_runs import counted, u32
from support.message_world import AAD, AEADS, DATA, END, IV, PARTS, Aead, World, split, world
from support.token_world import Caller, make_application, template


@pytest.fixture(params=AEADS, ids=lambda aead: aead.mechanism.name)
def aead(request: pytest.FixtureRequest) -> Aead:
    made: Aead = request.param
    return made


@pytest.fixture
def here() -> World:
    return world()


def test_the_table_answers_for_every_phase_and_step() -> None:
    assert set(MESSAGE_RULES) == set(itertools.product((Phase.READY, Phase.UPDATING), MessageStep))


def test_a_message_is_what_c_encrypt_makes_with_the_tag_apart(here: World, aead: Aead) -> None:
    here.begin(aead)
    nonce, tag, encrypted = split(here.encrypt(aead.message()).output)
    assert nonce == IV
    assert here.one_shot(aead, IV) == encrypted + tag


def test_messages_go_there_and_back_one_after_the_other(here: World, aead: Aead) -> None:
    here.begin(aead)
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    for number in range(3):
        iv = bytes([number]) * 12
        _, tag, encrypted = split(here.encrypt(aead.message(iv)).output)
        assert here.decrypt(aead.message(iv), tag, encrypted).output == u32(0) + DATA
    here.caller.ok(c.MESSAGE_ENCRYPT_FINAL, here.session)
    here.caller.ok(c.MESSAGE_DECRYPT_FINAL, here.session)
    assert here.encrypt(aead.message()).rv is CKR.OPERATION_NOT_INITIALIZED


def test_parts_make_the_same_message(here: World, aead: Aead) -> None:
    here.begin(aead)
    begun = here.caller.ok(c.ENCRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    assert begun.output == counted(IV)
    encrypted = b""
    for part in PARTS[:-1]:
        output = here.caller.ok(c.ENCRYPT_MESSAGE_NEXT, here.session, 0, data=part).output
        assert output[:4] == u32(0)
        encrypted += output[4:]
    last = here.caller.ok(c.ENCRYPT_MESSAGE_NEXT, here.session, END, data=PARTS[-1]).output
    tag, encrypted = last[4:20], encrypted + last[20:]
    assert here.one_shot(aead, IV) == encrypted + tag

    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    here.caller.ok(c.DECRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    first = here.caller.ok(c.DECRYPT_MESSAGE_NEXT, here.session, 0, b"", data=encrypted[:7])
    assert first.output == u32(0)
    rest = here.caller.ok(c.DECRYPT_MESSAGE_NEXT, here.session, END, tag, data=encrypted[7:])
    assert rest.output == u32(0) + DATA


def test_nothing_is_decrypted_where_anything_was_altered(here: World, aead: Aead) -> None:
    here.begin(aead)
    _, tag, encrypted = split(here.encrypt(aead.message()).output)
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    other = bytes([encrypted[0] ^ 1]) + encrypted[1:]
    for answer in (
        here.decrypt(aead.message(), tag, other),
        here.decrypt(aead.message(), bytes(16), encrypted),
        here.decrypt(aead.message(), tag, encrypted, aad=b"other"),
        here.decrypt(aead.message(bytes(12)), tag, encrypted),
    ):
        assert (answer.rv, answer.output) == (CKR.AEAD_DECRYPT_FAILED, b"")
    assert here.decrypt(aead.message(), tag, encrypted).output == u32(0) + DATA


def test_a_wrong_tag_at_the_end_ends_the_message_and_not_the_operation(here: World, aead: Aead) -> None:
    here.begin(aead)
    _, tag, encrypted = split(here.encrypt(aead.message()).output)
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    here.caller.ok(c.DECRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    last = (c.DECRYPT_MESSAGE_NEXT, here.session, END)
    assert here.caller.call(*last, bytes(16), data=encrypted).rv is CKR.AEAD_DECRYPT_FAILED
    assert here.caller.call(*last, tag, data=encrypted).rv is CKR.OPERATION_NOT_INITIALIZED
    assert here.decrypt(aead.message(), tag, encrypted).output == u32(0) + DATA


@pytest.mark.parametrize("size", [0, 12, 15, 17])
def test_a_tag_of_another_size_is_no_parameter(here: World, aead: Aead, size: int) -> None:
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    assert here.decrypt(aead.message(), bytes(size), DATA).rv is CKR.MECHANISM_PARAM_INVALID


def test_a_short_tag_is_the_parameter_s_choice(here: World, aead: Aead) -> None:
    here.begin(aead)
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    parameter = aead.message(tag=12)
    _, tag, encrypted = split(here.encrypt(parameter).output, tag_size=12)
    assert here.decrypt(parameter, tag, encrypted).output == u32(0) + DATA


@pytest.mark.parametrize("generator", [GeneratorFunction.GENERATE, GeneratorFunction.GENERATE_RANDOM])
def test_nonces_made_at_random_never_come_twice(here: World, aead: Aead, generator: GeneratorFunction) -> None:
    here.begin(aead)
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    nonces = set()
    for _ in range(50):
        nonce, tag, encrypted = split(here.encrypt(aead.message(bytes(12), generator=generator)).output)
        assert here.decrypt(aead.message(nonce), tag, encrypted).output == u32(0) + DATA
        nonces.add(nonce)
    assert len(nonces) == 50


def test_the_fixed_bits_of_a_nonce_stay(here: World) -> None:
    aead = AEADS[1]
    here.begin(aead)
    parameter = aead.message(b"\xff\xff\xf0" + bytes(9), fixed=20, generator=GeneratorFunction.GENERATE)
    nonces = [split(here.encrypt(parameter).output)[0] for _ in range(20)]
    assert {nonce[:2] for nonce in nonces} == {b"\xff\xff"}
    assert {nonce[2] >> 4 for nonce in nonces} == {15}
    assert len({nonce[2] & 15 for nonce in nonces}) > 1


@pytest.mark.parametrize("generator", [GeneratorFunction.GENERATE, GeneratorFunction.GENERATE_RANDOM])
def test_few_random_bits_are_refused(here: World, aead: Aead, generator: GeneratorFunction) -> None:
    here.begin(aead)
    most = 96 - aead.random_bits
    assert here.encrypt(aead.message(fixed=most, generator=generator)).rv is CKR.OK
    assert here.encrypt(aead.message(fixed=most + 1, generator=generator)).rv is CKR.MECHANISM_PARAM_INVALID


def test_a_counter_begins_at_zero_and_goes_on(here: World, aead: Aead) -> None:
    """PKCS#11 3.2 §6.13."""
    here.begin(aead)
    parameter = aead.message(b"fix!" + b"\xff" * 8, fixed=32, generator=GeneratorFunction.GENERATE_COUNTER)
    for count in range(3):
        assert split(here.encrypt(parameter).output)[0] == b"fix!" + count.to_bytes(8, "big")


def test_a_counter_is_xored_with_what_the_caller_gives(here: World, aead: Aead) -> None:
    """PKCS#11 3.2 §6.13."""
    here.begin(aead)
    given = b"fix!" + b"\xaa" * 8
    parameter = aead.message(given, fixed=32, generator=GeneratorFunction.GENERATE_COUNTER_XOR)
    for count in range(3):
        assert split(here.encrypt(parameter).output)[0] == given[:-1] + bytes([0xAA ^ count])
    other = aead.message(bytes(12), fixed=32, generator=GeneratorFunction.GENERATE_COUNTER_XOR)
    assert here.encrypt(other).rv is CKR.MECHANISM_PARAM_INVALID


@pytest.mark.parametrize("generator", [GeneratorFunction.GENERATE_COUNTER, GeneratorFunction.GENERATE_COUNTER_XOR])
def test_a_counter_never_wraps_around(here: World, aead: Aead, generator: GeneratorFunction) -> None:
    here.begin(aead)
    parameter = aead.message(fixed=95, generator=generator)
    nonces = {split(here.encrypt(parameter).output)[0] for _ in range(2)}
    assert len(nonces) == 2
    assert here.encrypt(parameter).rv is CKR.MECHANISM_PARAM_INVALID


def test_a_question_for_the_size_uses_up_no_nonce(here: World, aead: Aead) -> None:
    here.begin(aead)
    parameter = aead.message(fixed=32, generator=GeneratorFunction.GENERATE_COUNTER)
    needed = 4 + 12 + 16 + len(DATA)
    for capacity in (0, needed - 1):
        answer = here.encrypt(parameter, capacity=capacity)
        assert (answer.rv, answer.result, answer.size) == (CKR.BUFFER_TOO_SMALL, TeeResult.SHORT_BUFFER, needed)
    asked = here.caller.call(c.ENCRYPT_MESSAGE_BEGIN, here.session, parameter, AAD, capacity=15)
    assert (asked.rv, asked.size) == (CKR.BUFFER_TOO_SMALL, 16)
    assert split(here.encrypt(parameter, capacity=needed).output)[0][-1] == 0


def test_a_part_whose_output_does_not_fit_is_not_taken(here: World, aead: Aead) -> None:
    here.begin(aead)
    here.caller.ok(c.ENCRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    last = (c.ENCRYPT_MESSAGE_NEXT, here.session, END)
    needed = 4 + 16 + len(DATA)
    for capacity in (0, needed - 1):
        answer = here.caller.call(*last, data=DATA, capacity=capacity)
        assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, needed)
    output = here.caller.ok(*last, data=DATA, capacity=needed).output
    assert here.one_shot(aead, IV) == output[20:] + output[4:20]


def test_no_data_is_a_message_too(here: World, aead: Aead) -> None:
    here.begin(aead)
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    parameter = aead.message(size=0)
    _, tag, encrypted = split(here.encrypt(parameter, b"").output)
    assert encrypted == b""
    assert here.decrypt(parameter, tag, b"", capacity=4).output == u32(0)
    assert here.decrypt(parameter, tag, b"", capacity=0).size == 4


def test_one_message_at_a_time(here: World, aead: Aead) -> None:
    here.begin(aead)
    following = (c.ENCRYPT_MESSAGE_NEXT, here.session)
    for flags in (0, END):
        assert here.caller.call(*following, flags, data=DATA).rv is CKR.OPERATION_NOT_INITIALIZED
    beginning = (c.ENCRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    here.caller.ok(*beginning)
    assert here.caller.call(*beginning).rv is CKR.OPERATION_ACTIVE
    assert here.encrypt(aead.message()).rv is CKR.OPERATION_ACTIVE
    assert here.caller.call(c.MESSAGE_ENCRYPT_FINAL, here.session).rv is CKR.OPERATION_ACTIVE
    assert here.caller.call(*following, 2, data=DATA).rv is CKR.ARGUMENTS_BAD
    here.caller.ok(*following, END, data=DATA)
    here.caller.ok(c.MESSAGE_ENCRYPT_FINAL, here.session)


def test_an_operation_on_messages_stands_in_the_way_of_its_like_alone(here: World, aead: Aead) -> None:
    here.begin(aead)
    init = (c.MESSAGE_ENCRYPT_INIT, here.session, here.key, aead.mechanism, b"")
    assert here.caller.call(*init).rv is CKR.OPERATION_ACTIVE
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    here.one_shot(aead, IV)


def test_the_parameter_comes_with_the_message_alone(here: World, aead: Aead) -> None:
    init = (c.MESSAGE_ENCRYPT_INIT, here.session, here.key, aead.mechanism)
    assert here.caller.call(*init, aead.message()).rv is CKR.MECHANISM_PARAM_INVALID
    assert here.encrypt(aead.message()).rv is CKR.OPERATION_NOT_INITIALIZED


def test_parameters_that_mean_nothing(here: World, aead: Aead) -> None:
    here.begin(aead)
    good = aead.message()
    for bad in (
        b"",
        good[:-1],
        good + b"\0",
        aead.message(b""),
        aead.message(bytes(2000)),
        aead.message(tag=5),
        aead.message(generator=5),
        aead.message(fixed=97),
    ):
        assert here.encrypt(bad).rv is CKR.MECHANISM_PARAM_INVALID
        begun = here.caller.call(c.ENCRYPT_MESSAGE_BEGIN, here.session, bad, AAD)
        assert begun.rv is CKR.MECHANISM_PARAM_INVALID
    long = here.caller.call(c.ENCRYPT_MESSAGE, here.session, good, bytes(65537), data=DATA, capacity=1 << 17)
    assert long.rv is CKR.MECHANISM_PARAM_INVALID
    assert here.encrypt(good).rv is CKR.OK


def test_a_message_of_ccm_has_the_size_that_its_parameter_says(here: World) -> None:
    aead = AEADS[1]
    here.begin(aead)
    assert here.encrypt(aead.message(size=5)).rv is CKR.DATA_LEN_RANGE
    here.begin(aead, c.MESSAGE_DECRYPT_INIT)
    assert here.decrypt(aead.message(size=5), bytes(16), DATA).rv is CKR.ENCRYPTED_DATA_LEN_RANGE


@pytest.mark.parametrize("mechanism", [CKM.AES_CBC_PAD, CKM.AES_CTR, CKM.AES_CMAC])
def test_other_mechanisms_have_no_messages_to_encrypt(here: World, mechanism: CKM) -> None:
    init = (here.session, here.key, mechanism, b"")
    assert here.caller.call(c.MESSAGE_ENCRYPT_INIT, *init).rv is CKR.MECHANISM_INVALID


def test_the_key_must_be_for_it(here: World, aead: Aead) -> None:
    key = here.caller.aes_key(here.session, (CKA.LABEL, b"no"))
    here.caller.ok(c.SET_ATTRIBUTE_VALUE, here.session, key, template((CKA.ENCRYPT, False)))
    init = (c.MESSAGE_ENCRYPT_INIT, here.session)
    assert here.caller.call(*init, key, aead.mechanism, b"").rv is CKR.KEY_FUNCTION_NOT_PERMITTED
    assert here.caller.call(*init, 0x7777, aead.mechanism, b"").rv is CKR.KEY_HANDLE_INVALID
    _, private = here.caller.ec_pair(here.session)
    assert here.caller.call(*init, private, aead.mechanism, b"").rv is CKR.KEY_FUNCTION_NOT_PERMITTED


def test_logout_ends_operations_on_messages(here: World, aead: Aead) -> None:
    here.begin(aead)
    here.caller.ok(c.ENCRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    here.caller.logout(here.session)
    answer = here.caller.call(c.ENCRYPT_MESSAGE_NEXT, here.session, END, data=DATA)
    assert answer.rv is CKR.OPERATION_NOT_INITIALIZED


RELEASED = {
    c.ENCRYPT_MESSAGE_NEXT: (c.MESSAGE_ENCRYPT_INIT, c.ENCRYPT_MESSAGE_BEGIN),
    c.DECRYPT_MESSAGE_NEXT: (c.MESSAGE_DECRYPT_INIT, c.DECRYPT_MESSAGE_BEGIN),
}


@pytest.mark.parametrize("following", RELEASED, ids=lambda command: command.name)
def test_a_release_ends_the_message_alone(here: World, aead: Aead, following: Command[object]) -> None:
    init, begin = RELEASED[following]
    here.begin(aead, init)
    here.caller.ok(begin, here.session, aead.message(), AAD)
    here.caller.ok(c.RELEASE_ACTIVE_PROCESSING, here.session, following.number)
    here.caller.ok(begin, here.session, aead.message(), AAD)


ON_MESSAGES = MechanismFlag.MESSAGE_ENCRYPT | MechanismFlag.MESSAGE_DECRYPT | MechanismFlag.MULTI_MESSAGE
SIGNING = MechanismFlag.MESSAGE_SIGN | MechanismFlag.MESSAGE_VERIFY


def flags(caller: Caller, mechanism: CKM) -> MechanismFlag:
    return MechanismFlag(int.from_bytes(caller.ok(c.MECHANISM_INFO, 0, mechanism).output[8:], "little"))


@pytest.mark.parametrize("policy", [PORTABLE, STRICT], ids=lambda policy: policy.name)
def test_mechanisms_say_that_they_take_messages(policy: Policy) -> None:
    caller = Caller(make_application(policy=policy))
    for mechanism in (CKM.AES_GCM, CKM.AES_CCM):
        assert flags(caller, mechanism) & ON_MESSAGES == ON_MESSAGES
    assert flags(caller, CKM.ECDSA) & (SIGNING | ON_MESSAGES) == SIGNING
    assert flags(caller, CKM.ECDSA_SHA256) & (SIGNING | ON_MESSAGES) == SIGNING | MechanismFlag.MULTI_MESSAGE


def test_a_mechanism_that_is_added_to_a_token_as_optee_s_has_no_messages_there_either() -> None:
    added = changed(OPTEE, PolicyChanges(added=frozenset({CKM.AES_CCM})))
    assert not flags(Caller(make_application(policy=added)), CKM.AES_CCM) & ON_MESSAGES


@pytest.mark.parametrize("command", by_message.COMMANDS, ids=lambda command: command.name)
def test_a_token_as_optee_s_has_no_messages(command: Command[object]) -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.open()
    rest: tuple[int | bytes, ...] = {
        "WithKey": (1, CKM.AES_GCM, b""),
        "OnMessage": (b"", b""),
        "SealedMessage": (b"", b"", b""),
        "PartOfMessage": (0,),
        "SealedPart": (0, b""),
        "InSession": (),
    }[command.request.__name__]
    assert caller.call(command, session, *rest).rv is CKR.FUNCTION_NOT_SUPPORTED
    for mechanism in OPTEE.mechanisms:
        assert not flags(caller, mechanism) & (ON_MESSAGES | SIGNING)


def test_a_message_part_without_an_output_is_a_question(here: World, aead: Aead) -> None:
    here.begin(aead)
    here.caller.ok(c.ENCRYPT_MESSAGE_BEGIN, here.session, aead.message(), AAD)
    one = Memref(ParamType.MEMREF_INPUT, bytearray(DATA))
    control = u32(here.session, END)
    answer = here.caller.invoke(c.ENCRYPT_MESSAGE_NEXT.number, control, one, None)
    assert answer.rv is CKR.BUFFER_TOO_SMALL
