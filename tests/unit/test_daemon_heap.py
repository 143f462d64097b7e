# SPDX-License-Identifier: Apache-2.0
"""What PINs take for a moment comes back to the system."""

import ctypes
import subprocess
import sys

import pytest

from softee.daemon import heap

_LOGINS = """
import re, threading
from pathlib import Path
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from softee.daemon import heap

def resident() -> int:
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def pin() -> None:
    together.wait()
    for _ in range(2):
        Argon2id(salt=bytes(16), length=32, iterations=1, lanes=1, memory_cost=19456).derive(b"1234")
    together.wait()

assert heap.keep_little()
pin_threads, together = 16, threading.Barrier(16)
before = resident()
threads = [threading.Thread(target=pin) for _ in range(pin_threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(resident() - before)
"""


def test_sixteen_threads_that_have_checked_a_pin_keep_less_than_one_check_took() -> None:
    done = subprocess.run([sys.executable, "-c", _LOGINS], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 19456


def test_a_c_library_without_the_settings_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not heap.keep_little()


_BUFFERS = """
import resource
from softee.daemon import heap

def faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def request() -> None:
    b"".join([bytearray(1 << 20), bytes(1 << 20)])

assert heap.keep_little()
request()
before = faults()
for _ in range(20):
    request()
print(faults() - before)
"""


def test_the_buffers_of_requests_of_a_megabyte_are_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", _BUFFERS], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 20 * 256, "pages, of which each request has a thousand"
