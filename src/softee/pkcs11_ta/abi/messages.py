# SPDX-License-Identifier: Apache-2.0
"""The requests of the PKCS#11 application: what parameter 0 (control) holds for each command."""

from typing import Annotated, NamedTuple

from softee.pkcs11_ta.abi.fields import LABEL, Blob, TemplateField, UInt, pin
from softee.pkcs11_ta.abi.restored import Logins, Sessions


class Nothing(NamedTuple):
    """PING and SLOT_LIST: a value that says nothing."""

    unused: UInt


class OnSlot(NamedTuple):
    """A slot."""

    slot: UInt


class OnMechanism(NamedTuple):
    """A mechanism of a slot."""

    slot: UInt
    mechanism: UInt


class OpenPkcs11Session(NamedTuple):
    """C_OpenSession: ``flags`` are CKF_RW_SESSION and CKF_SERIAL_SESSION."""

    slot: UInt
    flags: UInt


class InSession(NamedTuple):
    """A session."""

    session: UInt


class InitToken(NamedTuple):
    """C_InitToken: an empty PIN asks for login by TEE identity."""

    slot: UInt
    pin_size: UInt
    label: Annotated[bytes, LABEL]
    pin: Annotated[bytearray, pin("pin_size")]


class InitPin(NamedTuple):
    """C_InitPIN."""

    session: UInt
    pin_size: UInt
    pin: Annotated[bytearray, pin("pin_size")]


class SetPin(NamedTuple):
    """C_SetPIN."""

    session: UInt
    old_size: UInt
    new_size: UInt
    old_pin: Annotated[bytearray, pin("old_size")]
    new_pin: Annotated[bytearray, pin("new_size")]


class RenameToken(NamedTuple):
    """RENAME_TOKEN."""

    session: UInt
    label: Annotated[bytes, LABEL]


class Login(NamedTuple):
    """C_Login: ``user`` is a CKU."""

    session: UInt
    user: UInt
    pin_size: UInt
    pin: Annotated[bytearray, pin("pin_size")]


class OnObject(NamedTuple):
    """An object."""

    session: UInt
    handle: UInt


class WithTemplate(NamedTuple):
    """C_CreateObject, C_FindObjectsInit."""

    session: UInt
    template: TemplateField


class StartSearch(NamedTuple):
    """FIND_OBJECTS_START: ``replaces`` 1: the client has ended a search whose handles it had all got."""

    session: UInt
    template: TemplateField
    replaces: UInt


class OnObjectWithTemplate(NamedTuple):
    """C_GetAttributeValue, C_SetAttributeValue, C_CopyObject."""

    session: UInt
    handle: UInt
    template: TemplateField


class ReadAhead(NamedTuple):
    """GET_ATTRIBUTES_AHEAD: ``following`` are further objects' handles, ``types`` attributes to tell of; u32 each."""

    session: UInt
    handle: UInt
    template: TemplateField
    following: Blob
    types: Blob


class WithMechanism(NamedTuple):
    """C_DigestInit."""

    session: UInt
    mechanism: UInt
    parameter: Blob


class WithKey(NamedTuple):
    """C_EncryptInit, C_DecryptInit, C_SignInit, C_VerifyInit, and whatever else begins an operation with a key."""

    session: UInt
    handle: UInt
    mechanism: UInt
    parameter: Blob


class GenerateKey(NamedTuple):
    """C_GenerateKey."""

    session: UInt
    mechanism: UInt
    parameter: Blob
    template: TemplateField


class GenerateKeyPair(NamedTuple):
    """C_GenerateKeyPair."""

    session: UInt
    mechanism: UInt
    parameter: Blob
    public: TemplateField
    private: TemplateField


class FromKey(NamedTuple):
    """C_DeriveKey (``handle`` is the base key), C_UnwrapKey (the unwrapping key), C_EncapsulateKey and its reverse."""

    session: UInt
    handle: UInt
    mechanism: UInt
    parameter: Blob
    template: TemplateField


class WrapKey(NamedTuple):
    """C_WrapKey: ``handle`` is the wrapping key, ``key`` the one to wrap."""

    session: UInt
    handle: UInt
    key: UInt
    mechanism: UInt
    parameter: Blob


class Release(NamedTuple):
    """RELEASE_ACTIVE_PROCESSING: ``command`` is one whose operation ends."""

    session: UInt
    command: UInt


class Resume(NamedTuple):
    """RESUME: ``command`` is a ..._AGAIN, whose operation becomes active."""

    session: UInt
    command: UInt


class WithSavedState(NamedTuple):
    """C_SetOperationState: the handles are those of keys that the state needs, or 0."""

    session: UInt
    encryption_key: UInt
    authentication_key: UInt


class CancelOperations(NamedTuple):
    """C_SessionCancel: ``flags`` are those of CK_MECHANISM_INFO."""

    session: UInt
    flags: UInt


class OnMessage(NamedTuple):
    """C_EncryptMessage, C_EncryptMessageBegin, C_DecryptMessageBegin: the message's parameter and associated data."""

    session: UInt
    parameter: Blob
    associated: Blob


class SealedMessage(NamedTuple):
    """C_DecryptMessage: ``tag`` is what the message's parameter has as its tag or MAC."""

    session: UInt
    parameter: Blob
    associated: Blob
    tag: Blob


class PartOfMessage(NamedTuple):
    """C_EncryptMessageNext, C_SignMessageNext: ``flags`` are CKF_END_OF_MESSAGE with the last part."""

    session: UInt
    flags: UInt


class SealedPart(NamedTuple):
    """C_DecryptMessageNext: ``tag`` is looked at with the last part."""

    session: UInt
    flags: UInt
    tag: Blob


class AttestKey(NamedTuple):
    """ATTEST_KEY: ``nonce`` is empty, or has 8 to 64 bytes."""

    session: UInt
    handle: UInt
    nonce: Blob


class WrapAuthenticated(NamedTuple):
    """C_WrapKeyAuthenticated: ``parameter`` is that of a message."""

    session: UInt
    handle: UInt
    key: UInt
    mechanism: UInt
    parameter: Blob
    associated: Blob


class UnwrapAuthenticated(NamedTuple):
    """C_UnwrapKeyAuthenticated: ``parameter`` is that of a message, ``tag`` its tag or MAC."""

    session: UInt
    handle: UInt
    mechanism: UInt
    parameter: Blob
    template: TemplateField
    associated: Blob
    tag: Blob


class RestoreSessions(NamedTuple):
    """RESTORE_SESSIONS: new handles of sessions and session objects begin with these, above all that were given."""

    next_session: UInt
    next_object: UInt
    sessions: Sessions
    logins: Logins
