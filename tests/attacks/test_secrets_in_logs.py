# SPDX-License-Identifier: Apache-2.0
"""No key and no PIN is in a log, in the audit log, in a traceback, in an environment or on a command line."""

import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from softee.daemon.audit.files import log_files
from softee.names import CKA, CKK, CKM, CKO, CKR, CKU
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.commands import objects
from softee.pkcs11_ta.attributes.values import AttributeValue
from softee.pkcs11_ta.objects.kinds import HIDDEN_PARTS, PROTECTED_CLASSES
from softee.pkcs11_ta.token.objects import TokenObjects
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import OPTEE, PORTABLE, STRICT
from support.audit import AuditWorld
from support.commands import c
from support.leaks import Secrets
from support.object_calls import generate, pair, wire
from support.pkcs11_client import Client
from support.samples import OBJECT_SAMPLES, PROTECTED
from support.secure_world import RunningDaemon, running_daemon
from support.token_world import P256, ROOT_KEY, SO_PIN, Caller, sessions_with, template


def words() -> bytes:
    """Return a PIN that stands nowhere by chance."""
    return secrets.token_urlsafe(12).encode()


class Day:
    """A token's day: everything is done, right and wrong, and what is secret of it is remembered."""

    def __init__(self, world: AuditWorld, policy: Policy) -> None:
        self.secrets = Secrets([ROOT_KEY])
        self.application = world.application(("sign", "decrypt"), policy)
        self.caller = Caller(self.application)
        self.so_pin, self.pin, self.wrong, self.later = (self._secret(words()) for _ in range(4))

    def _secret(self, value: bytes) -> bytes:
        self.secrets.add(value)
        return value

    def pass_by(self) -> None:
        """Let it be evening."""
        caller = self.caller
        session = self._begin()
        self._remember()
        for kind in OBJECT_SAMPLES:
            caller.call(c.CREATE_OBJECT, session, wire(kind))
            caller.call(c.CREATE_OBJECT, session, wire(kind, TOKEN=True, PRIVATE=True))
        self._use_keys(session)
        self._remember()
        self._send_nonsense(session)
        for _ in range(9):
            caller.login(session, CKU.USER, self.wrong)
        caller.set_pin(session, self.pin, self.later)
        caller.set_pin(session, self.wrong, self.later)
        caller.logout(session)
        for _ in range(9):
            caller.login(session, CKU.USER, self.wrong)
        caller.tee.close()

    def _begin(self) -> int:
        caller = self.caller
        assert caller.init_token(pin=self.so_pin) is CKR.OK
        session = caller.open()
        caller.login(session, CKU.SO, self.wrong)
        assert caller.login(session, CKU.SO, self.so_pin) is CKR.OK
        caller.init_pin(session, b"123")
        assert caller.init_pin(session, self.pin) is CKR.OK
        caller.logout(session)
        assert caller.login(session, CKU.USER, self.pin) is CKR.OK
        return session

    def _use_keys(self, session: int) -> None:
        caller = self.caller
        _, private = pair(
            caller, session, CKM.EC_KEY_PAIR_GEN, ((CKA.EC_PARAMS, P256),), ((CKA.SIGN, True), (CKA.TOKEN, True))
        )
        caller.call(c.SIGN_INIT, session, private, CKM.ECDSA_SHA256, b"")
        caller.call(c.SIGN_ONESHOT, session, data=self._secret(secrets.token_bytes(40)))
        key = caller.aes_key(session, token=True)
        caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CBC_PAD, bytes(16))
        plain = self._secret(secrets.token_bytes(40))
        sealed = caller.call(c.ENCRYPT_ONESHOT, session, data=plain).output
        caller.call(c.DECRYPT_INIT, session, key, CKM.AES_CBC_PAD, bytes(16))
        caller.call(c.DECRYPT_ONESHOT, session, data=sealed)
        other = caller.aes_key(session, (CKA.EXTRACTABLE, True), (CKA.SENSITIVE, False))
        wrapping = generate(caller, session, (CKA.WRAP, True), (CKA.UNWRAP, True))
        wrapped = caller.call(c.WRAP_KEY, session, wrapping, other, CKM.AES_KEY_WRAP, b"").output
        attributes = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES))
        caller.call(c.UNWRAP_KEY, session, wrapping, CKM.AES_KEY_WRAP, b"", attributes, data=wrapped)
        caller.call(c.UNWRAP_KEY, session, wrapping, CKM.AES_KEY_WRAP, b"", attributes, data=wrapped[::-1])
        caller.call(c.DERIVE_KEY, session, key, CKM.SHA256_KEY_DERIVATION, b"", ())

    def _send_nonsense(self, session: int) -> None:
        """Send requests with secrets in them that do not decode, or are refused, or meet a bug."""
        caller, value = self.caller, self._secret(secrets.token_bytes(32))
        login = c.LOGIN.encode(c.LOGIN.request(session, CKU.USER, len(self.pin), self.pin))
        caller.invoke(c.LOGIN.number, login + self.wrong)
        caller.invoke(c.LOGIN.number, login[:-1])
        for attribute in (CKA.VALUE, CKA.PRIVATE_EXPONENT, CKA.CLASS, 0x12345678):
            wanted = template((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (attribute, value))
            caller.call(c.CREATE_OBJECT, session, wanted)
            caller.invoke(
                c.CREATE_OBJECT.number, c.CREATE_OBJECT.encode(c.CREATE_OBJECT.request(session, wanted)) + value
            )
        with pytest.MonkeyPatch.context() as patched:

            def fail(*_: object, **__: object) -> None:
                raise ValueError(f"a bug that tells {value.hex()}")

            patched.setattr(TokenObjects, "create", fail)
            caller.call(c.GENERATE_KEY, session, CKM.AES_KEY_GEN, b"", template((CKA.VALUE_LEN, 16), (CKA.TOKEN, True)))

    def _remember(self) -> None:
        """Remember the secrets that are in memory now."""
        token = self.application.slots.token(0)
        assert token.user_key is not None
        for secret in (token.user_key, token.pin_secret, token.identity_secret):
            self.secrets.add(secret)
        for kind in PROTECTED:
            self._add_parts(OBJECT_SAMPLES[kind])
        for number in token.vault.entries:
            self._add_parts(token.objects.get(number, private=True).attributes)
        for one in sessions_with(token):
            for handle in one.objects._objects:
                self._add_parts(one.objects.get(handle, private=True).attributes)

    def _add_parts(self, attributes: Mapping[int, AttributeValue]) -> None:
        """Add what an object hides."""
        if attributes[CKA.CLASS] in PROTECTED_CLASSES:
            for attribute in HIDDEN_PARTS:
                if isinstance(value := attributes.get(attribute), bytes | bytearray):
                    self.secrets.add(value)


@pytest.mark.parametrize("policy", [PORTABLE, OPTEE, STRICT], ids=lambda policy: policy.name)
def test_nothing_that_a_day_of_a_token_logs_tells_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: Policy
) -> None:
    world = AuditWorld(tmp_path / "audit")
    with caplog.at_level(logging.DEBUG):
        day = Day(world, policy)
        day.pass_by()
    world.stop()
    noted = {event["event"] for event in world.events()}
    assert noted >= {"init-token", "login", "lock", "set-pin", "create", "generate", "wrap", "sign", "decrypt"}
    assert "a bug: ValueError" in caplog.text
    assert len(day.secrets) > 500
    for text in (caplog.text, b"".join(world.lines()).decode("ascii")):
        assert len(text) > 5_000
        assert day.secrets.found_in(text) == []


def test_the_search_finds_a_secret_in_every_form() -> None:
    secret = bytes(range(1, 33))
    hidden = Secrets([secret])
    for text in (secret.hex(), repr(secret), str(list(secret)), secret[:9].hex(), str(bytearray(secret))):
        assert hidden.found_in(f"before {text} after")
    assert not hidden.found_in("before and after")
    assert not Secrets([bytes(32)]).found_in("00" * 32)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def processes(daemon: RunningDaemon) -> list[int]:
    pid = daemon.process.pid
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_secret_is_in_a_daemons_log_environment_command_line_or_files(
    tmp_path: Path, stack: ExitStack, workers: int
) -> None:
    settings = f'workers = {workers}\nlog_level = "debug"\n[audit]\nlog = "required"\nuses = ["sign"]\n'
    pin, value = words(), secrets.token_bytes(32)
    hidden = Secrets([pin, value])
    with running_daemon(tmp_path, settings=settings) as daemon:
        hidden.add(daemon.root_key.read_bytes())
        client = Client(daemon.socket, stack)
        assert client.init_token() is CKR.OK
        session = client.open()
        assert client.login(session, CKU.SO, pin) is CKR.PIN_INCORRECT
        assert client.login(session, CKU.SO, SO_PIN) is CKR.OK
        data: tuple[tuple[int, Any], ...] = ((CKA.CLASS, CKO.DATA), (CKA.TOKEN, True), (CKA.PRIVATE, False))
        request = m.WithTemplate(session, template(*data, (CKA.VALUE, value)))
        assert client.ask(objects.CREATE_OBJECT, request, 4)[0] is CKR.OK
        texts = [
            Path(f"/proc/{pid}/{what}").read_text() for pid in processes(daemon) for what in ("cmdline", "environ")
        ]
        assert any(f"--state\0{daemon.state}" in text for text in texts), "root reads what others could"
        names = [name for _, _, files in os.walk(tmp_path) for name in files]
        stack.close()
    audit = "".join(path.read_text() for path in log_files(daemon.state / "audit"))
    for text in (*texts, *names, daemon.log(), audit):
        assert hidden.found_in(text) == []
    assert hidden.found_in((daemon.state / "softee.db").read_bytes().decode("latin-1")) == []
