# SPDX-License-Identifier: Apache-2.0
"""What an operator is told of tokens and their public objects, also of those that are damaged."""

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from softee.daemon.metrics.counts import SharedCounts
from softee.daemon.metrics.statistics import Statistics
from softee.daemon.metrics.told import ObjectTold, Told
from softee.daemon.operators import OperatorApplication
from softee.names import CKA, CKO, CKR, OperatorCommand, ParamType, TeeResult
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.application import Pkcs11Application
from softee.stores.memory import MemoryStore
from softee.tee.application import TeeError
from softee.tee.sealing import TamperedError
from softee.wire.values import NO_PARAMS, Memref, Value
from support.commands import c
from support.samples import as_template
from support.stores import FailingStore
from support.token_world import Caller, make_application, public_client


@pytest.fixture
def application() -> Pkcs11Application:
    """An application whose first token has a public object and a private one."""
    caller = Caller(make_application(slots=2))
    session = caller.set_up()
    for private, label in ((False, b"shown\xff"), (True, b"hidden")):
        caller.ok(
            c.CREATE_OBJECT,
            session,
            as_template({CKA.CLASS: CKO.DATA, CKA.TOKEN: True, CKA.PRIVATE: private, CKA.LABEL: label}),
        )
    return caller.application


@pytest.fixture
def counts() -> Iterator[SharedCounts]:
    with closing(SharedCounts(1, 2)) as counts:
        yield counts


def told(counts: SharedCounts, application: Pkcs11Application) -> Told:
    return msgspec.json.decode(Statistics(counts, [application]).encoded(), type=Told)


def objects(counts: SharedCounts, application: Pkcs11Application) -> list[ObjectTold]:
    return msgspec.json.decode(Statistics(counts, [application]).encoded_objects(), type=list[ObjectTold])


def test_private_objects_are_counted_and_public_ones_named(
    counts: SharedCounts, application: Pkcs11Application
) -> None:
    first, second = told(counts, application).tokens
    assert (first.public_objects, first.private_objects, first.user_tries_left) == (1, 1, 7)
    assert (second.initialized, second.user_tries_left) == (False, None)
    assert objects(counts, application) == [ObjectTold(0, "CKO_DATA", "", "shown\ufffd", "")]


def test_what_was_done_is_told_by_its_names(counts: SharedCounts, application: Pkcs11Application) -> None:
    counts.name_tokens(["00000000000000aa", "00000000000000ab"])
    act = (0, c.GENERATE_RANDOM.number, 0xFFFFFFFF, int(CKR.OK))
    counts.of_worker(0).noting(0)(act, 0, 1)
    (operation,) = told(counts, application).operations
    assert (operation.function, operation.result, operation.token) == ("C_GenerateRandom", "CKR_OK", "00000000000000aa")


def test_a_damaged_token_or_object_keeps_nothing_from_being_told(
    counts: SharedCounts, application: Pkcs11Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = application.slots.token(0)

    def damaged(*_: object, **__: object) -> None:
        raise Pkcs11Error(CKR.DEVICE_ERROR, "damaged")

    monkeypatch.setattr(token.objects, "get", damaged)
    assert objects(counts, application) == []

    def tampered(_: int) -> None:
        raise TamperedError("its head was altered")

    monkeypatch.setattr(application.slots, "token", tampered)
    assert [one.damaged for one in told(counts, application).tokens] == ["its head was altered"] * 2
    assert objects(counts, application) == []


@pytest.mark.parametrize("command", [OperatorCommand.BEGIN_COPY, OperatorCommand.BEGIN_AUDIT_LATEST])
def test_a_store_that_does_not_answer_is_told_to_the_operator(command: OperatorCommand) -> None:
    store = FailingStore(MemoryStore())
    store.unreachable = True
    session = OperatorApplication(store).open_session(public_client(uid=0), NO_PARAMS)
    with pytest.raises(TeeError) as raised:
        session.invoke(command, (Value(ParamType.VALUE_OUTPUT), None, None, None))
    assert raised.value.result is TeeResult.STORAGE_NOT_AVAILABLE
    with pytest.raises(TeeError) as raised:
        session.invoke(OperatorCommand.AUDIT_END, (Memref(ParamType.MEMREF_OUTPUT, capacity=64), None, None, None))
    assert raised.value.result is TeeResult.STORAGE_NOT_AVAILABLE
