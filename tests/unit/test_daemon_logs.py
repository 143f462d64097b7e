# SPDX-License-Identifier: Apache-2.0
"""Where the log goes, and that nobody waits for whoever reads it."""

import fcntl
import logging
import os
import pty
import re
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from softee.daemon.log_limit import A_SECOND, AT_ONCE, LogLimit
from softee.daemon.log_stream import LogStream
from softee.daemon.logs import OneLineFormatter, goes_to_journal

LINE = "x" * 1000 + "\n"


def record(level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("softee", level, "", 1, "said", (), None)


def test_the_time_has_its_zone() -> None:
    line = OneLineFormatter().format(record())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} INFO softee: said", line)


@pytest.mark.parametrize(
    ("level", "priority"), [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.CRITICAL, 3)]
)
def test_the_journal_gets_priorities_and_no_second_time(level: int, priority: int) -> None:
    assert OneLineFormatter(for_journal=True).format(record(level)) == f"<{priority}>softee: said"


def test_each_line_of_a_traceback_has_its_priority() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        divmod(1, 0)
    what = (caught.type, caught.value, caught.tb)
    failed = logging.LogRecord("softee", logging.ERROR, "", 1, "said", (), what)
    lines = OneLineFormatter(for_journal=True).format(failed).splitlines()
    assert lines[0] == "<3>softee: said"
    assert all(line.startswith("<3>    | ") for line in lines[1:])
    assert len(lines) > 1


def test_the_journal_is_known_by_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        status = os.fstat(log.fileno())
        assert goes_to_journal({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, log.fileno())
        assert not goes_to_journal({"JOURNAL_STREAM": "8:1"}, log.fileno())
        assert not goes_to_journal({}, log.fileno())


Ends = tuple[int, Callable[[int], bytes]]


def pipe() -> Ends:
    reader, writer = os.pipe()
    return writer, lambda count: os.read(reader, count)


def local_socket() -> Ends:
    ours, theirs = socket.socketpair()
    reader = theirs.detach()
    return ours.detach(), lambda count: os.read(reader, count)


def terminal() -> Ends:
    controller, terminal = pty.openpty()
    return terminal, lambda count: os.read(controller, count)


@pytest.mark.parametrize("ends", [pipe, local_socket, terminal])
def test_attack_a_log_that_nobody_reads_holds_up_nobody_and_tells_what_is_missing(ends: Callable[[], Ends]) -> None:
    descriptor, read = ends()
    stream = LogStream(descriptor)
    for _ in range(2000):  # more than any of them takes
        stream.write(LINE)
        stream.flush()
    notice = re.compile(rb"\n\d+ lines of the log were left out: whoever reads it was too slow\r?\n")
    text = b""
    while not notice.search(text):  # which may come in two parts
        text += read(1 << 20)
        stream.write("at last\n")
    stream.close()
    os.close(descriptor)


def test_others_who_have_the_descriptor_still_wait() -> None:
    descriptor, _ = pipe()
    with closing(LogStream(descriptor)) as stream:
        stream.write(LINE)
        assert os.get_blocking(descriptor)
    os.close(descriptor)


def test_a_log_file_is_written_where_the_descriptor_stands(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as log:
        log.write(b"before\n")
        with closing(LogStream(log.fileno())) as stream:
            stream.write("one\n")
            log.write(b"between\n")
            stream.write("two\n")
    assert (tmp_path / "log").read_text() == "before\none\nbetween\ntwo\n"


def test_a_pipe_that_cannot_be_opened_anew_is_written_to_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("softee.daemon.log_stream.os.open", refuse)
    descriptor, read = pipe()
    with closing(LogStream(descriptor)) as stream:
        stream.write("one\n")
    assert read(100) == b"one\n"
    os.close(descriptor)


def test_a_daemon_whose_log_nobody_reads_serves_and_stops(tmp_path: Path) -> None:
    """Its stderr is a full pipe from the beginning."""
    reader, writer = os.pipe()
    capacity = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    os.write(writer, bytes(capacity))
    ready, say_ready = os.pipe()
    places = [f"--state={tmp_path / 'state'}", f"--root-key={tmp_path / 'root.key'}", f"--socket={tmp_path / 's'}"]
    # What measures coverage complains on stderr where it may not write, and that waits.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    daemon = subprocess.Popen(
        [sys.executable, "-P", "-m", "softee", "serve", *places, "--ready-fd", str(say_ready)],
        stderr=writer,
        pass_fds=[say_ready],
        env=environment,
    )
    assert select.select([ready], [], [], 20)[0]
    daemon.terminate()
    assert daemon.wait(20) == 0
    for descriptor in (reader, writer, ready, say_ready):
        os.close(descriptor)


def about(uid: int | None, number: int) -> logging.LogRecord:
    made = logging.LogRecord("softee", logging.INFO, "", 1, "line %d", (number,), None)
    if uid is not None:
        made.uid = uid
    return made


def test_attack_a_uid_fills_its_share_of_the_log_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("softee.daemon.log_limit.time.monotonic", lambda: now[0])
    limit = LogLimit()
    passed = [limit.filter(about(1001, number)) for number in range(1000)]
    assert sum(passed) == AT_ONCE
    assert limit.filter(about(1002, 0)), "another uid has its own"
    assert all(limit.filter(about(None, number)) for number in range(1000)), "nobody's is not bounded"
    now[0] = 1.0
    later = [about(1001, number) for number in range(100)]
    passed = [limit.filter(one) for one in later]
    assert sum(passed) == A_SECOND
    assert later[0].getMessage() == f"line 0 ({1000 - AT_ONCE} lines about uid 1001 were left out before)"
    assert later[1].getMessage() == "line 1"


def test_very_many_uids_take_no_memory() -> None:
    limit = LogLimit()
    assert all(limit.filter(about(uid, 0)) for uid in range(5000))
    assert len(limit._shares._shares) <= 1024
