# SPDX-License-Identifier: Apache-2.0
"""The daemon's trusted applications: made from store, root key and settings; and what a store knows of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from softee.daemon.applications import APPLICATIONS, Installed, Surroundings, is_in_use, make_applications
from softee.daemon.root_key.reading import RootKeyError
from softee.daemon.root_key.source import RootKeySource
from softee.daemon.settings import Settings, SettingsError, load_settings
from softee.names import PKCS11_APPLICATION
from softee.pkcs11_ta.application import Pkcs11Application
from softee.stores.base import Store
from softee.tee.application import TrustedApplication
from support.attestations import CA, as_pem, attestation_key, authority, certificates, chain_of
from support.echo_application import ECHO_UUID, EchoApplication
from support.stores import OTHER_APPLICATION, ROOT_KEY, STORES, open_storage, snapshot
from support.token_world import Caller


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = STORES[request.param](tmp_path)
    yield store
    store.close()


def test_each_application_has_a_uuid_of_its_own_which_is_what_it_says(store: Store, tmp_path: Path) -> None:
    (tmp_path / "softee.toml").touch()
    made = make_applications(Surroundings(store, bytearray(ROOT_KEY), load_settings(tmp_path / "softee.toml")))
    uuids = [application.uuid for application in APPLICATIONS]
    assert [application.uuid for application in made] == uuids
    assert len(set(uuids)) == len(uuids)


def test_the_settings_reach_the_pkcs11_application(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "softee.toml"
    file.write_text("[pkcs11]\nslots = 5\nsessions_per_client = 6\npin_computations = 1\n")
    made = {
        application.uuid: application
        for application in make_applications(Surroundings(store, bytearray(ROOT_KEY), load_settings(file)))
    }
    application = made[PKCS11_APPLICATION]
    assert isinstance(application, Pkcs11Application)
    assert (application.slots.count, application.max_sessions) == (5, 6)
    assert [application.pins.running.acquire(blocking=False) for _ in range(2)] == [True, False]


def test_the_attestation_chain_of_the_settings_is_used_or_refused_by_its_name(store: Store, tmp_path: Path) -> None:
    file, chain = tmp_path / "softee.toml", tmp_path / "chain.pem"
    file.write_text(f'[attestation]\nchain = "{chain}"\n')
    settings = load_settings(file)
    with pytest.raises(SettingsError, match=r"The attestation chain .*chain\.pem cannot be read: No such file"):
        make_applications(Surroundings(store, bytearray(ROOT_KEY), settings))
    chain.write_bytes(as_pem(authority().certificate))
    with pytest.raises(SettingsError, match=r"chain\.pem cannot be used: its first certificate is not that of"):
        make_applications(Surroundings(store, bytearray(ROOT_KEY), settings))
    file.write_text("")
    own = Caller(_pkcs11(store, load_settings(file)))
    issued = authority().issue(attestation_key(own), "attesting", (CA, True))
    chain.write_bytes(as_pem(issued))
    assert certificates(chain_of(Caller(_pkcs11(store, settings)))) == [issued]


def _pkcs11(store: Store, settings: Settings) -> Pkcs11Application:
    (made,) = make_applications(Surroundings(store, bytearray(ROOT_KEY), settings))
    assert isinstance(made, Pkcs11Application)
    return made


def test_another_application_is_made_and_asked_where_its_row_is_given(store: Store, tmp_path: Path) -> None:
    (tmp_path / "softee.toml").touch()
    settings = load_settings(tmp_path / "softee.toml")

    def make(around: Surroundings) -> TrustedApplication:
        open_storage(around.store, around.root_key, ECHO_UUID)
        return EchoApplication()

    rows = [Installed(ECHO_UUID, make)]
    assert not is_in_use(store, rows)
    (made,) = make_applications(Surroundings(store, bytearray(ROOT_KEY), settings), rows)
    assert made.uuid == ECHO_UUID
    assert is_in_use(store, rows)
    assert not is_in_use(store)


def test_a_store_is_in_use_once_an_application_has_founded_its_storage(store: Store) -> None:
    assert not is_in_use(store)
    open_storage(store, application=OTHER_APPLICATION)
    assert not is_in_use(store), "nobody here needs what another program's application has stored"
    open_storage(store)
    assert is_in_use(store)


def test_a_store_without_its_installation_record_is_in_use_by_what_is_left(store: Store) -> None:
    open_storage(store)
    installation = min(snapshot(store))
    store.commit(expected={}, puts={}, deletes=[installation])
    assert snapshot(store)
    assert is_in_use(store)


def test_a_second_machine_with_the_same_store_gets_no_root_key_of_its_own(store: Store, tmp_path: Path) -> None:
    first, second = tmp_path / "first.key", tmp_path / "second.key"
    open_storage(store, RootKeySource(str(first)).read_or_make(is_needed=lambda: is_in_use(store)))
    with pytest.raises(RootKeyError, match=r"second\.key is missing"):
        RootKeySource(str(second)).read_or_make(is_needed=lambda: is_in_use(store))
    assert not second.exists()
