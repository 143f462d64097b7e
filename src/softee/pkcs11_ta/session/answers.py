# SPDX-License-Identifier: Apache-2.0
"""Which return value an exception means."""

from typing import Final

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.stores.base import StoreError
from softee.tee.parameters import ParameterError
from softee.tee.sealing import TamperedError
from softee.wire.codec import WireError

_OTHERS: Final[tuple[tuple[type[Exception], CKR], ...]] = (
    (ParameterError, CKR.ARGUMENTS_BAD),
    (WireError, CKR.ARGUMENTS_BAD),
    (StoreError, CKR.DEVICE_ERROR),
    (TamperedError, CKR.DEVICE_ERROR),
    (MemoryError, CKR.DEVICE_MEMORY),
)
"""What the errors of others mean. Any further one is a bug."""


def answer_to(error: Exception) -> CKR:
    """Return the return value that an exception means: CKR_GENERAL_ERROR where it is a bug."""
    if isinstance(error, Pkcs11Error):
        return error.rv
    return next((rv for kind, rv in _OTHERS if isinstance(error, kind)), CKR.GENERAL_ERROR)
