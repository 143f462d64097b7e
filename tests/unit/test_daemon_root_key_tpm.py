# SPDX-License-Identifier: Apache-2.0
"""A root key that a TPM has sealed: it opens there alone, with its PCRs alone, and what is no sealed key is refused."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softee.daemon.root_key.reading import RootKeyError
from softee.daemon.root_key.source import RootKeySource
from support.tpm import needs_tpm, running_tpm

Source = Callable[..., RootKeySource]


@pytest.fixture(scope="module")
def tcti() -> Iterator[str]:
    with running_tpm() as tcti:
        yield tcti


@pytest.fixture
def source(tcti: str, tmp_path: Path) -> Source:
    """Return what names a sealed key of this TPM."""

    def named(pcrs: str = "", tcti: str = tcti) -> RootKeySource:
        return RootKeySource(f"tpm:{tmp_path}/root.tpm?tcti={tcti}" + (f"&pcrs={pcrs}" if pcrs else ""))

    return named


def made(source: RootKeySource) -> bytes:
    return bytes(source.read_or_make(is_needed=lambda: False))


def extend(tcti: str, pcr: int) -> None:
    """Measure something, as another kernel or another firmware would."""
    from tpm2_pytss import ESAPI, ESYS_TR  # noqa: PLC0415 - which may not be installed

    with ESAPI(tcti) as tpm:
        tpm.pcr_event(ESYS_TR(pcr), b"something else")


@needs_tpm
@pytest.mark.parametrize("pcrs", ["", "sha256:7", "sha256:0,7"])
def test_a_sealed_key_comes_back_and_its_file_does_not_show_it(source: Source, tmp_path: Path, pcrs: str) -> None:
    key = made(source(pcrs))
    assert made(source(pcrs)) == key
    assert bytes(source().read()) == key
    content = (tmp_path / "root.tpm").read_bytes()
    assert key not in content
    assert key.hex().encode() not in content
    assert (tmp_path / "root.tpm").stat().st_mode & 0o777 == 0o600


@needs_tpm
def test_a_sealed_key_opens_in_its_own_tpm_alone(source: Source) -> None:
    made(source())
    with running_tpm() as other, pytest.raises(RootKeyError, match="The TPM cannot give or keep"):
        source(tcti=other).read()


@needs_tpm
def test_a_key_with_a_policy_opens_as_long_as_the_pcrs_stay(source: Source, tcti: str) -> None:
    key = made(source("sha256:16"))
    extend(tcti, 7)
    assert made(source("sha256:16")) == key
    extend(tcti, 16)
    with pytest.raises(RootKeyError, match="PCRs are not what they were"):
        source("sha256:16").read()


@needs_tpm
def test_a_policy_that_was_taken_out_of_the_file_does_not_help(source: Source, tcti: str, tmp_path: Path) -> None:
    made(source("sha256:16"))
    extend(tcti, 16)
    file = tmp_path / "root.tpm"
    for pcrs in ("", "sha256:23"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"pcrs": pcrs}))
        with pytest.raises(RootKeyError, match="TPM"):
            source().read()


@needs_tpm
def test_other_pcrs_in_the_settings_than_in_the_file_are_told(source: Source) -> None:
    made(source("sha256:7"))
    with pytest.raises(RootKeyError, match=r"sealed to the PCRs sha256:7, not to sha256:0; have `softee root-key"):
        source("sha256:0").read()


@needs_tpm
@pytest.mark.parametrize("pcrs", ["md4:1", "sha256:x", "sha256"])
def test_pcrs_that_there_are_not_are_told(source: Source, tmp_path: Path, pcrs: str) -> None:
    with pytest.raises(RootKeyError, match="cannot be used"):
        made(source(pcrs))
    assert list(tmp_path.iterdir()) == []


@needs_tpm
def test_where_no_tpm_answers_it_is_told(source: Source, tmp_path: Path) -> None:
    with pytest.raises(RootKeyError, match="The TPM cannot give or keep"):
        made(source(tcti=f"swtpm:path={tmp_path}/none"))


@needs_tpm
@pytest.mark.parametrize("field", ["public", "private"])
def test_a_sealed_key_that_was_altered_does_not_open(source: Source, tmp_path: Path, field: str) -> None:
    made(source())
    file = tmp_path / "root.tpm"
    sealed = json.loads(file.read_text())
    for altered in (sealed[field][:-8] + "AAAAAAA=", "", "AAAA", sealed[field][:40]):
        file.write_text(json.dumps(sealed | {field: altered}))
        with pytest.raises(RootKeyError):
            source().read()


SEALED = {"version": 1, "pcrs": "", "public": "", "private": ""}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no sealed key"),
        ("{", "no sealed key"),
        ("[]", "no sealed key"),
        (json.dumps(SEALED | {"more": 1}), "no sealed key"),
        (json.dumps(SEALED | {"public": "?"}), "no sealed key"),
        (json.dumps(SEALED | {"pcrs": "x" * 10_000}), "no sealed key"),
        (json.dumps(SEALED | {"version": 2}), "newer softee"),
    ],
)
def test_a_file_that_is_no_sealed_key_is_damaged(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "root.tpm").write_text(content)
    with pytest.raises(RootKeyError, match=said):
        RootKeySource(f"tpm:{tmp_path}/root.tpm").read()


def test_a_sealed_key_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "root.tpm")
    with pytest.raises(RootKeyError, match="not a regular file"):
        RootKeySource(f"tpm:{tmp_path}/root.tpm").read()


def test_without_the_library_one_is_told_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tpm2_pytss", None)
    with pytest.raises(RootKeyError, match=r"pip install 'softee\[tpm\]'"):
        made(RootKeySource(f"tpm:{tmp_path}/root.tpm"))
    assert list(tmp_path.iterdir()) == []
