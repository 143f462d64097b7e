# SPDX-License-Identifier: Apache-2.0
"""ML-DSA signatures of messages (PKCS#11 3.2, section 6.67; FIPS 204, algorithms 2 and 3).

A message is hashed as it comes, so that nothing of it is held.
"""

from cryptography.exceptions import InvalidSignature

from softee.names import CKM
from softee.pkcs11_ta.keys.lattice_library import MlDsaPublicKey
from softee.pkcs11_ta.keys.ml_dsa import KEY_TYPES, SETS, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing, SignOperation, VerifyOperation
from softee.pkcs11_ta.mechanisms.shapes.additional_context import SignParams, sign_params
from softee.pkcs11_ta.mechanisms.shapes.signing import bad_signature, check_signature_size
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec


class _Verify:
    """Verifies a signature of the data, which it hashes with the public key and the context."""

    __slots__ = ("_hasher", "_key")

    def __init__(self, key: MlDsaPublicKey, context: bytes) -> None:
        self._key = key
        self._hasher = key.begin(context)

    def update(self, part: bytes | bytearray) -> None:
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
