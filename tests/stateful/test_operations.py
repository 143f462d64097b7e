# SPDX-License-Identifier: Apache-2.0
"""The operations machine against a plain model: one session, all kinds of operation, parts and buffers of any size."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.command import Command
from support.commands import c
from support.token_world import Answer, Caller, make_application, template

KEY = bytes(range(16))
IV = bytes(16)
PARTS = st.binary(max_size=40)
CAPACITIES = st.integers(0, 80)


@dataclass
class Active:
    """The one operation that the model has."""

    kind: str
    data: bytes = b""
    out: bytes = b""
    updated: bool = False
    ended: bool = field(default=False)

    def result(self) -> bytes:
        """The whole output for the data so far."""
        if self.kind == "digest":
            return hashlib.sha256(self.data).digest()
        padder = PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(KEY), modes.CBC(IV)).encryptor()
        return encryptor.update(padder.update(self.data) + padder.finalize()) + encryptor.finalize()


INITS: dict[str, Command[Any]] = {"digest": c.DIGEST_INIT, "encrypt": c.ENCRYPT_INIT}
UPDATES = {"digest": c.DIGEST_UPDATE, "encrypt": c.ENCRYPT_UPDATE}
FINALS = {"digest": c.DIGEST_FINAL, "encrypt": c.ENCRYPT_FINAL}
ONE_SHOTS = {"digest": c.DIGEST_ONESHOT, "encrypt": c.ENCRYPT_ONESHOT}
KINDS = st.sampled_from(["digest", "encrypt"])


class OperationMachine(RuleBasedStateMachine):
    """Rules are calls; each compares the answer with the model's."""

    @initialize()
    def start(self) -> None:
        self.caller = Caller(make_application(slots=1))
        self.session = self.caller.open()
        attributes = template(
            (CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES), (CKA.ENCRYPT, True), (CKA.VALUE, KEY)
        )
        self.key = self.caller.ok(c.CREATE_OBJECT, self.session, attributes).handle
        self.active: Active | None = None

    @rule(kind=KINDS)
    def init(self, kind: str) -> None:
        key = (self.key,) if kind == "encrypt" else ()
        mechanism = (CKM.AES_CBC_PAD, IV) if kind == "encrypt" else (CKM.SHA256, b"")
        answer = self.caller.call(INITS[kind], self.session, *key, *mechanism)
        assert answer.rv is (CKR.OK if self.active is None else CKR.OPERATION_ACTIVE)
        self.active = self.active or Active(kind)

    def _mine(self, kind: str, answer: Answer) -> Active | None:
        """Return the model's operation if it is of this kind; else the answer must say that there is none."""
        if self.active is None or self.active.kind != kind:
            assert answer.rv is CKR.OPERATION_NOT_INITIALIZED
            return None
        return self.active

    @rule(kind=KINDS, part=PARTS, capacity=CAPACITIES)
    def update(self, kind: str, part: bytes, capacity: int) -> None:
        answer = self.caller.call(UPDATES[kind], self.session, data=part, capacity=capacity)
        active = self._mine(kind, answer)
        if active is None:
            return
        if active.ended:
            assert answer.rv is CKR.OPERATION_ACTIVE
            self.active = None
        elif kind == "encrypt" and answer.rv is CKR.BUFFER_TOO_SMALL:
            assert answer.size <= len(part) + 16
            assert capacity < answer.size or capacity == answer.size == 0, "no room at all is a question for the size"
        else:
            assert answer.rv is CKR.OK
            active.data += part
            active.out += answer.output
            active.updated = True
            assert kind == "digest" or active.result().startswith(active.out)

    @rule(kind=KINDS, capacity=CAPACITIES)
    def final(self, kind: str, capacity: int) -> None:
        answer = self.caller.call(FINALS[kind], self.session, capacity=capacity)
        active = self._mine(kind, answer)
        if active is None:
            return
        rest = active.result()[len(active.out) :]
        if len(rest) > capacity:
            assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, len(rest))
            active.ended = kind == "encrypt"
        else:
            assert (answer.rv, answer.output) == (CKR.OK, rest)
            self.active = None

    @rule(kind=KINDS, data=PARTS, capacity=CAPACITIES)
    def one_shot(self, kind: str, data: bytes, capacity: int) -> None:
        answer = self.caller.call(ONE_SHOTS[kind], self.session, data=data, capacity=capacity)
        active = self._mine(kind, answer)
        if active is None:
            return
        if active.updated or active.ended:
            assert answer.rv is CKR.OPERATION_ACTIVE
            self.active = None
            return
        wanted = Active(kind, data).result()
        if len(wanted) > capacity:
            assert (answer.rv, answer.size) == (CKR.BUFFER_TOO_SMALL, len(wanted))
        else:
            assert (answer.rv, answer.output) == (CKR.OK, wanted)
            self.active = None

    @rule(kind=KINDS)
    def release(self, kind: str) -> None:
        answer = self.caller.call(c.RELEASE_ACTIVE_PROCESSING, self.session, FINALS[kind].number)
        if self._mine(kind, answer) is not None:
            assert answer.rv is CKR.OK
            self.active = None


TestOperations = OperationMachine.TestCase
TestOperations.settings = settings(max_examples=50, stateful_step_count=40)
