# SPDX-License-Identifier: Apache-2.0
"""The comparison with a board, as far as it needs none: its scripts, and what counts as a difference."""

from board.differential import attributes, derives, inits, making, operations, sessions
from board.differential.derives import PARAMETERS
from board.differential.mechanisms import ALONE, GOOD, LATER, SHARED, in_names
from board.differential.script import Script
from softee.names import CKM
from softee.names.mechanism_layouts import LAYOUTS
from softee.pkcs11_ta.token.profiles import OPTEE

CHAPTERS = (inits, operations, derives, sessions, attributes, making)


def numbers(*mechanisms: CKM) -> str:
    return "".join(int(one).to_bytes(8, "little").hex() for one in mechanisms)


def answered(line: str, board: str, softee: str, *, chance: bool = False) -> list[tuple[str, str]]:
    """Return the differences between two answers to a call."""
    script = Script()
    script.case("one")
    script.call("it", line, chance=chance)
    number = len(script.lines)
    found = script.differences(f"{number} {board}", f"{number} {softee}")
    return [(one.board, one.softee) for one in found]


def test_every_mechanism_of_the_profile_that_takes_a_parameter_is_tried_with_one_that_it_takes() -> None:
    taking = {one for (one, _), layout in LAYOUTS.items() if one in SHARED and not layout.optional}
    assert taking <= {*GOOD, *PARAMETERS}


def test_a_mechanism_that_the_profile_has_is_not_left_for_later() -> None:
    assert not LATER & OPTEE.mechanisms.keys()
    assert in_names(numbers(CKM.AES_ECB, *ALONE, CKM.AES_CBC)) == "CKM_AES_ECB CKM_AES_CBC"


def test_every_chapter_has_calls_and_no_two_of_them_are_called_the_same() -> None:
    script = Script()
    for chapter in CHAPTERS:
        before = len(script.calls)
        for part in chapter.ALL:
            part(script)
        assert len(script.calls) > before or (chapter is derives and not OPTEE.mechanisms.keys() & PARAMETERS.keys())
    labels = [call.label for call in script.calls.values()]
    assert len(set(labels)) == len(labels)


def test_what_each_token_has_of_its_own_is_no_difference() -> None:
    assert answered("C_CreateObject $s t: &ho", "0 ho=5", "0 ho=80000001") == []
    assert answered("C_CreateObject $s t: &ho", "0 ho=5", "0 ho=0") == [("CKR_OK ho=some", "CKR_OK ho=none")]
    assert answered("C_GetTokenInfo 0 o:208", f"0 o={'11' * 208}", f"0 o={'11' * 80}{'22' * 16}{'11' * 112}") == []


def test_of_an_output_by_chance_the_size_is_compared() -> None:
    assert answered("C_Sign $s x:00 1 o:64 &n", "0 o=1234 n=2", "0 o=56 n=2", chance=True) == []
    assert answered("C_Sign $s x:00 1 o:64 &n", "0 o=1234 n=2", "0 o= n=2", chance=True) != []
    assert answered("C_Sign $s x:00 1 o:64 &n", "0 o=1234 n=2", "0 o=1234 n=3", chance=True) != []
    assert answered("C_GetAttributeValue $s 1 t:", "0 11=2:1234", "0 11=2:5678", chance=True) == []


def test_of_the_list_of_mechanisms_those_are_compared_that_both_have() -> None:
    line = "C_GetMechanismList 0 o:800 &n"
    theirs, ours = numbers(CKM.AES_ECB), numbers(CKM.AES_CBC_PAD, CKM.AES_ECB)
    assert answered(line, f"0 o={theirs} n=1", f"0 o={ours} n=2") == []
    assert answered(line, f"0 o={theirs} n=1", f"0 o={numbers(CKM.AES_CBC)} n=1") != []
