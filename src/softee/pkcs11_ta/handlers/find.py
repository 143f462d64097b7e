# SPDX-License-Identifier: Apache-2.0
"""C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal: a search's result is fixed when it begins."""

from softee.names import CKA, CKR
from softee.pkcs11_ta.abi.commands import objects, resuming
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.abi.messages import InSession, StartSearch, WithTemplate
from softee.pkcs11_ta.attributes.values import Attributes
from softee.pkcs11_ta.handlers.binding import bind
from softee.pkcs11_ta.objects.kinds import PROTECTED_CLASSES
from softee.pkcs11_ta.objects.rules import parse_search
from softee.pkcs11_ta.session.access import is_so, sees_private
from softee.pkcs11_ta.session.call import Call
from softee.pkcs11_ta.session.client import Session
from softee.wire.codec import Writer

_HANDLE_SIZE = 4


def find_objects_init(call: Call, request: WithTemplate) -> bytes:
    """Find the objects that have all attributes of a template: the client's session objects, then the token's."""
    session = call.session
    if session.operations.find is not None:
        raise Pkcs11Error(CKR.OPERATION_ACTIVE, "a search is active in this session; end it with C_FindObjectsFinal")
    wanted = parse_search(request.template)
    private = wanted is not None and _finds_private(session, wanted)
    found = [] if wanted is None else _find(session, wanted, private=private)
    with session.token.lock:
        if wanted is not None and private and not _finds_private(session, wanted):
            found = _find(session, wanted, private=False)  # logged out meanwhile, by another session
        session.operations.find = found
    return b""


def find_objects_start(call: Call, request: StartSearch) -> bytes:
    """Begin a search, and return how many objects it has found, and all their handles, if these fit."""
    operations = call.session.operations
    if request.replaces and operations.find == []:
        operations.find = None
    find_objects_init(call, WithTemplate(request.session, request.template))
    found = operations.find or []  # ended by another session's logout, it has none
    reply = Writer().u32(len(found))
    if _HANDLE_SIZE * (1 + len(found)) <= call.capacity:
        for handle in found:
            reply.u32(handle)
        found.clear()
    return call.fit(reply.done())


def find_objects(call: Call, request: InSession) -> bytes:
    """Return as many of the remaining handles as the client's buffer holds."""
    found = _search(call)
    count = call.capacity // _HANDLE_SIZE
    reply = Writer()
    for handle in found[:count]:
        reply.u32(handle)
    del found[:count]
    return reply.done()


def find_objects_final(call: Call, request: InSession) -> bytes:
    """End the search."""
    _search(call)
    call.session.operations.find = None
    return b""


def _finds_private(session: Session, wanted: Attributes) -> bool:
    """Say whether a search finds private objects: the user's do, and the SO's for a key of known class and ID."""
    if sees_private(session):
        return True
    names_a_key = wanted.get(CKA.CLASS) in PROTECTED_CLASSES and bool(wanted.get(CKA.ID))
    return is_so(session) and names_a_key and not session.token.policy.as_optee


def _find(session: Session, wanted: Attributes, *, private: bool) -> list[int]:
    """Search without the token's lock: what must be opened for it may take its time.

    Session objects come first, what the token presents of itself last. The oldest object comes first, so that nobody's
    new one is taken for it; OP-TEE's way is the other one.
    """
    token, policy = session.token, session.token.policy
    in_session = session.objects.find(wanted, policy.objects, private=private)
    on_token = token.objects.find(wanted, policy.objects, private=private)
    if policy.as_optee:
        in_session.reverse()
        on_token.reverse()
    base = session.client.private_base(token)
    handles = [base + number if token.objects.is_private(number) else number for number in on_token]
    return [*in_session, *handles, *token.presented.find(wanted)]


def _search(call: Call) -> list[int]:
    found = call.session.operations.find
    if found is None:
        raise Pkcs11Error(CKR.OPERATION_NOT_INITIALIZED, "no search is active in this session")
    return found


BOUND = (
    bind(objects.FIND_OBJECTS_INIT, find_objects_init),
    bind(resuming.FIND_OBJECTS_START, find_objects_start),
    bind(objects.FIND_OBJECTS, find_objects),
    bind(objects.FIND_OBJECTS_FINAL, find_objects_final),
)
