# SPDX-License-Identifier: Apache-2.0
"""The pages on services and containers: their units and settings are such, their commands are ones that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from softee.daemon.settings import load_settings
from support.command_line import leaves
from support.units import install_units

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("install.md", "recipes/systemd.md", "recipes/container.md")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_of_the_recipe_are_what_systemd_understands(tmp_path: Path) -> None:
    client, drop_in = blocks("recipes/systemd.md", "ini")
    system = install_units(tmp_path) / "system"
    (system / "client.service").write_text(re.sub("^ExecStart=.*", "ExecStart=/bin/true", client, flags=re.MULTILINE))
    (system / "softee.service.d").mkdir()
    (system / "softee.service.d/override.conf").write_text(drop_in)
    for unit in ("client.service", "softee.service"):
        command = ["systemd-analyze", "verify", "--man=no", str(system / unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, [line for line in done.stderr.splitlines() if "softee" in line]) == (0, [])


def test_settings_of_the_recipe_are_settings(tmp_path: Path) -> None:
    (text,) = blocks("recipes/systemd.md", "toml")
    (tmp_path / "softee.toml").write_text(text)
    assert load_settings(tmp_path / "softee.toml").user == "softee"


@pytest.mark.parametrize("page", PAGES)
def test_shell_understands_the_commands_and_softees_are_ones_that_there_are(page: str) -> None:
    known = {name.split()[0] for name, _ in leaves()}
    for block in blocks(page, "sh"):
        assert subprocess.run(["bash", "-n"], input=block, text=True, check=False).returncode == 0
        named = set(re.findall(r"(?:^|/bin/|sudo |IMAGE )softee ([a-z]+)", block, re.MULTILINE))
        assert named <= known
