# SPDX-License-Identifier: Apache-2.0
"""pytest's side: the fixtures ``softee_token`` and ``softee_tokens``, the mark ``softee_keys``, the setting."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_softee.tokens import SLOTS, SofteeToken, Tokens
from softee.cli.ephemeral import throw_away_world
from softee.cli.library import module_path

PROFILE = "softee_profile"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting ``softee_profile``."""
    parser.addini(PROFILE, "The profile of softee's tokens: portable, optee or strict.", default="portable")


def pytest_configure(config: pytest.Config) -> None:
    """Add the mark ``softee_keys``."""
    config.addinivalue_line(
        "markers", "softee_keys(*kinds): keys that softee_token has, as softee key generate names them"
    )


@pytest.fixture(scope="session")
def softee_tokens(pytestconfig: pytest.Config) -> Iterator[Tokens]:
    """A secure world for the session, which gives out tokens."""
    options = ("--slots", str(SLOTS), "--profile", pytestconfig.getini(PROFILE), "--workers", "1")
    with throw_away_world(options=options) as world:
        yield Tokens(module_path(), Path(world["SOFTEE_SOCKET"]), world["SOFTEE_SO_PIN"])


@pytest.fixture
def softee_token(softee_tokens: Tokens, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SofteeToken:
    """A token of the test's own, with the keys of its mark ``softee_keys``; the environment leads to it."""
    kinds = tuple(str(kind) for mark in request.node.iter_markers("softee_keys") for kind in mark.args)
    token = softee_tokens.new().with_keys(kinds)
    for name, value in token.variables.items():
        monkeypatch.setenv(name, value)
    return token
