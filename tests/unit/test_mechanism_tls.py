# SPDX-License-Identifier: Apache-2.0
"""TLS 1.2's mechanisms through a token: what the keys are that they make, and each parameter that is refused."""

import struct
from itertools import product

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, get
from support.samples.tls import CLIENT, SERVER, TLS_1_2, exporter, extended, finished, key_block, master
from support.token_world import Attribute, Caller, make_application, template

T, F = True, False
PREMASTER = TLS_1_2 + bytes(46)
SHOWN = {"SENSITIVE": F, "EXTRACTABLE": T}
AES = ((CKA.KEY_TYPE, CKK.AES), (CKA.VALUE_LEN, 16))
BLOCK = CKM.TLS12_KEY_AND_MAC_DERIVE


class World:
    """A token, and a session in which the user is logged in."""

    def __init__(self) -> None:
        self.caller = Caller(make_application(policy=PORTABLE))
        self.session = self.caller.set_up()

    def secret(self, value: bytes = PREMASTER, **changes: bool | bytes) -> int:
        return create(self.caller, self.session, "generic secret key", VALUE=value, **{"DERIVE": T, **changes})

    def derive(
        self, base: int, mechanism: CKM, parameter: bytes, *attributes: Attribute, room: int | None = None
    ) -> tuple[CKR, bytes]:
        """Derive by DERIVE_KEYS, with as much room as the answer has."""
        blocks = mechanism in {BLOCK, CKM.TLS12_KEY_SAFE_DERIVE}
        if room is None:
            vector = struct.unpack_from("<I", parameter, 8)[0] // 8 if mechanism is BLOCK else 0
            room = 16 + 2 * vector if blocks else 4
        wanted = template(*attributes)
        answer = self.caller.call(c.DERIVE_KEYS, self.session, base, mechanism, parameter, wanted, capacity=room)
        return answer.rv, answer.output

    def block(self, base: int, parameter: bytes, *attributes: Attribute) -> tuple[tuple[int, ...], bytes]:
        rv, output = self.derive(base, BLOCK, parameter, *attributes)
        assert rv is CKR.OK
        return struct.unpack_from("<4I", output), output[16:]

    def get(self, handle: int, attribute: CKA) -> bytes | CKR:
        return get(self.caller, self.session, handle, attribute)

    def usages(self, handle: int) -> set[str]:
        every = (CKA.ENCRYPT, CKA.DECRYPT, CKA.SIGN, CKA.VERIFY, CKA.WRAP, CKA.UNWRAP, CKA.DERIVE)
        return {usage.name for usage in every if self.get(handle, usage) == b"\1"}


@pytest.fixture
def world() -> World:
    return World()


def test_a_premaster_secret_is_generated_to_be_wrapped(world: World) -> None:
    generate = (c.GENERATE_KEY, world.session, CKM.TLS_PRE_MASTER_KEY_GEN, TLS_1_2)
    made = world.caller.ok(*generate, template()).handle
    assert [world.get(made, one) for one in (CKA.SENSITIVE, CKA.EXTRACTABLE)] == [b"\1", b"\1"]
    assert world.get(made, CKA.VALUE_LEN) == u32(48)
    kept = world.caller.ok(*generate, template((CKA.EXTRACTABLE, F), (CKA.VALUE_LEN, 48))).handle
    assert world.get(kept, CKA.EXTRACTABLE) == b"\0"
    assert world.caller.call(*generate, template((CKA.VALUE_LEN, 47))).rv is CKR.TEMPLATE_INCONSISTENT
    assert world.caller.call(*generate, template((CKA.KEY_TYPE, CKK.AES))).rv is CKR.TEMPLATE_INCONSISTENT


@pytest.mark.parametrize("version", [b"", b"\3", b"\3\0", b"\3\4", b"\2\3", b"\3\3\0", b"\0" * 16])
def test_a_premaster_secret_has_a_version_that_there_is(world: World, version: bytes) -> None:
    answer = world.caller.call(c.GENERATE_KEY, world.session, CKM.TLS_PRE_MASTER_KEY_GEN, version, template())
    assert answer.rv is CKR.MECHANISM_PARAM_INVALID


def test_a_master_secret_has_48_bytes_and_the_protection_of_its_template(world: World) -> None:
    base = world.secret(SENSITIVE=T, EXTRACTABLE=F)
    rv, output = world.derive(base, CKM.TLS12_MASTER_KEY_DERIVE, master(version=True), room=6)
    assert (rv, output[4:]) == (CKR.OK, TLS_1_2)
    made = int.from_bytes(output[:4], "little")
    assert world.get(made, CKA.VALUE_LEN) == u32(48)
    assert world.usages(made) == {"SIGN", "VERIFY"}, "it derives where its template says so"
    assert world.get(made, CKA.VALUE) is CKR.ATTRIBUTE_SENSITIVE
    assert world.get(made, CKA.ALWAYS_SENSITIVE) == b"\0", "the premaster secret was imported"
    for wrong in ((CKA.VALUE_LEN, 47), (CKA.KEY_TYPE, CKK.AES), (CKA.CLASS, CKO.DATA), (CKA.VALUE, bytes(48))):
        assert world.derive(base, CKM.TLS12_MASTER_KEY_DERIVE, master(), wrong)[0] is CKR.TEMPLATE_INCONSISTENT


@pytest.mark.parametrize("parameter", [master(), master(version=True)])
def test_attack_a_premaster_secret_of_another_size_has_no_version_and_makes_no_master_secret(
    world: World, parameter: bytes
) -> None:
    for size in (1, 2, 32, 47, 49, 96):
        short = world.secret(bytes(size))
        for mechanism in (CKM.TLS12_MASTER_KEY_DERIVE, BLOCK):
            assert world.derive(short, mechanism, parameter)[0] is CKR.KEY_SIZE_RANGE
    assert world.derive(world.secret(bytes(32)), CKM.TLS12_MASTER_KEY_DERIVE_DH, master())[0] is CKR.OK
    refused, _ = world.derive(world.secret(bytes(32)), CKM.TLS12_MASTER_KEY_DERIVE_DH, master(version=True), room=6)
    assert refused is CKR.MECHANISM_PARAM_INVALID, "the version of what has none"


def test_mac_secrets_and_keys_are_for_what_the_standard_says(world: World) -> None:
    """PKCS#11 3.2 §6.40."""
    label = (CKA.LABEL, b"connection")
    (client_mac, server_mac, client, server), vectors = world.block(
        world.secret(), key_block(256, 128, 96), *AES, label
    )
    assert len(vectors) == 24
    for mac in (client_mac, server_mac):
        assert world.get(mac, CKA.KEY_TYPE) == u32(CKK.GENERIC_SECRET)
        assert world.get(mac, CKA.VALUE_LEN) == u32(32)
        assert world.usages(mac) == {"SIGN", "VERIFY", "DERIVE"}
        assert world.get(mac, CKA.LABEL) == b"connection"
    for key in (client, server):
        assert world.get(key, CKA.KEY_TYPE) == u32(CKK.AES)
        assert world.usages(key) == {"ENCRYPT", "DECRYPT", "DERIVE"}
        assert world.get(key, CKA.LABEL) == b"connection"


def test_triple_des_keys_of_a_block_have_their_parity_put_right(world: World) -> None:
    shown = ((CKA.SENSITIVE, F), (CKA.EXTRACTABLE, T))
    handles, _ = world.block(
        world.secret(SENSITIVE=F, EXTRACTABLE=T), key_block(160, 192, 64), (CKA.KEY_TYPE, CKK.DES3), *shown
    )
    for handle in handles[2:]:
        value = world.get(handle, CKA.VALUE)
        assert isinstance(value, bytes)
        assert len(value) == 24
        assert all(byte.bit_count() % 2 for byte in value)


def test_usages_that_a_template_gives_are_those_of_the_keys_alone(world: World) -> None:
    given = ((CKA.ENCRYPT, T), (CKA.DECRYPT, F), (CKA.DERIVE, F), (CKA.WRAP, T))
    handles, _ = world.block(world.secret(), key_block(256, 128, 0), *AES, *given)
    assert [world.usages(handle) for handle in handles[1:3]] == [{"SIGN", "VERIFY", "DERIVE"}, {"ENCRYPT", "WRAP"}]


def test_what_is_not_wanted_is_not_made(world: World) -> None:
    base = world.secret()
    assert [bool(one) for one in world.block(base, key_block(0, 128, 32), *AES)[0]] == [F, F, T, T]
    assert [bool(one) for one in world.block(base, key_block(160, 0, 0))[0]] == [T, T, F, F]
    rv, output = world.derive(base, CKM.TLS12_KEY_SAFE_DERIVE, key_block(0, 128, 32), *AES)
    assert (rv, len(output)) == (CKR.OK, 16), "no vectors, whatever the parameter says"


def test_keys_of_a_block_are_protected_as_the_master_secret_is(world: World) -> None:
    for sensitive, extractable in product((T, F), repeat=2):
        base = world.secret(SENSITIVE=sensitive, EXTRACTABLE=extractable)
        handles, _ = world.block(base, key_block(160, 128, 0), *AES)
        for handle in handles:
            assert world.get(handle, CKA.SENSITIVE) == bytes([sensitive])
            assert world.get(handle, CKA.EXTRACTABLE) == bytes([extractable])
        for other in ((CKA.SENSITIVE, not sensitive), (CKA.EXTRACTABLE, not extractable)):
            assert world.derive(base, BLOCK, key_block(0, 128, 0), *AES, other)[0] is CKR.TEMPLATE_INCONSISTENT


def test_every_key_is_as_the_master_secrets_template_demands(world: World) -> None:
    demanded = template((CKA.KEY_TYPE, CKK.AES), (CKA.WRAP_WITH_TRUSTED, T))
    base = create(
        world.caller, world.session, "generic secret key", VALUE=PREMASTER, DERIVE=T, DERIVE_TEMPLATE=demanded
    )
    assert world.derive(base, BLOCK, key_block(160, 128, 0))[0] is CKR.TEMPLATE_INCONSISTENT, (
        "MAC secrets are no AES keys"
    )
    (_, _, client, _), _ = world.block(base, key_block(0, 128, 0))
    assert world.get(client, CKA.KEY_TYPE) == u32(CKK.AES)
    assert world.get(client, CKA.WRAP_WITH_TRUSTED) == b"\1"


def objects_in(world: World) -> int:
    world.caller.ok(c.FIND_OBJECTS_INIT, world.session, template())
    found = world.caller.ok(c.FIND_OBJECTS, world.session, capacity=4096).output
    world.caller.ok(c.FIND_OBJECTS_FINAL, world.session)
    return len(found) // 4


@pytest.mark.parametrize("room", [0, 15, 16, 39, 41])
def test_no_key_is_made_whose_handle_the_caller_would_not_get(world: World, room: int) -> None:
    base = world.secret()
    before = objects_in(world)
    assert world.derive(base, BLOCK, key_block(160, 128, 96), *AES, room=room)[0] is CKR.ARGUMENTS_BAD
    assert objects_in(world) == before


def test_all_keys_are_made_or_none(world: World) -> None:
    base = world.secret()
    before = objects_in(world)
    rv, _ = world.derive(base, BLOCK, key_block(160, 40, 0), (CKA.KEY_TYPE, CKK.AES))
    assert rv is CKR.ATTRIBUTE_VALUE_INVALID, "no AES key has five bytes"
    assert objects_in(world) == before


HUGE = 0xFFFFFFF8
BAD_BLOCKS = {
    "nothing is wanted": key_block(0, 0, 96),
    "a part of a byte of a MAC secret": key_block(161, 128, 0),
    "a part of a byte of a key": key_block(160, 127, 0),
    "a part of a byte of a vector": key_block(160, 128, 33),
    "a MAC secret too large": key_block(520, 128, 0),
    "a key too large": key_block(160, 520, 0),
    "a vector too large": key_block(160, 128, 520),
    "sizes whose sum would overflow": key_block(HUGE, HUGE, HUGE),
    "an export suite": key_block(160, 128, 0, export=True),
    "no client random": key_block(160, 128, 0, b"", SERVER),
    "a short server random": key_block(160, 128, 0, CLIENT, SERVER[:-1]),
    "a long client random": key_block(160, 128, 0, CLIENT + b"\0", SERVER),
    "randoms that are together as long": key_block(160, 128, 0, CLIENT + SERVER, b""),
    "SHA-1": key_block(160, 128, 0, function=CKM.SHA_1),
    "the PRF of TLS 1.0": key_block(160, 128, 0, function=CKM.TLS_PRF),
    "bytes left over": key_block(160, 128, 0) + b"\0",
    "bytes missing": key_block(160, 128, 0)[:-1],
    "a random longer than the parameter": u32(160, 128, 0, 0, 0xFFFFFFFF) + bytes(64),
}


@pytest.mark.parametrize("parameter", BAD_BLOCKS.values(), ids=BAD_BLOCKS)
def test_attack_key_block(world: World, parameter: bytes) -> None:
    base = world.secret()
    assert world.derive(base, BLOCK, parameter, room=16)[0] is CKR.MECHANISM_PARAM_INVALID


OTHER_BAD = {
    "master: a short random": (CKM.TLS12_MASTER_KEY_DERIVE, master(CLIENT[:-1])),
    "master: no randoms": (CKM.TLS12_MASTER_KEY_DERIVE, master(b"", b"")),
    "master: MD5": (CKM.TLS12_MASTER_KEY_DERIVE, master(function=CKM.MD5)),
    "extended: no hash": (CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, extended(b"")),
    "extended: another function's hash": (CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE, extended(bytes(48))),
    "extended: a version that there is not": (
        CKM.TLS12_EXTENDED_MASTER_KEY_DERIVE_DH,
        extended(bytes(32), version=True),
    ),
}


@pytest.mark.parametrize(("mechanism", "parameter"), OTHER_BAD.values(), ids=OTHER_BAD)
def test_attack_master_secret(world: World, mechanism: CKM, parameter: bytes) -> None:
    assert world.derive(world.secret(), mechanism, parameter, room=6)[0] is CKR.MECHANISM_PARAM_INVALID


def test_keys_of_a_block_are_not_one_key(world: World) -> None:
    base, wanted = world.secret(), template()
    for mechanism, parameter in ((BLOCK, key_block(0, 128, 0)), (CKM.TLS12_MASTER_KEY_DERIVE, master())):
        answer = world.caller.call(c.DERIVE_KEY, world.session, base, mechanism, parameter, wanted)
        assert answer.rv is CKR.MECHANISM_INVALID
    assert world.derive(base, CKM.TLS_KDF, exporter(b"label"))[0] is CKR.MECHANISM_INVALID


def test_what_is_exported_is_protected_as_the_master_secret_is(world: World) -> None:
    """PKCS#11 3.2 §6.40."""
    kept = world.secret(SENSITIVE=T, EXTRACTABLE=F)
    wanted = ((CKA.VALUE_LEN, 1), (CKA.SENSITIVE, F))
    arguments = (c.DERIVE_KEY, world.session, kept, CKM.TLS_KDF, exporter(b"label"))
    assert world.caller.call(*arguments, template(*wanted)).rv is CKR.TEMPLATE_INCONSISTENT
    made = world.caller.ok(*arguments, template((CKA.VALUE_LEN, 1))).handle
    assert [world.get(made, one) for one in (CKA.SENSITIVE, CKA.EXTRACTABLE)] == [b"\1", b"\0"]
    assert world.caller.call(*arguments, template()).rv is CKR.TEMPLATE_INCOMPLETE


@pytest.mark.parametrize(
    "parameter",
    [
        exporter(b""),
        exporter(bytes(65_538)),
        exporter(b"x", context=bytes(65_538)),
        exporter(b"x", function=CKM.TLS_PRF),
    ],
    ids=["no label", "a long label", "a long context", "the PRF of TLS 1.0"],
)
def test_attack_exporter(world: World, parameter: bytes) -> None:
    wanted = template((CKA.VALUE_LEN, 16))
    answer = world.caller.call(c.DERIVE_KEY, world.session, world.secret(), CKM.TLS_KDF, parameter, wanted)
    assert answer.rv is CKR.MECHANISM_PARAM_INVALID


@pytest.mark.parametrize(
    "parameter",
    [finished(0), finished(3), finished(1, 11), finished(1, 65), finished(1, 0), finished(1, function=CKM.SHA224)],
)
def test_attack_finished(world: World, parameter: bytes) -> None:
    key = world.secret(SIGN=T)
    answer = world.caller.call(c.SIGN_INIT, world.session, key, CKM.TLS_MAC, parameter)
    assert answer.rv is CKR.MECHANISM_PARAM_INVALID


def test_more_than_a_hash_is_not_held(world: World) -> None:
    key = world.secret(SIGN=T)
    world.caller.ok(c.SIGN_INIT, world.session, key, CKM.TLS_MAC, finished(1))
    world.caller.ok(c.SIGN_UPDATE, world.session, data=bytes(1024))
    assert world.caller.call(c.SIGN_UPDATE, world.session, data=b"x").rv is CKR.DEVICE_MEMORY


def test_attack_a_parameter_that_is_cut_anywhere(world: World) -> None:
    base, whole = world.secret(), key_block(160, 128, 96)
    for end in range(len(whole)):
        assert world.derive(base, BLOCK, whole[:end], room=40)[0] is CKR.MECHANISM_PARAM_INVALID, end
