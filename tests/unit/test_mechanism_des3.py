# SPDX-License-Identifier: Apache-2.0
"""Triple DES at its edges, and its keys: their parity, and those that are single DES."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.functions import Wrapping
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.changes import PolicyChanges, changed
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT, PORTABLE, PROFILES
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import u32
from support.object_calls import create, get
from support.samples import as_template, sample
from support.samples.des3 import DES3_KEY
from support.token_world import Caller, make_application, template

KEY = keys.secret_key(DES3_KEY, CKK.DES3)
IV = bytes(range(8))
ALL = frozenset(mechanism for mechanism in MECHANISMS if mechanism.name.startswith("DES3_"))


def test_no_profile_has_it_and_settings_add_it() -> None:
    assert len(ALL) == 8
    for policy in PROFILES.values():
        assert not ALL & policy.mechanisms.keys()
        assert changed(policy, PolicyChanges(added=ALL)).mechanisms.keys() >= ALL


@pytest.mark.parametrize("size", [1, 7, 9, 23])
@pytest.mark.parametrize(("mechanism", "parameter"), [(CKM.DES3_ECB, b""), (CKM.DES3_CBC, IV)])
def test_part_of_a_block_is_refused(mechanism: CKM, parameter: bytes, size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"CKR_DATA_LEN_RANGE: {size} bytes of data where a multiple of 8"):
        run.encrypt(mechanism, KEY, parameter, bytes(size))
    with pytest.raises(Pkcs11Error, match=f"CKR_ENCRYPTED_DATA_LEN_RANGE: {size} bytes"):
        run.decrypt(mechanism, KEY, parameter, bytes(size))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100])
def test_a_padding_has_1_to_8_bytes(size: int) -> None:
    encrypted = run.encrypt(CKM.DES3_CBC_PAD, KEY, IV, bytes(size))
    assert len(encrypted) == (size // 8 + 1) * 8
    assert run.decrypt(CKM.DES3_CBC_PAD, KEY, IV, encrypted) == bytes(size)


def test_every_bad_padding_has_the_same_error() -> None:
    said = set()
    for end in (b"\0" * 8, b"\x09" * 8, b"\1\2\3\4\5\6\7\2", b"\xff" * 8):
        with pytest.raises(Pkcs11Error) as caught:
            run.decrypt(CKM.DES3_CBC_PAD, KEY, IV, run.encrypt(CKM.DES3_CBC, KEY, IV, end))
        said.add(str(caught.value))
    assert said == {"CKR_ENCRYPTED_DATA_INVALID: the padding is not PKCS#7's"}


@pytest.mark.parametrize("size", [0, 7, 9, 16])
@pytest.mark.parametrize("mechanism", [CKM.DES3_CBC, CKM.DES3_CBC_PAD])
def test_an_initialization_vector_has_8_bytes(mechanism: CKM, size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"an initialization vector of {size} bytes, not 8"):
        MECHANISMS[mechanism].parameter(bytes(size))


@pytest.mark.parametrize("mechanism", sorted(ALL), ids=lambda mechanism: mechanism.name)
def test_it_wraps_no_keys_whose_pieces_of_8_bytes_could_be_tried(mechanism: CKM) -> None:
    with pytest.raises(Pkcs11Error, match="MECHANISM_INVALID"):
        MECHANISMS[mechanism].of(Wrapping)


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(make_application(policy=changed(PORTABLE, PolicyChanges(added=OFF_BY_DEFAULT & MECHANISMS.keys()))))


@pytest.fixture(scope="module")
def session(caller: Caller) -> int:
    return caller.set_up()


SHOWN = ((CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.DES3), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True))
ONE, TWO, THREE = DES3_KEY[:8], DES3_KEY[8:16], DES3_KEY[16:]


def odd(value: bytes) -> bool:
    """Say whether every byte has an odd number of ones."""
    return all(byte.bit_count() % 2 for byte in value)


@pytest.mark.parametrize(
    "value",
    [
        DES3_KEY[:-1] + bytes([DES3_KEY[-1] ^ 1]),
        bytes([DES3_KEY[0] ^ 0x80]) + DES3_KEY[1:],
        ONE + ONE + THREE,
        ONE + TWO + TWO,
        ONE * 3,
        ONE + TWO,
        DES3_KEY + b"\1",
        DES3_KEY[:-1],
    ],
    ids=["last bit", "first bit", "first two alike", "last two alike", "all alike", "16 bytes", "25 bytes", "23 bytes"],
)
def test_a_key_with_even_parity_or_of_single_des_or_another_size_is_refused(
    caller: Caller, session: int, value: bytes
) -> None:
    answer = caller.call(c.CREATE_OBJECT, session, as_template(sample("Triple DES key", VALUE=value)))
    assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


def test_the_first_part_may_come_again_as_the_last_one(caller: Caller, session: int) -> None:
    create(caller, session, "Triple DES key", VALUE=ONE + TWO + ONE)


def test_a_generated_key_has_odd_parity_a_length_and_a_check_value(caller: Caller, session: int) -> None:
    for wanted in (template(*SHOWN[2:]), template((CKA.VALUE_LEN, 24), *SHOWN[2:])):
        key = caller.ok(c.GENERATE_KEY, session, CKM.DES3_KEY_GEN, b"", wanted).handle
        value = get(caller, session, key, CKA.VALUE)
        assert isinstance(value, bytes)
        assert len(value) == 24
        assert odd(value)
        assert get(caller, session, key, CKA.VALUE_LEN) == u32(24)
        zeros = run.encrypt(CKM.DES3_ECB, keys.secret_key(value, CKK.DES3), b"", bytes(8))
        assert get(caller, session, key, CKA.CHECK_VALUE) == zeros[:3]
    answer = caller.call(c.GENERATE_KEY, session, CKM.DES3_KEY_GEN, b"", template((CKA.VALUE_LEN, 16)))
    assert answer.rv is CKR.KEY_SIZE_RANGE


def test_a_derived_key_has_its_parity_put_right(caller: Caller, session: int) -> None:
    base = create(caller, session, "generic secret key", DERIVE=True, SENSITIVE=False, EXTRACTABLE=True)
    derived = caller.ok(c.DERIVE_KEY, session, base, CKM.SHA256_KEY_DERIVATION, b"", template(*SHOWN)).handle
    value = get(caller, session, derived, CKA.VALUE)
    assert isinstance(value, bytes)
    assert odd(value)


def test_invariant_1_parity_tells_nothing_of_what_is_unwrapped_as_such_a_key(caller: Caller, session: int) -> None:
    """A key that somebody else has wrapped becomes one, whatever its bits are."""
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True)
    secret = create(caller, session, "generic secret key", VALUE=bytes(range(24)), EXTRACTABLE=True)
    wrapped = caller.ok(c.WRAP_KEY, session, kek, secret, CKM.AES_KEY_WRAP, b"").output
    key = caller.ok(c.UNWRAP_KEY, session, kek, CKM.AES_KEY_WRAP, b"", template(*SHOWN), data=wrapped).handle
    value = get(caller, session, key, CKA.VALUE)
    assert isinstance(value, bytes)
    assert odd(value)
    assert bytes(byte & 0xFE for byte in value) == bytes(byte & 0xFE for byte in range(24))
