# SPDX-License-Identifier: Apache-2.0
"""Checks the signatures of a run by another library, with the public key that the token has shown in the same run."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from interop.oasis.nodes import Node
from interop.oasis.runner import Call, Run
from softee.names import CKR


def check_signatures(run: Run) -> int:
    """Verify what C_Sign has made, by CKM_SHA256_RSA_PKCS as the profiles have it, and return how many there were.

    Raises:
        InvalidSignature: the token's key has not made it.

    """
    shown = {one.type: _number(one) for call in run.calls for one in _attributes(call.answer)}
    signed = [
        made for call in run.calls if (call.request.name, call.rv) == ("C_Sign", CKR.OK) for made in _signed(call)
    ]
    for data, signature in signed:
        key = RSAPublicNumbers(e=shown["PUBLIC_EXPONENT"], n=shown["MODULUS"]).public_key()
        key.verify(signature, data, PKCS1v15(), SHA256())
    return len(signed)


def _signed(call: Call) -> Iterator[tuple[bytes, bytes]]:
    """Return the data and the signature, where the call has made one and was not asked for its size."""
    data = call.request.child("Data")
    for made in call.answer.children:
        signature = made.facets["value"].value if "value" in made.facets else None
        if data is not None and isinstance(signature, bytes):
            yield bytes.fromhex(data.facets["value"]), signature


def _attributes(answer: Node) -> Iterator[Node]:
    for child in answer.children:
        yield from (one for one in child.children if one.type is not None and "value" in one.facets)


def _number(attribute: Node) -> int:
    value = attribute.facets["value"].value
    return int.from_bytes(value, "big") if isinstance(value, bytes) else 0
