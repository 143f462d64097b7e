# SPDX-License-Identifier: Apache-2.0
"""The wheel of `make wheel`: for every Python, and for every glibc from 2.28 on."""

import subprocess
import sys
import zipfile

from interop.clients.fetched import ROOT


def test_the_wheel_is_for_every_python_and_auditwheel_agrees() -> None:
    command = [sys.executable, str(ROOT / "tools/make_wheel.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (ROOT / "build/wheel").glob("softee-*.whl")
    assert "-py3-none-manylinux_2_28_" in wheel.name
    assert f'"{wheel.stem.rpartition("-")[2]}"' in done.stdout.split("platform tag:")[1], "what auditwheel has found"
    names = zipfile.ZipFile(wheel).namelist()
    assert {"softee/lib/libckteec.so.0", "softee/lib/libteec.so.2", "softee/system/systemd/softee.service.in"} <= {
        *names
    }
    assert not [name for name in names if "__pycache__" in name]
