# SPDX-License-Identifier: Apache-2.0
"""What is timed: a row each, with the line that tells the calling program how (native/bench/row.h).

A row's ``work`` is the same operation by ``cryptography`` in this process, for the floor (``subjects``); None where a
token does something that no library does, so that nothing is its floor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from softee.cli.bench import keys, work
from softee.cli.bench.keys import NO, YES, Template, ulong
from softee.cli.bench.work import MESSAGE, VECTOR_12, VECTOR_16, Work
from softee.cli.failure import CliError
from softee.names import CKA, CKK, CKM, CKO

Words = Mapping[str, str | int | bytes | Template]

_KIB = 1024


@dataclass(frozen=True)
class Row:
    """A row: its name, what people read, the C program's operation, and the words that go with it.

    ``words`` is a function, since keys are made when they are needed. ``fill`` is how many objects are on the token.
    ``alone``: one caller at a time. ``only_named``: what takes minutes, and is done only where it is asked for.
    """

    name: str
    text: str
    operation: str
    words: Callable[[], Words] = field(default=dict)
    work: Work | None = None
    fill: int = 0
    alone: bool = False
    only_named: bool = False

    def line(self, *, fills: bool) -> str:
        """Return the line for the C program. Of several callers at a token, one ``fills`` it."""
        words = dict(self.words())
        if self.fill and fills:
            words |= {"fill": self.fill, "filler": _FILLER}
        return " ".join(["row", self.name, self.operation, *(f"{name}={_spelled(words[name])}" for name in words)])


def _spelled(value: str | int | bytes | Template) -> str:
    match value:
        case bytes():
            return value.hex()
        case str() | int():
            return str(value)
    return ",".join(f"{kind:x}:{content.hex()}" for kind, content in value.items())


def _of(mechanism: CKM, **words: str | int | bytes | Template) -> Words:
    return {"mechanism": f"{mechanism:x}", **words}


def _sign(name: str, text: str, mechanism: CKM, key: Callable[[], Template], of_floor: Work) -> Row:
    return Row(name, text, "sign", lambda: _of(mechanism, data=MESSAGE, object=key()), of_floor)


def _verifying(mechanism: CKM, key: Callable[[], Template], signature: Callable[[], bytes]) -> Callable[[], Words]:
    return lambda: _of(mechanism, data=MESSAGE, object=key(), signature=signature())


def _cbc(size: int) -> Row:
    def words() -> Words:
        return _of(CKM.AES_CBC, parameter=VECTOR_16, size=size, object=_aes())

    return Row(f"aes-cbc-{_short(size)}", f"encrypt, AES-256-CBC {_long(size)}", "encrypt", words, work.cbc(size))


def _gcm(size: int) -> Row:
    def words() -> Words:
        return _of(CKM.AES_GCM, gcm=VECTOR_12, size=size, object=_aes())

    return Row(f"aes-gcm-{_short(size)}", f"encrypt, AES-256-GCM {_long(size)}", "encrypt", words, work.gcm(size))


def _digest(size: int) -> Row:
    def words() -> Words:
        return _of(CKM.SHA256, size=size)

    return Row(f"sha256-{_short(size)}", f"digest, SHA-256 {_long(size)}", "digest", words, work.sha256(size))


def _generate(name: str, text: str, token: bytes, of_floor: Work | None) -> Row:
    def words() -> Words:
        public = {CKA.TOKEN: token, CKA.EC_PARAMS: keys.P256_PARAMS}
        private = {CKA.TOKEN: token, CKA.PRIVATE: YES, CKA.SENSITIVE: YES, CKA.SIGN: YES}
        return _of(CKM.EC_KEY_PAIR_GEN, object=public, private=private)

    return Row(name, text, "generate", words, of_floor)


def _find(count: int, *, only_named: bool = False) -> Row:
    def words() -> Words:
        return {"wanted": {CKA.LABEL: f"bench-{count // 2:08}".encode()}}

    text = f"find by label among {count:,} objects"
    return Row(f"find-{count}", text, "find", words, work.nothing, fill=count, only_named=only_named)


def _load() -> Words:
    private = {CKA.CLASS: ulong(CKO.PRIVATE_KEY), CKA.LABEL: b"load"}
    key = dict(keys.p256_private()) | {CKA.TOKEN: YES, CKA.LABEL: b"load"}
    return _of(CKM.ECDSA, data=MESSAGE, object=key, wanted=private)


def _rsa(bits: int) -> Callable[[], Template]:
    return lambda: keys.rsa_private(bits)


def _hmac() -> Template:
    return keys.secret_key(CKK.SHA256_HMAC, 32, CKA.SIGN)


def _aes() -> Template:
    return keys.secret_key(CKK.AES, 32, CKA.ENCRYPT)


def _short(size: int) -> str:
    return f"{size // _KIB}k" if size < _KIB * _KIB else f"{size // _KIB // _KIB}m"


def _long(size: int) -> str:
    return f"{size // _KIB} KiB" if size < _KIB * _KIB else f"{size // _KIB // _KIB} MiB"


_FILLER = {CKA.CLASS: ulong(CKO.DATA), CKA.TOKEN: YES, CKA.PRIVATE: NO, CKA.VALUE: b"filler"}

_P256_VERIFYING = _verifying(CKM.ECDSA, keys.p256_public, work.p256_signature)
_RSA_VERIFYING = _verifying(CKM.SHA256_RSA_PKCS, lambda: keys.rsa_public(2048), work.rsa_signature)
_SIZES = (_KIB, 64 * _KIB, 1024 * _KIB)

ROWS = (
    Row("info", "session info", "info", work=work.nothing),
    Row("session", "open and close a session", "session", work=work.nothing),
    Row("random", "random, 32 bytes", "random", lambda: {"size": 32}, work.random),
    _sign("sign-p256", "sign, ECDSA P-256", CKM.ECDSA, keys.p256_private, work.sign_p256),
    _sign("sign-p384", "sign, ECDSA P-384", CKM.ECDSA, keys.p384_private, work.sign_p384),
    _sign("sign-ed25519", "sign, Ed25519", CKM.EDDSA, keys.edwards_private, work.sign_edwards),
    _sign("sign-rsa2048", "sign, RSA-2048 PKCS #1", CKM.SHA256_RSA_PKCS, _rsa(2048), work.sign_rsa(2048)),
    _sign("sign-rsa4096", "sign, RSA-4096 PKCS #1", CKM.SHA256_RSA_PKCS, _rsa(4096), work.sign_rsa(4096)),
    Row("verify-p256", "verify, ECDSA P-256", "verify", _P256_VERIFYING, work.verify_p256),
    Row("verify-rsa2048", "verify, RSA-2048 PKCS #1", "verify", _RSA_VERIFYING, work.verify_rsa),
    _sign("hmac-sha256", "HMAC-SHA256, 32 bytes", CKM.SHA256_HMAC, _hmac, work.hmac_sha256),
    *map(_cbc, _SIZES),
    *map(_gcm, _SIZES),
    *map(_digest, _SIZES),
    _generate("generate-session", "generate P-256, session objects", NO, work.generate),
    _generate("generate-token", "generate P-256, token objects", YES, None),
    Row("load", "load, log in, first signature", "load", _load, alone=True),
    _find(10),
    _find(1_000),
    _find(10_000, only_named=True),
    _find(100_000, only_named=True),
)
"""All of them. What fills the token comes last, fewest objects first."""

QUICK = ("info", "random", "sign-p256", "sign-rsa2048", "aes-gcm-64k", "find-10")


def chosen(patterns: Sequence[str], *, quick: bool) -> list[Row]:
    """Return the rows that names or patterns of names (``sign-*``) choose; without any, those that are usual.

    Raises:
        CliError: a pattern chooses none.

    """
    if not patterns:
        return [row for row in ROWS if (row.name in QUICK if quick else not row.only_named)]
    for pattern in patterns:
        if not any(fnmatchcase(row.name, pattern) for row in ROWS):
            names = ", ".join(row.name for row in ROWS)
            raise CliError(f"No row is called {pattern!r}; there are {names}.", 2)
    return [row for row in ROWS if any(row.name == name or _matches(row, name) for name in patterns)]


def _matches(row: Row, pattern: str) -> bool:
    return not row.only_named and fnmatchcase(row.name, pattern)
