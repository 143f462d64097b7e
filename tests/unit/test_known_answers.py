# SPDX-License-Identifier: Apache-2.0
"""Known answers: they are right here and as they were published, and what gives another answer is noticed."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives import hashes

from softee.cli.doctor.finding import Verdict
from softee.cli.doctor.installation import check_cryptography
from softee.cli.main import main
from softee.names import CKM
from softee.pkcs11_ta.known_answers import at_start, table
from softee.pkcs11_ta.known_answers.answers import KnownAnswer, WrongAnswerError
from softee.pkcs11_ta.known_answers.outcome import names_of_wrong, wrong
from softee.pkcs11_ta.known_answers.table import KNOWN_ANSWERS
from softee.pkcs11_ta.mechanisms import table as mechanisms_table
from softee.pkcs11_ta.mechanisms.functions import (
    Ciphering,
    Deriving,
    Digesting,
    Encapsulating,
    Functions,
    KeyGenerating,
    Signing,
    Wrapping,
)
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from support.secure_world import running_daemon

EVERY = pytest.mark.parametrize("answer", KNOWN_ANSWERS, ids=lambda answer: f"{answer.name}-{answer.source}")
OF_MECHANISMS = [answer for answer in KNOWN_ANSWERS if answer.name.startswith("CKM_")]
VECTORS = Path(cryptography_vectors.__file__).parent
OF_TESTS = Path(__file__).parents[1] / "vectors"
PUBLISHED = (
    *("hashes/*/*ShortMsg.rsp", "hashes/blake2/blake2b.txt", "hashes/MD5/*.txt", "HMAC/*.txt", "CMAC/*aes256.txt"),
    *("ciphers/AES/*/*MMT*.rsp", "ciphers/AES/CTR/*.txt", "ciphers/AES/GCM/gcmEncryptExtIV256.rsp"),
    *("ciphers/AES/GCM-SIV/openssl.txt", "ciphers/3DES/CBC/*MMT3.rsp", "ciphers/ChaCha20/*.txt", "poly1305/*.txt"),
    *("keywrap/kwtestvectors/*AE_256.txt", "KDF/*.txt", "asymmetric/X*/*.txt", "asymmetric/Ed*/sign.input"),
    *("asymmetric/Ed448/*.txt", "asymmetric/ECDSA/FIPS_186-3/SigGen.txt", "asymmetric/RSA/pkcs1v15sign-vectors.txt"),
    *("asymmetric/RSA/pkcs-1v2-1d2-vec/*-vect.txt", "asymmetric/MLKEM/kat_MLKEM_768.rsp"),
)


def mechanism(answer: KnownAnswer) -> CKM:
    return CKM[answer.name.removeprefix("CKM_")]


def signs(answer: KnownAnswer) -> bool:
    return bool(MECHANISMS[mechanism(answer)].flags & Signing.flags)


@EVERY
def test_it_is_right_here(answer: KnownAnswer) -> None:
    answer.check()


def test_each_family_of_mechanisms_has_some() -> None:
    """But those that combine others' answers: TLS' functions, and keys that are made at random."""
    families = {
        path.name for path in Path(mechanisms_table.__file__).parent.iterdir() if (path / "__init__.py").exists()
    }
    checked = {
        type_of_module(function)
        for answer in OF_MECHANISMS
        for group in MECHANISMS[mechanism(answer)].functions
        for function in vars_of(group)
    }
    assert families - checked == {"shapes", "tls", "secret"} - checked


def vars_of(group: Functions[Any]) -> Iterator[Callable[..., Any]]:
    for name in type(group).__dataclass_fields__:
        value = getattr(group, name)
        if callable(value):
            yield value


def type_of_module(function: Any) -> str:  # noqa: ANN401 - whatever can be called
    while hasattr(function, "func"):
        function = function.func
    parts = str(function.__module__).split(".")
    return parts[3] if len(parts) > 3 else ""


@cache
def published() -> str:
    """Return the hexadecimal digits of the vectors that tests of mechanisms read, in small letters."""
    files = [path for pattern in PUBLISHED for path in VECTORS.glob(pattern)]
    files += [*OF_TESTS.glob("*.py"), *OF_TESTS.glob("wycheproof/*.json")]
    texts = (path.read_text(errors="replace") for path in files)
    return re.sub(r"[\s\"]", "", "|".join(texts).lower())


def test_they_are_those_that_are_published() -> None:
    """Each answer of more than seven bytes stands in the vectors that the mechanisms are tested with."""
    source = "".join(path.read_text() for path in sorted(Path(table.__file__).parent.glob("*.py")))
    answers = re.findall(r"(?:digest|signature|encrypted|wrapped|secret)=_hex\(([^)]*)\)", source)
    assert len(answers) > 40
    for text in answers:
        digits = re.sub(r"[^0-9a-f]", "", text)
        parts = [digits[at : at + 32] for at in range(0, len(digits) - len(digits) % 32, 32)] or [digits]
        assert all(part in published() for part in parts), digits


def flipped(data: bytes | bytearray) -> bytes:
    return bytes([data[0] ^ 1]) + bytes(data[1:])


class FlippedEnd:
    """An operation whose result has one bit changed, as of a broken library."""

    def __init__(self, operation: Any) -> None:  # noqa: ANN401 - any kind of operation
        self._operation = operation

    def update(self, part: bytes) -> None:
        self._operation.update(part)

    def finish(self) -> bytes:
        return flipped(self._operation.finish())

    def whole(self, data: bytes) -> bytes:
        return flipped(self._operation.whole(data))


def flipped_parts(parts: Any) -> Any:  # noqa: ANN401 - a derived key's
    return {
        number: flipped(value) if isinstance(value, bytes | bytearray) else value for number, value in parts.items()
    }


def ending_wrong(begin: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: FlippedEnd(begin(*arguments))


def giving_wrong(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: flipped(function(*arguments))


def making_wrong(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: flipped_parts(function(*arguments))


BREAKS: dict[type[Functions[Any]], tuple[str, Callable[..., Any]]] = {
    Digesting: ("begin", ending_wrong),
    Signing: ("sign", ending_wrong),
    Ciphering: ("decrypt", ending_wrong),
    Wrapping: ("wrap", giving_wrong),
    Deriving: ("derive", making_wrong),
    KeyGenerating: ("generate", making_wrong),
    Encapsulating: ("decapsulate", making_wrong),
}


@contextmanager
def with_functions(number: CKM, functions: tuple[Functions[Any], ...]) -> Iterator[None]:
    spec = MECHANISMS[number]
    before = spec.functions
    object.__setattr__(spec, "functions", functions)
    try:
        yield
    finally:
        object.__setattr__(spec, "functions", before)


def broken(group: Functions[Any]) -> Functions[Any]:
    name, breaking = BREAKS.get(type(group), ("", None))
    return replace(group, **{name: breaking(getattr(group, name))}) if breaking else group


@pytest.mark.parametrize("answer", OF_MECHANISMS, ids=lambda answer: f"{answer.name}-{answer.source}")
def test_a_mechanism_that_gives_something_else_is_noticed(answer: KnownAnswer) -> None:
    number = mechanism(answer)
    with with_functions(number, tuple(broken(group) for group in MECHANISMS[number].functions)):
        assert wrong(answer)
    assert not wrong(answer)


@pytest.mark.parametrize(
    "answer",
    [
        answer
        for answer in OF_MECHANISMS
        if any(isinstance(one, Signing) for one in MECHANISMS[mechanism(answer)].functions)
    ],
    ids=lambda answer: f"{answer.name}-{answer.source}",
)
def test_a_mechanism_that_takes_every_signature_is_noticed(answer: KnownAnswer) -> None:
    class Credulous:
        def update(self, part: bytes | bytearray) -> None: ...

        def finish(self, signature: bytes) -> None: ...

    number = mechanism(answer)
    gullible = tuple(
        replace(group, verify=lambda *_: Credulous()) if isinstance(group, Signing) else group
        for group in MECHANISMS[number].functions
    )
    with with_functions(number, gullible), pytest.raises(WrongAnswerError):
        answer.check()


class WrongSha:
    """A library's hash that always gives the same."""

    def __init__(self, algorithm: Any) -> None:  # noqa: ANN401 - as the library's
        self.algorithm = algorithm

    def update(self, data: bytes) -> None: ...

    def finalize(self) -> bytes:
        return bytes(self.algorithm.digest_size)


def test_a_broken_library_keeps_a_secure_world_from_starting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Shifting:
        def __init__(self, key: bytes) -> None: ...

        def encrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
            return nonce + data + aad

    monkeypatch.setattr(at_start, "AESGCMSIV", Shifting)
    monkeypatch.setattr(hashes, "Hash", WrongSha)
    assert names_of_wrong() == ["CKM_SHA256", "AES-256-GCM-SIV (the store)"]
    assert {"CKM_SHA256", "CKM_SHA3_512"} <= set(names_of_wrong(KNOWN_ANSWERS))
    (found,) = check_cryptography()
    assert found.verdict is Verdict.WRONG
    assert found.what.startswith("it gives wrong answers: CKM_SHA256, ")
    with pytest.raises(SystemExit) as ended:
        main(["selftest"])
    assert ended.value.code == 1
    shown = capsys.readouterr().out
    assert re.search(r"CKM_SHA256 +WRONG: another answer", shown)
    assert re.search(r"CKM_AES_GCM +right +yes", shown)


SABOTAGED = """
import sys
from softee.pkcs11_ta.known_answers import at_start
at_start.AESGCMSIV = lambda key: None
from softee.cli.main import main
main()
"""


def test_the_daemon_says_what_is_wrong_and_opens_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError) as refused,
        running_daemon(tmp_path, command=(sys.executable, "-P", "-c", SABOTAGED, "serve")),
    ):
        pass
    assert "cryptography gives wrong answers, so nothing was opened: AES-256-GCM-SIV (the store); " in str(
        refused.value
    )
    assert "softee selftest" in str(refused.value)
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "key").exists()


def test_the_self_test_answers_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["selftest", "--json"])
    assert ended.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said) == len(KNOWN_ANSWERS)
    (found,) = check_cryptography()
    assert (found.verdict, found.what) == (Verdict.GOOD, f"{len(said)} answers are those that are published")
    assert {one["right"] for one in said} == {True}
    assert {"name": "CKM_MD5", "published": "RFC 1321, appendix A.5"}.items() <= next(
        one for one in said if one["name"] == "CKM_MD5"
    ).items()


def test_at_the_start_nothing_loads_a_library_that_loads_late() -> None:
    program = """
import sys
import softee.daemon.main
from softee.pkcs11_ta.known_answers.outcome import names_of_wrong
assert names_of_wrong() == []
print([name for name in sys.modules if name.partition(".")[0] == "Crypto"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
