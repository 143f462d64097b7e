# SPDX-License-Identifier: Apache-2.0
"""Keys by NIST SP 800-108 in counter, feedback and double-pipeline mode (PKCS#11 3.2, section 6, SP800-108).

The function is an HMAC or AES-CMAC of the library's, which has the counter mode alone, and only with its pieces in some
orders; so what the functions are fed with is put together here. One key comes of a call: further ones
(pAdditionalDerivedKeys) are refused.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, count, islice, repeat

from softee.names import CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys.table import SECRET_KEY_TYPES
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.derivation.kbkdf_params import (
    Counter,
    DkmLength,
    Iteration,
    KbkdfParams,
    OfKey,
    counter_mode,
    double_pipeline_mode,
    feedback_mode,
)
from softee.pkcs11_ta.mechanisms.functions import Deriving
from softee.pkcs11_ta.mechanisms.shapes.deriving import cut, key_size
from softee.pkcs11_ta.mechanisms.shapes.mac import Mac
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


class _Feed:
    """The function of a base key, and the pieces that it is fed with: those that stay the same are bytes already."""

    def __init__(self, base: KeyView, params: KbkdfParams, others: Iterable[KeyView], size: int) -> None:
        values = iter(others)
        self._secret, self._mac = _secret(base, params.prf), params.prf
        self._pieces: list[Iteration | Counter | bytes] = []
        for piece in params.pieces:
            if isinstance(piece, DkmLength):
                self._pieces.append(piece.encode(size, params.prf.size))
            elif isinstance(piece, OfKey):
                self._pieces.append(bytes(next(values).secret()))
            else:
                self._pieces.append(piece)

    def fixed(self) -> bytes:
        """Return the pieces that stay the same."""
        return b"".join(piece for piece in self._pieces if isinstance(piece, bytes))

    def block(self, number: int, iteration: bytes = b"") -> bytes:
        """Return the function of all pieces."""
        made: list[bytes] = []
        for piece in self._pieces:
            if isinstance(piece, Counter):
                made.append(piece.number.encode(number))
            else:
                made.append(iteration if isinstance(piece, Iteration) else piece)
        return self.function(b"".join(made))

    def function(self, data: bytes) -> bytes:
        """Return the pseudo-random function of ``data``."""
        context = self._mac.begin(self._secret)
        context.update(data)
        return context.finalize()


def _secret(base: KeyView, prf: Mac) -> bytes | bytearray:
    """Return the base key's value, where the function takes it; an HMAC takes any."""
    if CKK.GENERIC_SECRET not in prf.key_types and base.key_type not in prf.key_types:
        raise Pkcs11Error(CKR.KEY_TYPE_INCONSISTENT, "the base key is not of the type that prfType takes")
    return base.secret()


Mode = Callable[[_Feed, bytes], Iterator[bytes]]


def _counter(feed: _Feed, _: bytes) -> Iterator[bytes]:
    return map(feed.block, count(1))


def _feedback(feed: _Feed, initial: bytes) -> Iterator[bytes]:
    last = initial
    for number in count(1):
        last = feed.block(number, last)
        yield last


def _double_pipeline(feed: _Feed, _: bytes) -> Iterator[bytes]:
    first = accumulate(repeat(b""), lambda last, _: feed.function(last), initial=feed.fixed())
    return map(feed.block, count(1), islice(first, 1, None))


def _spec(mechanism: CKM, params: Callable[..., KbkdfParams], mode: Mode) -> AnyMechanism:
    def derive(base: KeyView, decoded: KbkdfParams, others: tuple[KeyView, ...], template: Attributes) -> Parts:
        size = key_size(template)
        blocks = -(-size // decoded.prf.size)
        if any(isinstance(piece, Counter) and blocks > piece.most for piece in decoded.pieces):
            raise Pkcs11Error(CKR.ATTRIBUTE_VALUE_INVALID, f"the counter does not count {blocks} blocks")
        feed = _Feed(base, decoded, others, size)
        return cut(b"".join(islice(mode(feed, decoded.initial), blocks)), template)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=SECRET_KEY_TYPES,
        params=params,
        hashes_in=lambda decoded: decoded.prf.hashes,
        functions=(Deriving(derive=derive, keys_in=KbkdfParams.keys),),
    )


SPECS = (
    _spec(CKM.SP800_108_COUNTER_KDF, counter_mode, _counter),
    _spec(CKM.SP800_108_FEEDBACK_KDF, feedback_mode, _feedback),
    _spec(CKM.SP800_108_DOUBLE_PIPELINE_KDF, double_pipeline_mode, _double_pipeline),
)
