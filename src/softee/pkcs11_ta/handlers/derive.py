# SPDX-License-Identifier: Apache-2.0
"""C_DeriveKey: a key that is computed from other keys."""

from softee.names import CKA
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.messages import FromKey
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of, require_any
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.roles import TO_DERIVE
from softee.pkcs11_ta.token.object import Pkcs11Object


def derive_key(call: Call, request: FromKey) -> bytes:
    """Make a key of a base key, and of those that the parameter names, and return its handle."""
    session = call.session
    require_any(session, Deriving)
    spec = mechanism_for(session, request.mechanism)
    deriving = spec.of(Deriving)
    base = usable_key(session, spec, request.handle, TO_DERIVE)
    parameter = parameter_of(session, spec, request.parameter)
    others = [usable_key(session, spec, handle, TO_DERIVE) for handle in deriving.keys_in(parameter)]
    made = new_attributes(session, _given(request.template, base), rules.DERIVE)
    check_new(session, made)
    made.update(deriving.derive(base.key(), parameter, tuple(other.key() for other in others), made))
    complete_new(session, made)
    rules.mark_derived(made, base.attributes)
    return handles(session, place_new(session, made))


def _given(template: Template, base: Pkcs11Object) -> Given:
    """Return the new key's template, with what the base key's CKA_DERIVE_TEMPLATE demands."""
    given = rules.parse(template)
    demanded = base.attributes.get(CKA.DERIVE_TEMPLATE, ())
    if isinstance(demanded, tuple):
        rules.add_expected(given, rules.parse(demanded), "the base key's CKA_DERIVE_TEMPLATE")
    return given


BOUND = (bind(keys.DERIVE_KEY, derive_key),)
