# SPDX-License-Identifier: Apache-2.0
"""ML-DSA signatures of messages (PKCS#11 3.2, section 6.67; FIPS 204, algorithms 2 and 3).

A message is hashed as it comes, so that nothing of it is held. CKH_HEDGE_PREFERRED is hedged.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature

from softee.names import CKM, HedgeType
from softee.pkcs11_ta.keys.lattice_library import MlDsaPublicKey
from softee.pkcs11_ta.keys.ml_dsa import KEY_TYPES, SETS, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing, SignOperation, VerifyOperation
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.signing import bad_signature, check_signature_size
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

_LONGEST_CONTEXT = 255

_DETERMINISTIC: Final = {
    HedgeType.HEDGE_PREFERRED: False,
    HedgeType.HEDGE_REQUIRED: False,
    HedgeType.DETERMINISTIC_REQUIRED: True,
}


@dataclass(frozen=True, slots=True)
class SignParams:
    """CK_SIGN_ADDITIONAL_CONTEXT. Who verifies does not look at ``hedge``."""

    hedge: int
    context: bytes

    @property
    def deterministic(self) -> bool:
        """Whether the signature is to be the same each time. Raises CKR_MECHANISM_PARAM_INVALID."""
        if self.hedge not in _DETERMINISTIC:
            raise invalid(f"hedgeVariant {self.hedge} is no CK_HEDGE_TYPE")
        return _DETERMINISTIC[HedgeType(self.hedge)]


def sign_params(hedge: int, context: bytes) -> SignParams:
    """Check CK_SIGN_ADDITIONAL_CONTEXT."""
    if len(context) > _LONGEST_CONTEXT:
        raise invalid(f"a context of {len(context)} bytes; {_LONGEST_CONTEXT} are allowed")
    return SignParams(hedge, context)


class _Verify:
    """Verifies a signature of the data, which it hashes with the public key and the context."""

    __slots__ = ("_hasher", "_key")

    def __init__(self, key: MlDsaPublicKey, context: bytes) -> None:
        self._key = key
        self._hasher = key.begin(context)

    def update(self, part: bytes) -> None:
        """Take a part of the data."""
        self._hasher.update(part)

    def finish(self, signature: bytes) -> None:
        """Return where ``signature`` is right, else raise."""
        check_signature_size(signature, self._key.algorithm.signature_size)
        try:
            self._key.verify(signature, self._hasher.finalize())
        except InvalidSignature:
            raise bad_signature() from None


def _sign(key: KeyView, params: SignParams) -> SignOperation:
    return private_key(key).begin(params.context, deterministic=params.deterministic)


def _verify(key: KeyView, params: SignParams) -> VerifyOperation:
    return _Verify(public_key(key), params.context)


def signature_size(key: KeyView, _: object) -> int:
    """Return the bytes of a signature."""
    return private_key(key).algorithm.signature_size


SPECS: tuple[AnyMechanism, ...] = (
    MechanismSpec(
        mechanism=CKM.ML_DSA,
        key_types=KEY_TYPES,
        key_size=SETS.sizes,
        params=sign_params,
        functions=(Signing(sign=_sign, verify=_verify, size=signature_size),),
    ),
)
