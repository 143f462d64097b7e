# SPDX-License-Identifier: Apache-2.0
"""What follows the recipes' pages notices what does not do what a page says, and leaves nothing running."""

import subprocess
from pathlib import Path

import pytest

from interop.recipes import PORT, blocks, follow

SERVER = (
    f"python3 -c 'import socket; s = socket.create_server((\"127.0.0.1\", {PORT})); [s.accept() for _ in iter(int, 1)]'"
)


def followed(directory: Path, page: str) -> str:
    """Follow a page; a failing command is a CalledProcessError."""
    (directory / "page.md").write_text(page)

    def run(*command: str) -> str:
        return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, timeout=60).stdout

    return follow(blocks(str(directory / "page.md")), directory, run)


def test_blocks_share_a_shell_and_only_those_of_the_shell_are_run(tmp_path: Path) -> None:
    not_run = "```toml\nb = 2\n```\n```sh install\nfalse\n```\n"
    page = f"```sh\na=1\n```\n{not_run}## More\n```sh\necho a is $a\n```\n```text\na is 1\n```\n"
    assert "a is 1" in followed(tmp_path, page)
    assert [block.heading for block in blocks(str(tmp_path / "page.md"), "More")] == ["More", "More"]


def test_a_failing_command_fails_the_page(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        followed(tmp_path, "```sh\nfalse\ntrue\n```\n")


def test_what_a_block_before_the_last_one_said_does_not_count(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="'Here' nothing says \\['one'\\]"):
        followed(tmp_path, "## Here\n```sh\necho one\n```\n```sh\necho two\n```\n```text\none\n```\n")


def test_a_server_is_there_for_what_follows_and_ends_with_the_page(tmp_path: Path) -> None:
    asks = f"exec 3<>/dev/tcp/127.0.0.1/{PORT}\necho connected on {PORT}\n"
    said = followed(tmp_path, f"```sh server\n{SERVER}\n```\n```sh\n{asks}```\n```text\nconnected\n```\n")
    port = said.split("connected on ")[1].split()[0]
    assert port != PORT, "tests run beside each other"
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], check=True, capture_output=True)


def test_a_server_that_ends_at_once_fails_the_page(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        followed(tmp_path, "```sh server\necho no key; exit 3\n```\n```sh\necho never\n```\n")
    assert "never" not in failed.value.stdout
    assert "no key" in failed.value.stdout
