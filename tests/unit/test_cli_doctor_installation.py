# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at what is installed, and how it shows what it has found."""

import subprocess
from pathlib import Path

import pytest

from softee.cli import library, programs
from softee.cli.doctor import installation
from softee.cli.doctor.command import _rows
from softee.cli.doctor.finding import Finding, Verdict, wrong
from softee.cli.failure import CliError
from softee.cli.tables import print_table


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An installation's module, in a directory of its own."""
    made = tmp_path / "libckteec.so"
    made.touch()
    monkeypatch.setattr(installation, "LIBRARIES", tmp_path)
    monkeypatch.setattr(installation, "installed_module", lambda: made)
    return made


def linked(monkeypatch: pytest.MonkeyPatch, said: str) -> list[Finding]:
    """Return what is found where the dynamic linker says this of the module."""
    answer = subprocess.CompletedProcess(["ldd"], 0, f"\t{said}\n\tlibc.so.6 => /lib/libc.so.6 (0x1)\n", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    return list(installation.check_libraries())


def test_an_installation_without_the_shared_objects_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "installed_module", lambda: None)
    (finding,) = installation.check_libraries()
    assert (finding.verdict, finding.mend) == (Verdict.WRONG, "install the wheel: pip install .")
    monkeypatch.setattr(library, "MODULE", tmp_path / "none.so")
    with pytest.raises(CliError, match="install the wheel"):
        library.module_path()


def test_the_libteec_beside_the_module_is_good(monkeypatch: pytest.MonkeyPatch, module: Path) -> None:
    (module.parent / "libteec.so.2").touch()
    _, finding = linked(monkeypatch, f"libteec.so.2 => {module.parent}/libteec.so.2 (0x1)")
    assert finding.verdict == Verdict.GOOD


@pytest.mark.parametrize(("held", "verdicts"), [(b"", []), (b"older", [Verdict.WARNING])])
def test_a_copy_of_another_version_is_told(
    held: bytes, verdicts: list[Verdict], monkeypatch: pytest.MonkeyPatch, module: Path, tmp_path: Path
) -> None:
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / module.name).write_bytes(held)
    monkeypatch.setattr(installation, "INSTALLED", tmp_path / "copies")
    found = linked(monkeypatch, f"libteec.so.2 => {module.parent}/libteec.so.2 (0x1)")
    assert [finding.verdict for finding in found if finding.mend == "softee module --install"] == verdicts


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("said", "verdict"),
    [("libteec.so.2 => /usr/lib/libteec.so.2 (0x1)", Verdict.WARNING), ("not a dynamic executable", Verdict.WRONG)],
    ids=["another", "none"],
)
def test_another_libteec_or_none_is_told(monkeypatch: pytest.MonkeyPatch, said: str, verdict: Verdict) -> None:
    _, finding = linked(monkeypatch, said)
    assert (finding.check, finding.verdict) == ("libteec", verdict)


def test_a_missing_program_is_a_warning_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = list(installation.check_programs())
    assert {finding.verdict for finding in found} == {Verdict.WARNING}
    assert [finding.mend for finding in found] == [f"apt-get install {one.package}" for one in programs.PROGRAMS]
    assert programs.missing_programs() == list(programs.PROGRAMS)


def test_what_steers_a_terminal_is_shown_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("check", "verdict", "what"), _rows([wrong("tokens", "slot 0 (\x1b[5mmine)", "chmod [x]")]))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "tokens  wrong    slot 0 (\\x1b[5mmine)",
        "                 to do: chmod [x]",
    ]
