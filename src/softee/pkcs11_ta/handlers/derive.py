# SPDX-License-Identifier: Apache-2.0
"""C_DeriveKey: a key, or data, or several keys at once, computed from keys.

The class is the mechanism's to say, and a key of no type is a generic secret (PKCS#11 3.2, sections 5.18.5 and 6.43).
"""

from typing import Any, Final

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import FromKey
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.mechanisms.functions import Deriving, DerivingKeys
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.roles import TO_DERIVE
from softee.pkcs11_ta.token.object import Pkcs11Object
from softee.wire.codec import Writer

_DERIVE_TEMPLATE: Final = "the base key's CKA_DERIVE_TEMPLATE"
_HANDLE_SIZE: Final = 4
_INHERITED: Final = (CKA.SENSITIVE, CKA.EXTRACTABLE)
_PROTECTION: Final[Attributes] = {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.WRAP_WITH_TRUSTED: True}


def derive_key(call: Call, request: FromKey) -> bytes:
    """Make a key of a base key, and of those that the parameter names, and return its handle."""
    session = call.session
    _require_any(session)
    spec = mechanism_for(session, request.mechanism)
    deriving = spec.of(Deriving)
    base = usable_key(session, spec, request.handle, TO_DERIVE)
    parameter = parameter_of(session, spec, request.parameter)
    others = [usable_key(session, spec, handle, TO_DERIVE) for handle in deriving.keys_in(parameter)]
    given = _given(session, request.template, base, deriving.makes)
    if deriving.tells:
        _keep_protected(given, base, *others)
    length = {} if deriving.makes is CKO.SECRET_KEY else _take_length(given)
    made = new_attributes(session, given, rules.DERIVE)
    check_new(session, made)
    made.update(deriving.derive(base.key(), parameter, tuple(other.key() for other in others), {**made, **length}))
    complete_new(session, made)
    if deriving.makes is CKO.SECRET_KEY:
        rules.mark_derived(made, *(one.attributes for one in (base, *(others if deriving.tells else ()))))
    return handles(session, place_new(session, made))


def derive_keys(call: Call, request: FromKey) -> bytes:
    """Make all keys that the mechanism makes of a base key, or none. Return their handles, and what it shows.

    Where the mechanism makes no key, there is a 0 in the place of its handle.
    """
    session = call.session
    _require_any(session)
    spec = mechanism_for(session, request.mechanism)
    deriving = spec.of(DerivingKeys)
    base = usable_key(session, spec, request.handle, TO_DERIVE)
    parameter = parameter_of(session, spec, request.parameter)
    templates = _templates(session, request.template, base, deriving, parameter)
    size = _HANDLE_SIZE * len(templates) + deriving.shown(parameter)
    if call.capacity != size:
        raise Pkcs11Error(CKR.ARGUMENTS_BAD, f"room for {call.capacity} bytes, where the answer has {size}")
    made = [new_attributes(session, one, rules.DERIVE) for one in templates if one is not None]
    check_new(session, *made)
    derived = deriving.derive(base.key(), parameter)
    for one, parts in zip(made, derived.keys, strict=True):
        one.update(parts)
        complete_new(session, one)
        rules.mark_derived(one, base.attributes)
    placed = iter(place_new(session, *made))
    reply = Writer()
    for template in templates:
        reply.u32(0 if template is None else session.handle_of(next(placed)))
    return reply.raw(derived.shown).done()


def _templates(
    session: Session, template: Template, base: Pkcs11Object, deriving: DerivingKeys[Any], parameter: object
) -> tuple[Given | None, ...]:
    """Return the templates of all keys. Each has what the base key's CKA_DERIVE_TEMPLATE demands."""
    given = _given(session, template, base, CKO.SECRET_KEY)
    if deriving.inherits:
        inherited: Given = {attribute: base.attributes[attribute] for attribute in _INHERITED}
        rules.add_expected(given, inherited, "the base key")
    templates = deriving.templates(parameter, given)
    for one in templates:
        if one is not None:
            rules.add_expected(one, _demanded(base), _DERIVE_TEMPLATE)
    return templates


def _require_any(session: Session) -> None:
    if not any(spec.flags & Deriving.flags for spec in session.token.policy.mechanisms.values()):
        raise Pkcs11Error(CKR.FUNCTION_NOT_SUPPORTED, "no mechanism of this token derives keys")


def _given(session: Session, template: Template, base: Pkcs11Object, makes: CKO) -> Given:
    """Return the template, with what the mechanism and the base key's CKA_DERIVE_TEMPLATE demand."""
    given = rules.parse(template)
    rules.add_expected(given, _demanded(base), _DERIVE_TEMPLATE)
    if not session.token.policy.as_optee:
        given.setdefault(CKA.CLASS, makes)
        if makes is CKO.SECRET_KEY:
            given.setdefault(CKA.KEY_TYPE, CKK.GENERIC_SECRET)
    if given.get(CKA.CLASS, makes) != makes or CKA.VALUE in given:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"the mechanism makes a CKO_{makes.name}, and its value")
    return given


def _demanded(base: Pkcs11Object) -> Given:
    """Return what a base key demands of the keys that are derived from it."""
    demanded = base.attributes.get(CKA.DERIVE_TEMPLATE)
    return rules.parse(demanded) if isinstance(demanded, tuple) else {}


def _take_length(given: Given) -> Given:
    """Take CKA_VALUE_LEN out of the template of data, which have no such attribute: it tells how many are wanted."""
    size = given.pop(CKA.VALUE_LEN, None)
    return {} if size is None else {CKA.VALUE_LEN: size}


def _keep_protected(given: Given, *sources: Pkcs11Object) -> None:
    """Demand that a key which tells others is protected as each of them."""
    for source in sources:
        demanded = {
            attribute: value for attribute, value in _PROTECTION.items() if source.attributes.get(attribute) is value
        }
        rules.add_expected(given, demanded, "a key that it would tell")


BOUND = (bind(keys.DERIVE_KEY, derive_key), bind(keys.DERIVE_KEYS, derive_keys))
