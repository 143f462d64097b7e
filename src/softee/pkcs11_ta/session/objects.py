# SPDX-License-Identifier: Apache-2.0
"""The session objects that one client has on one token: in memory only, seen by this client's sessions alone.

They go with the session that made them; private ones go at logout too, and are not seen before login.
"""

import threading
from collections.abc import Callable
from typing import Final

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.objects.policy import OPTEE_OBJECTS, ObjectPolicy
from softee.pkcs11_ta.objects.showing import matches
from softee.pkcs11_ta.session.accounts import Account
from softee.pkcs11_ta.token.object import FIRST_SESSION_HANDLE, LAST_SESSION_HANDLE, Pkcs11Object, object_size

MAX_OBJECTS: Final = 10_000
"""So that one client cannot fill the secure world's memory with small objects."""

MAX_BYTES: Final = 16 << 20
"""Nor with large ones: the bytes of all its objects."""


class SessionObjects:
    """Session objects by handle. Handles count up and are not used again."""

    def __init__(self, account: Account, first_handle: int = FIRST_SESSION_HANDLE) -> None:
        """Take what the objects' bytes are booked on."""
        self._account = account
        self._objects: dict[int, tuple[int, int, Pkcs11Object]] = {}
        self._bytes = 0
        self.removed = 0
        """How often an object has gone, or another one has come in its place."""
        self._next_handle = first_handle
        self._guard = threading.Lock()

    def get(self, handle: int, *, private: bool) -> Pkcs11Object:
        """Return an object; ``private``: the caller may see private ones. Raises CKR_OBJECT_HANDLE_INVALID."""
        owner = self._objects.get(handle)
        if owner is None or (owner[2].is_private and not private):
            raise Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, f"no object {handle:#x} that this session may see")
        return owner[2]

    def find(self, wanted: Attributes, policy: ObjectPolicy = OPTEE_OBJECTS, *, private: bool) -> list[int]:
        """Return the handles of the objects that have all ``wanted`` values, oldest first."""
        if wanted.get(CKA.TOKEN, False) is not False:
            return []
        with self._guard:
            objects = [one for _, _, one in self._objects.values()]
        visible = [one for one in objects if private or not one.is_private]
        return sorted(one.handle for one in visible if matches(one.attributes, wanted, policy))

    def create(self, session: int, *attributes: Attributes) -> list[Pkcs11Object]:
        """Make objects that live as long as ``session``, all or none. Raises CKR_DEVICE_MEMORY."""
        with self._guard:
            sizes = [object_size(one) for one in attributes]
            self._require_room(len(attributes), sum(sizes))
            self._account.book(sum(sizes))
            made = [Pkcs11Object(self._next_handle + at, one) for at, one in enumerate(attributes)]
            self._next_handle += len(made)
            for one, size in zip(made, sizes, strict=True):
                self._put(session, size, one)
            return made

    def replace(self, old: Pkcs11Object, attributes: Attributes) -> Pkcs11Object:
        """Put other attributes in an object's place. Raises CKR_OBJECT_HANDLE_INVALID, CKR_DEVICE_MEMORY."""
        with self._guard:
            session, size, _ = self._require(old.handle)
            new_size = object_size(attributes)
            self._require_room(0, new_size - size)
            self._account.book(new_size)
            self._remove(old.handle)
            new = Pkcs11Object(old.handle, attributes)
            self._put(session, new_size, new)
            return new

    def destroy(self, old: Pkcs11Object) -> None:
        """Remove an object. Raises CKR_OBJECT_HANDLE_INVALID where it has gone already."""
        with self._guard:
            self._require(old.handle)
            self._remove(old.handle)

    def close_session(self, session: int) -> None:
        """Remove all objects that a session made."""
        self._remove_where(lambda owner, _: owner == session)

    def forget_private(self) -> None:
        """Remove all private objects."""
        self._remove_where(lambda _, one: one.is_private)

    def _put(self, session: int, size: int, one: Pkcs11Object) -> None:
        self._objects[one.handle] = (session, size, one)
        self._bytes += size

    def _remove(self, handle: int) -> None:
        self.removed += 1
        size = self._objects.pop(handle)[1]
        self._bytes -= size
        self._account.book(-size)

    def _remove_where(self, condition: Callable[[int, Pkcs11Object], bool]) -> None:
        with self._guard:
            for handle in [handle for handle, (owner, _, one) in self._objects.items() if condition(owner, one)]:
                self._remove(handle)

    def _require(self, handle: int) -> tuple[int, int, Pkcs11Object]:
        try:
            return self._objects[handle]
        except KeyError:
            raise Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, f"object {handle:#x} was destroyed") from None

    def _require_room(self, count: int, size: int) -> None:
        if len(self._objects) + count > MAX_OBJECTS:
            raise Pkcs11Error(CKR.DEVICE_MEMORY, f"a client may have {MAX_OBJECTS} session objects; destroy some")
        if self._next_handle + count - 1 > LAST_SESSION_HANDLE:
            raise Pkcs11Error(CKR.DEVICE_MEMORY, "the client has used up its handles; C_Finalize begins them anew")
        if self._bytes + size > MAX_BYTES:
            raise Pkcs11Error(CKR.DEVICE_MEMORY, f"a client's session objects may take {MAX_BYTES} bytes; destroy some")
