# SPDX-License-Identifier: Apache-2.0
"""The library's life in its process: initialization, fork, threads, other modules."""

import ctypes
import os
import signal
import threading
from collections.abc import Callable

import pytest

from native.ckteec_suite.support import Answer, Library, Sent, mechanism, others, pointer, room, ulong
from softee.names import CKM, CKR, LoginMethod, TeeResult

CALLABLE_ANY_TIME = {"C_Initialize", "C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList"}
OS_LOCKING_OK = 2
MIB = 1 << 20


class InitializeArguments(ctypes.Structure):
    _fields_ = (("callbacks", ctypes.c_void_p * 4), ("flags", ctypes.c_ulong), ("reserved", ctypes.c_void_p))


class FunctionList(ctypes.Structure):
    _fields_ = (("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * 68))


class Place(ctypes.Structure):
    """Dl_info."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def function_list(library: Library) -> FunctionList:
    found = ctypes.POINTER(FunctionList)()
    assert library.call("C_GetFunctionList", pointer(found)) == CKR.OK
    return found.contents


def file_of(address: int) -> str:
    place = Place()
    assert ctypes.CDLL(None).dladdr(ctypes.c_void_p(address), ctypes.byref(place))
    return str((place.file or b"").decode())


def in_child(action: Callable[[], bool]) -> bool:
    """What the action says in a forked child, which ends without any of this process' clean-up."""
    child = os.fork()
    if child == 0:
        good = False
        try:
            good = action()
        finally:
            os._exit(0 if good else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_every_function_is_refused_before_initialization_whatever_its_arguments(loaded: Library) -> None:
    functions = function_list(loaded).functions
    loaded.sent.clear()
    prototype = ctypes.CFUNCTYPE(ctypes.c_ulong, *[ctypes.c_void_p] * 8)
    others = [
        address
        for address in functions
        if all(
            address != ctypes.cast(loaded.functions[name], ctypes.c_void_p).value
            for name in ("C_Initialize", "C_GetFunctionList")
        )
    ]
    assert len(others) == 66
    for address in others:
        assert prototype(address)(*[None] * 8) == CKR.CRYPTOKI_NOT_INITIALIZED
    assert loaded.sent == []


def test_initialize_and_finalize_open_and_close_one_session(loaded: Library) -> None:
    before = (loaded.state.contexts_opened, loaded.state.sessions_opened)
    assert loaded.call("C_Initialize", None) == CKR.OK
    assert loaded.call("C_Initialize", None) == CKR.CRYPTOKI_ALREADY_INITIALIZED
    assert loaded.call("C_Finalize", 1) == CKR.ARGUMENTS_BAD
    assert loaded.call("C_Finalize", None) == CKR.OK
    assert loaded.call("C_Finalize", None) == CKR.CRYPTOKI_NOT_INITIALIZED
    assert loaded.call("C_Finalize", 1) == CKR.CRYPTOKI_NOT_INITIALIZED
    assert (loaded.state.contexts_opened, loaded.state.sessions_opened) == (before[0] + 1, before[1] + 1)
    assert loaded.state.contexts_closed == loaded.state.contexts_opened
    assert loaded.state.sessions_closed == loaded.state.sessions_opened
    node = bytes(loaded.state.node)
    assert (loaded.state.time_low, loaded.state.time_mid, loaded.state.time_high) == (0xFD02C9DA, 0x306C, 0x48C7)
    assert node.hex() == "a49cbbd827ae86ee"


@pytest.mark.parametrize(
    ("callbacks", "flags", "reserved", "expected"),
    [
        (0, 0, 0, CKR.OK),
        (0, OS_LOCKING_OK, 0, CKR.OK),
        (0, OS_LOCKING_OK | 1, 0, CKR.OK),
        (4, OS_LOCKING_OK, 0, CKR.OK),
        (4, 0, 0, CKR.CANT_LOCK),
        (1, OS_LOCKING_OK, 0, CKR.ARGUMENTS_BAD),
        (3, OS_LOCKING_OK, 0, CKR.ARGUMENTS_BAD),
        (0, 0, 1, CKR.ARGUMENTS_BAD),
    ],
)
def test_arguments_of_initialize(loaded: Library, callbacks: int, flags: int, reserved: int, expected: CKR) -> None:
    given = InitializeArguments((ctypes.c_void_p * 4)(*[1] * callbacks), flags, reserved)
    assert loaded.call("C_Initialize", pointer(given)) == expected
    assert loaded.call("C_Finalize", None) == (CKR.OK if expected == CKR.OK else CKR.CRYPTOKI_NOT_INITIALIZED)


GROUPS = {"27": CKR.OK, None: CKR.ARGUMENTS_BAD, "": CKR.ARGUMENTS_BAD, "-1": CKR.ARGUMENTS_BAD}
GROUPS |= dict.fromkeys(
    ("27x", " 27", "+27", "0x1b", "staff", "4294967295", "4294967296", "99999999999999999999999"), CKR.ARGUMENTS_BAD
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | None], None]:
    def put(name: str, value: str | None) -> None:
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)

    return put


@pytest.mark.parametrize(
    ("kind", "method"), [(None, LoginMethod.PUBLIC), ("public", LoginMethod.PUBLIC), ("user", LoginMethod.USER)]
)
def test_the_environment_says_how_to_log_in(
    loaded: Library, environment: Callable[[str, str | None], None], kind: str | None, method: LoginMethod
) -> None:
    environment("CKTEEC_LOGIN_TYPE", kind)
    assert loaded.call("C_Initialize", None) == CKR.OK
    assert loaded.state.login_method == method
    assert loaded.call("C_Finalize", None) == CKR.OK


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_logs_in_by_its_number(
    loaded: Library, environment: Callable[[str, str | None], None], group: str | None
) -> None:
    environment("CKTEEC_LOGIN_TYPE", "group")
    environment("CKTEEC_LOGIN_GID", group)
    assert loaded.call("C_Initialize", None) == GROUPS[group]
    if GROUPS[group] == CKR.OK:
        assert (loaded.state.login_method, loaded.state.login_group) == (LoginMethod.GROUP, 27)
        assert loaded.call("C_Finalize", None) == CKR.OK


def test_an_unknown_way_to_log_in_is_refused(loaded: Library, environment: Callable[[str, str | None], None]) -> None:
    environment("CKTEEC_LOGIN_TYPE", "application")
    assert loaded.call("C_Initialize", None) == CKR.ARGUMENTS_BAD


@pytest.mark.parametrize("what", ["initialize_result", "open_result"])
def test_a_secure_world_that_is_not_there_is_a_device_error(loaded: Library, what: str) -> None:
    setattr(loaded.state, what, TeeResult.COMMUNICATION)
    try:
        assert loaded.call("C_Initialize", None) == CKR.DEVICE_ERROR
    finally:
        setattr(loaded.state, what, TeeResult.SUCCESS)
    assert loaded.state.contexts_closed == loaded.state.contexts_opened


def test_an_application_of_a_later_version_is_a_device_error(loaded: Library) -> None:
    for version, expected in ((0, CKR.OK), (2, CKR.DEVICE_ERROR), (1, CKR.OK)):
        loaded.state.version_major = version
        assert loaded.call("C_Initialize", None) == expected
        loaded.call("C_Finalize", None)
    assert loaded.state.sessions_closed == loaded.state.sessions_opened


def test_a_child_starts_anew_and_the_parent_goes_on(library: Library) -> None:
    def child() -> bool:
        closed = library.state.sessions_closed
        library.sent.clear()
        refused = [library.call("C_Logout", 1), library.call("C_Finalize", None), library.call("C_Logout", 1)]
        quiet = library.sent == [] and library.state.sessions_closed == closed
        again = [library.call("C_Initialize", None), library.call("C_Logout", 1), library.call("C_Finalize", None)]
        return refused == [CKR.CRYPTOKI_NOT_INITIALIZED] * 3 and quiet and again == [CKR.OK] * 3

    assert in_child(child)
    assert in_child(lambda: in_child(child) and child())
    assert library.call("C_Logout", 1) == CKR.OK


def test_a_fork_while_other_threads_are_in_calls_leaves_no_lock_behind(library: Library) -> None:
    inside, over = threading.Event(), threading.Event()

    def slow(_: Sent) -> Answer:
        inside.set()
        over.wait(60)
        return Answer()

    library.answers = slow
    caller = threading.Thread(target=library.call, args=("C_Logout", 1))
    caller.start()
    finalizer = threading.Thread(target=library.call, args=("C_Finalize", None))
    assert inside.wait(60)
    finalizer.start()

    def child() -> bool:
        library.answers = lambda _: Answer()
        first = library.call("C_Logout", 1)
        return first == CKR.CRYPTOKI_NOT_INITIALIZED and library.call("C_Initialize", None) == CKR.OK

    good = in_child(child)
    over.set()
    caller.join()
    finalizer.join()
    assert good


def test_threads_call_at_the_same_time_and_finalize_waits_for_them(library: Library) -> None:
    inside, together = threading.Semaphore(0), threading.Barrier(5, timeout=60)
    answers: list[int] = []

    def meet(_: Sent) -> Answer:
        inside.release()
        together.wait()
        return Answer()

    library.answers = meet
    callers = [
        threading.Thread(target=lambda: answers.append(library.call("C_GenerateRandom", 1, b"", 0))) for _ in range(4)
    ]
    for caller in callers:
        caller.start()
    for _ in callers:
        assert inside.acquire(timeout=60)
    closed = library.state.sessions_closed
    finalizer = threading.Thread(target=lambda: answers.append(library.call("C_Finalize", None)))
    finalizer.start()
    assert library.state.sessions_closed == closed
    together.wait()
    for thread in (*callers, finalizer):
        thread.join()
    assert answers == [CKR.OK] * 5
    assert library.state.sessions_closed == closed + 1
    assert library.call("C_Logout", 1) == CKR.CRYPTOKI_NOT_INITIALIZED


def test_initialize_does_not_wait_for_running_calls_only_to_refuse(library: Library) -> None:
    inside, over = threading.Event(), threading.Event()

    def slow(_: Sent) -> Answer:
        inside.set()
        over.wait(60)
        return Answer()

    library.answers = slow
    caller = threading.Thread(target=library.call, args=("C_Logout", 1))
    caller.start()
    assert inside.wait(60)
    assert library.call("C_Initialize", None) == CKR.CRYPTOKI_ALREADY_INITIALIZED
    assert caller.is_alive()
    over.set()
    caller.join()


def test_a_complaint_that_nobody_reads_does_not_kill(
    loaded: Library, environment: Callable[[str, str | None], None]
) -> None:
    def child() -> bool:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 2)
        return loaded.call("C_Initialize", None) == CKR.ARGUMENTS_BAD

    environment("CKTEEC_LOGIN_TYPE", "application")
    environment("SOFTEE_VERBOSE", "1")
    assert in_child(child)


def test_another_module_with_global_symbols_answers_none_of_our_calls(loaded: Library) -> None:
    everybody_s = ctypes.cast(ctypes.CDLL(None).C_Sign, ctypes.c_void_p).value
    assert file_of(everybody_s or 0) == others()[0]
    addresses = list(function_list(loaded).functions)
    assert len(set(addresses)) == 68
    assert {file_of(address) for address in addresses} == {str(loaded.path)}


@pytest.mark.parametrize("flags", [0, 1])
def test_whoever_waits_for_a_slot_event_with_bad_arguments_is_refused(loaded: Library, flags: int) -> None:
    slot = pointer(ulong())
    assert loaded.call("C_WaitForSlotEvent", flags, slot, None) == CKR.CRYPTOKI_NOT_INITIALIZED
    assert loaded.call("C_Initialize", None) == CKR.OK
    assert loaded.call("C_WaitForSlotEvent", flags, None, None) == CKR.ARGUMENTS_BAD
    assert loaded.call("C_WaitForSlotEvent", flags, slot, slot) == CKR.ARGUMENTS_BAD
    assert loaded.call("C_Finalize", None) == CKR.OK


def test_there_is_no_slot_event_to_be_had_without_waiting(library: Library) -> None:
    assert library.call("C_WaitForSlotEvent", 1, pointer(ulong()), None) == CKR.NO_EVENT
    assert library.sent == []


LACKING = {
    "C_GetOperationState": (1, None, pointer(ulong())),
    "C_SetOperationState": (1, b"state", 5, 0, 0),
    "C_SignRecoverInit": (1, mechanism(CKM.RSA_PKCS), 2),
    "C_SignRecover": (1, b"data", 4, None, pointer(ulong())),
    "C_VerifyRecoverInit": (1, mechanism(CKM.RSA_PKCS), 2),
    "C_VerifyRecover": (1, b"data", 4, None, pointer(ulong())),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_op_tee_s_application_does_not_have_is_not_supported_and_asked_for_once(
    library: Library, name: str
) -> None:
    library.answer(Answer(result=TeeResult.NOT_SUPPORTED))
    for _ in range(3):
        assert library.call(name, *LACKING[name]) == CKR.FUNCTION_NOT_SUPPORTED
    assert [sent.command >= 0x1000 for sent in library.sent] == [True]


def test_no_function_runs_beside_its_caller(library: Library) -> None:
    assert library.call("C_GetFunctionStatus", 1) == CKR.FUNCTION_NOT_PARALLEL
    assert library.call("C_CancelFunction", 1) == CKR.FUNCTION_NOT_PARALLEL
    assert library.sent == []


def test_random_numbers_are_as_many_as_asked_for(library: Library) -> None:
    library.answer(Answer(output=b"r" * 8))
    assert library.call("C_GenerateRandom", 1, room(8), 8) == CKR.OK
    assert library.call("C_GenerateRandom", 1, room(9), 9) == CKR.DEVICE_ERROR


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 65 * MIB])
def test_random_numbers_in_any_number_are_asked_for_in_parts(library: Library, size: int) -> None:
    library.answers = lambda sent: Answer(output=bytes([len(library.sent)]) * (sent.capacity or 0))
    library.sent.clear()
    buffer = room(size + 1)
    assert library.call("C_GenerateRandom", 1, buffer, size) == CKR.OK
    expected = b"".join(bytes([part + 1]) * min(MIB, size - part * MIB) for part in range(-(-size // MIB)))
    assert buffer.raw == expected + b"\0"
    assert len(library.sent) == max(1, -(-size // MIB))


def test_random_numbers_end_at_the_first_failure(library: Library) -> None:
    library.answer(Answer(output=bytes(MIB)), Answer(CKR.DEVICE_MEMORY, size=0))
    assert library.call("C_GenerateRandom", 1, room(3 * MIB), 3 * MIB) == CKR.DEVICE_MEMORY
    assert len(library.sent) == 2
