# SPDX-License-Identifier: Apache-2.0
"""Operations that are begun to be resumed: an ended one becomes active again, as if C_*Init had just been called.

A client does so where it knows that C_*Init would give the same: it has seen the change counter stand still. Where the
counter has moved since, the operation is resumed once more, as one that was active would have gone on, and never again.
Where the key asks for a login before each use, it is not resumed at all.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from softee.names import CKR
from softee.pkcs11_ta.abi import replies
from softee.pkcs11_ta.abi.commands import resuming
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import InSession, Resume
from softee.pkcs11_ta.handlers.binding import Answer, Handler, bind
from softee.pkcs11_ta.handlers.cipher import decrypt, encrypt
from softee.pkcs11_ta.handlers.digest import digest
from softee.pkcs11_ta.handlers.sign import sign, verify
from softee.pkcs11_ta.session.begin import begin_decrypt, begin_digest, begin_encrypt, begin_sign, begin_verify
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.operations import DECRYPT, DIGEST, ENCRYPT, SIGN, VERIFY, Operation, Purpose

R = TypeVar("R")

_RESUMABLE, _MULTI_PART = int(replies.StartedFlag.RESUMABLE), int(replies.StartedFlag.MULTI_PART)


def _starting(begin: Callable[[Session, R], Operation[Any]]) -> Handler[R]:
    def start(call: Call, request: R) -> bytes:
        """Begin an operation, and say what is to be known of it."""
        session = call.session
        before = session.changes  # what comes while it is begun counts as later
        operation = begin(session, request)
        flags = _MULTI_PART if operation.spec.multi_part else 0
        if not operation.context_login:
            operation.unchanged = partial(_is_unchanged, session, before)
            flags |= _RESUMABLE
        size = 0 if operation.context_login else operation.size
        return replies.STARTED.pack(size, flags, session.token.slot, before[0])

    return start


def _is_unchanged(session: Session, before: tuple[int, int]) -> bool:
    return session.changes == before


def _again(purpose: Purpose[Any], one_shot: Handler[InSession]) -> Handler[InSession]:
    def again(call: Call, request: InSession) -> Answer:
        """Resume an operation, and do all of it."""
        call.session.operations.resume(purpose)
        return one_shot(call, request)

    return again


def resume(call: Call, request: Resume) -> bytes:
    """Resume an operation."""
    purpose = _PURPOSES.get(request.command)
    if purpose is None:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"command {request.command} resumes no operation")
    call.session.operations.resume(purpose)
    return b""


_PURPOSES: dict[int, Purpose[Any]] = {
    resuming.ENCRYPT_AGAIN.number: ENCRYPT,
    resuming.DECRYPT_AGAIN.number: DECRYPT,
    resuming.SIGN_AGAIN.number: SIGN,
    resuming.VERIFY_AGAIN.number: VERIFY,
    resuming.DIGEST_AGAIN.number: DIGEST,
}

BOUND = (
    bind(resuming.ENCRYPT_START, _starting(begin_encrypt)),
    bind(resuming.DECRYPT_START, _starting(begin_decrypt)),
    bind(resuming.SIGN_START, _starting(begin_sign)),
    bind(resuming.VERIFY_START, _starting(begin_verify)),
    bind(resuming.DIGEST_START, _starting(begin_digest)),
    bind(resuming.ENCRYPT_AGAIN, _again(ENCRYPT, encrypt)),
    bind(resuming.DECRYPT_AGAIN, _again(DECRYPT, decrypt)),
    bind(resuming.SIGN_AGAIN, _again(SIGN, sign)),
    bind(resuming.VERIFY_AGAIN, _again(VERIFY, verify)),
    bind(resuming.DIGEST_AGAIN, _again(DIGEST, digest)),
    bind(resuming.RESUME, resume),
)
