# SPDX-License-Identifier: Apache-2.0
"""What atheris has found to reach something of its own, and what has broken a target once, holds without it."""

from pathlib import Path

import pytest

from fuzz.targets.table import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_every_input_of_the_corpus_holds(target: str) -> None:
    inputs = sorted((CORPUS / target).iterdir())
    assert inputs
    for path in inputs:
        TARGETS[target](path.read_bytes())


def test_every_corpus_is_a_target_s() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
