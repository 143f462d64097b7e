# SPDX-License-Identifier: Apache-2.0
"""What the walkthrough's answers must hold. Each function makes a check; a check raises CheckFailedError."""

import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softee.cli.demo.mechanisms import DOCUMENTED, Listed
from softee.cli.demo.step import Answer, Check, CheckFailedError


def exits(status: int) -> Check:
    """Check that the command's exit status is ``status``."""

    def check(answer: Answer) -> None:
        if answer.status != status:
            raise CheckFailedError(f"exit status {status}", f"exit status {answer.status}")

    return check


def fails(answer: Answer) -> None:
    """Check that the command's exit status is not zero."""
    if answer.status == 0:
        raise CheckFailedError("an exit status that is not 0", "exit status 0")


def says(*lines: str) -> Check:
    """Check that each of ``lines`` is in the output, blanks in a row counting as one."""

    def check(answer: Answer) -> None:
        output = _squeezed(answer.output)
        for line in lines:
            if _squeezed(line) not in output:
                raise CheckFailedError(f"{line!r} in the answer", _shortened(output))

    return check


def says_times(times: int, pattern: str) -> Check:
    """Check that exactly ``times`` lines match the regular expression ``pattern``, all of them with the same text."""

    def check(answer: Answer) -> None:
        found = re.findall(pattern, answer.output, re.MULTILINE)
        if len(found) != times or len(set(found)) != 1:
            raise CheckFailedError(f"{times} lines alike that match {pattern!r}", f"{found}")

    return check


def remembers(fact: str, pattern: str) -> Check:
    """Check that a line matches ``pattern``, and remember its first group as ``fact`` for later steps."""

    def check(answer: Answer) -> None:
        found = re.search(pattern, answer.output, re.MULTILINE)
        if found is None:
            raise CheckFailedError(f"a line that matches {pattern!r}", _shortened(answer.output))
        answer.facts[fact] = found[1]

    return check


def lists_documented_mechanisms(answer: Answer) -> None:
    """Check that every mechanism of the documentation is listed, with at least the functions shown there.

    Key sizes must be the same except those of RSA key-pair generation: softee generates from 1024 bits.
    """
    listed = [line for line in map(Listed.parse, answer.output.splitlines()) if line is not None]
    missing = [wanted for wanted in DOCUMENTED if not any(wanted.is_offered_by(line) for line in listed)]
    if missing:
        raise CheckFailedError("; ".join(str(line) for line in missing), "a list without them")


def request_is_signed_by_the_token(file: str) -> Check:
    """Check that the certificate request's signature is right and its public key is the token's."""

    def check(answer: Answer) -> None:
        request = x509.load_pem_x509_csr((answer.directory / file).read_bytes())
        if not request.is_signature_valid:
            raise CheckFailedError("a request signed with its own key", "a signature that does not verify")
        _equals_token(_point(request.public_key()), answer)

    return check


def certificate_is_signed_by_the_token(file: str) -> Check:
    """Check that the self-signed certificate's signature is right and its public key is the token's."""

    def check(answer: Answer) -> None:
        certificate = x509.load_pem_x509_certificate((answer.directory / file).read_bytes())
        try:
            certificate.verify_directly_issued_by(certificate)
        except InvalidSignature:
            raise CheckFailedError("a self-signed certificate", "a signature that does not verify") from None
        _equals_token(_point(certificate.public_key()), answer)

    return check


def _point(key: object) -> str:
    """Return an EC public key as CKA_EC_POINT shows it: an OCTET STRING with the uncompressed point, in hexadecimal."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CheckFailedError("an EC key", type(key).__name__)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return (b"\x04" + len(point).to_bytes(1, "big") + point).hex()


def _equals_token(point: str, answer: Answer) -> None:
    token = answer.facts.get("point")
    if point != token:
        raise CheckFailedError(f"the token's public key {token}", point)


def _squeezed(text: str) -> str:
    return re.sub(r"[ \t]+", " ", text)


def _shortened(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 300 else f"{text[:300]}…")  # fmt: skip
