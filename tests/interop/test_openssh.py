# SPDX-License-Identifier: Apache-2.0
"""OpenSSH, which looks for the name of C_GetFunctionList in a module's file before it loads it."""

from pathlib import Path

import pytest

from interop.tools import Programs


@pytest.mark.parametrize("name", ["libckteec.so.0", "libckteec.so"])
def test_ssh_keygen_lists_the_keys_of_the_module(token: Programs, module: Path, name: str) -> None:
    label = f"ssh-{name}"
    token.generate("EC:prime256v1", label, "--usage-sign")
    listed = token.run("ssh-keygen", "-D", str(module.with_name(name)))
    assert [line.split()[0] for line in listed.splitlines() if line.endswith(label)] == ["ecdsa-sha2-nistp256"]


def test_the_module_that_is_told_is_the_library_itself(module: Path) -> None:
    assert module.name == "libckteec.so.0"
