# SPDX-License-Identifier: Apache-2.0
"""libckteec: what the file looks like from outside, and its suite, as it is shipped and under the sanitizers.

The suite (ckteec_suite) has a process of its own for each file, with a libteec that belongs to the test.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from softee.names.attribute_kinds import ATTRIBUTE_KINDS
from softee.names.mechanism_layouts import LAYOUTS, Use
from softee.pkcs11_ta.mechanisms.table import MECHANISMS

ROOT = Path(__file__).parents[2]
SUITE = Path(__file__).parent / "ckteec_suite"


def run(*command: str | Path, **environment: str) -> str:
    variables = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_suite(file: Path, build: Path, others: str, **environment: str) -> None:
    run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file),
        CKTEEC_SUITE_BUILD=str(build),
        CKTEEC_SUITE_OTHERS=others,
        PYTHONPATH=str(ROOT / "src"),
        **environment,
    )


FILES = sorted(SUITE.glob("calls_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_suite(file: Path, native_release_build: Path, other_modules: str) -> None:
    run_suite(file, native_release_build, other_modules)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_suite_under_the_sanitizers(file: Path, native_build: Path, other_modules: str) -> None:
    runtime = run("gcc", "-print-file-name=libasan.so").strip()
    run_suite(
        file,
        native_build,
        other_modules,
        LD_PRELOAD=runtime,
        ASAN_OPTIONS="detect_leaks=0",  # Python's own
        UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
    )


def test_fork_is_noticed_where_the_kernel_cannot_wipe_pages(native_release_build: Path, other_modules: str) -> None:
    old_kernel = native_release_build / "native" / "tests" / "libteec_old_kernel.so"
    run_suite(SUITE / "calls_process.py", native_release_build, other_modules, LD_PRELOAD=str(old_kernel))


def test_a_cancelled_thread_does_not_keep_the_library_from_being_finalized(native_release_build: Path) -> None:
    run(native_release_build / "native" / "tests" / "ckteec_threads")


@pytest.mark.parametrize("program", ["ckteec_bytes", "common_bytes"])
def test_readers_and_writers_keep_their_bounds(native_build: Path, program: str) -> None:
    assert run(native_build / "native" / "tests" / program) == "good\n"


def test_commands_that_the_other_side_lacks_are_sent_once(native_build: Path) -> None:
    assert run(native_build / "native" / "tests" / "ckteec_peer") == "good\n"


def test_what_derivation_answers_comes_into_its_places_or_nothing_does(native_build: Path) -> None:
    """PKCS#11 3.2 §6.40."""
    assert run(native_build / "native" / "tests" / "ckteec_derive") == "good\n"


def test_who_waits_for_a_slot_event_waits_until_the_library_is_finalized(native_release_build: Path) -> None:
    """PKCS#11 3.2 §5.5.4. Without the sanitizers, which a cancelled thread confuses."""
    assert run(native_release_build / "native" / "tests" / "ckteec_slot_events") == "good\n"


def library(build: Path) -> Path:
    return build / "native" / "ckteec" / "libckteec.so.0"


def exported_functions() -> set[str]:
    lists = (ROOT / "native" / "include" / "pkcs11_functions.gen.h").read_text().split("#define CK_")
    exported = [each for each in lists if each.startswith(("FUNCTIONS(F)", "INTERFACE_FUNCTIONS(F)"))]
    return set(re.findall(r"F\((C_\w+),", "".join(exported)))


OPTEES_NAMES = {
    "ckr2str",
    "ckm2str",
    "cka2str",
    "cko2str",
    "ckk2str",
    "slot_ckf2str",
    "token_ckf2str",
    "mecha_ckf2str",
    "session_ckf2str",
    "session_cks2str",
}
"""Functions for traces, to which OP-TEE's own tests link."""


def test_exports_the_functions_of_2_40_the_two_of_3_x_and_optee_s_names(native_release_build: Path) -> None:
    exported = {
        line.split()[-1] for line in run("nm", "-D", "--defined-only", library(native_release_build)).splitlines()
    }
    assert len(exported) == 80
    assert exported == exported_functions() | OPTEES_NAMES
    assert {"C_GetInterface", "C_GetInterfaceList"} < exported


def test_needs_libc_and_libteec_alone_and_is_named_as_optee_s(native_release_build: Path) -> None:
    dynamic = run("readelf", "-d", library(native_release_build))
    assert sorted(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)) == ["libc.so.6", "libteec.so.2"]
    assert re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) == ["libckteec.so.0"]


def test_reaches_the_secure_world_through_the_tee_client_api_alone(native_release_build: Path) -> None:
    imported = set(re.findall(r"U (\w+)", run("nm", "-D", "--undefined-only", library(native_release_build))))
    assert {name for name in imported if name.startswith("TEEC_")} == {
        "TEEC_CloseSession",
        "TEEC_FinalizeContext",
        "TEEC_InitializeContext",
        "TEEC_InvokeCommand",
        "TEEC_OpenSession",
    }
    assert not imported & {"exit", "_exit", "abort", "atexit", "__cxa_atexit", "pthread_atfork", "pthread_create"}
    assert not imported & {"socket", "connect", "open", "open64", "getenv"}


def test_no_relocation_of_the_function_list_can_be_taken_over(native_release_build: Path) -> None:
    assert not re.search(r" C_\w+", run("readelf", "-rW", library(native_release_build)))


def test_installed_it_finds_the_libteec_beside_it(native_release_build: Path, tmp_path: Path) -> None:
    run("meson", "install", "-C", native_release_build, "--no-rebuild", "--destdir", tmp_path)
    installed = next(tmp_path.rglob("libckteec.so.0"))
    assert (installed.parent / "libckteec.so").resolve() == installed
    assert "[$ORIGIN]" in run("readelf", "-d", installed)
    run(sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", installed, LD_LIBRARY_PATH="")


LAYOUT_USES = ("USE_OPERATION", "USE_MESSAGE")
"""In C's order."""


def test_attributes_are_sorted_for_the_binary_search() -> None:
    text = (ROOT / "native" / "ckteec" / "attribute_kinds.gen.h").read_text()
    rows = [int(number, 16) for number in re.findall(r"^ *\{(0x\w+),", text, re.MULTILINE)]
    assert rows == sorted(ATTRIBUTE_KINDS)


def test_layouts_are_sorted_for_the_binary_search() -> None:
    text = (ROOT / "native" / "ckteec" / "mechanism_layouts.gen.h").read_text()
    found = re.findall(r"^ *\{(0x\w+), (USE_\w+),", text, re.MULTILINE)
    rows = [(int(number, 16), LAYOUT_USES.index(use)) for number, use in found]
    without_parameter = {(mechanism, 0) for mechanism in MECHANISMS}
    wanted = {(mechanism, int(use is Use.MESSAGE)) for mechanism, use in LAYOUTS} | without_parameter
    assert rows == sorted(wanted)
