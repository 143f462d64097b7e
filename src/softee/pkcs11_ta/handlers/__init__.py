# SPDX-License-Identifier: Apache-2.0
"""The handler of each command: one module per chapter of the standard, each ending in what it binds."""

from softee.pkcs11_ta.handlers import (
    cipher,
    derive,
    derive_keys,
    digest,
    encapsulate,
    find,
    general,
    keygen,
    objects,
    operation_state,
    pins,
    random,
    session,
    sign,
    slots,
    wrap,
)
from softee.pkcs11_ta.handlers.binding import Handlers, table

HANDLERS: Handlers = table(
    *cipher.BOUND,
    *derive.BOUND,
    *derive_keys.BOUND,
    *digest.BOUND,
    *encapsulate.BOUND,
    *find.BOUND,
    *general.BOUND,
    *keygen.BOUND,
    *objects.BOUND,
    *operation_state.BOUND,
    *pins.BOUND,
    *random.BOUND,
    *session.BOUND,
    *sign.BOUND,
    *slots.BOUND,
    *wrap.BOUND,
)
"""Handlers by command number."""
