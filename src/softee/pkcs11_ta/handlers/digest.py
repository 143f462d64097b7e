# SPDX-License-Identifier: Apache-2.0
"""C_DigestInit, C_Digest, C_DigestUpdate, C_DigestKey, C_DigestFinal."""

from typing import Final

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.commands import digests
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import OnObject
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.steps import beginning, give_at_once, give_end, step, take_part
from softee.pkcs11_ta.keys.table import is_guarded
from softee.pkcs11_ta.mechanisms.functions import DigestOperation
from softee.pkcs11_ta.session.begin import begin_digest
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.operations import DIGEST, Operation, Step
from softee.pkcs11_ta.token.policy import Policy

_DIGESTED_BY_OPTEE: Final = (CKK.AES, CKK.GENERIC_SECRET)


digest = step(DIGEST, Step.ONE_SHOT)(give_at_once)


@step(DIGEST, Step.UPDATE)
def digest_key(call: Call, request: OnObject, operation: Operation[DigestOperation]) -> bytes:
    """Take a secret key's value as a part. Raises CKR_KEY_HANDLE_INVALID, CKR_KEY_INDIGESTIBLE."""
    obj = call.session.object(request.handle, CKR.KEY_HANDLE_INVALID)
    _check_digestible(obj.attributes, call.session.token.policy)
    operation.running.update(obj.key().secret())
    return b""


def _check_digestible(key: Attributes, policy: Policy) -> None:
    if key.get(CKA.CLASS) != CKO.SECRET_KEY:
        raise Pkcs11Error(CKR.KEY_INDIGESTIBLE, "only secret keys have a value to digest")
    if policy.as_optee and key.get(CKA.KEY_TYPE) not in _DIGESTED_BY_OPTEE:
        raise Pkcs11Error(CKR.KEY_INDIGESTIBLE, "OP-TEE digests AES keys and generic secrets only")
    if is_guarded(key) or not policy.digests_keys:
        raise Pkcs11Error(CKR.KEY_INDIGESTIBLE, "the digest of a protected key of any length could tell it")


BOUND = (
    bind(digests.DIGEST_INIT, beginning(begin_digest)),
    bind(digests.DIGEST_KEY, digest_key),
    bind(digests.DIGEST_UPDATE, step(DIGEST, Step.UPDATE)(take_part)),
    bind(digests.DIGEST_FINAL, step(DIGEST, Step.FINAL)(give_end)),
    bind(digests.DIGEST_ONESHOT, digest),
)
