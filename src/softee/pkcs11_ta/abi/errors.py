# SPDX-License-Identifier: Apache-2.0
"""The one error type of the PKCS#11 application."""

from softee.names import CKR


class Pkcs11Error(Exception):
    """A request failed in a way that the standard has a return value for.

    ``rv`` is what the caller of the C_* function gets, or ``optee``, where it is given, under a policy that answers as
    OP-TEE. ``detail`` says which attribute, which limit, what to do; it goes to the log, never crosses the border, and
    holds no secret.
    """

    def __init__(self, rv: CKR, detail: str = "", *, optee: CKR | None = None) -> None:
        if rv is CKR.OK:
            raise ValueError("CKR_OK is not an error")
        super().__init__(f"CKR_{rv.name}: {detail}" if detail else f"CKR_{rv.name}")
        self.rv: CKR = rv
        self.optee = optee
        self.detail = detail


class BufferTooSmallError(Pkcs11Error):
    """The caller's buffer is too small; the operation goes on as if it had not been called.

    ``size`` is how many bytes it needs.
    """

    def __init__(self, size: int) -> None:
        super().__init__(CKR.BUFFER_TOO_SMALL, f"{size} bytes needed")
        self.size = size


class AnsweredError(Pkcs11Error):
    """A request failed and still answers: ``output`` goes to parameter 2 together with the return value.

    C_GetAttributeValue alone does so: it says for each attribute what was wrong with it.
    """

    def __init__(self, rv: CKR, output: bytes, detail: str = "") -> None:
        super().__init__(rv, detail)
        self.output = output
