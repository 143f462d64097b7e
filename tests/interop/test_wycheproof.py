# SPDX-License-Identifier: Apache-2.0
"""Wycheproof's files through the shared object: what is valid is done, what is invalid is refused."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.tools import own_session
from interop.wycheproof import FILES, Test
from interop.wycheproof_keys import Group
from support.cryptoki import CryptokiError, Session
from vectors.reading import wycheproof

NOT_TAKEN = {
    "hmac_sha256": ("C_VerifyInit: CKR_KEY_SIZE_RANGE", 6),
    "aes_xts": ("C_CreateObject: CKR_ATTRIBUTE_VALUE_INVALID", 41),
}
"""Valid tests that the token does not take: HMAC keys shorter than OP-TEE's mechanism lists, and AES-XTS with 192 bits,
which the standard does not have (docs/deviations.md)."""


@pytest.fixture(scope="module")
def session(module: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with own_session(module, tmp_path_factory.mktemp("wycheproof")) as opened:
        yield opened


def outcome(session: Session, name: str, group: Group, test: Test) -> str:
    """Put a test to the token, and say what became of it. Raises AssertionError where the token answers wrongly."""
    try:
        FILES[name](session, group, test)
    except CryptokiError as error:
        return str(error)
    return "done"


@pytest.mark.parametrize("name", FILES)
def test_what_is_valid_is_done_and_what_is_invalid_is_refused(session: Session, name: str) -> None:
    not_taken, count = NOT_TAKEN.get(name, ("", 0))
    counts: Counter[tuple[str, str]] = Counter()
    for group, test in wycheproof(name):
        found = outcome(session, name, group, test)
        said = f"{test['result']} test {test['tcId']} ({test.get('comment', '')}, {test['flags']}): {found}"
        assert test["result"] != "invalid" or found != "done", said
        assert test["result"] != "valid" or found in {"done", not_taken}, said
        counts[test["result"], found] += 1
    assert counts["valid", "done"]
    assert counts["valid", not_taken] == count
