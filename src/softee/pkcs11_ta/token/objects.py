# SPDX-License-Identifier: Apache-2.0
"""A token's own objects, sealed in its vault.

Public objects are sealed under the token's key (compartment 0), private ones under the user key (compartment 1), which
is here while a user is logged in. The blind index finds objects by what people search by without opening them.

Objects that were opened are kept while there is room; private ones go with ``dismiss``. A damaged object is still found
by the index; reading it is CKR_DEVICE_ERROR, and it hurts no other.

Changes run under the token's lock, which the caller holds; reads may run beside them.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.codecs import encode_value
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.objects.policy import OPTEE_OBJECTS, ObjectPolicy
from softee.pkcs11_ta.objects.record import BadObjectError, decode_object, encode_object
from softee.pkcs11_ta.objects.showing import matches
from softee.pkcs11_ta.token.object import Pkcs11Object, object_size
from softee.pkcs11_ta.token.room import PER_TOKEN, Room
from softee.stores.base import ConflictError, StoreError
from softee.tee.keys import wipe
from softee.tee.sealing import SealKey, TamperedError
from softee.tee.vault import Change, Entry, Vault

PUBLIC: Final = 0
PRIVATE: Final = 1
CACHED_OBJECTS: Final = 4096
LARGEST_CACHED: Final = 16 << 10
"""Bytes of an object that is kept open. A key has a tenth of it; large data objects would fill the memory."""

INDEXED: Final = (
    CKA.CLASS,
    CKA.KEY_TYPE,
    CKA.CERTIFICATE_TYPE,
    CKA.UNIQUE_ID,
    CKA.LABEL,
    CKA.ID,
    CKA.SUBJECT,
    CKA.ISSUER,
    CKA.SERIAL_NUMBER,
    CKA.APPLICATION,
    CKA.OBJECT_ID,
)
"""Attributes with terms in the blind index. CKA_TOKEN and CKA_PRIVATE need none: place and compartment tell them."""

_log = logging.getLogger(__name__)


class TokenObjects:
    """The objects of one token, by the vault's object numbers."""

    def __init__(self, vault: Vault, look_again: Callable[[], object]) -> None:
        """Take a vault, and what takes over the changes of others there, by which ``forget`` is called."""
        self._vault = vault
        self._look_again = look_again
        self._seal_key: SealKey | None = None
        self._opened: OrderedDict[int, tuple[int, Pkcs11Object]] = OrderedDict()
        self._guard = threading.RLock()  # of the two above; taken after the token's lock

    def admit(self, key: SealKey) -> None:
        """Take the user key. It stays the caller's, who wipes it after ``dismiss``."""
        with self._guard:
            self._seal_key = key

    def dismiss(self) -> None:
        """Forget the user key and every private object."""
        with self._guard:
            self._seal_key = None
            for handle in [handle for handle, (_, opened) in self._opened.items() if opened.is_private]:
                del self._opened[handle]

    def forget(self, handles: Iterable[int]) -> None:
        """Forget what was opened of these objects."""
        with self._guard:
            for handle in handles:
                self._opened.pop(handle, None)

    def forget_all(self) -> None:
        """Forget every opened object."""
        with self._guard:
            self._opened.clear()

    def get(self, handle: int, *, private: bool) -> Pkcs11Object:
        """Return an object; ``private``: the caller may see private ones.

        Raises:
            Pkcs11Error: CKR_OBJECT_HANDLE_INVALID: there is none that the caller may see; CKR_DEVICE_ERROR: it is
                damaged.

        """
        try:
            return self._get(handle, private=private)
        except ConflictError:
            self._look_again()
        try:
            return self._get(handle, private=private)
        except ConflictError as error:
            raise Pkcs11Error(CKR.DEVICE_ERROR, f"object {handle:#x} is changed by others all the time") from error

    def _get(self, handle: int, *, private: bool) -> Pkcs11Object:
        entry = self._vault.entries.get(handle)
        with self._guard:
            if entry is None or not self._visible(entry, private=private):
                raise Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, f"no object {handle:#x} that this session may see")
            version, opened = self._opened.get(handle, (None, None))
            if opened is not None and version == entry.version:
                self._opened.move_to_end(handle)
                return opened
            opened = self._open(entry)
            self._remember(entry.version, opened)
            return opened

    @property
    def next_number(self) -> int:
        """The number that the next object gets: above those of all objects that there ever were."""
        return self._vault.next_number

    def counts(self) -> tuple[int, int]:
        """Return how many public and how many private objects there are."""
        entries = list(self._vault.entries.values())
        private = sum(entry.compartment == PRIVATE for entry in entries)
        return len(entries) - private, private

    def get_private(self, number: int, *, visible: bool) -> Pkcs11Object:
        """Return a private object; ``visible``: the caller may see it. Raises as ``get``."""
        if not self.is_private(number):
            raise Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, "no private object that this session may see")
        return self.get(number, private=visible)

    def is_private(self, number: int) -> bool:
        """Say whether there is an object of this number, and it is private."""
        entry = self._vault.entries.get(number)
        return entry is not None and entry.compartment == PRIVATE

    def find(self, wanted: Attributes, policy: ObjectPolicy = OPTEE_OBJECTS, *, private: bool) -> list[int]:
        """Return the handles of the objects that have all ``wanted`` values, oldest first.

        A damaged object is left out where it would have to be opened.
        """
        rest = dict(wanted)
        if rest.pop(CKA.TOKEN, True) is not True:
            return []
        compartments = {PUBLIC: False, PRIVATE: True} if private else {PUBLIC: False}
        asked = rest.pop(CKA.PRIVATE, None)
        indexed = {int(attribute): rest.pop(attribute) for attribute in INDEXED if attribute in rest}
        found: list[int] = []
        for compartment, is_private in compartments.items():
            if asked in (None, is_private):
                found += self._find_in(compartment, indexed, rest, policy)
        return sorted(found)

    def create(self, *attributes: Attributes, rooms: Sequence[Room] = (PER_TOKEN,)) -> list[Pkcs11Object]:
        """Put new objects on the token, all or none, where there is room in all ``rooms``.

        Raises:
            Pkcs11Error: CKR_USER_NOT_LOGGED_IN: a private object without the user key; CKR_DEVICE_MEMORY: there is no
                room; CKR_DEVICE_ERROR: the store failed. Nothing was changed.
            ConflictError: others have changed the token: all is to be done anew (``Token.transact``).

        """
        change = self._vault.change()
        try:
            numbers = [self._seal(change, None, one) for one in attributes]
        except StoreError as error:
            raise _failed(error) from error
        self._require(change, rooms)
        self._commit(change)
        return [self._keep(Pkcs11Object(number, one)) for number, one in zip(numbers, attributes, strict=True)]

    def add_to(self, change: Change, objects: Iterable[Attributes]) -> None:
        """Have a change put objects on the token, which is not committed here. Raises CKR_USER_NOT_LOGGED_IN."""
        for attributes in objects:
            self._seal(change, None, attributes)

    def replace(
        self, old: Pkcs11Object, attributes: Attributes, *, rooms: Sequence[Room] = (PER_TOKEN,)
    ) -> Pkcs11Object:
        """Put other attributes in an object's place. Raises as ``create``, and CKR_OBJECT_HANDLE_INVALID."""
        change = self._vault.change()
        self._seal(change, old.handle, attributes)
        self._require(change, rooms)
        self._commit(change)
        return self._keep(Pkcs11Object(old.handle, attributes))

    def destroy(self, old: Pkcs11Object) -> None:
        """Remove an object. Raises CKR_OBJECT_HANDLE_INVALID: it has gone already; CKR_DEVICE_ERROR, ConflictError."""
        change = self._vault.change()
        try:
            change.remove(old.handle)
        except KeyError:
            raise _gone(old.handle) from None
        self._commit(change)
        with self._guard:
            self._opened.pop(old.handle, None)

    def _visible(self, entry: Entry, *, private: bool) -> bool:
        return entry.compartment == PUBLIC or (private and self._seal_key is not None)

    def _key(self, compartment: int) -> SealKey:
        if compartment == PUBLIC:
            return self._vault.key
        if self._seal_key is None:
            raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "private objects need the user's login")
        return self._seal_key

    def _open(self, entry: Entry) -> Pkcs11Object:
        try:
            record = self._vault.read(entry.number, self._key(entry.compartment))
        except KeyError:
            raise _gone(entry.number) from None
        except ConflictError:
            raise
        except (TamperedError, StoreError) as error:
            raise self._damaged(entry, error) from error
        try:
            return Pkcs11Object(entry.number, decode_object(record))
        except BadObjectError as error:
            raise self._damaged(entry, error) from error
        finally:
            wipe(record)

    @staticmethod
    def _damaged(entry: Entry, error: Exception) -> Pkcs11Error:
        _log.error("object %#x cannot be read: %s", entry.number, error)
        return Pkcs11Error(CKR.DEVICE_ERROR, f"object {entry.number:#x} cannot be read: {error}")

    def _keep(self, made: Pkcs11Object) -> Pkcs11Object:
        """Remember an object that was just committed."""
        with self._guard:
            if not made.is_private or self._seal_key is not None:
                self._remember(self._vault.entries[made.handle].version, made)
        return made

    def _remember(self, version: int, opened: Pkcs11Object) -> None:
        self._opened.pop(opened.handle, None)
        if object_size(opened.attributes) <= LARGEST_CACHED:
            self._opened[opened.handle] = (version, opened)
        if len(self._opened) > CACHED_OBJECTS:
            self._opened.popitem(last=False)

    def _find_in(self, compartment: int, indexed: Attributes, rest: Attributes, policy: ObjectPolicy) -> list[int]:
        with self._guard:
            if compartment == PRIVATE and self._seal_key is None:
                return []
            terms = _terms(self._key(compartment), indexed)
        entries = self._vault.entries
        candidates = [
            number
            for number in self._vault.find(terms)
            if (entry := entries.get(number)) is not None and entry.compartment == compartment
        ]
        return [number for number in candidates if self._has(number, rest, policy)] if rest else candidates

    def _has(self, number: int, rest: Attributes, policy: ObjectPolicy) -> bool:
        try:
            return matches(self.get(number, private=True).attributes, rest, policy)
        except Pkcs11Error:
            return False  # damaged (which is logged) or gone meanwhile

    def _seal(self, change: Change, number: int | None, attributes: Attributes) -> int:
        compartment = PUBLIC if attributes[CKA.PRIVATE] is False else PRIVATE
        key = self._key(compartment)
        terms = _terms(key, {int(attribute): attributes[attribute] for attribute in INDEXED if attribute in attributes})
        record = encode_object(attributes)
        try:
            if number is None:
                return change.add(record, key, compartment, terms)
            change.replace(number, record, key, compartment, terms)
        except KeyError:
            raise _gone(number or 0) from None
        else:
            return number
        finally:
            wipe(record)

    def _require(self, change: Change, rooms: Sequence[Room]) -> None:
        """Refuse a change by which the token would outgrow its room; one that makes it no larger is never refused."""
        try:
            more, size = change.growth(), self._vault.object_bytes
        except StoreError as error:
            raise _failed(error) from error
        if more.objects > 0 or more.bytes > 0:
            for room in rooms:
                room.require(len(self._vault.entries) + more.objects, size + more.bytes)

    def _commit(self, change: Change) -> None:
        try:
            change.commit()
        except ConflictError:
            raise
        except (StoreError, TamperedError) as error:
            raise _failed(error) from error


def _terms(key: SealKey, indexed: Attributes) -> list[bytes]:
    """Return the blind-index terms of attributes: keyed hashes of type and value."""
    return [
        key.term(attribute.to_bytes(4, "little") + encode_value(attribute, value))
        for attribute, value in indexed.items()
    ]


def _gone(handle: int) -> Pkcs11Error:
    return Pkcs11Error(CKR.OBJECT_HANDLE_INVALID, f"object {handle:#x} was destroyed")


def _failed(error: Exception) -> Pkcs11Error:
    _log.error("the store failed: %s", error)
    return Pkcs11Error(CKR.DEVICE_ERROR, f"nothing was changed: {error}")
