# SPDX-License-Identifier: Apache-2.0
"""A root key that a TPM 2.0 has sealed, in a file that opens on that machine alone.

With a policy it opens only as long as the platform's registers (PCRs) say what they said when it was sealed.
The TPM speaks through tpm2-pytss (``pip install 'softee[tpm]'``). On its bus the key is encrypted for a session whose
secret is salted with the TPM's own primary key.
"""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from softee.daemon.root_key.file import open_regular
from softee.daemon.root_key.reading import ROOT_KEY_SIZE, RootKeyError
from softee.disk.files import write_new

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tpm2_pytss import ESAPI, ESYS_TR, TPM2B_PUBLIC

_LARGEST_FILE = 8192
"""Bytes; a sealed key has about 800."""

_PRIMARY = "ecc:aes128cfb"
"""The storage key under which keys are sealed, P-256. The TPM makes the same one of this template each time."""


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the file, as JSON: the two halves of the TPM's sealed object, and the PCRs of its policy."""

    version: int
    pcrs: str
    public: bytes
    private: bytes


class _Place(NamedTuple):
    file: Path
    pcrs: str
    """``BANK:NUMBER,NUMBER…``; empty: no policy."""
    tcti: str | None
    """How the TPM is reached (``device:/dev/tpmrm0``); None: as the TSS library does by default."""

    def __str__(self) -> str:
        return f"tpm:{self.file}"


def sealed_file(place: str) -> str:
    """Check ``FILE``, ``FILE?pcrs=sha256:7``, ``FILE?tcti=…`` or ``FILE?pcrs=…&tcti=…``.

    Raises:
        ValueError: the path is not absolute, or there is another parameter.

    """
    if not _place(place).file.is_absolute():
        raise ValueError("expected an absolute path")
    return place


def read(place: str) -> bytearray:
    """Have the TPM unseal the key of a file.

    Raises:
        RootKeyError: the file is no sealed key, the TPM cannot be used, or it refuses: another TPM, or other PCRs.
        FileNotFoundError, OSError: the file is missing, or cannot be read.

    """
    where = _place(place)
    sealed = _read_file(where)
    if where.pcrs not in {"", sealed.pcrs}:
        what = f"The root key {where} is sealed to the PCRs {sealed.pcrs or '(none)'}, not to {where.pcrs}"
        raise RootKeyError(f"{what}; have `softee root-key rotate` seal a new one.")
    with _tpm(where) as (tpm, primary):
        key = bytearray(_unseal(tpm, primary, sealed))
    if len(key) != ROOT_KEY_SIZE:
        raise RootKeyError(f"The root key {where} is damaged: it must have exactly {ROOT_KEY_SIZE} bytes.")
    return key


def make(place: str, key: bytes | bytearray) -> None:
    """Have the TPM seal a key, to the present values of the PCRs where the place names some, and write a new file.

    Raises:
        RootKeyError: the TPM cannot be used.
        FileExistsError, OSError: the file cannot be made.

    """
    where = _place(place)
    with _tpm(where) as (tpm, primary):
        sealed = _seal(tpm, primary, key, where.pcrs)
    write_new(where.file, msgspec.json.encode(sealed))


def _place(text: str) -> _Place:
    path, _, query = text.partition("?")
    named = dict(parse_qsl(query, strict_parsing=bool(query)))
    place = _Place(Path(path), named.pop("pcrs", ""), named.pop("tcti", None))
    if named:
        raise ValueError(f"there are pcrs and tcti, and not {', '.join(named)}")
    return place


def _read_file(where: _Place) -> Sealed:
    descriptor = open_regular(where.file)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_LARGEST_FILE)
    try:
        sealed = msgspec.json.decode(content, type=Sealed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RootKeyError(f"The root key {where} is damaged: it is no sealed key ({error}).") from None
    if sealed.version != 1:
        raise RootKeyError(f"The root key {where} was sealed by a newer softee.")
    return sealed


@contextmanager
def _tpm(where: _Place) -> "Iterator[tuple[ESAPI, ESYS_TR]]":
    """Lend the TPM and its primary key; what goes wrong with it becomes a sentence."""
    os.environ.setdefault("TSS2_LOG", "all+none")  # what it would write to stderr, the sentences say
    try:
        from tpm2_pytss import ESAPI, TPM2_RC, TSS2_Exception  # noqa: PLC0415 - an extra
    except ImportError:
        raise RootKeyError(f"The root key {where} needs tpm2-pytss; run: pip install 'softee[tpm]'") from None
    try:
        with ESAPI(where.tcti) as tpm:
            primary, *_ = tpm.create_primary(None, _primary_template())
            try:
                yield tpm, primary
            finally:
                tpm.flush_context(primary)
    except TSS2_Exception as error:
        if error.error == TPM2_RC.POLICY_FAIL:
            what = f"The TPM does not unseal the root key {where}: the platform's PCRs are not what they were"
            raise RootKeyError(f"{what} when it was sealed.") from None
        raise RootKeyError(f"The TPM cannot give or keep the root key {where}: {error}.") from None
    except ValueError as error:
        raise RootKeyError(f"The root key {where} cannot be used: {error}.") from None


def _primary_template() -> "TPM2B_PUBLIC":
    from tpm2_pytss import TPM2B_PUBLIC, TPMA_OBJECT  # noqa: PLC0415 - an extra

    own = TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.SENSITIVEDATAORIGIN
    storage = TPMA_OBJECT.RESTRICTED | TPMA_OBJECT.DECRYPT | TPMA_OBJECT.USERWITHAUTH | TPMA_OBJECT.NODA
    return TPM2B_PUBLIC.parse(_PRIMARY, objectAttributes=own | storage)


def _seal(tpm: "ESAPI", primary: "ESYS_TR", key: bytes | bytearray, pcrs: str) -> Sealed:
    from tpm2_pytss import (  # noqa: PLC0415 - an extra
        TPM2_SE,
        TPM2B_PUBLIC,
        TPM2B_SENSITIVE_CREATE,
        TPMA_OBJECT,
        TPMS_SENSITIVE_CREATE,
    )

    attributes, policy = TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.NODA, b""
    if pcrs:
        with _session(tpm, primary, TPM2_SE.TRIAL, pcrs) as trial:
            policy = bytes(tpm.policy_get_digest(trial))
    else:
        attributes |= TPMA_OBJECT.USERWITHAUTH
    template = TPM2B_PUBLIC.parse("keyedhash", objectAttributes=attributes, authPolicy=policy)
    sensitive = TPM2B_SENSITIVE_CREATE(TPMS_SENSITIVE_CREATE(data=bytes(key)))
    with _session(tpm, primary, TPM2_SE.HMAC) as session:
        private, public, *_ = tpm.create(primary, sensitive, template, session1=session)
    return Sealed(1, pcrs, public.marshal(), private.marshal())


def _unseal(tpm: "ESAPI", primary: "ESYS_TR", sealed: Sealed) -> bytes:
    from tpm2_pytss import TPM2_SE, TPM2B_PRIVATE, TPM2B_PUBLIC  # noqa: PLC0415 - an extra

    public, _ = TPM2B_PUBLIC.unmarshal(sealed.public)
    private, _ = TPM2B_PRIVATE.unmarshal(sealed.private)
    loaded = tpm.load(primary, private, public)
    try:
        with _session(tpm, primary, TPM2_SE.POLICY if sealed.pcrs else TPM2_SE.HMAC, sealed.pcrs) as session:
            return bytes(tpm.unseal(loaded, session1=session))
    finally:
        tpm.flush_context(loaded)


@contextmanager
def _session(tpm: "ESAPI", primary: "ESYS_TR", kind: int, pcrs: str = "") -> "Iterator[ESYS_TR]":
    """Lend a session that encrypts what is secret on the bus, with the policy of the PCRs where there are some."""
    from tpm2_pytss import ESYS_TR, TPM2_ALG, TPMA_SESSION, TPMT_SYM_DEF  # noqa: PLC0415 - an extra

    cipher = TPMT_SYM_DEF.parse("aes128cfb")
    session = tpm.start_auth_session(primary, ESYS_TR.NONE, kind, cipher, TPM2_ALG.SHA256)
    try:
        tpm.trsess_set_attributes(session, TPMA_SESSION.DECRYPT | TPMA_SESSION.ENCRYPT | TPMA_SESSION.CONTINUESESSION)
        if pcrs:
            tpm.policy_pcr(session, None, pcrs)
        yield session
    finally:
        tpm.flush_context(session)
