# SPDX-License-Identifier: Apache-2.0
"""A counter in a TPM 2.0's own memory, which nobody can set back: the anchor of a state (softee.tee.anchor).

Only who has its password counts: random bytes, which stand sealed in the state. Who may use the TPM's owner hierarchy
reads the counter, and can take it away, which is noticed; a counter that is made anew begins where no counter of that
TPM has been. Each call speaks to the TPM anew, so that nothing is kept open between them.
"""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from softee.daemon.anchor_place import AnchorPlace
from softee.tee.anchor import AnchorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tpm2_pytss import ESAPI, ESYS_TR

DEVICES = (Path("/dev/tpmrm0"), Path("/dev/tpm0"))
"""The files behind which the kernel has the TPM."""

_SIZE = 8


class TpmCounter:
    """The Counter of a place."""

    def __init__(self, place: AnchorPlace) -> None:
        self._place = place

    def read(self) -> int | None:
        """Return its value; None where there is none. Raises AnchorError."""
        with self._tpm() as tpm:
            index = self._index(tpm)
            if index is None:
                return None
            from tpm2_pytss import ESYS_TR  # noqa: PLC0415 - an extra

            return int.from_bytes(bytes(tpm.nv_read(index, _SIZE, auth_handle=ESYS_TR.OWNER)), "big")

    def define(self, auth: bytes) -> None:
        """Make it, and count once: before that it has no value. Raises AnchorError."""
        from tpm2_pytss import TPM2_ALG, TPM2_NT, TPM2B_NV_PUBLIC, TPMA_NV, TPMS_NV_PUBLIC  # noqa: PLC0415 - an extra

        rights = TPMA_NV.AUTHWRITE | TPMA_NV.AUTHREAD | TPMA_NV.OWNERREAD | TPMA_NV.NO_DA
        public = TPMS_NV_PUBLIC(
            nvIndex=self._place.handle,
            nameAlg=TPM2_ALG.SHA256,
            attributes=rights | (TPM2_NT.COUNTER << TPMA_NV.TPM2_NT_SHIFT),
            dataSize=_SIZE,
        )
        with self._tpm() as tpm:
            tpm.nv_define_space(auth, TPM2B_NV_PUBLIC(nvPublic=public))
        self.increment(auth)

    def increment(self, auth: bytes) -> None:
        """Count one. Raises AnchorError."""
        with self._tpm() as tpm:
            index = self._index(tpm)
            if index is None:
                raise AnchorError(f"there is no counter {self._place}")
            tpm.tr_set_auth(index, auth)
            with _session(tpm) as session:
                tpm.nv_increment(index, session1=session)

    def _index(self, tpm: "ESAPI") -> "ESYS_TR | None":
        from tpm2_pytss import TPM2_RC, TSS2_Exception  # noqa: PLC0415 - an extra

        try:
            return tpm.tr_from_tpmpublic(self._place.handle)
        except TSS2_Exception as error:
            if error.error == TPM2_RC.HANDLE:
                return None
            raise

    @contextmanager
    def _tpm(self) -> "Iterator[ESAPI]":
        os.environ.setdefault("TSS2_LOG", "all+none")  # what it would write to stderr, the sentences say
        try:
            from tpm2_pytss import ESAPI, TSS2_Exception  # noqa: PLC0415 - an extra
        except ImportError:
            raise AnchorError("it needs tpm2-pytss; run: pip install 'softee[tpm]'") from None
        try:
            with ESAPI(self._place.query.get("tcti")) as tpm:
                yield tpm
        except TSS2_Exception as error:
            raise AnchorError(f"the TPM refuses: {error}") from None


@contextmanager
def _session(tpm: "ESAPI") -> "Iterator[ESYS_TR]":
    """Lend a session that proves to know the password without showing it."""
    from tpm2_pytss import ESYS_TR, TPM2_ALG, TPM2_SE, TPMA_SESSION, TPMT_SYM_DEF  # noqa: PLC0415 - an extra

    plain = TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL)
    session = tpm.start_auth_session(ESYS_TR.NONE, ESYS_TR.NONE, TPM2_SE.HMAC, plain, TPM2_ALG.SHA256)
    try:
        tpm.trsess_set_attributes(session, TPMA_SESSION.CONTINUESESSION)
        yield session
    finally:
        tpm.flush_context(session)
