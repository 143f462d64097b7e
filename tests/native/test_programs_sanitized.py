# SPDX-License-Identifier: Apache-2.0
"""Stock programs with both libraries built with AddressSanitizer and UndefinedBehaviorSanitizer: they end well."""

import subprocess
from pathlib import Path

import pytest

from interop.tools import PIN, Programs
from native.conftest import SANITIZED
from support.secure_world import running_daemon


@pytest.fixture
def sanitized(native_build: Path, tmp_path: Path) -> Programs:
    """Programs that load the libraries with the sanitizers; leaks are memcheck's (tests/interop/test_memcheck.py)."""
    module = native_build / "native/ckteec/libckteec.so.0"
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    variables = {
        "LD_PRELOAD": runtime.stdout.strip(),
        "LD_LIBRARY_PATH": str(native_build / "native/teec"),
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "halt_on_error=1",
    }
    return Programs(module, Path(), tmp_path, variables)


def test_pkcs11_tool_does_what_it_can_with_a_token(sanitized: Programs, tmp_path: Path) -> None:
    assert "-Db_sanitize=address,undefined" in SANITIZED
    assert b"__asan_init" in sanitized.module.read_bytes()
    with running_daemon(tmp_path) as daemon:
        programs = Programs(sanitized.module, daemon.socket, tmp_path, sanitized.variables)
        programs.init_token()
        for key_type in ("EC:prime256v1", "RSA:2048"):
            programs.generate(key_type, key_type.partition(":")[0])
        assert "No errors" in programs.p11("--login", "--pin", PIN, "--test")
        programs.p11_in("--list-objects")
        (tmp_path / "data").write_bytes(b"data")
        signed = ("--sign", "--mechanism", "ECDSA-SHA256", "--label", "EC", "-i", "data", "-o", "signature")
        programs.p11_in(*signed)
        assert (tmp_path / "signature").stat().st_size == 64
        programs.p11("--login", "--pin", "54321", "--list-objects", fails=True)
