# SPDX-License-Identifier: Apache-2.0
"""Run a mechanism's operations through a PKCS#11 module, as ``mechanism_runs`` runs them in the test's own process."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.names.mechanism_layouts import TLS12_KEY_MAT, Form, Layout, Member
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.table import find_form
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.params import Value, read_values
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support import keys
from support.cryptoki import Content, CryptokiError, Mechanism, Session, Structure, Template
from support.cryptoki import Value as AttributeValue

_USES = frozenset(
    {
        CKA.ENCRYPT,
        CKA.DECRYPT,
        CKA.SIGN,
        CKA.VERIFY,
        CKA.SIGN_RECOVER,
        CKA.VERIFY_RECOVER,
        CKA.WRAP,
        CKA.UNWRAP,
        CKA.DERIVE,
        CKA.ENCAPSULATE,
        CKA.DECAPSULATE,
    }
)
_OPEN: Template = {CKA.TOKEN: False, CKA.SENSITIVE: False, CKA.EXTRACTABLE: True}
_SECRET: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.KEY_TYPE: CKK.GENERIC_SECRET, **_OPEN}
_ULONG_SIZE = 8
_IN_PLACE = frozenset({CKM.TLS12_KEY_AND_MAC_DERIVE, CKM.TLS12_KEY_SAFE_DERIVE})
_KEY_BLOCK = ("hClientMacSecret", "hServerMacSecret", "hClientKey", "hServerKey")
_LARGEST_VECTOR = 64


class ModuleRuns:
    """A session of a module that runs what tests of mechanisms ask for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def takes(self, mechanism: CKM, key: KeyView) -> bool:
        sizes = MECHANISMS[mechanism].key_size
        try:
            with self._object(key):
                return sizes is None or key.size in sizes
        except CryptokiError:
            return False

    def digest(self, mechanism: CKM, parts: Iterable[bytes]) -> bytes:
        with _told():
            return self._session.run("C_Digest", c_mechanism(mechanism, b""), None, *_cut(mechanism, parts))

    def sign(self, mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes]) -> bytes:
        with _told(), self._object(key) as handle:
            return self._session.run("C_Sign", c_mechanism(mechanism, parameter), handle, *_cut(mechanism, parts))

    def verify(self, mechanism: CKM, key: KeyView, parameter: bytes, parts: Iterable[bytes], signature: bytes) -> None:
        with _told(), self._object(_public_half(key)) as handle:
            by = c_mechanism(mechanism, parameter)
            self._session.check(by, handle, signature, *_cut(mechanism, parts))

    def sign_recover(self, mechanism: CKM, key: KeyView, parameter: bytes, data: bytes) -> bytes:
        with _told(), self._object(key) as handle:
            return self._session.run("C_SignRecover", c_mechanism(mechanism, parameter), handle, data)

    def recover(self, mechanism: CKM, key: KeyView, parameter: bytes, signature: bytes) -> bytes:
        with _told(), self._object(_public_half(key)) as handle:
            return self._session.run("C_VerifyRecover", c_mechanism(mechanism, parameter), handle, signature)

    def encrypt(self, mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
        with _told(), self._object(_public_half(key)) as handle:
            return self._session.run("C_Encrypt", c_mechanism(mechanism, parameter), handle, *_cut(mechanism, parts))

    def decrypt(self, mechanism: CKM, key: KeyView, parameter: bytes, *parts: bytes) -> bytes:
        with _told(), self._object(key) as handle:
            return self._session.run("C_Decrypt", c_mechanism(mechanism, parameter), handle, *_cut(mechanism, parts))

    def wrap(self, mechanism: CKM, key: KeyView, parameter: bytes, value: bytes) -> bytes:
        wanted = {**_SECRET, CKA.VALUE: value}
        with _told(), self._object(key) as handle, self._made(self._session.create(wanted)) as secret:
            return self._session.wrap(c_mechanism(mechanism, parameter), handle, secret)

    def unwrap(self, mechanism: CKM, key: KeyView, parameter: bytes, wrapped: bytes) -> bytes:
        by = c_mechanism(mechanism, parameter)
        with (
            _told(),
            self._object(key) as handle,
            self._made(self._session.unwrap(by, handle, wrapped, _SECRET)) as secret,
        ):
            return self._session.value(secret, CKA.VALUE)

    def derive(self, mechanism: CKM, base: KeyView, parameter: bytes, size: int | None = None) -> bytes:
        length: Template = {} if size is None else {CKA.VALUE_LEN: size}
        by = c_mechanism(mechanism, parameter)
        with (
            _told(),
            self._object(base) as handle,
            self._made(self._session.derive(by, handle, {**_SECRET, **length})) as secret,
        ):
            return self._session.value(secret, CKA.VALUE)

    def derive_keys(self, mechanism: CKM, base: KeyView, parameter: bytes) -> tuple[list[bytes], bytes]:
        by = c_mechanism(mechanism, parameter)
        wanted: Template = {CKA.CLASS: CKO.SECRET_KEY, CKA.TOKEN: False}
        assert isinstance(by.parameter, Structure)
        with _told(), self._object(base) as handle:
            if mechanism not in _IN_PLACE:
                with self._made(self._session.derive(by, handle, {**wanted, **_OPEN})) as secret:
                    return [self._session.value(secret, CKA.VALUE)], by.parameter.pointed("pVersion")
            self._session.derive_in_place(by, handle, wanted)
            out = by.parameter.structure("pReturnedKeyMaterial")
            secrets = [made for made in map(out.number, _KEY_BLOCK) if made]
            values = [self._session.value(secret, CKA.VALUE) for secret in secrets]
            for secret in secrets:
                self._session.destroy(secret)
            size = by.parameter.number("ulIVSizeInBits") // 8
            return values, out.pointed("pIVClient")[:size] + out.pointed("pIVServer")[:size]

    def generate(self, mechanism: CKM, parameter: bytes, size: int | None) -> bytes:
        wanted: Template = _SECRET if size is None else {**_SECRET, CKA.VALUE_LEN: size}
        by = c_mechanism(mechanism, parameter)
        with _told(), self._made(self._session.generate(by, wanted)) as secret:
            return self._session.value(secret, CKA.VALUE)

    def encapsulate(self, mechanism: CKM, key: KeyView) -> tuple[bytes, bytes]:
        by = c_mechanism(mechanism, b"")
        with _told(), self._object(key) as handle:
            made, ciphertext = self._session.encapsulate(by, handle, _SECRET)
            with self._made(made) as secret:
                return self._session.value(secret, CKA.VALUE), ciphertext

    def decapsulate(self, mechanism: CKM, key: KeyView, ciphertext: bytes) -> bytes:
        by = c_mechanism(mechanism, b"")
        with (
            _told(),
            self._object(key) as handle,
            self._made(self._session.decapsulate(by, handle, ciphertext, _SECRET)) as secret,
        ):
            return self._session.value(secret, CKA.VALUE)

    def _object(self, key: KeyView) -> AbstractContextManager[int]:
        return self._made(self._session.create(key_template(key)))

    @contextmanager
    def _made(self, handle: int) -> Iterator[int]:
        """Keep an object of the session for as long as it is needed."""
        try:
            yield handle
        finally:
            self._session.destroy(handle)


@contextmanager
def _told() -> Iterator[None]:
    """Raise what the module answers as what the token raises inside."""
    try:
        yield
    except CryptokiError as error:
        raise Pkcs11Error(CKR(error.rv), "so says the module") from None


def _public_half(key: KeyView) -> KeyView:
    """Return the key that undoes what a private key of RSA or on a curve does; any other key is its own."""
    native = key.native() if key.key_class is CKO.PRIVATE_KEY else None
    if isinstance(native, rsa.RSAPrivateKey):
        return keys.rsa_public_key(native.public_key())
    return keys.ec_public_key(native.public_key()) if isinstance(native, ec.EllipticCurvePrivateKey) else key


def _cut(mechanism: CKM, parts: Iterable[bytes]) -> list[bytes]:
    """Return the parts, joined where the mechanism takes its data at once."""
    cut = list(parts)
    return cut if MECHANISMS[mechanism].multi_part and len(cut) > 1 else [b"".join(cut)]


def key_template(key: KeyView) -> dict[CKA, AttributeValue]:
    """Return the template that makes the key, for every use that its kind has."""
    assert isinstance(key, KeyMaterial)
    parts = {
        CKA(attribute): bytes(value) if isinstance(value, bytearray) else value
        for attribute, value in key._attributes.items()
        if isinstance(value, bytes | bytearray | int)
    }
    form = find_form(key.key_class, key.key_type)
    assert form is not None
    uses = {use.type for use in form.rows} & _USES
    made: dict[CKA, AttributeValue] = {CKA.TOKEN: False, **dict.fromkeys(uses, True), **parts}
    made.pop(CKA.VALUE_LEN, None)
    made.pop(CKA.PUBLIC_KEY_INFO, None)
    return made if key.key_class is CKO.PUBLIC_KEY else {**made, **_OPEN}


def c_mechanism(mechanism: CKM, raw: bytes) -> Mechanism:
    """Return a CK_MECHANISM whose parameter travels as ``raw``."""
    layout = MECHANISMS[mechanism].layout
    if not layout.members or (layout.optional and not raw):
        return Mechanism(mechanism, raw or None)
    if not layout.structure:
        return Mechanism(mechanism, raw)
    values = iter(read_values(layout, raw))
    if len(layout.members) == 1 and not layout.members[0].name:
        return Mechanism(mechanism, _number(next(values)).to_bytes(_ULONG_SIZE, "little"))
    return Mechanism(mechanism, _structure(layout, values))


def _structure(layout: Layout, values: Iterator[Value]) -> Structure:
    members: dict[str, Content] = {}
    for member in layout.members:
        if member.form is not Form.LIST and member.layout is not None:
            members[member.name] = _structure(member.layout, values)
            continue
        value = next(values)
        members[member.name] = value if isinstance(value, bytes | int) else None
        if isinstance(value, tuple):
            assert member.layout is not None
            members[member.name] = tuple(_structure(member.layout, iter(one)) for one in value)
            members[member.length] = len(value)
        elif member.form is Form.POINTED:
            members[member.name] = bytes(2) if value else None
        elif member.length:
            members.update(_counted(member, value, _number(members.get(member.selector, 0))))
    if layout is TLS12_KEY_MAT:
        vectors = {name: bytes(_LARGEST_VECTOR) for name in ("pIVClient", "pIVServer")}
        members["pReturnedKeyMaterial"] = Structure("CK_SSL3_KEY_MAT_OUT", **vectors)
    return Structure(layout.structure, **members)


def _counted(member: Member, value: Value, selector: int) -> dict[str, Content]:
    """Return a pointer and a length: of bytes, or of the structure that was chosen."""
    assert isinstance(value, bytes)
    chosen = dict(member.choices).get(selector)
    if chosen is None or not value:
        size = 8 * len(value) if member.form is Form.COUNTED_BITS else len(value)
        return {member.name: value, member.length: size}
    structure = _structure(chosen, iter(read_values(chosen, value)))
    return {member.name: structure, member.length: len(structure.memory)}


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
