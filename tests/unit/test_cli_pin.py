# SPDX-License-Identifier: Apache-2.0
"""PINs come from where nobody else reads them, and are not kept."""

import os
from pathlib import Path

import click
import pytest

from softee.cli import pin
from softee.cli.failure import CliError
from softee.cli.pin import PinSource, user_prompt
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A terminal on which "typed" is typed; what is asked for twice is noted."""
    twice: list[bool] = []

    def prompt(_: str, *, hide_input: bool, err: bool, confirmation_prompt: bool) -> str:
        assert hide_input
        assert err
        twice.append(confirmation_prompt)
        return "typed"

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(pin, "_require_terminal", lambda *_: None)
    return twice


def descriptor(data: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


def test_a_file_counts_before_a_descriptor_a_variable_and_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: list[bool]
) -> None:
    file = tmp_path / "pin"
    file.write_bytes(b"from a file\r\nmore")
    monkeypatch.setenv("SOFTEE_PIN", "from a variable")
    reader = descriptor(b"from a descriptor\nmore")
    assert PinSource(file, reader).read("PIN") == b"from a file"
    assert PinSource(None, reader).read("PIN") == b"from a descriptor"
    os.close(reader)
    assert PinSource().read("PIN") == b"from a variable"
    assert PinSource(variable="SOFTEE_NONE").read("PIN") == b"typed"
    assert PinSource(variable="SOFTEE_NONE").read("PIN", new=True) == b"typed"
    assert terminal == [False, True]


@pytest.mark.parametrize("data", [b"", b"no end of line", b"x" * 5000])
def test_a_descriptor_is_read_to_its_end_or_to_a_limit(data: bytes) -> None:
    reader = descriptor(data)
    assert bytes(PinSource(None, reader).read("PIN")) == data[:4096]
    os.close(reader)


def test_a_pin_is_no_value_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTEE_PIN", "123456")
    read = PinSource().read("PIN")
    assert isinstance(read, SecretBytes)
    assert "123456" not in f"{read} {read!r} {PinSource()!r}"


def test_a_descriptor_that_is_not_open_is_told() -> None:
    with pytest.raises(CliError, match="cannot be read from descriptor 99999: Bad file descriptor"):
        PinSource(None, 99999).read("PIN")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="cannot be read: No such file"):
        PinSource(tmp_path / "none").read("PIN")


def test_without_a_terminal_it_is_said_how_a_pin_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(os, "open", no_terminal)
    with pytest.raises(CliError, match=r"There is no terminal to ask for this: PIN\. Give it in SOFTEE_NONE"):
        PinSource(variable="SOFTEE_NONE").read("PIN")


def test_a_prompt_steers_no_terminal() -> None:
    assert user_prompt("\x1b[2J") == "PIN of the user of token \\x1b[2J"


def test_a_terminal_is_one_that_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    monkeypatch.setattr(os, "open", lambda *_: opened)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "typed")
    assert PinSource(variable="SOFTEE_NONE").read("PIN") == b"typed"
