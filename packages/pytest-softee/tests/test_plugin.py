# SPDX-License-Identifier: Apache-2.0
"""pytest-softee as people's tests use it: the README's tests, and what one test must not see of another."""

import os
import re
from pathlib import Path

import pytest

from pytest_softee.tokens import SLOTS

pytest_plugins = ["pytester"]

PACKAGE = Path(__file__).parents[1]
README_TESTS = re.findall(r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Pytest in a process of its own, with the plugin as if it was installed."""
    found = (str(PACKAGE / "src"), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, found)))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p pytest_softee.plugin -p no:randomly -p no:cacheprovider --strict-markers")
    return pytester


def test_the_readme_s_tests_pass(run: pytest.Pytester) -> None:
    for number, text in enumerate(README_TESTS):
        run.makepyfile(**{f"test_readme_{number}": text})
    run.runpytest_subprocess().assert_outcomes(passed=len(README_TESTS))


def test_a_test_finds_nothing_of_the_one_before_and_has_its_own_keys(run: pytest.Pytester) -> None:
    run.makepyfile(f"""
        import subprocess

        import pytest

        KEYS = pytest.mark.softee_keys("ec:prime256v1", "ec:prime256v1", "aes:128")
        LAST = {SLOTS}  # whose token stands where the first one stood
        PINS = set()

        @pytest.mark.parametrize("turn", [pytest.param(0, marks=KEYS), *range(1, LAST), pytest.param(LAST, marks=KEYS)])
        def test_turn(softee_token, turn):
            assert softee_token.pin not in repr(softee_token)
            assert softee_token.pin not in PINS
            PINS.add(softee_token.pin)
            if turn not in (0, LAST):
                return
            assert softee_token.keys == ("ec-prime256v1", "ec-prime256v1-2", "aes-128")
            command = ["softee", "key", "list", "--token", softee_token.label]
            listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert listed.count("private key") == 2 and "03" in listed and "another" not in listed
            assert softee_token.generate("aes:256", label="another") == "another"
    """)
    run.runpytest_subprocess().assert_outcomes(passed=SLOTS + 1)


def test_sessions_that_are_left_open_keep_their_slot_and_then_it_is_said(run: pytest.Pytester) -> None:
    run.makepyfile(f"""
        import pkcs11
        import pytest

        LEFT = []

        @pytest.mark.parametrize("turn", range({SLOTS + 1}))
        def test_leaves_a_session(softee_token, turn):
            LEFT.append(pkcs11.lib(str(softee_token.module)).get_token(token_label=softee_token.label).open())
    """)
    done = run.runpytest_subprocess()
    done.assert_outcomes(passed=SLOTS, errors=1)
    done.stdout.fnmatch_lines([f"*tests have left sessions open on {SLOTS} tokens*"])


def test_a_wrong_kind_of_key_fails_the_test_with_a_sentence(run: pytest.Pytester) -> None:
    run.makepyfile("""
        import pytest

        @pytest.mark.softee_keys("rsa:17")
        def test_never_runs(softee_token):
            pass
    """)
    done = run.runpytest_subprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*no key rsa:17*"])


def test_the_profile_is_a_setting(run: pytest.Pytester) -> None:
    run.makeini("[pytest]\nsoftee_profile = optee\n")
    run.makepyfile("""
        import json
        import subprocess

        def test_profile(softee_token):
            status = subprocess.run(["softee", "status", "--json"], capture_output=True, text=True, check=True).stdout
            assert '"optee"' in status and "portable" not in status
    """)
    run.runpytest_subprocess().assert_outcomes(passed=1)
