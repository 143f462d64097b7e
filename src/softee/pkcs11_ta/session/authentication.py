# SPDX-License-Identifier: Apache-2.0
"""C_InitToken, C_InitPIN, C_SetPIN, C_Login: who proves what to a token, and what of it is on the disk when.

A try stands on the disk as pending *before* its PIN is checked, so that no crash gives a free guess; what became of it
is there before it is answered (``token/tries.py``). Checks on one token wait for each other (``pin_turn``).

Every change is one transaction: a crash leaves the token before it or after it.
"""

from dataclasses import replace

from softee.names import CKR, CKU
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.session.client import Session
from softee.pkcs11_ta.session.login_rules import check_login
from softee.pkcs11_ta.token.identities import names_identity, parse_identity, unwrap_for_identity, wrap_for_identity
from softee.pkcs11_ta.token.pins import PinWrapper, new_user_key, require_pin_length
from softee.pkcs11_ta.token.state import Credential, IdentityCredential, PinCredential, TokenState
from softee.pkcs11_ta.token.token import Token
from softee.pkcs11_ta.token.tries import MAX_TRIES, NO_TRIES, Tries
from softee.tee.application import ClientIdentity
from softee.tee.keys import wipe


class Authenticator:
    """The PIN and login rules, for all tokens of an application."""

    def __init__(self, wrapper: PinWrapper) -> None:
        self._wrapper = wrapper

    def init_token(self, token: Token, identity: ClientIdentity, pin: bytearray, label: bytes) -> None:
        """C_InitToken: new label, new user key, no objects, no user PIN. The serial number stays.

        A new token takes the PIN as its SO PIN, an empty one the client's TEE identity. An initialized one wants its
        SO, who stays; where that is a TEE identity, the PIN is not looked at.

        Raises:
            Pkcs11Error: CKR_SESSION_EXISTS, CKR_PIN_INCORRECT, CKR_PIN_LOCKED; CKR_ARGUMENTS_BAD for a new SO PIN of
                a wrong length (the standard has no CKR_PIN_LEN_RANGE here).

        """
        with token.pin_turn():
            with token.unused():
                pass
            before = token.state.so
            by_identity = isinstance(before, IdentityCredential) or (before is None and not pin)
            if before is not None:
                wipe(self._authenticate(token, CKU.SO, pin, identity))
            elif pin:
                require_pin_length(pin, CKR.ARGUMENTS_BAD)
            user_key = new_user_key()
            try:
                new_pin = bytearray() if by_identity else pin
                so = self._credential(token, CKU.SO, new_pin, identity, user_key, by_identity=by_identity)
            finally:
                wipe(user_key)
            with token.unused():
                token.reset(TokenState(label, so))

    def init_pin(self, session: Session, pin: bytearray) -> None:
        """C_InitPIN: the SO sets the user's PIN, which is unlocked by that.

        Raises:
            Pkcs11Error: CKR_USER_NOT_LOGGED_IN, CKR_PIN_LEN_RANGE, CKR_PIN_INVALID.

        """
        token = session.token
        with token.pin_turn():
            user_key = _user_key_for_so(session)
            try:
                self._set(token, CKU.USER, pin, session.client.identity, user_key)
            finally:
                wipe(user_key)

    def set_pin(self, session: Session, old_pin: bytearray, new_pin: bytearray) -> None:
        """C_SetPIN: the SO where the SO is logged in, else the user, gives the old PIN and sets a new one.

        Until there is a user, the SO may so change between a PIN and a TEE identity.

        Raises:
            Pkcs11Error: CKR_SESSION_READ_ONLY, CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_LEN_RANGE, CKR_PIN_INVALID,
                CKR_USER_PIN_NOT_INITIALIZED.

        """
        session.require_read_write()
        token, identity = session.token, session.client.identity
        user = CKU.SO if session.user is CKU.SO else CKU.USER
        with token.pin_turn():
            user_key = self._authenticate(token, user, old_pin, identity)
            try:
                self._set(token, user, new_pin, identity, user_key)
            finally:
                wipe(user_key)

    def rename(self, session: Session, label: bytes) -> None:
        """Have the SO give the token another label. Tries, PINs and objects stay.

        Raises:
            Pkcs11Error: CKR_USER_NOT_LOGGED_IN.

        """
        token = session.token
        with token.pin_turn():  # else a PIN's check that runs would bring the old label back
            if session.user is not CKU.SO:
                raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "only the SO may do this; log in as CKU_SO")
            token.store(replace(token.state, label=label))

    def login(self, session: Session, user: CKU, pin: bytearray) -> None:
        """C_Login as CKU_USER or CKU_SO.

        Raises:
            Pkcs11Error: CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_USER_PIN_NOT_INITIALIZED, or what ``check_login`` says.

        """
        token = session.token
        with token.pin_turn():
            _check_login(session, user)
            user_key = self._authenticate(token, user, pin, session.client.identity)
            try:
                with token.lock:
                    _check_login(session, user)
                    session.client.move_private_handles(token)
                    token.hold_user_key(session.client, user, user_key)
            finally:
                wipe(user_key)

    def confirm(self, session: Session, pin: bytearray) -> None:
        """C_Login as CKU_CONTEXT_SPECIFIC: whoever is logged in says so again. A wrong PIN counts as a try.

        Raises:
            Pkcs11Error: CKR_USER_NOT_LOGGED_IN, CKR_PIN_INCORRECT, CKR_PIN_LOCKED.

        """
        user = session.user
        if user is None:
            raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "nobody is logged in who could confirm it")
        token = session.token
        with token.pin_turn():
            wipe(self._authenticate(token, user, pin, session.client.identity))

    def unlock(self, token: Token, user: CKU, pin: bytearray) -> None:
        """Forget what stands against a PIN, for whoever knows it and has the root key: no client gets here.

        A wrong PIN changes nothing: who has the state and the root key may try as he likes anyway.

        Raises:
            Pkcs11Error: CKR_PIN_INCORRECT; CKR_USER_PIN_NOT_INITIALIZED: there is no such PIN.

        """
        with token.pin_turn():
            credential = _credential_of(token.state, user)
            if not isinstance(credential, PinCredential):
                raise Pkcs11Error(CKR.USER_PIN_NOT_INITIALIZED, f"the token has no PIN of CKU_{user.name}")
            user_key = self._wrapper.unwrap(user, pin, token.pin_secret, credential)
            if user_key is None:
                raise Pkcs11Error(CKR.PIN_INCORRECT, f"this is not the PIN of CKU_{user.name}")
            wipe(user_key)
            _note(token, user, credential, NO_TRIES)

    def _authenticate(self, token: Token, user: CKU, pin: bytearray, identity: ClientIdentity) -> bytearray:
        """Return the user key to whoever is the user or the SO. The caller has the turn and wipes the key."""
        credential = _credential_of(token.state, user)
        if credential is None:
            raise Pkcs11Error(CKR.USER_PIN_NOT_INITIALIZED, f"the token has no CKU_{user.name} PIN yet")
        if isinstance(credential, IdentityCredential):
            user_key = unwrap_for_identity(user, identity, token.identity_secret, credential)
            if user_key is None:
                raise Pkcs11Error(CKR.PIN_INCORRECT, f"the client's TEE identity is not that of CKU_{user.name}")
            return user_key
        return self._check_pin(token, user, pin, credential, token.policy.counted_as(identity))

    def _check_pin(self, token: Token, user: CKU, pin: bytearray, credential: PinCredential, uid: int) -> bytearray:
        if credential.tries.is_locked(uid):
            raise Pkcs11Error(CKR.PIN_LOCKED, f"the PIN of CKU_{user.name} is locked after too many wrong tries")
        begun = credential.tries.begun(uid)
        _note(token, user, credential, begun)
        user_key = self._wrapper.unwrap(user, pin, token.pin_secret, credential, cheaply=token.policy.as_optee)
        if user_key is None:
            failed = begun.failed(uid)
            _note(token, user, credential, failed)
            raise _wrong_pin(user, failed.failures(uid))
        try:
            _note(token, user, credential, begun.succeeded(uid))
        except BaseException:
            wipe(user_key)
            raise
        return user_key

    def _set(self, token: Token, user: CKU, pin: bytearray, identity: ClientIdentity, user_key: bytearray) -> None:
        by_identity = isinstance(token.state.so, IdentityCredential)
        if user is CKU.SO and token.state.user is None:
            by_identity = names_identity(pin) if by_identity else not pin
        if not by_identity:
            require_pin_length(pin)
        credential = self._credential(token, user, pin, identity, user_key, by_identity=by_identity)
        token.store(_with(token.state, user, credential))

    def _credential(
        self,
        token: Token,
        user: CKU,
        pin: bytearray,
        identity: ClientIdentity,
        user_key: bytearray,
        *,
        by_identity: bool,
    ) -> Credential:
        if by_identity:
            return wrap_for_identity(user, parse_identity(pin, identity), token.identity_secret, user_key)
        return self._wrapper.wrap(user, pin, token.pin_secret, user_key)


def _user_key_for_so(session: Session) -> bytearray:
    """Return a copy of the user key where the SO is logged in. A logout, which wipes the key, comes before or after."""
    token = session.token
    with token.lock:
        if session.user is not CKU.SO or token.user_key is None:
            raise Pkcs11Error(CKR.USER_NOT_LOGGED_IN, "only the SO may do this; log in as CKU_SO")
        return bytearray(token.user_key)


def _check_login(session: Session, user: CKU) -> None:
    read_only = any(not other.read_write for other in session.client.sessions_with(session.token))
    check_login(session.user, user, read_only_sessions=read_only)


def _credential_of(state: TokenState, user: CKU) -> Credential | None:
    return state.so if user is CKU.SO else state.user


def _with(state: TokenState, user: CKU, credential: Credential) -> TokenState:
    return replace(state, so=credential) if user is CKU.SO else replace(state, user=credential)


def _note(token: Token, user: CKU, credential: PinCredential, tries: Tries) -> None:
    """Put on the disk what stands against a PIN."""
    token.store(_with(token.state, user, replace(credential, tries=tries)))


def _wrong_pin(user: CKU, failures: int) -> Pkcs11Error:
    left = MAX_TRIES - failures
    if left <= 0:
        return Pkcs11Error(CKR.PIN_LOCKED, f"wrong PIN of CKU_{user.name}; it is locked now")
    return Pkcs11Error(CKR.PIN_INCORRECT, f"wrong PIN of CKU_{user.name}; {left} tries left")
