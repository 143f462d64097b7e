# SPDX-License-Identifier: Apache-2.0
"""CK_SIGN_ADDITIONAL_CONTEXT, the parameter of ML-DSA and SLH-DSA (PKCS#11 3.2, sections 6.67 and 6.69).

CKH_HEDGE_PREFERRED is hedged.
"""

from dataclasses import dataclass
from typing import Final

from softee.names import HedgeType
from softee.pkcs11_ta.mechanisms.params import invalid

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
