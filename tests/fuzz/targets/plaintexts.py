# SPDX-License-Identifier: Apache-2.0
"""What stands behind seals and signatures decodes, or is refused by its reader's error; what decodes, encodes again.

Nobody without the keys can write it: these readers still take nothing for granted.
"""

from collections.abc import Callable
from contextlib import suppress

from fuzz.targets.data import Data
from softee.daemon.at_rest import portable
from softee.pkcs11_ta.attestation import evidence
from softee.pkcs11_ta.attestation.evidence import EvidenceError
from softee.pkcs11_ta.objects.record import BadObjectError, decode_object, encode_object
from softee.pkcs11_ta.token.state import decode_state
from softee.tee.anchor import ANCHOR, anchor_key, open_anchor, seal_anchor
from softee.tee.installation import (
    INSTALLATION_VERSION,
    _seal_key,
    installation_place,
    open_installation,
    seal_installation,
)
from softee.tee.pages import decode_head, decode_page, encode_head, encode_page
from softee.tee.records import FORMAT_VERSIONS, MAGIC, RecordKind, seal_record
from softee.tee.sealing import TamperedError
from softee.wire.codec import WireError, Writer
from support.stores import APPLICATION, ROOT_KEY

ANCHOR_KEY = anchor_key(ROOT_KEY)
INSTALLATION_KEY = _seal_key(ROOT_KEY, APPLICATION)


def page(data: Data) -> None:
    number, plaintext = data.number(), data.rest()
    with suppress(WireError):
        assert encode_page(decode_page(number, plaintext).values()) == plaintext


def head(data: Data) -> None:
    with suppress(WireError):
        decoded = decode_head(data.rest())
        assert decode_head(encode_head(decoded)) == decoded


def stored_object(data: Data) -> None:
    with suppress(BadObjectError):
        decoded = decode_object(data.rest())
        assert decode_object(encode_object(decoded)) == decoded


def state(data: Data) -> None:
    with suppress(TamperedError):
        decoded = decode_state(data.rest())
        assert decode_state(decoded.encode()) == decoded


def installed(data: Data) -> None:
    version = data.choose(FORMAT_VERSIONS[RecordKind.INSTALLATION])
    place = installation_place(APPLICATION)
    sealed = INSTALLATION_KEY.seal(place.context(INSTALLATION_VERSION, version), data.rest())
    with suppress(TamperedError):
        decoded, _ = open_installation(ROOT_KEY, APPLICATION, MAGIC + bytes([version, place.kind]) + sealed)
        record = seal_installation(ROOT_KEY, APPLICATION, decoded)
        assert open_installation(ROOT_KEY, APPLICATION, record)[0] == decoded


def anchored(data: Data) -> None:
    with suppress(TamperedError):
        decoded = open_anchor(ANCHOR_KEY, seal_record(ANCHOR_KEY, ANCHOR, 0, data.rest()))
        assert open_anchor(ANCHOR_KEY, seal_anchor(ANCHOR_KEY, decoded)) == decoded


def stated(data: Data) -> None:
    with suppress(EvidenceError):
        decoded = evidence.decode(data.rest())
        assert evidence.decode(evidence.encode(decoded)) == decoded


def backed_up(data: Data) -> None:
    parts = [*(data.blob() for _ in range(data.below(4))), data.rest()]
    pieces = [part for part in parts if part]  # none but the last one of a file can be empty
    with suppress(WireError):
        records = portable._records(portable._Content(iter(pieces)))
        assert b"".join(Writer().blob(key).blob(value).done() for key, value in records.items()) == b"".join(pieces)


READERS: tuple[Callable[[Data], None], ...] = (
    page,
    head,
    stored_object,
    state,
    installed,
    anchored,
    stated,
    backed_up,
)


def one_input(raw: bytes) -> None:
    """Read bytes as one of what is sealed."""
    data = Data(raw)
    data.choose(READERS)(data)
