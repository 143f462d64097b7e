# SPDX-License-Identifier: Apache-2.0
"""The service manager hears what it asked for, and nobody else does."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from softee.daemon.service_manager import ServiceManager
from support.secure_world import short_directory


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with short_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(directory / "notify"))
        manager.settimeout(0)
        yield manager


def heard_by(manager: socket.socket) -> list[str]:
    """Return what has been said so far."""
    said = []
    while True:
        try:
            said.append(manager.recv(1000).decode())
        except BlockingIOError:
            return said


def test_it_hears_of_life_of_settings_and_of_the_end(manager: socket.socket) -> None:
    told = ServiceManager({"NOTIFY_SOCKET": manager.getsockname()})
    told.say_alive()
    told.say_reloading()
    told.say_ready()
    told.say_stopping()
    alive, reloading, *rest = heard_by(manager)
    assert alive == "WATCHDOG=1"
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert rest == ["READY=1", "STOPPING=1"]


@pytest.mark.parametrize(
    ("variables", "watchdog"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
        ({"WATCHDOG_USEC": "٣"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_sign_of_life_is_due_where_it_is_wanted_of_this_process(variables: dict[str, str], watchdog: float) -> None:
    environment = {**variables, "NOTIFY_SOCKET": "/here", "OTHER": "x"}
    assert ServiceManager(environment).watchdog == watchdog
    assert environment == {"NOTIFY_SOCKET": "/here", "OTHER": "x"}, "what is started later must not look for it"


def test_alarms_come_twice_as_often_as_it_looks() -> None:
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    faulthandler = signal.getitimer(signal.ITIMER_REAL)
    try:
        ServiceManager({"WATCHDOG_USEC": "7200000000"}).start_alarms()
        assert signal.getitimer(signal.ITIMER_REAL)[1] == 3600
        ServiceManager({}).start_alarms()
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *faulthandler)
        signal.signal(signal.SIGALRM, before)
