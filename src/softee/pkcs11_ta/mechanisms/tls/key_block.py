# SPDX-License-Identifier: Apache-2.0
"""The keys of a TLS 1.2 connection out of its master secret (PKCS#11 3.2, section 6, TLS 1.2; RFC 5246, section 6.3).

The block is cut into two MAC secrets, two keys and two initialization vectors, the client's before the server's. What
is not a vector in one call could be one in another, so whoever may use a master secret with
CKM_TLS12_KEY_AND_MAC_DERIVE can be shown all of its block; CKM_TLS12_KEY_SAFE_DERIVE shows nothing.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from softee.names import CKA, CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.attributes.values import Attributes, Given
from softee.pkcs11_ta.keys.view import KeyView, SizeRange
from softee.pkcs11_ta.mechanisms.functions import Derived, DerivingKeys
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.hash_functions import HashFunction, hash_in
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec
from softee.pkcs11_ta.mechanisms.tls.prf import MASTER_SIZE, SECRETS, hash_of, prf, randoms_of
from softee.pkcs11_ta.objects.policy import USAGES

LARGEST_PIECE: Final = 64
"""Bytes of a MAC secret, a key or a vector; the C library has room for so many."""

_BITS: Final = 8
_MAC_USES: Final[Attributes] = dict.fromkeys((CKA.SIGN, CKA.VERIFY, CKA.DERIVE), True)
_KEY_USES: Final[Attributes] = dict.fromkeys((CKA.ENCRYPT, CKA.DECRYPT, CKA.DERIVE), True)
_OF_THE_KEYS: Final = frozenset({CKA.KEY_TYPE, CKA.VALUE_LEN, *USAGES})
"""What a template says of the keys, and not of the MAC secrets."""


@dataclass(frozen=True, slots=True)
class KeyBlockParams:
    """CK_TLS12_KEY_MAT_PARAMS. The sizes are in bytes."""

    hash: HashFunction
    seed: bytes
    mac_size: int
    key_size: int
    iv_size: int

    def shown(self) -> int:
        """Return how many bytes both vectors have."""
        return 2 * self.iv_size


def _bytes(bits: int, described: str) -> int:
    size, rest = divmod(bits, _BITS)
    if rest or size > LARGEST_PIECE:
        raise invalid(f"{described} of {bits} bits; whole bytes, and no more than {LARGEST_PIECE}, are allowed")
    return size


def _params(  # noqa: PLR0917 - the structure has so many members
    mac_bits: int, key_bits: int, iv_bits: int, export: int, client: bytes, server: bytes, function: int
) -> KeyBlockParams:
    if export:
        raise invalid("bIsExport must be false")
    if not mac_bits and not key_bits:
        raise invalid("neither MAC secrets nor keys are wanted")
    return KeyBlockParams(
        hash=hash_of(function),
        seed=randoms_of(server, client),
        mac_size=_bytes(mac_bits, "MAC secrets"),
        key_size=_bytes(key_bits, "keys"),
        iv_size=_bytes(iv_bits, "initialization vectors"),
    )


def _safe_params(  # noqa: PLR0917 - likewise
    mac_bits: int, key_bits: int, _: int, export: int, client: bytes, server: bytes, function: int
) -> KeyBlockParams:
    """Take a parameter whose ulIVSizeInBits counts as 0."""
    return _params(mac_bits, key_bits, 0, export, client, server, function)


def _templates(params: KeyBlockParams, given: Given) -> tuple[Given | None, ...]:
    mac = _mac_template(given) if params.mac_size else None
    key = _key_template(given, params.key_size) if params.key_size else None
    return (mac, mac, key, key)


def _mac_template(given: Given) -> Given:
    """Return the template of MAC secrets, whose type and usages are the mechanism's to say."""
    return {
        **{attribute: value for attribute, value in given.items() if attribute not in _OF_THE_KEYS},
        CKA.KEY_TYPE: CKK.GENERIC_SECRET,
        **_MAC_USES,
    }


def _key_template(given: Given, size: int) -> Given:
    """Return the template of keys: what it does not say, the mechanism does."""
    if given.get(CKA.VALUE_LEN, size) != size:
        raise Pkcs11Error(CKR.TEMPLATE_INCONSISTENT, f"CKA_VALUE_LEN is not {size}, which ulKeySizeInBits says")
    return {**_KEY_USES, **given}


def _derive(base: KeyView, params: KeyBlockParams) -> Derived:
    sizes = [size for size in (params.mac_size, params.key_size, params.iv_size) for _ in range(2)]
    ends = list(accumulate(sizes, initial=0))
    block = prf(params.hash, base, b"key expansion", params.seed, ends[-1])
    *keys, client_iv, server_iv = (block[start:end] for start, end in pairwise(ends))
    return Derived(tuple({CKA.VALUE: SecretBytes(key)} for key in keys if key), bytes(client_iv + server_iv))


SPECS: tuple[AnyMechanism, ...] = tuple(
    MechanismSpec(
        mechanism=mechanism,
        key_types=SECRETS,
        key_size=SizeRange(MASTER_SIZE, MASTER_SIZE),
        params=params,
        hashes_in=hash_in,
        functions=(DerivingKeys(templates=_templates, derive=_derive, shown=KeyBlockParams.shown, inherits=True),),
    )
    for mechanism, params in (
        (CKM.TLS12_KEY_AND_MAC_DERIVE, _params),
        (CKM.TLS12_KEY_SAFE_DERIVE, _safe_params),
    )
)
