# SPDX-License-Identifier: Apache-2.0
"""Keeps what PKCS#11 3.x adds from tokens that are as OP-TEE's, which have none of it."""

from typing import TypeVar

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.handlers.binding import Answer, Handler
from softee.pkcs11_ta.session.call import Call

R = TypeVar("R")


def beyond_optee(handler: Handler[R]) -> Handler[R]:
    """Make a handler answer CKR_FUNCTION_NOT_SUPPORTED where the token is as OP-TEE's."""

    def handle(call: Call, request: R) -> Answer:
        if call.session.token.policy.as_optee:
            raise Pkcs11Error(CKR.FUNCTION_NOT_SUPPORTED, "OP-TEE does not have it")
        return handler(call, request)

    return handle
