# SPDX-License-Identifier: Apache-2.0
"""Run the fuzz targets, those in C with libFuzzer and those in Python with atheris: `make fuzz`.

Each begins with its corpus, which is in the repository; what it finds new is kept in build/fuzz/corpus, and with
--merge in the repository, where it reaches something that nothing there does. What breaks a target is in
build/fuzz/found. Each run leaves its fuzzer's report in build/fuzz/reports; tools/fuzz_reports.py adds them up.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from fuzz_reports import REPORTS, ROOT, executions_in

OUT = ROOT / "build" / "fuzz"
BUILD = OUT / "native"
IN_C = ROOT / "native" / "fuzz" / "corpus"
IN_PYTHON = ROOT / "tests" / "fuzz" / "corpus"
LONGEST = 4096
"""Bytes of an input."""
LONGEST_RUN = 25
"""Seconds that one input may take; more is found as a hang."""


@dataclass(frozen=True)
class Fuzzer:
    """A target: what runs it, and its corpus in the repository."""

    name: str
    command: tuple[str, ...]
    corpus: Path

    @property
    def new(self) -> Path:
        """The folder of what was found to reach something new."""
        return OUT / "corpus" / self.name


def fuzzers() -> dict[str, Fuzzer]:
    """Return all targets: each has a folder of its name in one of the corpora."""
    in_c = [Fuzzer(path.name, (str(BUILD / "native" / "fuzz" / f"fuzz_{path.name}"),), path) for path in IN_C.iterdir()]
    in_python = [
        Fuzzer(f"python-{path.name}", (sys.executable, "-m", "fuzz.targets", path.name), path)
        for path in IN_PYTHON.iterdir()
    ]
    return {fuzzer.name: fuzzer for fuzzer in sorted(in_c + in_python, key=lambda one: one.name)}


def build() -> None:
    """Build the targets in C with clang."""
    options = ("-Dpython=false", "-Dnative_fuzz=true", "-Dbuildtype=debugoptimized", "-Db_lundef=false")
    targets = (f"native/fuzz/fuzz_{path.name}" for path in IN_C.iterdir())
    with (OUT / "build.log").open("w") as log:
        if not BUILD.exists():
            variables = {**os.environ, "CC": "clang"}
            subprocess.run(["meson", "setup", BUILD, ROOT, *options], env=variables, stdout=log, check=True)
        subprocess.run(["ninja", "-C", BUILD, *targets], stdout=log, check=True)


def call(fuzzer: Fuzzer, *options: str, report: Path) -> int:
    """Run a fuzzer, and return its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "ASAN_OPTIONS": "quarantine_size_mb=8"}
    with report.open("w") as output:
        command = [*fuzzer.command, f"-max_len={LONGEST}", *options]
        return subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode


def fuzz(fuzzer: Fuzzer, seconds: int) -> bool:
    """Try a target for some seconds, say what came of it, and return whether it held."""
    fuzzer.new.mkdir(parents=True, exist_ok=True)
    report = next(path for number in count(1) if not (path := REPORTS / f"{fuzzer.name}-{number}.log").exists())
    options = (f"-max_total_time={seconds}", f"-timeout={LONGEST_RUN}", "-print_final_stats=1")
    found = f"-artifact_prefix={OUT / 'found'}/{fuzzer.name}-"
    code = call(fuzzer, *options, found, str(fuzzer.new), str(fuzzer.corpus), report=report)
    said = executions_in(report.read_text(errors="replace"))
    good = code == 0 and said is not None
    print(f"{fuzzer.name}: {f'{said.executions:,} executions' if said and good else f'found something, see {report}'}")
    return good


def merge(fuzzer: Fuzzer) -> None:
    """Add to the corpus what reaches something that it does not."""
    report = OUT / f"merge-{fuzzer.name}.log"
    code = call(fuzzer, "-merge=1", str(fuzzer.corpus), str(fuzzer.new), report=report)
    if code != 0:
        sys.exit(f"run_fuzzers: the merge of {fuzzer.name} failed, see {report}")


def main(arguments: Sequence[str]) -> int:
    """Run what the command line asks for; return 1 where a target did not hold."""
    known = fuzzers()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all, if none is named: {', '.join(known)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--merge", action="store_true", help="keep in the repository's corpora what was found new")
    options = parser.parse_args(arguments)
    unknown = set(options.targets) - known.keys()
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    chosen = [known[name] for name in options.targets] or list(known.values())
    for directory in (REPORTS, OUT / "found"):
        directory.mkdir(parents=True, exist_ok=True)
    build()
    held = [fuzz(fuzzer, options.seconds) for fuzzer in chosen]
    if options.merge:
        for fuzzer in chosen:
            merge(fuzzer)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
