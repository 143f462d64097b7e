# SPDX-License-Identifier: Apache-2.0
"""Many threads, each with its session or all with one, while others change what they use."""

import threading
from collections.abc import Callable

import pytest

from native.round_trips.calls_in_one_round_trip import AES, DATA, ready
from native.round_trips.worlds import Client, World
from softee.names import CKA, CKM, CKR

TIMES = 100


def together(*acts: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def mac(client: Client, session: int, key: int) -> tuple[object, object]:
    began = client.init("C_Sign", session, CKM.AES_CMAC, b"", key)[0]
    rv, _, output = client.give("C_Sign", session, DATA, 16)
    return began, output if rv == CKR.OK else rv


def test_each_thread_signs_whatever_others_make_and_destroy(shown: World) -> None:
    client, other = shown.clients
    session, key = ready(client, token=True)
    expected = mac(client, session, key)[1]
    theirs = other.open()
    assert other.login(theirs) == CKR.OK

    def sign() -> None:
        mine = client.open()
        for _ in range(TIMES):
            assert mac(client, mine, key) == (CKR.OK, expected)

    def disturb(who: Client, where: int, *, token: bool) -> None:
        for _ in range(TIMES // 4):
            rv, made = who.create(where, [*AES, (CKA.TOKEN, token), (CKA.PRIVATE, False)])
            assert rv == CKR.OK
            assert isinstance(made, int)
            assert who.call("C_DestroyObject", where, made) == CKR.OK

    together(
        *(sign for _ in range(4)),
        lambda: disturb(client, session, token=False),
        lambda: disturb(other, theirs, token=True),
    )


def test_threads_that_share_a_session_get_right_answers_or_refusals(shown: World) -> None:
    client = shown.clients[0]
    session, key = ready(client)
    expected = mac(client, session, key)[1]

    def sign() -> None:
        for _ in range(TIMES):
            began, ended = mac(client, session, key)
            assert began in {CKR.OK, CKR.OPERATION_ACTIVE}
            assert ended in {expected, CKR.OPERATION_NOT_INITIALIZED}

    together(*(sign for _ in range(4)))
    client.give("C_Sign", session, DATA, 16)
    assert mac(client, session, key) == (CKR.OK, expected)


def test_a_logout_in_another_thread_ends_what_was_begun(shown: World) -> None:
    client = shown.clients[0]
    session = client.open()
    assert client.login(session) == CKR.OK
    rv, key = client.create(session, [*AES, (CKA.TOKEN, True), (CKA.PRIVATE, True)])
    assert rv == CKR.OK
    assert isinstance(key, int)
    expected = mac(client, session, key)[1]
    out = threading.Event()

    def sign() -> None:
        mine = client.open()
        while not out.is_set():
            began, ended = mac(client, mine, key)
            assert (began, ended) in {
                (CKR.OK, expected),
                (CKR.OK, CKR.OPERATION_NOT_INITIALIZED),
                (CKR.KEY_HANDLE_INVALID, CKR.OPERATION_NOT_INITIALIZED),
            }
        assert mac(client, mine, key)[0] == CKR.KEY_HANDLE_INVALID

    def log_out() -> None:
        assert client.call("C_Logout", session) == CKR.OK
        out.set()

    together(sign, sign, sign, log_out)


@pytest.mark.parametrize("by", [0, 1])
def test_whoever_reads_finds_no_label_older_than_one_that_was_set(shown: World, by: int) -> None:
    """By the same process or by another, while two more threads read in the same session and in others."""
    client, changing = shown.clients[0], shown.clients[by]
    session, key = ready(client, token=True)
    theirs = changing.open()
    changing.login(theirs)
    latest = 1
    assert changing.change(theirs, key, [(CKA.LABEL, b"1")]) == (CKR.OK,)

    def change() -> None:
        nonlocal latest
        for number in range(2, TIMES):
            assert changing.change(theirs, key, [(CKA.LABEL, str(number).encode())]) == (CKR.OK,)
            latest = number

    def read(where: int) -> None:
        while latest < TIMES - 1:
            least = latest
            rv, ((size, label), _) = client.read(where, key, CKA.LABEL, CKA.CLASS, room=8)
            assert rv == CKR.OK
            assert least <= int(label[:size]) <= latest + 1

    together(change, lambda: read(session), lambda: read(session), lambda: read(client.open()))
