# SPDX-License-Identifier: Apache-2.0
r"""Runs a recipe's page: its commands as they stand there, one shell for the page, and compares what it shows.

The fenced blocks of a page say by their first line what becomes of them::

    ```sh           is run
    ```sh server    is run beside what follows, until the next server or the end; first it takes connections on PORT
    ```sh install   is not: so programs get there, and the test has them already, or it takes another machine
    ```text         its lines are part of what the block before has said

What is in other blocks is for people. A page whose commands end with something else than 0, or say something else,
fails its test.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interop.clients.ports import free_port

RECIPES = Path(__file__).parents[2] / "docs/recipes"

PORT = "9876"
"""What the servers on the pages listen on; another one in the tests, which run beside each other."""

_FENCED = re.compile(r"^```(\w+)(?: ([\w-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_PROLOGUE = """\
set -euom pipefail
server= SSH_AGENT_PID=
end_server() {
    [ -z "$server" ] || { kill -- "-$server"; wait "$server"; server=; } 2>/dev/null || server=
}
ended() {
    status=$?
    end_server
    [ -z "$SSH_AGENT_PID" ] || kill "$SSH_AGENT_PID"
    [ "$status" = 0 ] || cat server.log 2>/dev/null
    exit "$status"
}
trap ended EXIT
listening() { (exec 3<>/dev/tcp/127.0.0.1/PORT) 2>/dev/null; }
server_started() {
    server=$!
    until listening; do kill -0 "$server"; sleep 0.05; done
}
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the word behind that, its lines, and the heading that it stands under."""

    language: str
    word: str
    text: str
    heading: str


def blocks(page: str, heading: str = "") -> list[Block]:
    """Return the blocks of a page, or of what stands under one of its headings."""
    title, *parts = re.split(r"^## ", (RECIPES / page).read_text(), flags=re.MULTILINE)
    chapters = [("", title), *(tuple(part.split("\n", 1)) for part in parts)]
    return [
        Block(language, word, text, name)
        for name, chapter in chapters
        if heading in ("", name)
        for language, word, text in _FENCED.findall(chapter)
    ]


def script(commands: Sequence[Block], port: int) -> str:
    """Return the shell script that does what blocks say, and says ``_mark(N)`` before what the block N says."""
    parts = [_PROLOGUE]
    for number, block in enumerate(commands):
        if block.language != "sh" or block.word == "install":
            continue
        parts.append(f"echo '{_mark(number)}'\n")
        if block.word == "server":
            parts.append(f"end_server\n({block.text}) > server.log 2>&1 < /dev/null &\nserver_started\n")
        else:
            parts.append(block.text)
    return "".join(parts).replace("PORT", PORT).replace(PORT, str(port))


def follow(commands: Sequence[Block], directory: Path, run: Callable[..., str]) -> str:
    """Run blocks by ``run``, which runs a command in the directory and returns what it says; return that.

    Raises:
        AssertionError: a command failed, or a line of a ``text`` block is not in what the block before it said.

    """
    (directory / "page.sh").write_text(script(commands, free_port()))
    said = run("bash", "page.sh")
    before = ""
    for number, block in enumerate(commands):
        if block.language == "sh" and block.word != "install":
            before = said.partition(_mark(number))[2].partition(_MARK)[0]
        if block.language == "text":
            missing = [line for line in block.text.splitlines() if line not in before]
            assert not missing, f"under {block.heading!r} nothing says {missing}:\n{said}"
    return said


_MARK = "=== block "


def _mark(number: int) -> str:
    return f"{_MARK}{number} ==="
