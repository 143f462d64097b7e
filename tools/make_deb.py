# SPDX-License-Identifier: Apache-2.0
"""Make a Debian package of this source tree, for the release whose Python it is made for: `make deb`.

The C part and what a system needs come from `meson install`; Python's part, with the libraries that it needs, stands in
a virtual environment of the package's own, /usr/lib/softee, since Debian's are older. It is laid out here, without a
Python of that release: its libraries come as wheels.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEBIAN = ROOT / "packaging/debian"
HOME = "/usr/lib/softee"
LAUNCHER = f"""\
#!{HOME}/bin/python3 -P
import sys
from softee.cli.quick import main
sys.exit(main())
"""
RELEASES: Mapping[str, str] = {"3.11": "deb12", "3.13": "deb13"}
"""The releases of Debian, by their Python."""
EXTRAS = ("metrics", "web")
"""What the package brings along besides what softee needs: its users cannot add to the environment."""


def run(*command: object) -> str:
    """Run a command and return what it says. Ends this program where it fails."""
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"make_deb: {' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout.strip()


def install_system(root: Path, build: Path) -> None:
    """Install the libraries, headers, units and documents."""
    triplet = run("gcc", "-print-multiarch")
    options = ("-Dpython=false", "--prefix=/usr", f"--libdir=lib/{triplet}")
    run("meson", "setup", "--reconfigure" if build.exists() else "--wipe", *options, build, ROOT)
    run("meson", "compile", "-C", build)
    run("meson", "install", "-C", build, "--destdir", root, "--strip", "--no-rebuild")
    for name, source in {
        "softee.toml": "src/softee/system/etc/softee.toml",
        "client.conf": "docs/client.conf.example",
    }.items():
        put(root / "etc/softee" / name, (ROOT / source).read_text())


def install_python(root: Path, python: str, dependencies: Sequence[str]) -> None:
    """Lay the virtual environment out, with softee and what it needs."""
    home = root / HOME.strip("/")
    site = home / f"lib/python{python}/site-packages"
    only = ("--only-binary=:all:", f"--python-version={python}", "--implementation=cp")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", f"--target={site}", *only, *dependencies)
    shutil.rmtree(site / "bin", ignore_errors=True)
    shutil.copytree(ROOT / "src/softee", site / "softee", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "softee/lib").symlink_to(f"/usr/lib/{run('gcc', '-print-multiarch')}")
    put(home / "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")
    put(home / "bin/softee", LAUNCHER, mode=0o755)
    (home / "bin/python3").symlink_to(f"/usr/bin/python{python}")
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/bin/softee").symlink_to("../lib/softee/bin/softee")


def describe(root: Path, values: Mapping[str, str]) -> None:
    """Write what dpkg wants to know: the package, its settings, what runs when it comes and goes."""
    control = (DEBIAN / "control.in").read_text()
    for name, value in values.items():
        control = control.replace(f"@{name}@", value)
    put(root / "DEBIAN/control", control)
    settings = sorted(f"/{path.relative_to(root)}" for path in (root / "etc").rglob("*") if path.is_file())
    put(root / "DEBIAN/conffiles", "".join(f"{path}\n" for path in settings))
    put(root / "DEBIAN/triggers", "activate-noawait ldconfig\n")
    for name in ("postinst", "prerm", "postrm"):
        put(root / "DEBIAN" / name, (DEBIAN / name).read_text(), mode=0o755)
    shutil.copy(ROOT / "LICENSE", root / "usr/share/doc/softee/copyright")


def put(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file, and its directories."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


def make(python: str, out: Path) -> Path:
    """Make the package for a Python's release, and return its file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    root = out / f"root-{python}"
    shutil.rmtree(root, ignore_errors=True)
    install_system(root, out / "native")
    extras = [dependency for extra in EXTRAS for dependency in project["optional-dependencies"][extra]]
    install_python(root, python, [*project["dependencies"], *extras])
    architecture = run("dpkg", "--print-architecture")
    version = f"{project['version']}-1~{RELEASES[python]}"
    major, minor = python.split(".")
    values = {
        "VERSION": version,
        "ARCHITECTURE": architecture,
        "PYTHON": python,
        "NEXT_PYTHON": f"{major}.{int(minor) + 1}",
        "LIBC": platform.libc_ver()[1],
    }
    describe(root, values)
    package = out / f"softee_{version}_{architecture}.deb"
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, package)
    return package


def main() -> None:
    """Make the packages that are asked for, and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--python", choices=RELEASES, action="append", help="for which Python; else that of Debian 12")
    parser.add_argument("--out", type=Path, default=ROOT / "build/deb", help="where to")
    given = parser.parse_args()
    for python in given.python or ["3.11"]:
        print(make(python, given.out.absolute()))


if __name__ == "__main__":
    main()
