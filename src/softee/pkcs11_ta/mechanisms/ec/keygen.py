# SPDX-License-Identifier: Apache-2.0
"""Key pair generation on a named curve, in Weierstrass, Edwards or Montgomery form (PKCS#11 3.2, section 6.3).

CKA_EC_PARAMS of the public key's template names the curve; both keys name it as it does.
"""

from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.names import CKA, CKK, CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes, Parts
from softee.pkcs11_ta.keys import ec, edwards, montgomery
from softee.pkcs11_ta.keys.curves import Curve, Curves
from softee.pkcs11_ta.keys.octet_keys import KEY_SIZE, Algorithm, private_parts
from softee.pkcs11_ta.keys.view import PublicKey, SizeRange
from softee.pkcs11_ta.mechanisms.functions import PairGenerating
from softee.pkcs11_ta.mechanisms.params import no_params
from softee.pkcs11_ta.mechanisms.spec import MechanismSpec

_Make = Callable[[bytes], tuple[Parts, Parts]]
"""CKA_EC_PARAMS -> what makes the public key and the private one."""


def _public_parts(public: PublicKey, ec_params: bytes, point: bytes) -> Parts:
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {CKA.EC_PARAMS: ec_params, CKA.EC_POINT: point, CKA.PUBLIC_KEY_INFO: info}


def _on_weierstrass(ec_params: bytes) -> tuple[Parts, Parts]:
    key = generate_private_key(ec.CURVES.find(ec_params))
    public = key.public_key()
    return _public_parts(public, ec_params, ec.encode_point(public)), ec.private_parts(key, ec_params)


def _of_octets(curves: Curves[Algorithm]) -> _Make:
    def make(ec_params: bytes) -> tuple[Parts, Parts]:
        key = curves.find(ec_params).private.generate()
        public = key.public_key()
        return _public_parts(public, ec_params, public.public_bytes_raw()), private_parts(key, ec_params)

    return make


_QUICK_BITS = 256
_QUICK_CURVES = [curve for curve in ec.CURVES if curve.native.key_size <= _QUICK_BITS]


def _spec(
    mechanism: CKM, key_types: frozenset[CKK], key_size: SizeRange, make: _Make, quick: Iterable[Curve[Any]]
) -> MechanismSpec[None]:
    def generate(_: None, template: Attributes) -> tuple[Parts, Parts]:
        ec_params = template.get(CKA.EC_PARAMS)
        if not isinstance(ec_params, bytes) or not ec_params:
            raise Pkcs11Error(CKR.TEMPLATE_INCOMPLETE, "CKA_EC_PARAMS, the curve, is missing in the public template")
        return make(ec_params)

    return MechanismSpec(
        mechanism=mechanism,
        key_types=key_types,
        key_size=key_size,
        params=no_params,
        functions=(
            PairGenerating(generate=generate, quick_curves=frozenset(name for curve in quick for name in curve.params)),
        ),
    )


SPECS = (
    _spec(CKM.EC_EDWARDS_KEY_PAIR_GEN, edwards.KEY_TYPES, KEY_SIZE, _of_octets(edwards.CURVES), edwards.CURVES),
    _spec(CKM.EC_KEY_PAIR_GEN, ec.KEY_TYPES, ec.KEY_SIZE, _on_weierstrass, _QUICK_CURVES),
    _spec(
        CKM.EC_MONTGOMERY_KEY_PAIR_GEN,
        montgomery.KEY_TYPES,
        KEY_SIZE,
        _of_octets(montgomery.CURVES),
        montgomery.CURVES,
    ),
)
