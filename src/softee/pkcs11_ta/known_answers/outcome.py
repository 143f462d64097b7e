# SPDX-License-Identifier: Apache-2.0
"""What becomes of known answers here."""

from collections.abc import Iterable

from softee.pkcs11_ta.known_answers.answers import KnownAnswer, WrongAnswerError
from softee.pkcs11_ta.known_answers.at_start import AT_START


def wrong(answer: KnownAnswer) -> str:
    """Check a known answer, and say what is wrong; "": nothing is. Raises nothing but what ends the process."""
    try:
        answer.check()
    except WrongAnswerError:
        return "another answer"
    except Exception as error:  # noqa: BLE001 - whatever a broken library raises
        return f"no answer: {type(error).__name__}: {error}"
    return ""


def names_of_wrong(answers: Iterable[KnownAnswer] = AT_START) -> list[str]:
    """Check known answers, those of the start unless others are given, and return the names of the wrong ones."""
    return [answer.name for answer in answers if wrong(answer)]
