# SPDX-License-Identifier: Apache-2.0
"""A refusal is a return value for the application, and a line in the log that says what was wrong."""

import re

import pytest

from interop.tools import PIN, SO_PIN, Programs
from support.secure_world import RunningDaemon

IN = ("--login", "--pin", PIN)
UNKNOWN_CURVE = "EC:secp192k1"

REFUSALS = [
    (("--login", "--pin", "54321", "-O"), "CKR_PIN_INCORRECT", "C_Login: CKR_PIN_INCORRECT: wrong PIN .* 6 tries left"),
    ((*IN, "--keygen", "--key-type", "AES:20"), "CKR_KEY_SIZE_RANGE", "C_GenerateKey: CKR_KEY_SIZE_RANGE: .*20"),
    (
        (*IN, "--keypairgen", "--key-type", UNKNOWN_CURVE),
        "(0x140)",  # which not every pkcs11-tool has a name for
        "C_GenerateKeyPair: CKR_CURVE_NOT_SUPPORTED: CKA_EC_PARAMS",
    ),
    ((*IN, "--keypairgen", "--key-type", "rsa:512"), "CKR_KEY_SIZE_RANGE", "CKR_KEY_SIZE_RANGE: .*512"),
    (("--keypairgen", "--key-type", "rsa:2048"), "CKR_USER_NOT_LOGGED_IN", "C_GenerateKeyPair: CKR_USER_NOT_LOGGED_IN"),
    (
        ("--login", "--so-pin", SO_PIN, "--init-pin", "--pin", "123"),
        "CKR_PIN_LEN_RANGE",
        "C_InitPIN: CKR_PIN_LEN_RANGE: .*4",
    ),
]


@pytest.mark.parametrize(("command", "answer", "line"), REFUSALS, ids=[line for *_, line in REFUSALS])
def test_a_refusal_is_explained_in_the_log(
    programs: Programs, daemon: RunningDaemon, command: tuple[str, ...], answer: str, line: str
) -> None:
    programs.init_token()
    assert answer in programs.p11(*command, fails=True)
    assert re.search(rf"^\S+ \w+ softee\.pkcs11: pid \d+ uid \d+: .*{line}", daemon.log(), re.MULTILINE)
    said = re.sub(r"^\S+ \S+|pid \d+", "", daemon.log(), flags=re.MULTILINE)
    assert not any(secret in said for secret in (PIN, SO_PIN, "54321"))
