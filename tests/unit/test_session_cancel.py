# SPDX-License-Identifier: Apache-2.0
"""C_SessionCancel ends what its flags name, and nothing else (PKCS#11 3.2 §5.6.5)."""

import pytest

from softee.names import CKM, CKR, MechanismFlag
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE
from support.commands import c
from support.message_world import AEADS
from support.token_world import Caller, make_application

IV = bytes(16)
DATA = bytes(16)


def begin_all(caller: Caller, session: int) -> None:
    """Begin one operation of each sort."""
    key = caller.aes_key(session)
    public, private = caller.ec_pair(session)
    for init in (c.ENCRYPT_INIT, c.DECRYPT_INIT):
        caller.ok(init, session, key, CKM.AES_CBC, IV)
    for init in (c.MESSAGE_ENCRYPT_INIT, c.MESSAGE_DECRYPT_INIT):
        caller.ok(init, session, key, AEADS[0].mechanism, b"")
    for init, handle in ((c.SIGN_INIT, private), (c.MESSAGE_SIGN_INIT, private), (c.VERIFY_INIT, public)):
        caller.ok(init, session, handle, CKM.ECDSA_SHA256, b"")
    caller.ok(c.MESSAGE_VERIFY_INIT, session, public, CKM.ECDSA_SHA256, b"")
    caller.ok(c.VERIFY_SIGNATURE_INIT, session, public, CKM.ECDSA_SHA256, b"", data=bytes(64))
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
    caller.ok(c.FIND_OBJECTS_INIT, session, ())


STEPS: dict[Command[object], tuple[MechanismFlag, tuple[int | bytes, ...]]] = {
    c.ENCRYPT_UPDATE: (MechanismFlag.ENCRYPT, ()),
    c.DECRYPT_UPDATE: (MechanismFlag.DECRYPT, ()),
    c.SIGN_UPDATE: (MechanismFlag.SIGN, ()),
    c.VERIFY_UPDATE: (MechanismFlag.VERIFY, ()),
    c.VERIFY_SIGNATURE_UPDATE: (MechanismFlag.VERIFY, ()),
    c.DIGEST_UPDATE: (MechanismFlag.DIGEST, ()),
    c.FIND_OBJECTS: (MechanismFlag.FIND_OBJECTS, ()),
    c.ENCRYPT_MESSAGE: (MechanismFlag.MESSAGE_ENCRYPT, (AEADS[0].message(), b"")),
    c.DECRYPT_MESSAGE_BEGIN: (MechanismFlag.MESSAGE_DECRYPT, (AEADS[0].message(), b"")),
    c.SIGN_MESSAGE: (MechanismFlag.MESSAGE_SIGN, ()),
    c.VERIFY_MESSAGE_BEGIN: (MechanismFlag.MESSAGE_VERIFY, ()),
}
"""A step of each operation, which goes on where it is active, with the flag that cancels it."""

FLAGS = sorted({flag for flag, _ in STEPS.values()})


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_flag_ends_its_operation_alone(flag: MechanismFlag) -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    begin_all(caller, session)
    caller.ok(c.SESSION_CANCEL, session, flag)
    for command, (its, rest) in STEPS.items():
        expected = CKR.OPERATION_NOT_INITIALIZED if its is flag else CKR.OK
        assert caller.call(command, session, *rest, data=DATA).rv is expected, command.name


def test_all_flags_end_all_operations() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    begin_all(caller, session)
    caller.ok(c.SESSION_CANCEL, session, 0xFFFFFFFF)
    for command, (_, rest) in STEPS.items():
        assert caller.call(command, session, *rest, data=DATA).rv is CKR.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE], ids=lambda policy: policy.name)
def test_what_is_not_active_needs_no_end(policy: Policy) -> None:
    caller = Caller(make_application(policy=policy))
    session = caller.open()
    for flags in (0, 0xFFFFFFFF):
        caller.ok(c.SESSION_CANCEL, session, flags)
    assert caller.call(c.SESSION_CANCEL, session + 1, 0).rv is CKR.SESSION_HANDLE_INVALID


def test_an_operation_that_was_cancelled_may_begin_again() -> None:
    caller = Caller(make_application(policy=OPTEE))
    session = caller.set_up()
    key = caller.aes_key(session)
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_CBC, IV)
    assert caller.call(c.DIGEST_INIT, session, CKM.SHA256, b"").rv is CKR.OPERATION_ACTIVE
    caller.ok(c.SESSION_CANCEL, session, MechanismFlag.ENCRYPT)
    caller.ok(c.DIGEST_INIT, session, CKM.SHA256, b"")
