# SPDX-License-Identifier: Apache-2.0
"""ML-DSA (FIPS 204) and ML-KEM (FIPS 203) keys: the one place that knows which library does what (decision 0011).

`cryptography` signs, verifies, encapsulates and decapsulates where it can: with keys whose seed is known, not
deterministically, and not with ML-KEM-512. `pycryptodome` does the rest, and reads and writes all forms of keys. A key
makes either library's object when it first needs it, so one that is used by its seed alone stays in OpenSSL's memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
    PublicFormat,
)

from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.tee.late import LateModule

if TYPE_CHECKING:
    from Crypto.IO import PKCS8
    from Crypto.PublicKey import MLDSA, MLKEM
    from Crypto.Signature import mldsa as signatures
    from Crypto.Util import asn1
else:
    PKCS8 = LateModule("Crypto.IO.PKCS8")
    MLDSA = LateModule("Crypto.PublicKey.MLDSA")
    MLKEM = LateModule("Crypto.PublicKey.MLKEM")
    signatures = LateModule("Crypto.Signature.mldsa")
    asn1 = LateModule("Crypto.Util.asn1")

K = TypeVar("K")
Secret = bytes | bytearray
"""A seed or an expanded key; empty where it is not known."""

_MATRIX_SEED = 32


@dataclass(frozen=True, slots=True)
class MlDsa:
    """ML-DSA with one parameter set: its object identifier, what the libraries call it, bytes of its values."""

    oid: str
    name: str
    private: type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]
    public: type[mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey]
    public_size: int
    signature_size: int

    @property
    def whole(self) -> "MLDSA.ParamSet":
        """What `pycryptodome` has of the parameter set."""
        found: MLDSA.ParamSet = getattr(MLDSA, self.name)
        return found

    def private_key(self, seed: Secret, expanded: Secret) -> "MlDsaPrivateKey":
        """Return the key of a seed, an expanded key, or both. Nothing is checked before it is used."""
        return MlDsaPrivateKey(self, seed, expanded)

    def public_key(self, value: bytes) -> "MlDsaPublicKey":
        """Return a public key. Raises ValueError."""
        return MlDsaPublicKey(self, value)

    def generate(self) -> "MlDsaPrivateKey":
        """Return a new key."""
        return MlDsaPrivateKey(self, SecretBytes(self.private.generate().private_bytes_raw()), b"")


@dataclass(frozen=True, slots=True)
class MlKem:
    """ML-KEM with one parameter set, likewise. `cryptography` has no ML-KEM-512."""

    oid: str
    name: str
    private: type[mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey] | None
    public: type[mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey] | None
    public_size: int
    ciphertext_size: int

    @property
    def whole(self) -> "MLKEM.ParamSet":
        """What `pycryptodome` has of the parameter set."""
        found: MLKEM.ParamSet = getattr(MLKEM, self.name)
        return found

    def private_key(self, seed: Secret, expanded: Secret) -> "MlKemPrivateKey":
        """Return the key of a seed, an expanded key, or both. Nothing is checked before it is used."""
        return MlKemPrivateKey(self, seed, expanded)

    def public_key(self, value: bytes) -> "MlKemPublicKey":
        """Return a public key. Raises ValueError."""
        return MlKemPublicKey(self, value)

    def generate(self) -> "MlKemPrivateKey":
        """Return a new key."""
        made = self.private.generate().private_bytes_raw() if self.private else _generate_kem(self.whole)
        return MlKemPrivateKey(self, SecretBytes(made), b"")


def _generate_kem(whole: "MLKEM.ParamSet") -> bytes:
    return MLKEM.generate(param_set=whole).seed


class Signer(Protocol):
    """A signature in the making."""

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the message."""
        ...

    def finish(self) -> bytes:
        """Return the signature."""
        ...


class _PrivateKey(ABC):
    """What private keys of both algorithms have in common."""

    def __init__(self, algorithm: MlDsa | MlKem, seed: Secret, expanded: Secret) -> None:
        self._oid = algorithm.oid
        self.seed = seed
        self._expanded = expanded

    @property
    @abstractmethod
    def expanded(self) -> SecretBytes:
        """The expanded key. Raises ValueError where it does not belong to the seed, or is none."""

    def private_bytes(self, _: Encoding, __: PrivateFormat, ___: KeySerializationEncryption, /) -> bytes:
        """Return a DER PrivateKeyInfo (RFC 9881, RFC 9935): the seed and the expanded key, where both are known.

        There is no other encoding; the arguments are those that `cryptography`'s keys have.
        """
        expanded = asn1.DerOctetString(bytes(self.expanded))
        choice = asn1.DerSequence([asn1.DerOctetString(bytes(self.seed)), expanded]) if self.seed else expanded
        return PKCS8.wrap(choice.encode(), self._oid, key_params=None)


class MlDsaPrivateKey(_PrivateKey):
    """A private ML-DSA key."""

    def __init__(self, algorithm: MlDsa, seed: Secret, expanded: Secret) -> None:
        super().__init__(algorithm, seed, expanded)
        self.algorithm = algorithm

    @cached_property
    def _seeded(self) -> mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey | None:
        return self.algorithm.private.from_seed_bytes(self.seed) if self.seed else None

    @cached_property
    def _whole(self) -> "MLDSA.MLDSAKey":
        return MLDSA.construct(param_set=self.algorithm.whole, seed=self.seed or None, sk=self._expanded or None)

    @property
    def expanded(self) -> SecretBytes:
        """The expanded key (sk, dk). Raises ValueError where it does not belong to the seed, or is none."""
        return SecretBytes(self._whole.sk)

    def public_key(self) -> "MlDsaPublicKey":
        """Return the public key."""
        return self.algorithm.public_key(
            self._seeded.public_key().public_bytes_raw() if self._seeded else self._whole.pk
        )

    def begin(self, context: bytes, *, deterministic: bool) -> Signer:
        """Begin a signature of a message."""
        if self._seeded and not deterministic:
            return _SeededSigner(self._seeded, context)
        return _WholeSigner(self._whole, context, deterministic=deterministic)

    def sign_digest(self, oid: str, digest: bytes, context: bytes, *, deterministic: bool) -> bytes:
        """Sign the digest of a message, which the hash function with this object identifier has made (HashML-DSA)."""
        return signatures.new(self._whole, context, deterministic=deterministic).sign(_Digest(oid, digest))


class MlDsaPublicKey:
    """A public ML-DSA key."""

    def __init__(self, algorithm: MlDsa, value: bytes) -> None:
        self.algorithm = algorithm
        self.value = value
        self._key = algorithm.public.from_public_bytes(value)

    @property
    def shared_part(self) -> bytes:
        """The part of the public key that stands in an expanded key: the seed of its matrix."""
        return self.value[:_MATRIX_SEED]

    def public_bytes(self, _: Encoding, form: PublicFormat, /) -> bytes:
        """Return the value, or where anything but Raw is asked for a DER SubjectPublicKeyInfo."""
        if form is PublicFormat.Raw:
            return self.value
        return self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def begin(self, context: bytes) -> mldsa.MLDSAMuHasher:
        """Begin to hash a message, for ``verify``."""
        return mldsa.MLDSAMuHasher(self._key, context)

    def verify(self, signature: bytes, hashed: bytes) -> None:
        """Verify the signature of a message. Raises InvalidSignature."""
        self._key.verify_mu(signature, hashed)

    def verify_digest(self, oid: str, digest: bytes, context: bytes, signature: bytes) -> None:
        """Verify the signature of a digest. Raises InvalidSignature."""
        whole = MLDSA.construct(param_set=self.algorithm.whole, pk=self.value)
        try:
            signatures.new(whole, context).verify(_Digest(oid, digest), signature)
        except ValueError:
            raise InvalidSignature from None


class MlKemPrivateKey(_PrivateKey):
    """A private ML-KEM key."""

    def __init__(self, algorithm: MlKem, seed: Secret, expanded: Secret) -> None:
        super().__init__(algorithm, seed, expanded)
        self.algorithm = algorithm

    @cached_property
    def _seeded(self) -> mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey | None:
        return self.algorithm.private.from_seed_bytes(self.seed) if self.algorithm.private and self.seed else None

    @cached_property
    def _whole(self) -> "MLKEM.MLKEMKey":
        whole, seed, expanded = self.algorithm.whole, self.seed or None, self._expanded or None
        return MLKEM.construct(param_set=whole, seed=seed, expanded_dk=expanded)

    @property
    def expanded(self) -> SecretBytes:
        """The expanded key (sk, dk). Raises ValueError where it does not belong to the seed, or is none."""
        return SecretBytes(self._whole.expanded_dk)

    def public_key(self) -> "MlKemPublicKey":
        """Return the public key."""
        return self.algorithm.public_key(
            self._seeded.public_key().public_bytes_raw() if self._seeded else self._whole.ek
        )

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the secret in a ciphertext of the right size; another one, which nobody knows, for any that is bad."""
        if self._seeded:
            return self._seeded.decapsulate(ciphertext)
        return self._whole._decaps(ciphertext)  # noqa: SLF001 - the library has no public function (decision 0011)


class MlKemPublicKey:
    """A public ML-KEM key."""

    def __init__(self, algorithm: MlKem, value: bytes) -> None:
        self.algorithm = algorithm
        self.value = value
        self._whole = MLKEM.construct(param_set=algorithm.whole, ek=value)

    @property
    def shared_part(self) -> bytes:
        """The part of the public key that stands in an expanded key: all of it."""
        return self.value

    def public_bytes(self, _: Encoding, form: PublicFormat, /) -> bytes:
        """Return the value, or where anything but Raw is asked for a DER SubjectPublicKeyInfo."""
        return self.value if form is PublicFormat.Raw else self._whole.export_key()

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Return a new secret, and the ciphertext in which it travels."""
        if self.algorithm.public:
            return self.algorithm.public.from_public_bytes(self.value).encapsulate()
        return self._whole._encaps()  # noqa: SLF001 - the library has no public function (decision 0011)


Algorithm = MlDsa | MlKem
LatticePrivateKey = MlDsaPrivateKey | MlKemPrivateKey
LatticePublicKey = MlDsaPublicKey | MlKemPublicKey


class _SeededSigner:
    """Signs by `cryptography`: hedged, with the key that a seed makes."""

    def __init__(
        self, key: mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey, context: bytes
    ) -> None:
        self._key = key
        self._hasher = mldsa.MLDSAMuHasher(key.public_key(), context)

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the message."""
        self._hasher.update(part)

    def finish(self) -> bytes:
        """Return the signature."""
        return self._key.sign_mu(self._hasher.finalize())


class _WholeSigner:
    """Signs by `pycryptodome`: hedged or deterministically, with any key."""

    def __init__(self, key: "MLDSA.MLDSAKey", context: bytes, *, deterministic: bool) -> None:
        self._hasher = signatures.MLDSAMuHash(key, context=context)
        self._scheme = signatures.new(key, deterministic=deterministic)

    def update(self, part: bytes | bytearray) -> None:
        """Take a part of the message."""
        self._hasher.update(part)

    def finish(self) -> bytes:
        """Return the signature."""
        return self._scheme.sign(self._hasher)


class _Digest:
    """A digest that is there already, as `pycryptodome` reads one from a hash function's object or from SHAKE's."""

    def __init__(self, oid: str, value: bytes) -> None:
        self.oid = oid
        self._value = value

    def digest(self) -> bytes:
        """Return the digest."""
        return self._value

    def copy(self) -> "_Digest":
        """Return what is read from next."""
        return self

    def read(self, _: int) -> bytes:
        """Return the digest of a function that makes them of any size."""
        return self._value


ML_DSA_44: Final = MlDsa(
    "2.16.840.1.101.3.4.3.17", "ML_DSA_44", mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey, 1312, 2420
)
ML_DSA_65: Final = MlDsa(
    "2.16.840.1.101.3.4.3.18", "ML_DSA_65", mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey, 1952, 3309
)
ML_DSA_87: Final = MlDsa(
    "2.16.840.1.101.3.4.3.19", "ML_DSA_87", mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey, 2592, 4627
)
ML_KEM_512: Final = MlKem("2.16.840.1.101.3.4.4.1", "ML_KEM_512", None, None, 800, 768)
ML_KEM_768: Final = MlKem(
    "2.16.840.1.101.3.4.4.2", "ML_KEM_768", mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey, 1184, 1088
)
ML_KEM_1024: Final = MlKem(
    "2.16.840.1.101.3.4.4.3", "ML_KEM_1024", mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey, 1568, 1568
)


def read_ml_dsa(info: bytes) -> MlDsaPrivateKey:
    """Return the key in a DER PrivateKeyInfo: its seed, the expanded key, or both. Raises ValueError."""
    key = _imported(MLDSA.import_key, info)
    algorithm = next(one for one in (ML_DSA_44, ML_DSA_65, ML_DSA_87) if one.whole is key.param_set)
    return algorithm.private_key(_seed_of(key), SecretBytes(key.sk))


def read_ml_kem(info: bytes) -> MlKemPrivateKey:
    """Return the key in a DER PrivateKeyInfo, likewise."""
    key = _imported(MLKEM.import_key, info)
    algorithm = next(one for one in (ML_KEM_512, ML_KEM_768, ML_KEM_1024) if one.whole is key.param_set)
    return algorithm.private_key(_seed_of(key), SecretBytes(key.expanded_dk))


def _imported(import_key: Callable[[bytes], K], info: bytes) -> K:
    try:
        return import_key(info)
    except IndexError:
        raise ValueError("not DER") from None  # the library's decoder runs past the end of some of it


def _seed_of(key: "MLDSA.MLDSAKey | MLKEM.MLKEMKey") -> SecretBytes:
    try:
        return SecretBytes(key.seed)
    except ValueError:
        return SecretBytes()
