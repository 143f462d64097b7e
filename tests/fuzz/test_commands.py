# SPDX-License-Identifier: Apache-2.0
"""Random and mutated requests against a token with keys: never CKR_GENERAL_ERROR, never a value out of the table.

The profile is the one that has every mechanism.
"""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softee.names import CKA, CKK, CKM, CKO, CKR, TeeResult
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.pkcs11_ta.abi.fields import fields as fields_of_request
from softee.pkcs11_ta.abi.messages import RestoreSessions
from softee.pkcs11_ta.abi.template import encode_template
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.token_world import Caller, make_application, sessions_with, template, u32

MECHANISM_NUMBERS = st.sampled_from([int(number) for number in MECHANISMS]) | st.integers(0, 2**32 - 1)
KINDS = st.sampled_from([int(kind) for kind in CKA]) | st.integers(0, 2**32 - 1)
SMALL = st.sampled_from([u32(number) for number in (0, 1, 2, 3, 4, 16, 31, 32, 1024)])
ATTRIBUTES = st.lists(
    st.tuples(KINDS, st.sampled_from([b"", b"\0", b"\1"]) | SMALL | st.binary(max_size=40)), max_size=6
)
GOOD = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (CKA.VALUE, bytes(16)))
HANDLES = [0, 1, 2, 3, 0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x80000004]
THREE = st.lists(st.sampled_from([*HANDLES, 0x40000000]), min_size=3, max_size=3).map(lambda numbers: u32(*numbers))
BLOBS = st.binary(max_size=64).map(lambda data: u32(len(data)) + data)
LISTS = st.lists(THREE, max_size=4).map(lambda rows: u32(len(rows)) + b"".join(rows))
LISTS_WITH_BLOBS = st.lists(st.builds(bytes.__add__, THREE, BLOBS), max_size=4).map(
    lambda rows: u32(len(rows)) + b"".join(rows)
)
WELL_FORMED = {
    "u32": st.sampled_from([u32(number) for number in HANDLES]) | MECHANISM_NUMBERS.map(u32),
    "u32 size, bytes": st.binary(max_size=64).map(lambda data: u32(len(data)) + data),
    "32 bytes": st.binary(min_size=32, max_size=32),
    "PIN bytes": st.just(b""),
    "u32 attrs_size, u32 attrs_count, attributes": ATTRIBUTES.map(lambda some: encode_template(template(*some)))
    | st.just(encode_template(GOOD)),
    fields_of_request(RestoreSessions)[2][1].layout: LISTS,
    fields_of_request(RestoreSessions)[3][1].layout: LISTS_WITH_BLOBS,
}
SLOW = {int(CKM.RSA_PKCS_KEY_PAIR_GEN)}
"""Random key-pair generation would cost the time that other requests need."""


@pytest.fixture(scope="module")
def caller() -> Caller:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    caller.aes_key(session)
    caller.ec_pair(session)
    for _ in range(3):
        caller.open()
    return caller


def send(caller: Caller, command: Command[Any], control: bytes, data: bytes, capacity: int) -> None:
    if any(u32(number) in control for number in SLOW):
        return
    answer = caller.send(command, control, data=data, second=data, capacity=command.output_size or capacity)
    if answer.result is TeeResult.BAD_PARAMETERS:
        assert len(control) < 4
    else:
        assert answer.rv in command.returns - {CKR.GENERAL_ERROR}, (command.name, control.hex(), answer)


def open_session(caller: Caller, number: int) -> int:
    """Return the handle of one of the caller's sessions; where it has closed them all, of a new one, logged in."""
    handles = sorted(one.handle for one in sessions_with(caller.application.slots.token(0)))
    if handles:
        return handles[number % len(handles)]
    session = caller.open()
    caller.login(session)
    return session


@settings(max_examples=400)
@given(st.sampled_from(COMMANDS), st.binary(max_size=120), st.binary(max_size=40), st.sampled_from([0, 1, 64, 4096]))
def test_random_bytes(caller: Caller, command: Command[Any], control: bytes, data: bytes, capacity: int) -> None:
    send(caller, command, control, data, capacity)


@settings(max_examples=1500)
@given(st.data())
def test_well_formed_nonsense(caller: Caller, data: st.DataObject) -> None:
    command = data.draw(st.sampled_from(COMMANDS))
    fields = fields_of_request(command.request)
    parts = [data.draw(WELL_FORMED[field.layout]) for _, field in fields]
    if command.in_session:
        parts[0] = u32(open_session(caller, data.draw(st.integers(0, 9))))
    elif "slot" in fields[0][0]:
        parts[0] = u32(data.draw(st.integers(0, 3)))
    if any("size" in name for name, _ in fields):
        parts = [u32(0) if name.endswith("size") else part for part, (name, _) in zip(parts, fields, strict=True)]
    send(caller, command, b"".join(parts), data.draw(st.binary(max_size=64)), data.draw(st.sampled_from([0, 16, 4096])))


@given(LISTS, LISTS_WITH_BLOBS, st.sampled_from(HANDLES), st.sampled_from(HANDLES))
def test_a_new_client_has_nonsense_restored(
    caller: Caller, sessions: bytes, logins: bytes, session: int, obj: int
) -> None:
    new = Caller(caller.application)
    send(new, c.RESTORE_SESSIONS, u32(session, obj) + sessions + logins, b"", 4096)
    send(new, c.OPEN_SESSION, u32(0, 6), b"", 4)
    new.tee.close()


def test_mutations_of_a_good_request() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    good = u32(session, CKM.AES_KEY_GEN, 0) + encode_template(template((CKA.VALUE_LEN, 16), (CKA.ENCRYPT, True)))
    rng = random.Random(7)  # noqa: S311 - reproducible, not secret
    command = next(command for command in COMMANDS if command.name == "GENERATE_KEY")
    for _ in range(2000):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(len(bad))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        answer = caller.send(command, bytes(bad[: rng.choice([len(bad), rng.randrange(len(bad) + 1)])]))
        if answer.result is not TeeResult.BAD_PARAMETERS:
            assert answer.rv in command.returns - {CKR.GENERAL_ERROR}, (bad.hex(), answer)
