# SPDX-License-Identifier: Apache-2.0
"""An audit log over a store in memory, with its files in a folder; and an application whose events go there."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softee.daemon.audit.end import read_lines
from softee.daemon.audit.files import AuditFiles, log_files
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application, vaults
from softee.pkcs11_ta.audit.noting import Noting
from softee.pkcs11_ta.session.tickets import NO_TICKETS, Tickets
from softee.pkcs11_ta.token.policy import Policy
from softee.pkcs11_ta.token.profiles import PORTABLE
from softee.stores.memory import MemoryStore
from softee.tee.audit import StoredAudit
from softee.tee.audit_head import VAULT, AuditVouch, load_head, vouch
from softee.tee.audit_log import AuditLog
from softee.tee.audit_verification import AuditReport, load_key, verify_lines
from softee.tee.audited_store import AuditedStore
from softee.tee.secure_storage import SecureStorage
from softee.tee.vault import Vault
from support.stores import FailingStore
from support.token_world import CHEAP, NOW, ROOT_KEY

LARGEST = 64 << 10
Lines = list[bytes]


def lines_in(folder: Path) -> Lines:
    """Return the lines of all files of the log in a folder."""
    return b"".join(path.read_bytes() for path in log_files(folder)).splitlines(keepends=True)


def events_in(folder: Path) -> list[dict[str, Any]]:
    """Return the lines' fields, as any reader of JSON has them."""
    return [json.loads(line) for line in lines_in(folder)]


@dataclass
class AuditWorld:
    """A secure world with a log; ``start`` begins another one over the same store and folder."""

    folder: Path
    required: bool = True
    largest: int = LARGEST
    store: FailingStore = field(default_factory=lambda: FailingStore(MemoryStore()))

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Open the log as at a start."""
        self.files = AuditFiles(self.folder, self.largest)
        self.log = AuditLog(self.vault(), self.files, lambda: "2026-11-27T18:00:00.000000Z", required=self.required)
        self.audited = AuditedStore(self.store, self.log)

    def crash(self) -> None:
        """End as a crash does."""
        self.files.close()

    def stop(self) -> None:
        """End in order."""
        self.log.close({"event": "stop"})
        self.files.close()

    def vault(self) -> Vault:
        """Open the log's vault."""
        return SecureStorage(self.store, ROOT_KEY, PKCS11_APPLICATION, (VAULT,)).vault(VAULT)

    def vouch(self) -> AuditVouch:
        """Return how the log ends, as the store says."""
        return vouch(self.vault(), load_head(self.vault()))

    def lines(self) -> Lines:
        """Return the lines of all files."""
        return lines_in(self.folder)

    def events(self) -> list[dict[str, Any]]:
        """Return the lines' fields, as any reader of JSON has them."""
        return events_in(self.folder)

    def verify(self, *, key_alone: bool = False) -> AuditReport:
        """Verify all files."""
        end = self.vouch()
        return verify_lines(read_lines(log_files(self.folder)), load_key(end.public_key), None if key_alone else end)

    def findings(self) -> list[str]:
        """Return what a verification finds."""
        return [finding.what for finding in self.verify().findings]

    def application(
        self, uses: Iterable[str] = (), policy: Policy = PORTABLE, tickets: Tickets = NO_TICKETS
    ) -> Pkcs11Application:
        """Return an application whose events are noted."""
        storage = SecureStorage(self.audited, ROOT_KEY, PKCS11_APPLICATION, vaults(1))
        audit = StoredAudit(self.audited, lambda _: 0, required=self.required)
        return Pkcs11Application(
            storage, clock=lambda: NOW, policies=[policy], pin_cost=CHEAP, tickets=tickets, noting=Noting(audit, uses)
        )


def ten_events(folder: Path) -> AuditWorld:
    """Return a log of ten events, ended in order: it has twelve lines."""
    made = AuditWorld(folder)
    for number in range(10):
        made.log.write({"event": "login", "result": "CKR_OK", "uid": number})
    made.stop()
    return made


def rewrite(world: AuditWorld, change: Callable[[Lines], Lines]) -> None:
    """Change a log's one file, as who owns the disk does."""
    (path,) = log_files(world.folder)
    path.write_bytes(b"".join(change(world.lines())))
