# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA and HashSLH-DSA signatures (PKCS#11 3.2, section 6.69; FIPS 205, algorithms 22 to 25).

The algorithm reads a message twice, and the library hashes one only as a whole, so a message is held until its end.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature

from softee.names import CKM
from softee.pkcs11_ta.keys.slh_dsa import KEY_TYPES, SIZES, private_key, public_key
from softee.pkcs11_ta.keys.view import KeyView
from softee.pkcs11_ta.mechanisms.functions import Signing
from softee.pkcs11_ta.mechanisms.params import invalid
from softee.pkcs11_ta.mechanisms.shapes.additional_context import SignParams, sign_params
from softee.pkcs11_ta.mechanisms.shapes.signing import (
    BufferedSign,
    BufferedVerify,
    bad_signature,
    check_signature_size,
)
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism, MechanismSpec

LARGEST_MESSAGE: Final = 1 << 20
"""Bytes of a message that is held."""


def _spec(mechanism: CKM, prehash: str | None = None) -> MechanismSpec[SignParams]:
    """Describe the mechanism that hashes messages with one of the library's functions first, or with none."""

    def sign(key: KeyView, params: SignParams) -> BufferedSign:
        private, context = private_key(key), params.context
        if params.deterministic:
            raise invalid("CKH_DETERMINISTIC_REQUIRED: the library signs hedged alone")
        return BufferedSign(lambda message: private.sign(message, context, prehash), limit=LARGEST_MESSAGE)

    def verify(key: KeyView, params: SignParams) -> BufferedVerify:
        public = public_key(key)

        def check(signature: bytes, message: bytes) -> None:
            check_signature_size(signature, public.algorithm.signature_size)
            try:
                public.verify(signature, message, params.context, prehash)
            except InvalidSignature:
                raise bad_signature() from None

        return BufferedVerify(check, limit=LARGEST_MESSAGE)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=KEY_TYPES,
        key_size=SIZES,
        params=sign_params,
        functions=(Signing(sign=sign, verify=verify, size=_signature_size),),
    )


def _signature_size(key: KeyView, _: object) -> int:
    return private_key(key).algorithm.signature_size


SPECS: tuple[AnyMechanism, ...] = (
    _spec(CKM.SLH_DSA),
    _spec(CKM.HASH_SLH_DSA_SHA224, "Sha224"),
    _spec(CKM.HASH_SLH_DSA_SHA256, "Sha256"),
    _spec(CKM.HASH_SLH_DSA_SHA384, "Sha384"),
    _spec(CKM.HASH_SLH_DSA_SHA512, "Sha512"),
    _spec(CKM.HASH_SLH_DSA_SHA3_224, "Sha3_224"),
    _spec(CKM.HASH_SLH_DSA_SHA3_256, "Sha3_256"),
    _spec(CKM.HASH_SLH_DSA_SHA3_384, "Sha3_384"),
    _spec(CKM.HASH_SLH_DSA_SHA3_512, "Sha3_512"),
    _spec(CKM.HASH_SLH_DSA_SHAKE128, "Shake128"),
    _spec(CKM.HASH_SLH_DSA_SHAKE256, "Shake256"),
)
