# SPDX-License-Identifier: Apache-2.0
"""C_GenerateKey, C_GenerateKeyPair, C_DeriveKey."""

from collections.abc import Mapping
from typing import Any

from softee.names import CKA, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import FromKey, GenerateKey, GenerateKeyPair, Template
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import AttributeValue, Given
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.keys.checks import complete
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.session.access import check_new, is_so, place_new
from softee.pkcs11_ta.session.begin import mechanism_for
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.tee.keys import wipe


def generate_key(call: Call, request: GenerateKey) -> bytes:
    """Make a secret key and return its handle."""
    session = call.session
    session.operations.require_idle()
    spec = mechanism_for(request.mechanism, "generate_key")
    parameter = spec.params(request.parameter)
    made = _prepare(session, spec, CKO.SECRET_KEY, request.template)
    check_new(session, made)
    _add_parts(made, _required(spec.generate_key)(parameter, made))
    complete(made)
    rules.mark_generated(made, spec.type)
    return handles(place_new(session, made))


def generate_key_pair(call: Call, request: GenerateKeyPair) -> bytes:
    """Make a public and a private key, both or none, and return their handles in this order."""
    session = call.session
    session.operations.require_idle()
    spec = mechanism_for(request.mechanism, "generate_key_pair")
    parameter = spec.params(request.parameter)
    public = _prepare(session, spec, CKO.PUBLIC_KEY, request.public)
    private = _prepare(session, spec, CKO.PRIVATE_KEY, request.private)
    check_new(session, public, private)
    public_parts, private_parts = _required(spec.generate_key_pair)(parameter, public)
    _add_parts(public, public_parts)
    _add_parts(private, private_parts)
    _share_id(public, private)
    rules.mark_generated(public, spec.type)
    rules.mark_generated(private, spec.type)
    return handles(place_new(session, public, private))


def derive_key(call: Call, request: FromKey) -> bytes:
    """Refuse: no mechanism of the token derives keys."""
    raise Pkcs11Error(CKR.FUNCTION_NOT_SUPPORTED, "no mechanism of this token derives keys")


def _prepare(session: Session, spec: AnyMechanism, object_class: CKO, template: Template) -> Given:
    """Return a key's attributes, less its parts. The class and the type are the mechanism's, given or not."""
    (key_type,) = spec.key_types
    given = rules.parse(template)
    rules.add_expected(given, {CKA.CLASS: object_class, CKA.KEY_TYPE: key_type}, f"CKM_{spec.type.name}")
    return rules.make(given, rules.GENERATE, is_so=is_so(session))


def _add_parts(made: Given, parts: Mapping[CKA, AttributeValue]) -> None:
    """Take over what the mechanism has made; its own copies of private parts are overwritten."""
    for attribute, value in parts.items():
        if isinstance(value, bytearray):
            made[attribute] = SecretBytes(value)
            wipe(value)
        else:
            made[attribute] = value


def _share_id(public: Given, private: Given) -> None:
    """As OP-TEE, give a pair one CKA_ID where only one of the templates has it."""
    public[CKA.ID] = public[CKA.ID] or private[CKA.ID]
    private[CKA.ID] = private[CKA.ID] or public[CKA.ID]


def _required(generate: Any) -> Any:  # noqa: ANN401  # mechanism_for has checked that it is there
    if generate is None:
        raise Pkcs11Error(CKR.MECHANISM_INVALID, "the mechanism does not generate")
    return generate
