# SPDX-License-Identifier: Apache-2.0
"""Read the vector files.

NIST's ``KEY = value`` records, RSA Laboratories' headed hex dumps, Ed25519's fields with colons, Wycheproof's JSON.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography_vectors import open_vector_file

Record = dict[str, str]
T = TypeVar("T")

_WYCHEPROOF = Path(__file__).parent / "wycheproof"


def _lines(path: str) -> Iterator[str]:
    with open_vector_file(path, "r") as file:
        yield from (line.strip() for line in file)


def records(path: str, last: str) -> Iterator[Record]:
    """Yield a record at every ``last = …``. A value holds until given again; ``section`` is the last [heading].

    A heading may give a value, too: ``[PRF=CMAC_AES128]``.
    """
    record: Record = {}
    for line in _lines(path):
        if line.startswith("["):
            record["section"] = line.strip("[]").strip()
            name, _, value = (part.strip() for part in record["section"].partition("="))
            record[name] = value
        elif "=" in line and not line.startswith("#"):
            name, value = (part.strip() for part in line.split("=", 1))
            record[name] = value
            if name == last:
                yield dict(record)


def sample(found: Sequence[T], step: int) -> Sequence[T]:
    """Return every ``step``-th of very many that are alike; all of them where SOFTEE_SOAK=1 is in the environment."""
    return found if os.environ.get("SOFTEE_SOAK") else found[::step]


def headed(path: str, last: str) -> Iterator[Record]:
    """Yield a record at the end of every ``# last:`` with the hex below it. A value holds until it is given again."""
    record: Record = {}
    name = ""
    for line in [*_lines(path), "#"]:
        heading = re.fullmatch(r"# ([A-Z][A-Za-z0-9 ]*):", line)
        if (heading or not line or line.startswith("#")) and name == last:
            yield dict(record)
        if heading:
            name = heading[1]
            record[name] = ""
        elif name and re.fullmatch(r"[0-9a-fA-F ]+", line):
            record[name] += line.replace(" ", "")
        else:
            name = ""


def fields(path: str) -> Iterator[list[bytes]]:
    """Yield the hex fields of each line, which colons end."""
    for line in _lines(path):
        yield [bytes.fromhex(field) for field in line.split(":")[:-1]]


def rsa_private(record: Record) -> rsa.RSAPrivateKey:
    """Return the private key of a headed record."""
    fields = ("Prime 1", "Prime 2", "Exponent", "Prime exponent 1", "Prime exponent 2", "Coefficient")
    return _rsa_private(
        tuple(int(record[name], 16) for name in fields), int(record["Public exponent"], 16), int(record["Modulus"], 16)
    )


@cache
def _rsa_private(secrets: tuple[int, ...], exponent: int, modulus: int) -> rsa.RSAPrivateKey:
    p, q, d, dmp1, dmq1, iqmp = secrets
    numbers = rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, rsa.RSAPublicNumbers(exponent, modulus))
    # Testing the primes of all these keys takes ten times as long as the tests; the answers show whether they fit.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def wycheproof(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield (group, test) of Wycheproof's file ``name``_test.json."""
    for group in json.loads((_WYCHEPROOF / f"{name}_test.json").read_text())["testGroups"]:
        for test in group["tests"]:
            yield group, test


@cache
def private_pem(pem: str) -> rsa.RSAPrivateKey:
    """Return the RSA private key in PEM."""
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
