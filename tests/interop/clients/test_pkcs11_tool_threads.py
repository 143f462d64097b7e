# SPDX-License-Identifier: Apache-2.0
"""Several threads of pkcs11-tool in the library at once. It waits half a minute where one is slower than itself."""

import re

import pytest

from interop.tools import Programs

STEPS = "ILGISLT0"
"""C_Initialize with locking, C_GetInfo, C_GetSlotList, C_GetTokenInfo of the first slot."""


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_pkcs11_tools_own_test_of_threads_passes(token: Programs, threads: int) -> None:
    """They initialize the library beside each other and the program itself, and use it."""
    asked = [part for _ in range(threads) for part in ("--test-threads", STEPS)]
    answer = token.p11("--use-locking", *asked, "--list-token-slots")
    assert "token label        : mytoken" in answer
    ended = answer.split("all threads have ended")[1]
    results = dict(re.findall(r"test_threads thread:(\d+) state:-1, rv:(\w+)", ended))
    assert results == {str(number): "CKR_OK" for number in range(threads)}
