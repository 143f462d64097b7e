# SPDX-License-Identifier: Apache-2.0
"""C_EncapsulateKey and C_DecapsulateKey: a secret key that two sides share by a key pair (PKCS#11 3.2, section 5.18).

The new key was outside the token in some way, so it counts as one that was unwrapped: its CKA_EXTRACTABLE is true where
the template does not say, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are false.
"""

from typing import Any, NamedTuple

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import FromKey
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.values import Given, Parts
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.keys.parts import octets
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Encapsulating
from softee.pkcs11_ta.mechanisms.shapes.deriving import SMALLEST_PIECE
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of, require_any
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.roles import TO_DECAPSULATE, TO_ENCAPSULATE, Role
from softee.pkcs11_ta.token.object import Pkcs11Object

_HANDLE_SIZE = 4


def encapsulate_key(call: Call, request: FromKey) -> bytes:
    """Make a key whose secret the owner of a private key can make too; return its handle and the ciphertext for him."""
    functions, public, parameter, made = _asked(call.session, request, _ENCAPSULATE)
    call.require_capacity(_HANDLE_SIZE + functions.size(public, parameter))
    ciphertext, parts = functions.encapsulate(public, parameter, made)
    return _placed(call.session, made, parts) + ciphertext


def decapsulate_key(call: Call, request: FromKey) -> bytes:
    """Make the key whose secret the ciphertext holds, and return its handle."""
    functions, private, parameter, made = _asked(call.session, request, _DECAPSULATE)
    return _placed(call.session, made, functions.decapsulate(private, parameter, bytes(call.input), made))


class _Side(NamedTuple):
    """What the key of one side is wanted for, its template for the new key, and the answer where that conflicts."""

    role: Role
    demands: CKA
    conflict: CKR


_ENCAPSULATE = _Side(TO_ENCAPSULATE, CKA.ENCAPSULATE_TEMPLATE, CKR.KEY_HANDLE_INVALID)
_DECAPSULATE = _Side(TO_DECAPSULATE, CKA.DECAPSULATE_TEMPLATE, CKR.TEMPLATE_INCONSISTENT)


def _asked(session: Session, request: FromKey, side: _Side) -> tuple[Encapsulating[Any], KeyView, Any, Given]:
    """Return the mechanism's functions, the key, the parameter, and the new key's attributes less its value."""
    require_any(session, Encapsulating)
    spec = mechanism_for(session, request.mechanism)
    functions = spec.of(Encapsulating)
    obj = usable_key(session, spec, request.handle, side.role)
    parameter = parameter_of(session, spec, request.parameter)
    return functions, obj.key(), parameter, _prepared(session, request.template, obj, side.demands, side.conflict)


def _prepared(session: Session, template: Template, key: Pkcs11Object, demands: CKA, conflict: CKR) -> Given:
    """Return the new key's attributes, less its value. Raises ``conflict`` where the key demands others."""
    given = rules.parse(template)
    try:
        rules.add_expected(given, rules.parse(key.template(demands)), f"the key's CKA_{demands.name}")
    except Pkcs11Error as error:
        raise Pkcs11Error(conflict, error.detail) from None
    if given.setdefault(CKA.CLASS, CKO.SECRET_KEY) != CKO.SECRET_KEY or CKA.VALUE in given:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "the mechanism makes a CKO_SECRET_KEY, and its value")
    given.setdefault(CKA.KEY_TYPE, CKK.GENERIC_SECRET)
    given.setdefault(CKA.EXTRACTABLE, True)
    made = new_attributes(session, given, rules.UNWRAP)
    check_new(session, made)
    return made


def _placed(session: Session, made: Given, parts: Parts) -> bytes:
    """Put the new key where its template says, and return its handle.

    Raises:
        Pkcs11Error: CKR_ATTRIBUTE_VALUE_INVALID for so few bytes of the secret that whoever may use them finds them by
            trying, and the next ones with the same ciphertext.

    """
    made.update(parts)
    if len(octets(made, CKA.VALUE)) < SMALLEST_PIECE:
        raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"{SMALLEST_PIECE} bytes of a shared secret are the fewest")
    complete_new(session, made)
    return handles(session, place_new(session, made))


BOUND = (
    bind(keys.ENCAPSULATE_KEY, encapsulate_key),
    bind(keys.DECAPSULATE_KEY, decapsulate_key),
)
