# SPDX-License-Identifier: Apache-2.0
"""What libteec.so.2 is to the dynamic linker: OP-TEE's names, no other, and nothing but libc needed."""

import ctypes
import re
import subprocess
from pathlib import Path

import pytest

EXPORTS = {
    "TEEC_InitializeContext",
    "TEEC_FinalizeContext",
    "TEEC_OpenSession",
    "TEEC_CloseSession",
    "TEEC_InvokeCommand",
    "TEEC_RegisterSharedMemory",
    "TEEC_RegisterSharedMemoryFileDescriptor",
    "TEEC_AllocateSharedMemory",
    "TEEC_ReleaseSharedMemory",
    "TEEC_RequestCancellation",
    "_dprintf",
    "dump_buffer",
    "softee_change_counters",
    "softee_is_lost",
    "softee_reconnect",
}

FORBIDDEN = {
    "exit",
    "_exit",
    "abort",
    "atexit",
    "__cxa_atexit",
    "pthread_atfork",
    "__register_atfork",
    "pthread_create",
}


@pytest.fixture(scope="module")
def library(native_release_build: Path) -> Path:
    return native_release_build / "native/teec/libteec.so.2"


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_exports_are_op_tees_names(library: Path) -> None:
    symbols = output("nm", "-D", "--defined-only", str(library)).splitlines()
    assert {line.split()[2] for line in symbols} == EXPORTS


def test_needs_libc_only(library: Path) -> None:
    assert re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", str(library))) == ["libc.so.6"]


def test_soname_is_libteec_so_2(library: Path) -> None:
    assert re.findall(r"\(SONAME\).*\[(.*)\]", output("readelf", "-d", str(library))) == ["libteec.so.2"]


def test_does_not_end_the_process_nor_hook_its_end_nor_start_threads(library: Path) -> None:
    symbols = output("nm", "-D", "--undefined-only", str(library)).splitlines()
    assert not FORBIDDEN & {line.split()[1].partition("@")[0] for line in symbols}


def test_has_no_destructor_of_its_own(library: Path) -> None:
    sizes = re.findall(r"\.fini_array\s+FINI_ARRAY\s+\S+\s+\S+\s+(\S+)", output("readelf", "-SW", str(library)))
    assert sizes == ["000008"], "one entry: the compiler's own"


def test_relocations_are_read_only_after_start(library: Path) -> None:
    text = output("readelf", "-lWd", str(library))
    assert "GNU_RELRO" in text
    assert "BIND_NOW" in text


def test_structures_have_op_tees_layout(native_build: Path) -> None:
    assert output(str(native_build / "native/tests/teec_layout")) == "same\n"


def test_trace_of_op_tees_libckteec_goes_to_standard_error(
    library: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    teec = ctypes.CDLL(str(library))
    teec._dprintf(None, 0, 1, None, b"not wanted\n")
    monkeypatch.setenv("SOFTEE_VERBOSE", "1")
    teec._dprintf(b"C_Sign", 7, 1, b"ckteec", b"%s %d\n", b"error", 5)
    teec._dprintf(None, 0, 99, None, b"raw\n")
    teec._dprintf(b"f", 1, 99, None, b"%s\n", b"x" * 1000)
    out, err = capfd.readouterr()
    first, second, third = err.splitlines()
    assert out == ""
    assert re.fullmatch(r"ERR \[\d+\] ckteec:C_Sign:7: error 5", first)
    assert second == "raw"
    assert len(third) < 400


def test_buffers_are_not_dumped(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ctypes.CDLL(str(library)).dump_buffer(b"pin", b"1234", 4)
    assert capfd.readouterr() == ("", "")
