# SPDX-License-Identifier: Apache-2.0
"""C_DeriveKey of mechanisms that answer more than one handle: all their keys are made, or none is.

Each key is as the base key's CKA_DERIVE_TEMPLATE demands, whatever the mechanism makes of the caller's template.
"""

from typing import Any, Final

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import FromKey
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.derive import add_demanded, asked_for
from softee.pkcs11_ta.mechanisms.functions import Deriving, DerivingKeys
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of, require_any
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.roles import TO_DERIVE
from softee.pkcs11_ta.token.object import Pkcs11Object
from softee.wire.codec import Writer

_HANDLE_SIZE: Final = 4
_INHERITED: Final = (CKA.SENSITIVE, CKA.EXTRACTABLE)


def derive_keys(call: Call, request: FromKey) -> bytes:
    """Make keys of a base key. Return their handles, 0 in the place of one that is not made, and what is shown."""
    session = call.session
    require_any(session, Deriving)
    spec = mechanism_for(session, request.mechanism)
    deriving = spec.of(DerivingKeys)
    base = usable_key(session, spec, request.handle, TO_DERIVE)
    parameter = parameter_of(session, spec, request.parameter)
    given = asked_for(session, request.template, base, CKO.SECRET_KEY)
    templates = _templates(given, base, deriving, parameter)
    size = _HANDLE_SIZE * len(templates) + deriving.shown(parameter)
    if call.capacity != size:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"room for {call.capacity} bytes, where the answer has {size}")
    made = [new_attributes(session, one, rules.DERIVE) for one in templates if one is not None]
    check_new(session, *made)
    derived = deriving.derive(base.key(), parameter)
    for one, parts in zip(made, derived.keys, strict=True):
        one.update(parts)
        complete_new(session, one, arrange=True)
        rules.mark_derived(one, base.attributes)
    placed = iter(place_new(session, *made))
    reply = Writer()
    for template in templates:
        reply.u32(0 if template is None else session.handle_of(next(placed)))
    return reply.raw(derived.shown).done()


def _templates(
    given: Given, base: Pkcs11Object, deriving: DerivingKeys[Any], parameter: object
) -> tuple[Given | None, ...]:
    """Return the templates of all keys, in the order of their handles."""
    if deriving.inherits:
        inherited: Given = {attribute: base.attributes[attribute] for attribute in _INHERITED}
        rules.add_expected(given, inherited, "the base key")
    templates = deriving.templates(parameter, given)
    for one in templates:
        if one is not None:
            add_demanded(one, base)
    return templates


BOUND = (bind(keys.DERIVE_KEYS, derive_keys),)
