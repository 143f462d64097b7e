# SPDX-License-Identifier: Apache-2.0
"""OP-TEE's own tests of PKCS#11, and what they say."""

import re

CASES = tuple(f"pkcs11_{number}" for number in range(1000, 1031))
"""Those of Debian 13's xtest (4.5)."""


def passed(output: str) -> set[str]:
    """Return the cases that passed, by the list at the end of what xtest prints."""
    return set(re.findall(r"^(pkcs11_\d+) OK$", output, re.MULTILINE))


def failed(output: str) -> set[str]:
    """Return the cases that failed."""
    return set(re.findall(r"^(pkcs11_\d+) FAILED", output, re.MULTILINE))
