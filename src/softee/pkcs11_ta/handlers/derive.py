# SPDX-License-Identifier: Apache-2.0
"""C_DeriveKey: a key, or data, that is computed from keys.

The class is the mechanism's to say, and a key of no type is a generic secret (PKCS#11 3.2, sections 5.18.5 and 6.43).
"""

from typing import Final

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import FromKey
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of, require_any
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.roles import TO_DERIVE, TO_TELL_ITS_PUBLIC_KEY
from softee.pkcs11_ta.token.object import Pkcs11Object

_ROLES: Final = {CKO.PUBLIC_KEY: TO_TELL_ITS_PUBLIC_KEY}
"""What the base key is wanted for, by the class of what is made, where it is not to derive."""

_SHARED: Final = (CKA.KEY_TYPE, CKA.EC_PARAMS, CKA.PRIME, CKA.BASE, CKA.PARAMETER_SET)
"""What a public key and its private key have alike."""

_OF_PRIVATE_KEY: Final = {
    CKA.ID: CKA.ID,
    CKA.SUBJECT: CKA.SUBJECT,
    CKA.START_DATE: CKA.START_DATE,
    CKA.END_DATE: CKA.END_DATE,
    CKA.PUBLIC_KEY_INFO: CKA.PUBLIC_KEY_INFO,
    CKA.ALLOWED_MECHANISMS: CKA.ALLOWED_MECHANISMS,
    CKA.DERIVE: CKA.DERIVE,
    CKA.ENCRYPT: CKA.DECRYPT,
    CKA.VERIFY: CKA.SIGN,
    CKA.VERIFY_RECOVER: CKA.SIGN_RECOVER,
    CKA.WRAP: CKA.UNWRAP,
    CKA.ENCAPSULATE: CKA.DECAPSULATE,
}
"""What a public key takes from its private key where the template says nothing (section 6.43), and from which."""

_PROTECTION: Final[Attributes] = {CKA.SENSITIVE: True, CKA.EXTRACTABLE: False, CKA.WRAP_WITH_TRUSTED: True}


def derive_key(call: Call, request: FromKey) -> bytes:
    """Make a key of a base key, and of those that the parameter names, and return its handle."""
    session = call.session
    require_any(session, Deriving)
    spec = mechanism_for(session, request.mechanism)
    deriving = spec.of(Deriving)
    base = usable_key(session, spec, request.handle, _ROLES.get(deriving.makes, TO_DERIVE))
    _keep_apart(session, base, deriving.apart_from)
    parameter = parameter_of(session, spec, request.parameter)
    others = [usable_key(session, spec, handle, TO_DERIVE) for handle in deriving.keys_in(parameter)]
    given = asked_for(session, request.template, base, deriving.makes)
    if deriving.tells:
        _keep_protected(given, base, *others)
    length = {} if deriving.makes is CKO.SECRET_KEY else _take_length(given)
    made = new_attributes(session, given, rules.DERIVE)
    check_new(session, made)
    made.update(deriving.derive(base.key(), parameter, tuple(other.key() for other in others), {**made, **length}))
    complete_new(session, made, arrange=True)
    if deriving.makes is CKO.PUBLIC_KEY:
        made[CKA.KEY_GEN_MECHANISM] = base.attributes[CKA.KEY_GEN_MECHANISM]
    if deriving.makes is CKO.SECRET_KEY:
        rules.mark_derived(made, *(one.attributes for one in (base, *(others if deriving.tells else ()))))
    return handles(session, place_new(session, made))


def _keep_apart(session: Session, base: Pkcs11Object, usage: CKA | None) -> None:
    policy = session.token.policy
    if usage and base.attributes.get(usage) is True and (policy.as_optee or policy.objects.apart):
        raise Pkcs11Error(CKR.FUNCTION_FAILED, f"what is derived so, a key with CKA_{usage.name} tells")


def asked_for(session: Session, template: Template, base: Pkcs11Object, makes: CKO) -> Given:
    """Return the template, with what the mechanism and the base key's CKA_DERIVE_TEMPLATE demand.

    Raises:
        Pkcs11Error: CKR_TEMPLATE_INCONSISTENT, and as ``rules.parse``.

    """
    given = rules.parse(template)
    add_demanded(given, base)
    if not session.token.policy.as_optee:
        given.setdefault(CKA.CLASS, makes)
        if makes is CKO.SECRET_KEY:
            given.setdefault(CKA.KEY_TYPE, CKK.GENERIC_SECRET)
    if makes is CKO.PUBLIC_KEY:
        _add_of_private_key(given, base.attributes)
    if given.get(CKA.CLASS, makes) != makes or CKA.VALUE in given:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"the mechanism makes a CKO_{makes.name}, and its value")
    return given


def add_demanded(given: Given, base: Pkcs11Object) -> None:
    """Add what the base key's CKA_DERIVE_TEMPLATE demands of a key. Raises CKR_TEMPLATE_INCONSISTENT."""
    rules.add_expected(given, rules.parse(base.template(CKA.DERIVE_TEMPLATE)), "the base key's CKA_DERIVE_TEMPLATE")


def _add_of_private_key(given: Given, private: Attributes) -> None:
    """Add what the template leaves to the private key. Raises CKR_TEMPLATE_INCONSISTENT."""
    alike: Attributes = {attribute: private[attribute] for attribute in _SHARED if attribute in private}
    rules.add_expected(given, alike, "the private key")
    for attribute, source in _OF_PRIVATE_KEY.items():
        if source in private:
            given.setdefault(attribute, private[source])


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


BOUND = (bind(keys.DERIVE_KEY, derive_key),)
