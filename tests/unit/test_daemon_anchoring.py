# SPDX-License-Identifier: Apache-2.0
"""The anchor in a TPM, and a secure world that is anchored: within a second, at its end, and refused when put back."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from softee.cli.token_client import token_client
from softee.daemon.anchor_place import AnchorPlace
from softee.daemon.anchoring import WITHIN, Anchoring, anchor_devices, anchoring
from softee.daemon.errors import StartError
from softee.daemon.failures import opening
from softee.daemon.settings import Settings, SettingsError, load_settings
from softee.daemon.tpm_counter import DEVICES, TpmCounter
from softee.stores.memory import MemoryStore
from softee.tee.anchor import AnchoredStore, AnchorError
from softee.tee.sealing import TamperedError
from support.anchors import FakeCounter
from support.channel_attack import eventually
from support.secure_world import running_daemon
from support.stores import ROOT_KEY, open_storage
from support.tpm import needs_tpm, running_tpm

AUTH = bytes(range(32))


@pytest.fixture
def place() -> Iterator[AnchorPlace]:
    with running_tpm() as tcti:
        yield AnchorPlace(f"tpm:0x01800057?tcti={tcti}")


@needs_tpm
def test_a_counter_of_a_tpm_rises_by_one_for_who_has_its_password(place: AnchorPlace) -> None:
    counter = TpmCounter(place)
    assert counter.read() is None
    with pytest.raises(AnchorError, match="there is no counter"):
        counter.increment(AUTH)
    counter.define(AUTH)
    first = counter.read()
    assert first is not None
    counter.increment(AUTH)
    assert TpmCounter(place).read() == first + 1
    with pytest.raises(AnchorError, match="the TPM refuses"):
        counter.increment(AUTH[::-1])
    with pytest.raises(AnchorError, match="the TPM refuses"):
        counter.define(AUTH)
    assert counter.read() == first + 1


@needs_tpm
def test_a_counter_that_is_made_anew_does_not_begin_lower(place: AnchorPlace) -> None:
    from tpm2_pytss import ESAPI  # noqa: PLC0415 - which may not be installed

    counter = TpmCounter(place)
    counter.define(AUTH)
    counter.increment(AUTH)
    before = counter.read()
    assert before is not None
    with ESAPI(place.query["tcti"]) as tpm:
        tpm.nv_undefine_space(tpm.tr_from_tpmpublic(place.handle))
    assert counter.read() is None
    counter.define(AUTH)
    after = counter.read()
    assert after is not None
    assert after > before


def test_where_no_tpm_or_no_library_is_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = TpmCounter(AnchorPlace(f"tpm:0x01800057?tcti=swtpm:path={tmp_path}/none"))
    with pytest.raises(AnchorError):
        counter.read()
    monkeypatch.setitem(sys.modules, "tpm2_pytss", None)
    with pytest.raises(AnchorError, match=r"pip install 'softee\[tpm\]'"):
        counter.read()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"0x01800057"', "expected tpm:HANDLE"),
        ('"tpm:0x81000000"', "expected tpm:HANDLE"),
        ('"tpm:x"', "invalid literal"),
        ('"tpm:0x01800057?pin=1"', "tcti, and nothing else"),
        ("7", "the place of an anchor"),
    ],
)
def test_a_place_that_is_none_is_refused(tmp_path: Path, value: str, said: str) -> None:
    (tmp_path / "softee.toml").write_text(f"anchor = {value}\n")
    with pytest.raises(SettingsError, match=said):
        load_settings(tmp_path / "softee.toml")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "softee.toml").touch()
    return load_settings(tmp_path / "softee.toml")


def pending(counter: FakeCounter) -> tuple[AnchoredStore, Anchoring]:
    """Return a store with a change that is not anchored."""
    store = AnchoredStore(MemoryStore(), counter, ROOT_KEY)
    vault = open_storage(store).vault("slot-0")
    change = vault.change()
    change.add(b"object", vault.key, 0, [])
    change.commit()
    return store, Anchoring(store, store)


def test_what_is_pending_is_anchored_when_its_time_has_come() -> None:
    store, anchor = pending(FakeCounter())
    anchor.tend(10.0)
    assert (anchor.deadline, store.is_pending) == (10.0 + WITHIN, True)
    anchor.tend(10.0 + WITHIN / 2)
    assert store.is_pending
    anchor.tend(10.0 + WITHIN)
    assert (anchor.deadline, store.is_pending) == (None, False)
    anchor.tend(20.0)
    assert anchor.deadline is None


def test_what_cannot_be_anchored_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    counter = FakeCounter()
    store, anchor = pending(counter)
    counter.fails_before = True
    anchor.tend(0.0)
    anchor.tend(WITHIN)
    assert store.is_pending
    assert "not anchored yet: the counter does not answer" in caplog.text
    counter.fails_before = False
    anchor.tend(2.0)
    anchor.tend(2.0 + WITHIN)
    assert not store.is_pending


def test_a_thread_anchors_where_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softee.daemon.anchoring.WITHIN", 0.01)
    store, anchor = pending(FakeCounter())
    with anchor.in_background():
        assert eventually(lambda: not store.is_pending)
    with Anchoring(store, None).in_background():
        pass


def test_a_state_whose_anchor_is_not_named_any_more_is_told(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    anchored, _ = pending(FakeCounter())
    anchor = anchoring(settings, anchored._store, bytearray(ROOT_KEY))
    assert anchor.store is anchored._store
    assert "had an anchor, which the settings do not name" in caplog.text
    caplog.clear()
    anchoring(settings, MemoryStore(), bytearray(ROOT_KEY))
    assert caplog.text == ""


def test_the_tpms_files_stay_open_for_the_anchor_alone(settings: Settings) -> None:
    assert anchor_devices(settings) == ()
    assert anchor_devices(msgspec.structs.replace(settings, anchor=AnchorPlace("tpm:0x01800057"))) == DEVICES


@pytest.mark.parametrize(
    ("error", "said"), [(AnchorError("it is gone"), "The anchor of what is stored in .* cannot be used: it is gone")]
)
def test_what_the_anchor_says_keeps_it_from_starting(settings: Settings, error: Exception, said: str) -> None:
    with pytest.raises(StartError, match=said), opening(MemoryStore(), settings.root_key):
        raise error
    with pytest.raises(StartError, match="damaged or was tampered with"), opening(MemoryStore(), settings.root_key):
        raise TamperedError("it was rolled back")


@needs_tpm
@pytest.mark.parametrize("workers", [1, 2])
def test_a_secure_world_whose_whole_state_was_put_back_does_not_start(
    tmp_path: Path, place: AnchorPlace, workers: int
) -> None:
    written = f'anchor = "{place}"\nworkers = {workers}\n'
    counter = TpmCounter(place)
    with running_daemon(tmp_path, settings=written) as daemon:
        started = counter.read()
        with token_client(daemon.socket) as client:
            client.init_token(0, "anchored", b"1234")
        changed = counter.read()
        assert daemon.stop() == 0
    assert started is not None
    assert changed is not None
    assert changed > started
    shutil.copytree(daemon.state, tmp_path / "older")
    with running_daemon(tmp_path, settings=written) as daemon:
        with token_client(daemon.socket) as client:
            assert client.tokens()[0].label == "anchored"
        assert daemon.stop() == 0
    shutil.rmtree(daemon.state)
    (tmp_path / "older").rename(daemon.state)
    with (
        pytest.raises(AssertionError, match="older than its anchor's counter: it was rolled back as a whole"),
        running_daemon(tmp_path, settings=written),
    ):
        pass
