# SPDX-License-Identifier: Apache-2.0
"""The recipes' pages do what they say, by the programs of this machine; docs/recipes has a test for each page."""

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from interop.recipes import RECIPES, blocks, follow
from interop.tools import PIN, SO_PIN, Programs, run_in


@dataclass(frozen=True)
class Page:
    """A recipe's page, and the programs without which its test is skipped."""

    name: str
    programs: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


PAGES = (
    Page("audit.md", ()),
    Page("backup.md", ()),
    Page("board.md", ("pkcs11-tool",)),
    Page("ci.md", ("pkcs11-tool",)),
    Page("java.md", ("jarsigner", "curl")),
    Page("moving.md", ()),
    Page("openssh.md", ("ssh-keygen", "ssh-agent", "/usr/sbin/sshd", "git")),
    Page("openssl-engine.md", ("openssl", "curl")),
    Page("python.md", ()),
    Page("softhsm2.md", ("softhsm2-util", "pkcs11-tool", "openssl")),
)

BY_OTHER_TESTS = {
    "attestation.md": "tests/interop/test_attestation.py",
    "container.md": "tests/unit/test_recipes_service.py",
    "login-by-identity.md": "tests/interop/test_login_by_identity.py",
    "root-key.md": "tests/interop/test_root_key.py",
    "static-programs.md": "tests/interop/test_static_archives.py",
    "systemd.md": "tests/unit/test_recipes_service.py",
}
"""Pages whose tests do more than to follow them, or try what they say otherwise than by the page's commands."""

WITHIN = 110
"""Seconds of a page, also where the machine is busy; a test may take 120."""

CHECK_JSONSCHEMA = Path(sys.executable).with_name("check-jsonschema")

IN_DEBIAN_13 = "tests/interop/clients/test_recipes.py"
"""Where the pages are followed whose programs `make test` does not install."""


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_page_s_commands_do_what_it_says(programs: Programs, page: Page) -> None:
    lacking = [program for program in page.programs if shutil.which(program) is None]
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}")
    programs.init_token()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {"PATH": path, "HOME": str(programs.directory / "work"), "SOFTEE_PIN": PIN, "SOFTEE_SO_PIN": SO_PIN}
    user = replace(programs, variables=variables, directory=programs.directory / "work")
    user.directory.mkdir()

    def run(*command: str) -> str:
        return run_in(user.directory, user.environment, command, within=WITHIN)

    follow(blocks(page.name), user.directory, run)


@pytest.mark.skipif(not CHECK_JSONSCHEMA.exists(), reason="needs check-jsonschema, of the extra dev")
@pytest.mark.parametrize("page", ["ci.md"])
def test_the_page_s_files_are_what_their_services_take(page: str, tmp_path: Path) -> None:
    files = [block for block in blocks(page) if block.language == "yaml"]
    assert files
    for block in files:
        file = tmp_path / f"{block.word}.yml"
        file.write_text(block.text)
        run_in(tmp_path, os.environ, [CHECK_JSONSCHEMA, "--builtin-schema", f"vendor.{block.word}", file])


def test_each_page_is_followed_by_a_test() -> None:
    there = Path(__file__).parents[2]
    elsewhere = (there / IN_DEBIAN_13).read_text()
    followed = {page.name for page in PAGES} | BY_OTHER_TESTS.keys()
    pages = {page.name for page in RECIPES.glob("*.md")}
    assert not {page for page in pages - followed if f'"{page}"' not in elsewhere}
    assert all((there / test).exists() for test in BY_OTHER_TESTS.values())
