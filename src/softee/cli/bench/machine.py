# SPDX-License-Identifier: Apache-2.0
"""The machine that was measured, since its figures hold for it alone."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

Machine = Mapping[str, str]


def describe_machine() -> Machine:
    """Return what it is, in the order in which people are told."""
    cpus, of_machine = len(os.sched_getaffinity(0)), os.cpu_count()
    return {
        "CPU": f"{_cpu_model()}, {cpus} of {of_machine} for us",
        "load": f"{os.getloadavg()[0]:.1f} at the start",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "cryptography": f"{version('cryptography')} with {backend.openssl_version_text()}",
        "softee": version("softee"),
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
