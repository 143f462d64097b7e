# SPDX-License-Identifier: Apache-2.0
"""EdDSA (PKCS#11 3.2, section 6.3; RFC 8032): its five schemes; signatures are R and S as the RFC writes them.

CK_EDDSA_PARAMS chooses the scheme: phFlag the pre-hashed one, a context Ed25519ctx. No parameter travels as one without
either, so both mean the pure scheme, for Ed448 too. `cryptography` has the pure schemes without a context,
`pycryptodome` the others.

A pure scheme reads the data twice, so all of it is held until the operation ends, up to a limit; a pre-hashed one holds
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from softee.names import CKM
from softee.pkcs11_ta.keys.edwards import KEY_TYPES, EdwardsPrivateKey, EdwardsPublicKey, private_key, public_key
from softee.pkcs11_ta.keys.octet_keys import KEY_SIZE
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing, SignOperation, VerifyOperation
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.signing import (
    BufferedSign,
    BufferedVerify,
    bad_signature,
    check_signature_size,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.Hash import SHA512, SHAKE256
    from Crypto.Signature import eddsa
else:
    SHA512 = LateModule("Crypto.Hash.SHA512")
    SHAKE256 = LateModule("Crypto.Hash.SHAKE256")
    eddsa = LateModule("Crypto.Signature.eddsa")

LARGEST_MESSAGE = 1 << 20
"""Bytes of data: they stay in memory as long as their operation, of which a client may have thousands."""

_LONGEST_CONTEXT = 255

_SIGNATURE_SIZES = {256: 64, 448: 114}
"""Bytes of a signature, by the size of the key."""

_Hash: TypeAlias = "SHA512.SHA512Hash | SHAKE256.SHAKE256_XOF"


@dataclass(frozen=True, slots=True)
class EddsaParams:
    """CK_EDDSA_PARAMS."""

    prehash: bool
    context: bytes

    @property
    def plain(self) -> bool:
        """Whether it asks for nothing but the pure scheme."""
        return not self.prehash and not self.context


def eddsa_params(ph_flag: int, context: bytes) -> EddsaParams:
    """Check CK_EDDSA_PARAMS."""
    if ph_flag not in {0, 1}:
        raise invalid(f"phFlag {ph_flag} is no CK_BBOOL")
    if len(context) > _LONGEST_CONTEXT:
        raise invalid(f"a context of {len(context)} bytes; {_LONGEST_CONTEXT} are allowed")
    return EddsaParams(bool(ph_flag), context)


class _PrehashedSign:
    """Signs the hash of the data."""

    __slots__ = ("_scheme", "_state")

    def __init__(self, scheme: "eddsa.EdDSASigScheme", state: _Hash) -> None:
        self._scheme = scheme
        self._state = state

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._state.update(part)

    def finish(self) -> bytes:
        """Return the signature."""
        return self._scheme.sign(self._state)


class _PrehashedVerify:
    """Verifies a signature of the hash of the data."""

    __slots__ = ("_state", "_verify")

    def __init__(self, verify: Callable[[bytes, _Hash], None], state: _Hash) -> None:
        self._verify = verify
        self._state = state

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the data."""
        self._state.update(part)

    def finish(self, signature: bytes) -> None:
        """Return where ``signature`` is right, else raise."""
        self._verify(signature, self._state)


def _begin_hash(key: EdwardsPrivateKey | EdwardsPublicKey) -> _Hash:
    """Begin the hash of a key's pre-hashed scheme: Ed25519ph's, or Ed448ph's."""
    return SHA512.new() if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey) else SHAKE256.new()


def _sign(key: KeyView, params: EddsaParams) -> SignOperation:
    private = private_key(key)
    if params.plain:
        return BufferedSign(private.sign, limit=LARGEST_MESSAGE)
    scheme = eddsa.new(eddsa.import_private_key(private.private_bytes_raw()), "rfc8032", params.context)
    if params.prehash:
        return _PrehashedSign(scheme, _begin_hash(private))
    return BufferedSign(scheme.sign, limit=LARGEST_MESSAGE)


def _verify(key: KeyView, params: EddsaParams) -> VerifyOperation:
    public, size = public_key(key), _signature_size(key, params)

    def pure(signature: bytes, data: bytes) -> None:
        check_signature_size(signature, size)
        try:
            public.verify(signature, data)
        except InvalidSignature:
            raise bad_signature() from None

    def chosen(signature: bytes, data: "bytes | _Hash") -> None:
        check_signature_size(signature, size)
        try:
            known = eddsa.import_public_key(public.public_bytes_raw())
            eddsa.new(known, "rfc8032", params.context).verify(data, signature)
        except ValueError:  # also where the key is no point of its curve
            raise bad_signature() from None

    if params.prehash:
        return _PrehashedVerify(chosen, _begin_hash(public))
    return BufferedVerify(pure if params.plain else chosen, limit=LARGEST_MESSAGE)


def _signature_size(key: KeyView, _: EddsaParams) -> int:
    return _SIGNATURE_SIZES[key.size]


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.EDDSA,
        key_types=KEY_TYPES,
        key_size=KEY_SIZE,
        params=eddsa_params,
        functions=(Signing(sign=_sign, verify=_verify, size=_signature_size),),
    ),
)
