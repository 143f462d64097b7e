# SPDX-License-Identifier: Apache-2.0
"""The kinds of keys that can be made: one table, from which mechanisms and templates follow."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from softee.cli.cryptoki.structures import Value
from softee.cli.failure import CliError
from softee.names import CKA, CKK, CKM, CKO, MlDsaParameterSet, MlKemParameterSet
from softee.pkcs11_ta.keys import ec, edwards, montgomery
from softee.pkcs11_ta.keys.curves import oid

Given = dict[int, Value]


_CURVES: Final = (ec.CURVES, edwards.CURVES, montgomery.CURVES)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of keys: its CKA_KEY_TYPE, the mechanism that makes them, what its template says, what they are for.

    ``public`` is what the public key's template says, None of secret keys, whose template says ``secret``. ``curve`` is
    all that CKA_EC_PARAMS may be of such keys.
    """

    key_type: CKK
    mechanism: CKM
    uses: tuple[str, ...]
    public: Mapping[int, Value] | None = None
    secret: Mapping[int, Value] = field(default_factory=dict)
    curve: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Use:
    """What a key is for: the attributes of the public, the private and the secret key that say so."""

    public: tuple[CKA, ...]
    private: tuple[CKA, ...]
    secret: tuple[CKA, ...]


USES: Final[Mapping[str, Use]] = MappingProxyType(
    {
        "sign": Use((CKA.VERIFY,), (CKA.SIGN,), (CKA.SIGN, CKA.VERIFY)),
        "decrypt": Use((CKA.ENCRYPT,), (CKA.DECRYPT,), (CKA.ENCRYPT, CKA.DECRYPT)),
        "wrap": Use((CKA.WRAP,), (CKA.UNWRAP,), (CKA.WRAP, CKA.UNWRAP)),
        "derive": Use((), (CKA.DERIVE,), (CKA.DERIVE,)),
        "decapsulate": Use((CKA.ENCAPSULATE,), (CKA.DECAPSULATE,), ()),
    }
)
"""By the names that --use takes. Each is named after what the private key does."""


def _rsa(bits: int) -> Kind:
    public: Given = {CKA.MODULUS_BITS: bits, CKA.PUBLIC_EXPONENT: b"\1\0\1"}
    return Kind(CKK.RSA, CKM.RSA_PKCS_KEY_PAIR_GEN, ("sign", "decrypt"), public)


def _curve(key_type: CKK, mechanism: CKM, dotted: str, use: str) -> Kind:
    params = oid(dotted)
    named = next(one for curves in _CURVES for one in curves.names.values() if params in one)
    return Kind(key_type, mechanism, (use,), {CKA.EC_PARAMS: params}, curve=named)


def _ec(dotted: str) -> Kind:
    return _curve(CKK.EC, CKM.EC_KEY_PAIR_GEN, dotted, "sign")


def _edwards(dotted: str) -> Kind:
    return _curve(CKK.EC_EDWARDS, CKM.EC_EDWARDS_KEY_PAIR_GEN, dotted, "sign")


def _montgomery(dotted: str) -> Kind:
    return _curve(CKK.EC_MONTGOMERY, CKM.EC_MONTGOMERY_KEY_PAIR_GEN, dotted, "derive")


def _secret(key_type: CKK, mechanism: CKM, bits: int, use: str) -> Kind:
    return Kind(key_type, mechanism, (use,), secret={CKA.VALUE_LEN: bits // 8})


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        **{f"rsa:{bits}": _rsa(bits) for bits in (2048, 3072, 4096)},
        "ec:prime256v1": _ec("1.2.840.10045.3.1.7"),
        "ec:secp384r1": _ec("1.3.132.0.34"),
        "ec:secp521r1": _ec("1.3.132.0.35"),
        "ec:secp256k1": _ec("1.3.132.0.10"),
        "ec:brainpoolP256r1": _ec("1.3.36.3.3.2.8.1.1.7"),
        "ec:brainpoolP384r1": _ec("1.3.36.3.3.2.8.1.1.11"),
        "ec:brainpoolP512r1": _ec("1.3.36.3.3.2.8.1.1.13"),
        "ed25519": _edwards("1.3.101.112"),
        "ed448": _edwards("1.3.101.113"),
        "x25519": _montgomery("1.3.101.110"),
        "x448": _montgomery("1.3.101.111"),
        **{
            f"ml-dsa:{one.name.removeprefix('ML_DSA_')}": Kind(
                CKK.ML_DSA, CKM.ML_DSA_KEY_PAIR_GEN, ("sign",), {CKA.PARAMETER_SET: one}
            )
            for one in MlDsaParameterSet
        },
        **{
            f"ml-kem:{one.name.removeprefix('ML_KEM_')}": Kind(
                CKK.ML_KEM, CKM.ML_KEM_KEY_PAIR_GEN, ("decapsulate",), {CKA.PARAMETER_SET: one}
            )
            for one in MlKemParameterSet
        },
        **{f"aes:{bits}": _secret(CKK.AES, CKM.AES_KEY_GEN, bits, "decrypt") for bits in (128, 192, 256)},
        **{
            f"hmac:{bits}": _secret(CKK.GENERIC_SECRET, CKM.GENERIC_SECRET_KEY_GEN, bits, "sign")
            for bits in (256, 384, 512)
        },
    }
)
"""By the names that people give them: those of OpenSSL's curves, sizes in bits."""

WRAPPING: Final = (CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP_PAD)
"""The mechanisms by which AES keys wrap keys of any length: the first that a token has is used."""

_FAMILIES: Final = frozenset(name.partition(":")[0] for name in KINDS)
_SECRET: Final = {kind.key_type: name.partition(":")[0] for name, kind in KINDS.items() if kind.public is None}


USES_OF: Final[Mapping[CKK, tuple[str, ...]]] = MappingProxyType(
    {kind.key_type: kind.uses for kind in KINDS.values() if kind.public is not None}
)
"""What the pairs of each type are for where nobody says what."""


def kind_of(name: str) -> Kind:
    """Return a kind by its name, of which small and capital letters are alike. Raises CliError, for wrong usage."""
    found = {known.lower(): kind for known, kind in KINDS.items()}.get(name.lower())
    if found is None:
        family = name.partition(":")[0].lower()
        known = [one for one in KINDS if family not in _FAMILIES or one.partition(":")[0] == family]
        raise CliError(f"There is no kind of keys {name!r}; there are {', '.join(known)}.", 2)
    return found


def number(attributes: Mapping[CKA, bytes], attribute: CKA) -> int:
    """Return a CK_ULONG as a module shows it, -1 where it shows none."""
    return int.from_bytes(attributes[attribute], sys.byteorder) if attributes.get(attribute) else -1


def kind_name(attributes: Mapping[CKA, bytes]) -> str | None:
    """Return the name of a key's kind by what a module shows of it, None where it has none."""
    key_type = number(attributes, CKA.KEY_TYPE)
    if key_type == CKK.RSA and CKA.MODULUS in attributes:
        return f"rsa:{int.from_bytes(attributes[CKA.MODULUS], 'big').bit_length()}"
    if CKA.VALUE_LEN in attributes and key_type in _SECRET:
        return f"{_SECRET[CKK(key_type)]}:{8 * number(attributes, CKA.VALUE_LEN)}"
    return next((name for name, kind in KINDS.items() if kind.key_type == key_type and _fits(kind, attributes)), None)


def curve_by_oid(params: bytes) -> bytes:
    """Return a CKA_EC_PARAMS that names the same curve by its object identifier, which all tokens know."""
    known = (kind.public[CKA.EC_PARAMS] for kind in KINDS.values() if kind.public and params in kind.curve)
    found = next(known, params)
    return found if isinstance(found, bytes) else params


def _fits(kind: Kind, attributes: Mapping[CKA, bytes]) -> bool:
    """Tell whether a key has the curve or the parameter set of a kind."""
    chosen = number(attributes, CKA.PARAMETER_SET)
    return attributes.get(CKA.EC_PARAMS) in kind.curve or (kind.public or {}).get(CKA.PARAMETER_SET) == chosen


def key_attributes(key_class: CKO, key_type: CKK, label: str, key_id: bytes, uses: Sequence[str]) -> Given:
    """Return what the template of a new key says, less the parts that it is made of."""
    of = {CKO.PUBLIC_KEY: "public", CKO.PRIVATE_KEY: "private", CKO.SECRET_KEY: "secret"}[key_class]
    wanted: list[CKA] = [attribute for use in uses for attribute in getattr(USES[use], of)]
    shown = key_class == CKO.PUBLIC_KEY
    given: Given = {
        CKA.CLASS: int(key_class),
        CKA.KEY_TYPE: int(key_type),
        CKA.TOKEN: True,
        CKA.PRIVATE: not shown,
        CKA.LABEL: label.encode(),
        CKA.ID: key_id,
    }
    return given | dict.fromkeys(wanted, True)


def guarded(*, extractable: bool) -> Given:
    """Return what makes a private or secret key stay on its token, or leave it only wrapped."""
    return {CKA.SENSITIVE: True, CKA.EXTRACTABLE: extractable}
