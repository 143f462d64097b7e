# SPDX-License-Identifier: Apache-2.0
r"""The log: to stderr, one line a record, which no client can forge or break.

Whatever is logged may hold text from outside: a label, a path, an exception's words. Every character that does not
print is escaped, so a newline or a terminal's control sequence in it stays a visible ``\n`` or ``\x1b``. Only a
traceback has more lines, each of which begins with ``    | ``, so that none can be taken for a record.
"""

import logging
import sys
import threading

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_FORMAT = "{asctime} {levelname} {name}: {message}"
_CONTINUATION = "\n    | "


class OneLineFormatter(logging.Formatter):
    """Formats a record so that nothing in it can pass for another record."""

    def __init__(self) -> None:
        super().__init__(_FORMAT, style="{")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line, and a traceback's after it."""
        record.message = escape(record.getMessage())
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        if not record.exc_info:
            return line
        traceback = self.formatException(record.exc_info).split("\n")
        return line + "".join(_CONTINUATION + escape(part) for part in traceback)


def escape(text: str) -> str:
    """Return ``text`` with every character that does not print as a backslash escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def start_log(level: str) -> None:
    """Send the log of the whole process to stderr, from ``level`` (a key of LEVELS) upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    threading.excepthook = log_thread_bug


def log_thread_bug(bug: threading.ExceptHookArgs) -> None:
    """Log what a thread did not catch: a bug, whose text may come from outside."""
    if bug.exc_value is not None:
        name = bug.thread.name if bug.thread else "?"
        logging.getLogger(__name__).critical("a bug ended the thread %r", name, exc_info=bug.exc_value)
