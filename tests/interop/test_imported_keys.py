# SPDX-License-Identifier: Apache-2.0
"""Keys that come from outside with templates that say nothing of their use: they work, and for their owner alone.

On a board, and on a slot of profile optee, the same templates make keys that do nothing, and that everybody sees.
"""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.tools import LABEL, PIN, Programs, key_id
from softee.pkcs11_ta.token.object import FIRST_PRIVATE_HANDLE
from support.secure_world import running_daemon

LIBP11 = Path(__file__).with_name("libp11_client.py")
STRANGER = Path(__file__).with_name("stranger_client.py")
TEXT = "signed by what came from outside"

KEYS = {"ec": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("-algorithm", "RSA")}


def has_libp11() -> bool:
    try:
        ctypes.CDLL("libp11.so.3")
    except OSError:
        return False
    return True


@pytest.fixture
def board(module: Path, tmp_path: Path) -> Iterator[Programs]:
    """Programs with an initialized token that is like a board's."""
    with running_daemon(tmp_path, options=("--profile", "optee")) as running:
        programs = Programs(module, running.socket, tmp_path)
        programs.init_token()
        yield programs


def make_key(programs: Programs, kind: str) -> None:
    """Make a key pair outside: key.der, public.der and public.pem."""
    programs.run("openssl", "genpkey", *KEYS[kind], "-outform", "DER", "-out", "key.der")
    read = ("openssl", "pkey", "-inform", "DER", "-in", "key.der", "-pubout")
    programs.run(*read, "-outform", "DER", "-out", "public.der")
    programs.run(*read, "-out", "public.pem")
    (programs.directory / "text").write_text(TEXT)


def write_objects(programs: Programs, label: str) -> None:
    """Put the pair on the token with stock pkcs11-tool, without --usage-*."""
    name = ("--label", label, "--id", key_id(label))
    programs.p11_in("--write-object", "key.der", "--type", "privkey", *name)
    programs.p11_in("--write-object", "public.der", "--type", "pubkey", *name)


def sign(programs: Programs, label: str, mechanism: str, *, fails: bool = False) -> str:
    what = ("--mechanism", mechanism, "--id", key_id(label), "-i", "text", "-o", "signature", "-f", "openssl")
    return programs.p11_in("--sign", *what, fails=fails)


def verify(programs: Programs) -> None:
    check = ("dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text")
    assert "Verified OK" in programs.run("openssl", *check)


@pytest.mark.parametrize(("kind", "mechanism"), [("ec", "ECDSA-SHA256"), ("rsa", "SHA256-RSA-PKCS")])
def test_a_key_that_stock_pkcs11_tool_writes_signs(token: Programs, kind: str, mechanism: str) -> None:
    make_key(token, kind)
    write_objects(token, f"written {kind}")
    sign(token, f"written {kind}", mechanism)
    verify(token)


def test_it_is_neither_seen_nor_used_without_a_login(programs: Programs) -> None:
    programs.init_token()
    make_key(programs, "ec")
    write_objects(programs, "mine")
    programs.p11_in("--keygen", "--key-type", "AES:32", "--label", "mine too", "--private")
    handles = [*range(16), *range(FIRST_PRIVATE_HANDLE, FIRST_PRIVATE_HANDLE + 16)]
    answer = programs.run(sys.executable, STRANGER, programs.module, *map(str, handles))
    count, *values = answer.split()
    assert count == "0"
    assert len(values) == len(handles)
    public = {"CKR_KEY_FUNCTION_NOT_PERMITTED"}  # what the public key answers, which everybody sees
    assert set(values) == {"CKR_KEY_HANDLE_INVALID"} | public


def test_on_a_board_it_does_nothing_unless_the_template_says_so(board: Programs) -> None:
    make_key(board, "ec")
    write_objects(board, "silent")
    assert "CKR_KEY_FUNCTION_NOT_PERMITTED" in sign(board, "silent", "ECDSA-SHA256", fails=True)
    name = ("--label", "said", "--id", key_id("said"))
    board.p11_in("--write-object", "key.der", "--type", "privkey", "--usage-sign", *name)
    sign(board, "said", "ECDSA-SHA256")
    verify(board)


@pytest.fixture
def imported_by_libp11(token: Programs) -> str:
    """The label of an RSA key that libp11 has put on the token."""
    if not has_libp11():
        pytest.skip("libp11 is not installed (Debian: libp11-dev)")
    label = f"libp11-{token.directory.name}"
    make_key(token, "rsa")
    token.run(sys.executable, LIBP11, token.module, PIN, "key.der", label, key_id(label))
    return label


def uri(label: str) -> str:
    return f"pkcs11:token={LABEL};object={label};type=private"


def test_a_key_that_libp11_imports_signs(token: Programs, imported_by_libp11: str) -> None:
    sign(token, imported_by_libp11, "SHA256-RSA-PKCS")
    verify(token)
    engine = ("-engine", "pkcs11", "-keyform", "engine")
    token.openssl("dgst", *engine, "-sha256", "-sign", uri(imported_by_libp11), "-out", "signature", "text")
    verify(token)


def test_a_key_that_libp11_imports_decrypts(token: Programs, imported_by_libp11: str) -> None:
    encrypt = ("pkeyutl", "-encrypt", "-pubin", "-inkey", "public.pem", "-in", "text", "-out", "encrypted")
    token.run("openssl", *encrypt)
    engine = ("-engine", "pkcs11", "-keyform", "engine", "-inkey", uri(imported_by_libp11))
    token.openssl("pkeyutl", "-decrypt", *engine, "-in", "encrypted", "-out", "by the engine")
    assert (token.directory / "by the engine").read_text() == TEXT
    token.p11_in("--decrypt", "--mechanism", "RSA-PKCS", "--id", key_id(imported_by_libp11),
                 "-i", "encrypted", "-o", "by the tool")  # fmt: skip
    assert (token.directory / "by the tool").read_text() == TEXT
