# SPDX-License-Identifier: Apache-2.0
"""Which module, which token and which objects a command line means, and how one gets there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from softee.cli.cryptoki.module import Module, Token, loaded
from softee.cli.cryptoki.refusals import RefusedError
from softee.cli.cryptoki.session import Session, opened
from softee.cli.cryptoki.structures import Value
from softee.cli.cryptoki.uri import Uri
from softee.cli.failure import CliError
from softee.cli.library import installed_module, module_path
from softee.cli.pin import PinSource, user_prompt
from softee.cli.places import require_answering_socket
from softee.names import CKA, CKO, CKU, TokenFlag


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """Which token of which module is meant; where nothing is said, the only one of softee's that is initialized."""

    module: Path | None = None
    label: str | None = None
    slot: int | None = None
    pin: PinSource = field(default_factory=PinSource)
    logs_in: bool = True

    @contextmanager
    def loaded(self) -> Iterator[Module]:
        """Load the module. Raises CliError; of softee's own, where no secure world answers, with the reason."""
        path = self.module or module_path()
        with _answering(path), loaded(path) as module:
            yield module

    def among(self, tokens: Sequence[Token], uri: Uri | None = None) -> Token:
        """Return the one that is meant. Raises CliError where it is none, or several."""
        found = [token for token in tokens if self.means(token) and (uri is None or _named(token, uri))]
        if self.slot is None:
            found = [token for token in found if token.initialized]
        if len(found) == 1:
            return found[0]
        if found:
            raise CliError("There are several such tokens; give --token LABEL or --slot N (`softee token list`).", 2)
        raise CliError("There is no such token; `softee token list` shows those that there are.")

    @contextmanager
    def session(self, uri: Uri | None = None, *, write: bool = False) -> Iterator[Session]:
        """Open a session with the token, as its user where no other is said. Raises CliError."""
        with self.loaded() as module:
            token = self.among(module.tokens(), uri)
            with opened(module, token, write=write) as session:
                if self.logs_in and TokenFlag.LOGIN_REQUIRED in token.flags:
                    session.login(CKU.USER, self.pin_of(token, user_prompt(token.label)))
                yield session

    def without_login(self) -> Self:
        """Return the same, without a login."""
        return replace(self, logs_in=False)

    def pin_of(self, token: Token, prompt: str) -> bytearray | None:
        """Return the PIN, None where the token does not want it from us (it knows who we are, or has keys of its own).

        Raises:
            CliError: it cannot be read.

        """
        if TokenFlag.PROTECTED_AUTHENTICATION_PATH in token.flags:
            return None
        return self.pin.read(prompt)

    def means(self, token: Token) -> bool:
        """Tell whether a token has the label and the slot that are said."""
        return self.label in {None, token.label} and self.slot in {None, token.slot}


def found_by(session: Session, name: Uri, classes: Sequence[CKO] = ()) -> list[int]:
    """Return the handles of the objects of a name, of all classes or of these."""
    return [handle for template in _templates(name, classes) for handle in session.find(template)]


def the_one(session: Session, name: Uri, what: str, classes: Sequence[CKO] = ()) -> int:
    """Return the handle of the one object that is meant.

    Args:
        session: where it is.
        name: what it is called.
        what: what it is, for people.
        classes: of which class it may be.

    Raises:
        CliError: there is none, or there are several.

    """
    require_name(name, what)
    found = found_by(session, name, classes)
    if len(found) == 1:
        return found[0]
    if found:
        raise CliError(f"There are {len(found)} such objects; name the {what} by --id and --label, or by a URI.")
    raise CliError(f"There is no such {what}; `softee object list` shows what there is.")


def require_name(name: Uri, what: str) -> None:
    """Raise CliError, for wrong usage, where every object is meant."""
    if not name.names_an_object:
        raise CliError(f"Name the {what} by --id, by --label or by its PKCS#11 URI.", 2)


def _templates(name: Uri, classes: Sequence[CKO]) -> Iterator[dict[int, Value]]:
    """Yield what to look for: a template for each class, or one for all where none is given."""
    wanted: dict[int, Value] = {}
    if name.label is not None:
        wanted[CKA.LABEL] = name.label.encode()
    if name.id is not None:
        wanted[CKA.ID] = name.id
    allowed = classes or ([] if name.object_class is None else [name.object_class])
    if not allowed:
        yield wanted
    for one in allowed:
        if name.object_class in {None, one}:
            yield wanted | {CKA.CLASS: int(one)}


def _named(token: Token, uri: Uri) -> bool:
    wanted = (
        (uri.token, token.label),
        (uri.manufacturer, token.manufacturer),
        (uri.model, token.model),
        (uri.serial, token.serial),
        (uri.slot, token.slot),
    )
    return all(said is None or said == has for said, has in wanted)


@contextmanager
def _answering(path: Path) -> Iterator[None]:
    """Where softee's module refuses something, and no secure world answers, tell that instead."""
    try:
        yield
    except RefusedError:
        if installed_module() == path:
            require_answering_socket(None)
        raise
