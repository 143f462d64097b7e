# SPDX-License-Identifier: Apache-2.0
"""C_WrapKey and C_UnwrapKey.

Keys leave the token only here, encrypted, and only where their attributes allow it.
"""

from typing import Any

from softee.names import CKA, CKO, CKR
from softee.names.mechanism_layouts import BLOCK_SIZE
from softee.pkcs11_ta.abi.commands import keys
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import FromKey, WrapAuthenticated, WrapKey
from softee.pkcs11_ta.abi.template import Template
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Given
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.handlers.objects import handles
from softee.pkcs11_ta.keys.parts import is_protected
from softee.pkcs11_ta.keys.pkcs8 import export_private_key, import_private_key
from softee.pkcs11_ta.keys.table import find_form, is_guarded
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import check_template
from softee.pkcs11_ta.objects.kinds import PROTECTED_CLASSES
from softee.pkcs11_ta.objects.showing import agrees_with
from softee.pkcs11_ta.session.access import check_new, complete_new, new_attributes, place_new
from softee.pkcs11_ta.session.begin import mechanism_for, parameter_of
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.key_use import key_object, usable_key
from softee.pkcs11_ta.session.roles import TO_UNWRAP, TO_WRAP
from softee.pkcs11_ta.token.object import Pkcs11Object
from softee.tee.keys import wipe


def wrap_key(call: Call, request: WrapKey) -> bytes:
    """Return a key encrypted under another one: a secret key's value, or a private key's PrivateKeyInfo."""
    session = call.session
    spec = mechanism_for(session, request.mechanism)
    functions = spec.of(Wrapping)
    wrapping, plain = wrapping_key(session, spec, request)
    parameter = parameter_of(session, spec, request.parameter)
    return call.fit(functions.wrap(wrapping, parameter, plain))


def unwrap_key(call: Call, request: FromKey) -> bytes:
    """Make a key of wrapped bytes, and return its handle."""
    session = call.session
    spec = mechanism_for(session, request.mechanism)
    functions = spec.of(Wrapping)
    unwrapping = usable_key(session, spec, request.handle, TO_UNWRAP)
    parameter = parameter_of(session, spec, request.parameter)
    made = template_of_unwrapped(session, request.template, unwrapping)
    _require_whole(functions, made)
    plain = functions.unwrap(unwrapping.key(), parameter, bytes(call.input))
    return place_unwrapped(session, made, plain, functions)


def wrapping_key(
    session: Session, spec: AnyMechanism, request: WrapKey | WrapAuthenticated
) -> tuple[KeyView, bytes | bytearray]:
    """Return the key that wraps, and the bytes of the one to wrap, where the attributes of both let it go."""
    wrapping = usable_key(session, spec, request.handle, TO_WRAP)
    if request.key == request.handle:
        raise Pkcs11Error(CKR.WRAPPING_KEY_HANDLE_INVALID, "a key does not wrap itself")
    return wrapping.key(), _plain(_wrappable(session, request.key, wrapping))


def template_of_unwrapped(session: Session, template: Template, unwrapping: Pkcs11Object) -> Given:
    """Return the attributes of the key to be, less its parts, where nothing is wrong with them by themselves."""
    made = new_attributes(session, _given(session, template, unwrapping), rules.UNWRAP)
    check_template(made)
    check_new(session, made)
    return made


def place_unwrapped(session: Session, made: Given, plain: bytearray, functions: Wrapping[Any] | None = None) -> bytes:
    """Make the key of the bytes that were unwrapped, which are wiped, and return its handle.

    Without ``functions``, what has unwrapped them vouches for them.
    """
    malleable, padded = (functions.malleable, functions.padded) if functions else (False, False)
    try:
        _add_content(session, made, plain, proven=malleable and is_protected(made))
    except Pkcs11Error as error:
        if made[CKA.CLASS] == CKO.SECRET_KEY and error.rv in _TOLD and not padded:
            raise
        raise Pkcs11Error(CKR.WRAPPED_KEY_INVALID, f"the unwrapped bytes are no such key: {error.detail}") from None
    finally:
        wipe(plain)
    return handles(session, place_new(session, made))


def _wrappable(session: Session, handle: int, wrapping: Pkcs11Object) -> Pkcs11Object:
    """Return the key to wrap, where its attributes and the wrapping key's let it go."""
    wanted = key_object(session, handle, no_key=CKR.KEY_NOT_WRAPPABLE)
    attributes = wanted.attributes
    if attributes[CKA.CLASS] not in PROTECTED_CLASSES:
        raise Pkcs11Error(CKR.KEY_NOT_WRAPPABLE, "only secret and private keys can be wrapped")
    if attributes[CKA.EXTRACTABLE] is not True:
        raise Pkcs11Error(CKR.KEY_UNEXTRACTABLE, f"CKA_EXTRACTABLE of key {handle:#x} is false")
    if attributes[CKA.WRAP_WITH_TRUSTED] is not False and wrapping.attributes.get(CKA.TRUSTED) is not True:
        raise Pkcs11Error(CKR.KEY_NOT_WRAPPABLE, "CKA_WRAP_WITH_TRUSTED asks for a wrapping key with CKA_TRUSTED true")
    if not agrees_with(attributes, wrapping.template(CKA.WRAP_TEMPLATE)):
        raise Pkcs11Error(CKR.KEY_HANDLE_INVALID, "the key is not as the wrapping key's CKA_WRAP_TEMPLATE demands")
    return wanted


def _plain(wanted: Pkcs11Object) -> bytes | bytearray:
    key = wanted.key()
    return key.secret() if key.key_class is CKO.SECRET_KEY else export_private_key(key)


def _given(session: Session, template: Template, unwrapping: Pkcs11Object) -> Given:
    """Return the new key's template, with the unwrapping key's CKA_UNWRAP_TEMPLATE and the standard's default."""
    given = rules.parse(template)
    demanded = rules.parse(unwrapping.template(CKA.UNWRAP_TEMPLATE))
    rules.add_expected(given, demanded, "the unwrapping key's CKA_UNWRAP_TEMPLATE")
    if rules.kind_of(given, session.token.policy.objects).object_class not in PROTECTED_CLASSES:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "CKA_CLASS must say secret or private key")
    given.setdefault(CKA.EXTRACTABLE, True)
    return given


def _require_whole(functions: Wrapping[Any], made: Given) -> None:
    """Refuse a protected key of any length where a padding says how long it is, and nothing else.

    Whoever may alter the wrapped bytes finds by the padding what they decrypt to, or cuts the key. Where nobody may,
    the template must say the length too.
    """
    if not (functions.padded and is_guarded(made)):
        return
    if functions.malleable:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, "a protected key of any length is not unwrapped from a padding")
    if CKA.VALUE_LEN not in made:
        raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN is missing, which a padding alone does not vouch for")


_TOLD = frozenset({CKR.WRAPPED_KEY_LEN_RANGE, CKR.ATTRIBUTE_VALUE_INVALID, CKR.KEY_SIZE_RANGE})
"""What may be said of a decrypted value, its length and its check value, where no padding stands in between."""


def _add_content(session: Session, made: Given, plain: bytearray, *, proven: bool) -> None:
    """Add the unwrapped key's parts."""
    if made[CKA.CLASS] == CKO.SECRET_KEY:
        made[CKA.VALUE] = SecretBytes(_value(made, plain))
    else:
        made.update(import_private_key(plain, _key_type(made), proven=proven))
    complete_new(session, made, arrange=True)


def _value(made: Given, plain: bytearray) -> memoryview:
    """Return a secret key's value: the unwrapped bytes, or as many of them as CKA_VALUE_LEN says.

    A protected key is not cut, or somebody could unwrap it byte by byte: one of any length has all bytes, one of a few
    sizes sheds no more than the zeros that filled its last block.
    """
    form = find_form(made[CKA.CLASS], made[CKA.KEY_TYPE])
    given = made.get(CKA.VALUE_LEN)
    size = given if isinstance(given, int) else len(plain)
    rest = plain[size:]
    keeps_all = is_protected(made) and (is_guarded(made) or len(rest) >= BLOCK_SIZE or any(rest))
    wipe(rest)
    if size > len(plain) or (size < len(plain) and keeps_all):
        raise Pkcs11Error(CKR.WRAPPED_KEY_LEN_RANGE, f"CKA_VALUE_LEN {size}, but {len(plain)} bytes were unwrapped")
    if form is not None and form.sizes is not None and size not in form.sizes:
        raise Pkcs11Error(CKR.WRAPPED_KEY_LEN_RANGE, f"a key of this type does not have {size} bytes")
    return memoryview(plain)[:size]


def _key_type(made: Given) -> int:
    key_type = made[CKA.KEY_TYPE]
    return key_type if isinstance(key_type, int) else -1


BOUND = (
    bind(keys.WRAP_KEY, wrap_key),
    bind(keys.UNWRAP_KEY, unwrap_key),
)
