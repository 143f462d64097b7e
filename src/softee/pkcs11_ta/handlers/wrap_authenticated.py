# SPDX-License-Identifier: Apache-2.0
"""C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated: keys as messages, with nonces that the token makes.

Whoever chose the nonce could wrap a key of his own with that of another one: the difference of the two wrapped keys is
the keys'.
"""

from softee.names import GeneratorFunction
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.messages import UnwrapAuthenticated, WrapAuthenticated
from softee.pkcs11_ta.handlers.beyond import beyond_optee
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.message_ciphers import given, require_room
from softee.pkcs11_ta.handlers.wrap import place_unwrapped, template_of_unwrapped, wrapping_key
from softee.pkcs11_ta.mechanisms.functions import AuthenticatedWrapping, Messaging
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.nonces import Nonces, with_nonce
from softee.pkcs11_ta.session.begin import mechanism_for, require_any
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.key_use import usable_key
from softee.pkcs11_ta.session.roles import TO_UNWRAP


def wrap_key_authenticated(call: Call, request: WrapAuthenticated) -> bytes:
    """Return the nonce, the tag, and the wrapped key."""
    session = call.session
    require_any(session, AuthenticatedWrapping)
    spec = mechanism_for(session, request.mechanism)
    functions, messaging = spec.of(AuthenticatedWrapping), spec.of(Messaging)
    wrapping, plain = wrapping_key(session, spec, request)
    message = spec.message(request.parameter)
    if message.generator is GeneratorFunction.NO_GENERATE:
        raise invalid("a nonce of the caller's, who could give the same one twice")
    require_room(call, len(message.nonce) + message.tag_size, len(plain))
    message = with_nonce(message, Nonces(messaging.random_bits, counts=False).next(message))
    wrapped = functions.wrap(wrapping, messaging.parameter(message, request.associated), plain)
    split = len(wrapped) - message.tag_size
    return given(message.nonce + wrapped[split:], wrapped[:split])


def unwrap_key_authenticated(call: Call, request: UnwrapAuthenticated) -> bytes:
    """Make a key of wrapped bytes whose tag is right, and return its handle."""
    session = call.session
    require_any(session, AuthenticatedWrapping)
    spec = mechanism_for(session, request.mechanism)
    functions, messaging = spec.of(AuthenticatedWrapping), spec.of(Messaging)
    unwrapping = usable_key(session, spec, request.handle, TO_UNWRAP)
    message = spec.message(request.parameter)
    if len(request.tag) != message.tag_size:
        raise invalid(f"a tag of {len(request.tag)} bytes, not {message.tag_size}")
    parameter = messaging.parameter(message, request.associated)
    made = template_of_unwrapped(session, request.template, unwrapping)
    wrapped = bytes(call.input) + request.tag
    return place_unwrapped(session, made, functions.unwrap(unwrapping.key(), parameter, wrapped))


BOUND = (
    bind(keys.WRAP_KEY_AUTHENTICATED, beyond_optee(wrap_key_authenticated)),
    bind(keys.UNWRAP_KEY_AUTHENTICATED, beyond_optee(unwrap_key_authenticated)),
)
