# SPDX-License-Identifier: Apache-2.0
"""Runs the suites that Python's PKCS#11 libraries are tested with, as they come in their source distributions."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from interop.clients.fetched import fetched, run
from interop.tools import Programs

SECONDS = 900


@dataclass(frozen=True)
class Suite:
    """A library's suite.

    ``distribution`` is its name, ``folder`` where its tests are in the source distribution. ``left_out`` are tests that
    are not run, ``skipped`` patterns of those that skip themselves: each with the reason, by ``FILE::CLASS::TEST``.
    """

    distribution: str
    folder: str
    left_out: Mapping[str, str]
    skipped: Mapping[str, str]

    @property
    def version(self) -> str:
        """Return which version of the library is installed."""
        return importlib.metadata.version(self.distribution)

    def fetch(self, directory: Path) -> None:
        """Get the source of the installed version and take its tests, without the library that lies beside them."""
        source = ("--no-deps", "--no-binary", self.distribution, f"{self.distribution}=={self.version}")
        run(sys.executable, "-m", "pip", "download", "--quiet", "--dest", directory, *source)
        (archive,) = directory.glob("*.tar.gz")
        with tarfile.open(archive) as sources:
            wanted = [member for member in sources if re.match(rf"[^/]+/{self.folder}/", member.name)]
            sources.extractall(directory, wanted, filter="data")
        (unpacked,) = (path for path in directory.iterdir() if path.is_dir())
        (unpacked / self.folder).rename(directory / self.folder)

    def run(self, programs: Programs, variables: Mapping[str, str], *plugins: str) -> "Outcome":
        """Run what is not left out."""
        suite = fetched(self.distribution, self.version, self.fetch)
        report = programs.directory / "report.xml"
        left_out = " ".join(f"{self.folder}/{test}" for test in self.left_out)
        options = (
            "-c",
            os.devnull,
            f"--rootdir={suite}",
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            f"--junitxml={report}",
        )
        loaded = [part for plugin in ("leave_out", *plugins) for part in ("-p", plugin)]
        done = subprocess.run(
            (sys.executable, "-m", "pytest", *options, *loaded, self.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=suite,
            env=programs.environment | {"PYTHONPATH": str(Path(__file__).parent), "LEFT_OUT": left_out, **variables},
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Outcome(self, done.returncode, done.stdout, report)


@dataclass(frozen=True)
class Outcome:
    """What pytest said of a suite."""

    suite: Suite
    status: int
    output: str
    report: Path

    def skips(self) -> dict[str, str]:
        """Return the tests that skipped themselves, and what they said."""
        found = {}
        for case in ET.parse(self.report).iter("testcase"):  # noqa: S314 - pytest has written it
            skipped = case.find("skipped")
            if skipped is not None:
                *path, own_class = case.attrib["classname"].removeprefix(f"{self.suite.folder}.").split(".")
                found[f"{'/'.join(path)}.py::{own_class}::{case.attrib['name']}"] = skipped.attrib["message"]
        return found

    def check(self) -> None:
        """Assert that everything passed but what the tables have, and that nothing in them is out of date."""
        assert self.status == 0, self.output
        summary = self.output.strip().splitlines()[-1]
        assert f"{len(self.suite.left_out)} deselected" in summary, f"the suite has no such test any more: {summary}"
        skips, known = self.skips(), self.suite.skipped
        unknown = {test: why for test, why in skips.items() if not any(fnmatch(test, pattern) for pattern in known)}
        assert not unknown, f"these skip themselves without a reason in the table: {unknown}"
        stale = [pattern for pattern in known if not any(fnmatch(test, pattern) for test in skips)]
        assert not stale, f"these have a reason in the table and skip themselves no more: {stale}"
