# SPDX-License-Identifier: Apache-2.0
"""A token on which messages are encrypted, decrypted and signed one after the other."""

from dataclasses import dataclass

from softee.names import CKM, MessageFlag
from softee.pkcs11_ta.abi.command import Command
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.mechanism_runs import ccm_params, counted, gcm_params, u32
from support.token_world import Answer, Caller, make_application

END = int(MessageFlag.END_OF_MESSAGE)
IV = bytes(range(12))
AAD = b"associated"
DATA = b"what is to be encrypted"
PARTS = (DATA[:5], DATA[5:], b"")


@dataclass(frozen=True)
class Aead:
    """A mechanism, the parameter of a message for it, and what C_EncryptInit takes for the same."""

    mechanism: CKM
    random_bits: int

    def message(
        self, iv: bytes = IV, fixed: int = 0, generator: int = 0, tag: int = 16, size: int = len(DATA)
    ) -> bytes:
        if self.mechanism is CKM.AES_GCM:
            return counted(iv) + u32(fixed, generator, 8 * tag)
        return u32(size) + counted(iv) + u32(fixed, generator, tag)

    def operation(self, iv: bytes = IV) -> bytes:
        return gcm_params(iv, AAD) if self.mechanism is CKM.AES_GCM else ccm_params(len(DATA), iv, AAD)


AEADS = (Aead(CKM.AES_GCM, 96), Aead(CKM.AES_CCM, 56))


@dataclass
class World:
    """A logged-in session with an AES key."""

    caller: Caller
    session: int
    key: int

    def begin(self, aead: Aead, command: Command[object] = c.MESSAGE_ENCRYPT_INIT) -> None:
        self.caller.ok(command, self.session, self.key, aead.mechanism, b"")

    def encrypt(self, parameter: bytes, data: bytes = DATA, capacity: int | None = None) -> Answer:
        return self.caller.call(c.ENCRYPT_MESSAGE, self.session, parameter, AAD, data=data, capacity=capacity)

    def decrypt(self, parameter: bytes, tag: bytes, data: bytes, aad: bytes = AAD, capacity: int = 4096) -> Answer:
        return self.caller.call(c.DECRYPT_MESSAGE, self.session, parameter, aad, tag, data=data, capacity=capacity)

    def one_shot(self, aead: Aead, iv: bytes) -> bytes:
        """What C_Encrypt makes of the same."""
        self.caller.ok(c.ENCRYPT_INIT, self.session, self.key, aead.mechanism, aead.operation(iv))
        return self.caller.ok(c.ENCRYPT_ONESHOT, self.session, data=DATA).output


def world(policy: Policy = PORTABLE) -> World:
    caller = Caller(make_application(policy=policy))
    session = caller.set_up()
    return World(caller, session, caller.aes_key(session))


def split(output: bytes, iv_size: int = 12, tag_size: int = 16) -> tuple[bytes, bytes, bytes]:
    """The nonce, the tag and the encrypted bytes of a message."""
    assert output[:4] == u32(iv_size + tag_size)
    return output[4 : 4 + iv_size], output[4 + iv_size : 4 + iv_size + tag_size], output[4 + iv_size + tag_size :]
