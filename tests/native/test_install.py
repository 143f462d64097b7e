# SPDX-License-Identifier: Apache-2.0
"""What `meson install` gives a system: libraries, headers, units, and what leads compilers and p11-kit to them."""

import subprocess
from pathlib import Path

import pytest

HEADERS = {"ck_debug.h", "pkcs11.h", "tee_client_api.h", "tee_client_api_extensions.h", "teec_trace.h"}
"""Those of OP-TEE's own packages."""


@pytest.fixture
def installed(native_release_build: Path, tmp_path: Path) -> Path:
    command = ["meson", "install", "-C", str(native_release_build), "--destdir", str(tmp_path), "--no-rebuild"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path


def only(root: Path, pattern: str) -> Path:
    (found,) = root.glob(pattern)
    return found


def library_folder(root: Path) -> Path:
    return only(root, "usr/local/lib/**/libteec.so.2").parent


def test_libraries_headers_and_a_manual_page_are_installed(installed: Path) -> None:
    assert {path.name for path in (installed / "usr/local/include").iterdir()} >= HEADERS
    for library in ("libteec.so.2", "libckteec.so.0", "pkcs11/libckteec.so.0"):
        assert (library_folder(installed) / library).resolve().is_file()
    assert only(installed, "usr/local/share/man/man1/softee.1").is_file()


def test_what_leads_to_them_names_the_places(installed: Path) -> None:
    place = f"/{library_folder(installed).relative_to(installed)}"
    assert f"module: {place}/pkcs11/libckteec.so.0" in (installed / "etc/pkcs11/modules/softee.module").read_text()
    for service in installed.glob("usr/local/lib/systemd/*/softee.service"):
        assert "ExecStart=/usr/local/bin/softee serve" in service.read_text()
    names = {path.name: path.read_text() for path in installed.glob("usr/local/lib/**/*.pc")}
    assert "-lteec" in names["teec.pc"]
    assert "-lckteec" in names["softee.pc"]
    assert "p11_module_path=${libdir}/pkcs11/libckteec.so.0" in names["softee.pc"]
