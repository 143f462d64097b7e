# SPDX-License-Identifier: Apache-2.0
"""Attacks by clients as processes: joining what is not theirs, dying, not reading, coming in crowds, forking."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from softee.names import ParamType, TeeResult
from softee.wire.frames import FrameType, encode_frame
from softee.wire.messages import NO_SECRET, Invoke
from softee.wire.parameters import Parameters
from softee.wire.values import Memref, Value
from support.channel_attack import IMPATIENT, LIMITS, Attacked, under_attack
from support.echo_application import ECHO, FILL, WAIT
from support.raw_client import RawClient, echo_inline, echoes, greeted

WAIT_FRAME = Invoke(1, WAIT).encode()


def other_process(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start a client in a process of its own."""
    tests = str(Path(__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", script, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def wait(client: RawClient, world: Attacked) -> None:
    """Send a command that runs until the application's gate is opened, and wait until it runs."""
    client.send(encode_frame(FrameType.INVOKE, 5, WAIT_FRAME))
    assert world.application.waiting.acquire(timeout=60)


def test_a_second_channel_of_the_process_joins_its_context_and_sessions() -> None:
    with under_attack() as world, RawClient(world.socket) as first, RawClient(world.socket) as second:
        secret = first.hello().secret
        session = first.open_session()
        assert second.hello(secret).secret == secret
        assert echoes(second, session)
        first.socket.close()
        assert echoes(second, session)


@pytest.mark.parametrize("wrong", [b"\1" + bytes(15), bytes(15) + b"\1", b"\xff" * 16])
def test_joining_with_a_wrong_secret_is_denied(wrong: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with under_attack() as world, RawClient(world.socket) as attacker:
        reply = attacker.hello(wrong)
        assert (reply.result, reply.secret, reply.features) == (TeeResult.ACCESS_DENIED, NO_SECRET, 0)
        assert attacker.is_closed()
    assert "no context has this secret" in caplog.text


def test_joining_with_a_secret_one_bit_off_is_denied() -> None:
    with under_attack() as world, RawClient(world.socket) as owner, RawClient(world.socket) as attacker:
        secret = owner.hello().secret
        assert attacker.hello(bytes([secret[0] ^ 1]) + secret[1:]).result == TeeResult.ACCESS_DENIED


JOIN = """
import sys
from pathlib import Path
from support.raw_client import RawClient
with RawClient(Path(sys.argv[1])) as client:
    print(hex(client.hello(bytes.fromhex(sys.argv[2])).result), client.is_closed())
"""


def test_joining_from_another_process_is_denied_even_with_the_secret() -> None:
    with under_attack() as world, RawClient(world.socket) as owner:
        secret = owner.hello().secret
        session = owner.open_session()
        thief = other_process(JOIN, world.socket, secret.hex())
        assert thief.communicate(timeout=30)[0].split() == [hex(TeeResult.ACCESS_DENIED), "True"]
        assert echoes(owner, session)


def test_a_context_cannot_be_joined_when_its_last_channel_is_closed() -> None:
    with under_attack() as world:
        with RawClient(world.socket) as owner:
            secret = owner.hello().secret
            owner.open_session()
        assert world.application.wait_until_open(1)
        with RawClient(world.socket) as late:
            assert late.hello(secret).result == TeeResult.ACCESS_DENIED


def test_a_session_of_another_client_cannot_be_used() -> None:
    with under_attack() as world, greeted(world.socket) as (_, session), RawClient(world.socket) as attacker:
        attacker.hello()
        for number in range(1, 20):
            assert attacker.invoke(number, ECHO, echo_inline(b"mine?")) == TeeResult.BAD_PARAMETERS
        assert session < 20


def test_a_client_that_leaves_in_the_middle_of_a_command_ends_when_it_has_run() -> None:
    with under_attack() as world:
        with greeted(world.socket) as (client, _):
            wait(client, world)
            (session,) = [session for session in world.application.sessions if session.running]
        assert session in world.application.sessions
        world.application.gate.set()
        assert world.application.wait_until_open(1)
        assert not session.closed_while_running


RUN_UNTIL_KILLED = """
import sys
from pathlib import Path
from support.raw_client import *
from support.echo_application import WAIT
with greeted(Path(sys.argv[1])) as (client, session):
    client.send(encode_frame(FrameType.INVOKE, 5, Invoke(session, WAIT).encode()))
    while True:
        client.frame()
"""


def test_a_client_that_is_killed_in_the_middle_of_a_command_ends_when_it_has_run() -> None:
    with under_attack() as world:
        victim = other_process(RUN_UNTIL_KILLED, world.socket)
        assert world.application.waiting.acquire(timeout=30)
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=30)
        assert victim.returncode == -signal.SIGKILL
        world.application.gate.set()
        assert world.application.wait_until_open(1)


LEAVE_A_CHILD = """
import os, sys
from pathlib import Path
from support.raw_client import *
with greeted(Path(sys.argv[1])) as (client, session):
    if os.fork() == 0:
        # The idle child has nothing but the inherited socket. It tells when the secure world has closed it.
        print(client.is_closed(), flush=True)
        os._exit(0)
    os._exit(0)
"""


def test_a_forked_child_that_keeps_the_socket_does_not_keep_its_dead_parents_context() -> None:
    with under_attack() as world:
        parent = other_process(LEAVE_A_CHILD, world.socket)
        assert parent.wait(timeout=30) == 0
        assert world.application.wait_until_open(1)
        assert parent.communicate(timeout=30)[0].strip() == "True"


def test_a_client_that_does_not_read_its_reply_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    size = 1_000_000
    params = Parameters(
        (Value(ParamType.VALUE_INPUT, size), Memref(ParamType.MEMREF_OUTPUT, capacity=size), None, None)
    )
    with under_attack(IMPATIENT) as world, greeted(world.socket) as (attacker, session):
        attacker.send(encode_frame(FrameType.INVOKE, 5, Invoke(session, FILL, 0, params).encode()))
        assert world.application.wait_until_open(1)
    assert "does not read its replies" in caplog.text


def test_a_reply_larger_than_the_sockets_buffer_reaches_a_client_that_reads() -> None:
    size = 1_000_000
    target = Memref(ParamType.MEMREF_OUTPUT, capacity=size)
    with under_attack() as world, greeted(world.socket) as (client, session):
        params = Parameters((Value(ParamType.VALUE_INPUT, size), target, None, None))
        assert client.invoke(session, FILL, params) == TeeResult.SUCCESS
        assert target.out == bytes(size)


def test_a_running_command_is_kept_alive_with_its_serial_and_nothing_is_afterwards() -> None:
    with under_attack() as world, greeted(world.socket) as (client, session):
        wait(client, world)
        for _ in range(3):
            frame = client.frame()
            assert (frame.type, frame.serial, bytes(frame.payload)) == (FrameType.KEEP_ALIVE, 5, b"")
        world.application.gate.set()
        while (frame := client.frame()).type is FrameType.KEEP_ALIVE:
            continue
        assert (frame.type, frame.serial) == (FrameType.INVOKE_REPLY, 5)
        client.socket.settimeout(LIMITS.keep_alive * 4)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(20)
        assert echoes(client, session)


def test_keep_alives_do_not_wait_for_a_client_that_does_not_read_them() -> None:
    limits = msgspec.structs.replace(LIMITS, keep_alive=0.001)
    with under_attack(limits) as world, greeted(world.socket) as (stuck, _), greeted(world.socket) as (client, _):
        wait(stuck, world)
        wait(client, world)
        for _ in range(500):  # 300 fill the socket of the one that is stuck
            assert client.frame().type is FrameType.KEEP_ALIVE
        world.application.gate.set()


def test_two_hundred_clients_at_once_are_all_served() -> None:
    def one(number: int) -> bool:
        with greeted(world.socket) as (client, session):
            data = number.to_bytes(4, "little") * 50
            parameters = echo_inline(data)
            done = [client.invoke(session, ECHO, parameters) for _ in range(5)]
            target = parameters.params[1]
            return isinstance(target, Memref) and target.out == data and set(done) == {TeeResult.SUCCESS}

    with under_attack() as world, ThreadPoolExecutor(200) as pool:
        assert all(pool.map(one, range(200)))


def test_two_hundred_clients_that_stay_do_not_keep_others_out() -> None:
    with under_attack() as world:
        crowd = [RawClient(world.socket) for _ in range(200)]
        assert {client.hello().result for client in crowd} == {TeeResult.SUCCESS}
        with greeted(world.socket) as (client, session):
            assert echoes(client, session)
        for member in crowd:
            member.socket.close()


def test_one_client_too_many_is_told_that_the_secure_world_is_busy() -> None:
    limits = msgspec.structs.replace(LIMITS, clients=3)
    with under_attack(limits) as world, greeted(world.socket), RawClient(world.socket) as third:
        assert third.hello().result == TeeResult.SUCCESS
        with RawClient(world.socket) as fourth:
            assert fourth.hello().result == TeeResult.BUSY
            assert fourth.is_closed()


def test_one_channel_too_many_of_a_client_is_refused() -> None:
    limits = msgspec.structs.replace(LIMITS, channels_per_client=2)
    with (
        under_attack(limits) as world,
        RawClient(world.socket) as first,
        RawClient(world.socket) as second,
        RawClient(world.socket) as third,
    ):
        secret = first.hello().secret
        assert second.hello(secret).result == TeeResult.SUCCESS
        assert third.hello(secret).result == TeeResult.BUSY


def test_one_channel_too_many_of_all_is_closed_at_once(caplog: pytest.LogCaptureFixture) -> None:
    limits = msgspec.structs.replace(LIMITS, channels=3)
    with (
        under_attack(limits) as world,
        RawClient(world.socket) as second,
        RawClient(world.socket) as third,
        RawClient(world.socket) as fourth,
    ):
        assert second.hello().result == TeeResult.SUCCESS
        assert third.hello().result == TeeResult.SUCCESS
        assert fourth.is_closed()
    assert "3 channels, which is the limit" in caplog.text


def test_a_client_as_another_user_is_known_as_that_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with under_attack() as world:
        world.socket.parent.chmod(0o755)
        world.socket.chmod(0o666)
        done, _ = other_process(WHO_AM_I, world.socket).communicate(timeout=30)
    assert done.split() == ["0", "0", "0", hex(TeeResult.ACCESS_DENIED)]


WHO_AM_I = """
import os, sys
from pathlib import Path
from support.raw_client import *
os.setgroups([7])
os.setgid(100)
os.setuid(1234)
with RawClient(Path(sys.argv[1])) as client:
    client.hello()
    for login, data in (1, 0), (2, 100), (2, 7), (2, 8):
        payload = OpenSession(ECHO_UUID, login, data).encode()
        reply = OpenSessionReply.decode(client.request(FrameType.OPEN_SESSION, payload).payload, Parameters())
        print(hex(reply.result) if reply.result else 0)
"""
