# SPDX-License-Identifier: Apache-2.0
"""Where the audit log is, and who says how it ends: the secure world that answers, or a state that none uses."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from softee.cli.failure import CliError, state_failures
from softee.cli.options import Decorator
from softee.cli.places import answering_socket
from softee.client import ClientError, TeeClient
from softee.names import OPERATOR_APPLICATION, OperatorCommand, ParamType, TeeResult
from softee.wire.values import Memref

if TYPE_CHECKING:
    from softee.daemon.settings import Settings
    from softee.tee.audit_head import AuditVouch

CANNOT_LOOK = 2
"""The status where nothing can be said of the log."""
_ROOM = 64 << 10


def files_argument() -> Decorator:
    """Return the argument that names files of the log."""

    def decorate(command: Any) -> Any:  # noqa: ANN401 - as click's decorators
        of = click.Path(exists=True, dir_okay=False, path_type=Path)
        return click.argument("files", metavar="[FILE]...", nargs=-1, type=of)(command)

    return decorate


def chosen_files(files: Sequence[Path], settings: "Settings") -> list[Path]:
    """Return the files that were named, or else those of the log that the settings tell.

    Raises:
        CliError: there are none.

    """
    from softee.daemon.audit.auditing import audit_folder  # noqa: PLC0415 - as above
    from softee.daemon.audit.files import log_files  # noqa: PLC0415 - the help does not wait for cryptography

    if files:
        return sorted(files, key=lambda path: path.name)
    folder = audit_folder(settings)
    try:
        found = log_files(folder)
        folder.stat()
    except PermissionError:
        raise CliError(f"{folder} may not be read; ask as root or as the secure world's user.", CANNOT_LOOK) from None
    except OSError:
        found = []
    if not found:
        raise CliError(f"There is no audit log in {folder}; the setting `audit.log` begins one.", CANNOT_LOOK)
    return found


def answering(socket: Path | None, state: Path | None) -> Path | None:
    """Return the socket of the secure world that is asked; None: the state is read."""
    return socket or (None if state else answering_socket())


def asked(socket: Path) -> "AuditVouch":
    """Return how the log of the secure world at a socket ends.

    Raises:
        CliError: it does not say.

    """
    from softee.tee.audit_head import AuditVouch  # noqa: PLC0415 - as above

    target = Memref(ParamType.MEMREF_OUTPUT, capacity=_ROOM)
    try:
        with TeeClient(socket) as client, client.open_session(OPERATOR_APPLICATION) as session:
            result = session.invoke(OperatorCommand.AUDIT_END, (target, None, None, None))
    except ClientError as error:
        raise CliError(f"The secure world at {socket} does not tell of its log: {error}.", CANNOT_LOOK) from None
    if result == TeeResult.ITEM_NOT_FOUND:
        raise CliError(f"The secure world at {socket} has no audit log.", CANNOT_LOOK)
    if result != TeeResult.SUCCESS:
        raise CliError(f"The secure world at {socket} does not tell of its log: {result:#010x}.", CANNOT_LOOK)
    try:
        return msgspec.json.decode(bytes(target.out), type=AuditVouch)
    except msgspec.MsgspecError:
        raise CliError(f"The secure world at {socket} tells something else of its log.", CANNOT_LOOK) from None


def end_of(settings: "Settings", socket: Path | None) -> "AuditVouch":
    """Return how the log ends, as the secure world at a socket says, or else the state.

    Raises:
        CliError: neither can say it.

    """
    from softee.daemon.audit.end import end_of_log  # noqa: PLC0415 - as above

    if socket:
        return asked(socket)
    with state_failures(CANNOT_LOOK):
        return end_of_log(settings)
