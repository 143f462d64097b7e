# SPDX-License-Identifier: Apache-2.0
"""C_GenerateKey and C_GenerateKeyPair: keys that are made inside the token."""

from typing import Final

from softee.names import CKA, CKK, CKO, CKR
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import GenerateKey, GenerateKeyPair
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.mechanisms.functions import KeyGenerating, PairGenerating
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_key, check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session


def generate_key(call: Call, request: GenerateKey) -> bytes:
    """Make a secret key and return its handle."""
    session = call.session
    spec = mechanism_for(session, request.mechanism)
    generating = spec.of(KeyGenerating)
    parameter = parameter_of(session, spec, request.parameter)
    given = {**generating.defaults, **rules.parse(request.template)}
    if generating.length is not None:
        rules.add_expected(given, {CKA.VALUE_LEN: generating.length}, f"CKM_{spec.mechanism.name}")
    made = _prepare(session, spec, CKO.SECRET_KEY, given)
    check_new(session, made)
    made.update(generating.generate(parameter, made))
    complete_new(session, made, arrange=True)
    rules.mark_generated(made, spec.mechanism)
    return handles(session, place_new(session, made))


_SAID_TWICE: Final = (CKA.PARAMETER_SET,)
"""What the private key's template may repeat of the public key's, though the standard forbids it: pkcs11-tool does."""


def generate_key_pair(call: Call, request: GenerateKeyPair) -> bytes:
    """Make a public and a private key, both or none, and return their handles in this order."""
    session = call.session
    spec = mechanism_for(session, request.mechanism)
    generating = spec.of(PairGenerating)
    parameter = parameter_of(session, spec, request.parameter)
    public = _prepare(session, spec, CKO.PUBLIC_KEY, rules.parse(request.public))
    private = _prepare(session, spec, CKO.PRIVATE_KEY, rules.parse(request.private))
    repeated: Given = {attribute: public[attribute] for attribute in _SAID_TWICE if attribute in public}
    rules.add_expected(private, repeated, "the public key's template")
    check_new(session, public, private)
    session.token.policy.check_key(KeyMaterial(public), public)
    public_parts, private_parts = generating.generate(parameter, public)
    if session.token.policy.as_optee:
        public_parts.pop(CKA.PUBLIC_KEY_INFO, None)
    public.update(public_parts)
    private.update(private_parts)
    _share_id(public, private)
    check_key(session, public)
    _share_public_key_info(public, private)
    check_key(session, private)
    rules.mark_generated(public, spec.mechanism)
    rules.mark_generated(private, spec.mechanism)
    return handles(session, place_new(session, public, private))


def _prepare(session: Session, spec: AnyMechanism, object_class: CKO, given: Given) -> Given:
    """Return a key's attributes, less its parts. The class is the mechanism's, given or not, and so is the type.

    Where it makes keys of several types, one that is not given is a generic secret.
    """
    expected: Given = {CKA.CLASS: object_class}
    if len(spec.key_types) == 1:
        expected[CKA.KEY_TYPE] = next(iter(spec.key_types))
    elif given.setdefault(CKA.KEY_TYPE, CKK.GENERIC_SECRET) not in spec.key_types:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"CKM_{spec.mechanism.name} makes no keys of the CKA_KEY_TYPE")
    rules.add_expected(given, expected, f"CKM_{spec.mechanism.name}")
    return new_attributes(session, given, rules.GENERATE)


def _share_id(public: Given, private: Given) -> None:
    """As OP-TEE, give a pair one CKA_ID where only one of the templates has it."""
    public[CKA.ID] = public[CKA.ID] or private[CKA.ID]
    private[CKA.ID] = private[CKA.ID] or public[CKA.ID]


def _share_public_key_info(public: Given, private: Given) -> None:
    """Tell the public key with the private one, too: to compute it from there takes longer than to make the pair."""
    if private.get(CKA.PUBLIC_KEY_INFO) == b"":
        private[CKA.PUBLIC_KEY_INFO] = public.get(CKA.PUBLIC_KEY_INFO, b"")


BOUND = (
    bind(keys.GENERATE_KEY, generate_key),
    bind(keys.GENERATE_KEY_PAIR, generate_key_pair),
)
