# SPDX-License-Identifier: Apache-2.0
"""Any bytes are an object of SoftHSM2's, and any such object becomes a template, or they are refused."""

from contextlib import suppress

from softee.cli.softhsm.files import decode_object
from softee.cli.softhsm.stored import StoredObject
from softee.cli.softhsm.templates import NotTakenError, opened, template_of
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.wire.codec import WireError
from support.softhsm import KEY


def one_input(raw: bytes) -> None:
    """Read bytes as a file of a token directory."""
    try:
        attributes = decode_object(raw)
    except WireError:
        return
    with suppress(NotTakenError):
        template_of(opened(StoredObject("name", attributes), SecretBytes(KEY)))
