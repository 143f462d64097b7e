# SPDX-License-Identifier: Apache-2.0
"""What an operator is told of a running secure world: the JSON document's shape, for who writes it and who reads it."""

import msgspec


class WorkerTold(msgspec.Struct, frozen=True):
    """A worker: since when it serves (0: not now), how many before it have died, how many clients it has."""

    number: int
    since: int
    deaths: int
    clients: int


class ClientTold(msgspec.Struct, frozen=True):
    """An application that has opened the PKCS#11 application, and how often it has called while acts were counted."""

    worker: int
    pid: int
    uid: int
    since: int
    sessions: int
    operations: int


class TokenTold(msgspec.Struct, frozen=True):
    """A slot's token. Tries are those left to whoever has given the most wrong PINs; None where there is no PIN."""

    slot: int
    serial: str
    profile: str
    damaged: str | None = None
    """Why it cannot be opened; then the rest is not known."""
    initialized: bool = False
    label: str = ""
    sessions: int = 0
    read_write_sessions: int = 0
    so_tries_left: int | None = None
    user_tries_left: int | None = None
    public_objects: int = 0
    private_objects: int = 0


class ObjectTold(msgspec.Struct, frozen=True):
    """A public object of a token. Its class and key type are names of PKCS#11's; CKA_ID is in hexadecimal."""

    slot: int
    object_class: str
    key_type: str
    label: str
    id: str


class OperationTold(msgspec.Struct, frozen=True):
    """How often a function was called, by mechanism ("" for none), return value and token, and how long it took."""

    function: str
    mechanism: str
    result: str
    token: str
    count: int
    seconds: float


class CommitTold(msgspec.Struct, frozen=True):
    """How many changes the store was given, by what became of them, and how long it took."""

    result: str
    count: int
    seconds: float


class Told(msgspec.Struct, frozen=True):
    """All of it, at a moment: seconds since 1970, and of the clock that differences are taken of."""

    time: float
    clock: float
    workers: list[WorkerTold]
    clients: list[ClientTold]
    tokens: list[TokenTold]
    operations: list[OperationTold]
    commits: list[CommitTold]
