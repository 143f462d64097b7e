# SPDX-License-Identifier: Apache-2.0
r"""The log: to stderr, one line a record, which no client can forge or break.

Whatever is logged may hold text from outside: a label, a path, an exception's words. Every character that does not
print is escaped, so a newline or a terminal's control sequence in it stays a visible ``\n`` or ``\x1b``. Only a
traceback has more lines, each of which begins with ``    | ``, so that none can be taken for a record.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Final

from softee.daemon.log_limit import LogLimit
from softee.daemon.log_stream import LogStream

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_FORMAT = "{asctime} {levelname} {name}: {message}"
_FORMAT_FOR_JOURNAL = "{name}: {message}"
_CONTINUATION = "    | "
_PRIORITIES: Final = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""What syslog(3) calls the levels; what is below is 7."""


class OneLineFormatter(logging.Formatter):
    """Formats a record so that nothing in it can pass for another record.

    For systemd's journal, which has the time and the level beside the text, each line begins with its priority as
    sd-daemon(3) says; else with the time, to the millisecond and with its zone.
    """

    def __init__(self, *, for_journal: bool = False) -> None:
        super().__init__(_FORMAT_FOR_JOURNAL if for_journal else _FORMAT, style="{")
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line, and a traceback's after it."""
        record.message = escape(record.getMessage())
        record.asctime = self.formatTime(record)
        lines = [self.formatMessage(record)]
        if record.exc_info:
            lines += [_CONTINUATION + escape(part) for part in self.formatException(record.exc_info).split("\n")]
        prefix = f"<{_priority(record.levelno)}>" if self._for_journal else ""
        return "\n".join(prefix + line for line in lines)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's
        """Return the time as ISO 8601 has it."""
        moment = time.localtime(record.created)
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(record.msecs):03}{time.strftime('%z', moment)}"


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), 7)


def escape(text: str) -> str:
    """Return ``text`` with every character that does not print as a backslash escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def start_log(level: str) -> LogStream:
    """Send the log of the whole process to stderr, from ``level`` (a key of LEVELS) upwards; return its stream."""
    descriptor = sys.stderr.fileno()
    stream = LogStream(descriptor)
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogLimit())
    handler.setFormatter(OneLineFormatter(for_journal=goes_to_journal(os.environ, descriptor)))
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    threading.excepthook = log_thread_bug
    return stream


def goes_to_journal(environment: Mapping[str, str], descriptor: int) -> bool:
    """Say whether a descriptor is the stream that systemd has connected to its journal (systemd.exec(5))."""
    status = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def log_thread_bug(bug: threading.ExceptHookArgs) -> None:
    """Log what a thread did not catch: a bug, whose text may come from outside."""
    if bug.exc_value is not None:
        name = bug.thread.name if bug.thread else "?"
        logging.getLogger(__name__).critical("a bug ended the thread %r", name, exc_info=bug.exc_value)
