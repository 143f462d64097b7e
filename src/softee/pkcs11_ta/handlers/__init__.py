# SPDX-License-Identifier: Apache-2.0
"""The handler of each command: one module per chapter of the standard, each ending in what it binds."""

from softee.pkcs11_ta.handlers import (
    attest,
    cipher,
    derive,
    derive_keys,
    digest,
    encapsulate,
    find,
    general,
    keygen,
    message_ciphers,
    message_signatures,
    objects,
    operation_state,
    pins,
    random,
    session,
    sign,
    slots,
    verify_signature,
    wrap,
    wrap_authenticated,
)
from softee.pkcs11_ta.handlers.binding import Handlers, table

HANDLERS: Handlers = table(
    *attest.BOUND,
    *cipher.BOUND,
    *derive.BOUND,
    *derive_keys.BOUND,
    *digest.BOUND,
    *encapsulate.BOUND,
    *find.BOUND,
    *general.BOUND,
    *keygen.BOUND,
    *message_ciphers.BOUND,
    *message_signatures.BOUND,
    *objects.BOUND,
    *operation_state.BOUND,
    *pins.BOUND,
    *random.BOUND,
    *session.BOUND,
    *sign.BOUND,
    *slots.BOUND,
    *verify_signature.BOUND,
    *wrap.BOUND,
    *wrap_authenticated.BOUND,
)
"""Handlers by command number."""
