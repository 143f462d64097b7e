# SPDX-License-Identifier: Apache-2.0
"""AES-XTS, GMAC, CBC-MAC, OFB and CFB at their edges."""

import pytest

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.aes import gcm, xts
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import gcm_params, u32
from support.object_calls import create, get
from support.samples import as_template, sample
from support.token_world import Caller, make_application, template

KEY = keys.aes_key(bytes(range(32)))
XTS_KEY = keys.secret_key(bytes(range(64)), CKK.AES_XTS)
IV = bytes(range(16))


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_data_unit_has_a_block_at_least(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"CKR_DATA_LEN_RANGE: {size} bytes"):
        run.encrypt(CKM.AES_XTS, XTS_KEY, IV, bytes(size))
    with pytest.raises(Pkcs11Error, match=f"ENCRYPTED_DATA_LEN_RANGE: {size} bytes"):
        run.decrypt(CKM.AES_XTS, XTS_KEY, IV, bytes(size))


def test_a_data_unit_that_comes_in_parts_has_a_limit() -> None:
    unit = bytes(xts.LARGEST_HELD)
    assert run.decrypt(CKM.AES_XTS, XTS_KEY, IV, run.encrypt(CKM.AES_XTS, XTS_KEY, IV, unit)) == unit
    with pytest.raises(Pkcs11Error, match="DEVICE_MEMORY"):
        run.encrypt(CKM.AES_XTS, XTS_KEY, IV, unit, b"\0")


def test_a_data_unit_that_comes_as_a_whole_has_the_standards_limit() -> None:
    unit = bytes(xts.LARGEST_UNIT)
    encrypted = run.encryption(CKM.AES_XTS, XTS_KEY, IV).whole(unit)
    assert run.decryption(CKM.AES_XTS, XTS_KEY, IV).whole(encrypted) == unit
    for begin in (run.encryption, run.decryption):
        with pytest.raises(Pkcs11Error, match="DATA_LEN_RANGE"):
            begin(CKM.AES_XTS, XTS_KEY, IV).whole(unit + b"\0")


def test_an_xts_key_of_a_size_between_is_refused_before_any_data() -> None:
    with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: AES has no keys of 48 bytes"):
        run.encryption(CKM.AES_XTS, keys.secret_key(bytes(48), CKK.AES_XTS), IV)


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(make_application(policy=PORTABLE))


@pytest.fixture(scope="module")
def session(caller: Caller) -> int:
    return caller.set_up()


@pytest.mark.parametrize("value", [bytes(32), bytes(range(32)) * 2, bytes(48), bytes(16)])
def test_an_xts_key_of_two_like_halves_or_another_size_is_refused(caller: Caller, session: int, value: bytes) -> None:
    answer = caller.call(c.CREATE_OBJECT, session, as_template(sample("AES-XTS key", VALUE=value)))
    assert answer.rv is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("size", [32, 64])
def test_an_xts_key_is_generated_and_has_no_check_value(caller: Caller, session: int, size: int) -> None:
    shown = template((CKA.VALUE_LEN, size), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True))
    key = caller.ok(c.GENERATE_KEY, session, CKM.AES_XTS_KEY_GEN, b"", shown).handle
    assert get(caller, session, key, CKA.KEY_TYPE) == u32(CKK.AES_XTS)
    value = get(caller, session, key, CKA.VALUE)
    assert isinstance(value, bytes)
    assert len(value) == size
    assert get(caller, session, key, CKA.CHECK_VALUE) is CKR.ATTRIBUTE_TYPE_INVALID
    for other in (16, 24, 48, 65):
        answer = caller.call(c.GENERATE_KEY, session, CKM.AES_XTS_KEY_GEN, b"", template((CKA.VALUE_LEN, other)))
        assert answer.rv is CKR.KEY_SIZE_RANGE


def test_an_xts_key_is_used_for_nothing_else_and_no_other_for_xts(caller: Caller, session: int) -> None:
    key = create(caller, session, "AES-XTS key", ENCRYPT=True)
    assert caller.call(c.ENCRYPT_INIT, session, key, CKM.AES_CBC, IV).rv is CKR.KEY_TYPE_INCONSISTENT
    aes = create(caller, session, "AES key", ENCRYPT=True)
    assert caller.call(c.ENCRYPT_INIT, session, aes, CKM.AES_XTS, IV).rv is CKR.KEY_TYPE_INCONSISTENT


def test_an_xts_key_comes_back_from_its_wrapping(caller: Caller, session: int) -> None:
    kek = create(caller, session, "AES key", WRAP=True, UNWRAP=True)
    key = create(caller, session, "AES-XTS key", EXTRACTABLE=True)
    wrapped = caller.ok(c.WRAP_KEY, session, kek, key, CKM.AES_KEY_WRAP, b"").output
    wanted = template(
        (CKA.CLASS, CKO.SECRET_KEY), (CKA.KEY_TYPE, CKK.AES_XTS), (CKA.SENSITIVE, False), (CKA.EXTRACTABLE, True)
    )
    back = caller.ok(c.UNWRAP_KEY, session, kek, CKM.AES_KEY_WRAP, b"", wanted, data=wrapped).handle
    assert get(caller, session, back, CKA.VALUE) == bytes(range(64))


@pytest.mark.parametrize("size", [1, 7, 8, 12, 128, 129, gcm.LARGEST_IV])
def test_gmac_is_the_tag_of_gcm_over_associated_data_alone(size: int) -> None:
    iv, data = bytes(range(256)) * 4, b"what is authenticated"
    mac = run.sign(CKM.AES_GMAC, KEY, iv[:size], [data[:5], b"", data[5:]])
    assert mac == run.encrypt(CKM.AES_GCM, KEY, gcm_params(iv[:size], data))
    run.verify(CKM.AES_GMAC, KEY, iv[:size], [data], mac)


@pytest.mark.parametrize("size", [0, gcm.LARGEST_IV + 1])
def test_gmac_refuses_initialization_vectors_that_gcm_refuses(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulIvLen {size} "):
        MECHANISMS[CKM.AES_GMAC].parameter(bytes(size))


@pytest.mark.parametrize("mechanism", [CKM.AES_OFB, CKM.AES_CFB128, CKM.AES_CFB64, CKM.AES_CFB8, CKM.AES_XTS])
@pytest.mark.parametrize("size", [0, 8, 15, 17])
def test_an_initialization_vector_has_16_bytes(mechanism: CKM, size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: an initialization vector of {size} bytes"):
        MECHANISMS[mechanism].parameter(bytes(size))


@pytest.mark.parametrize("size", [20, 31])
def test_cfb_with_segments_of_64_bits_refuses_a_key_that_aes_has_not(size: int) -> None:
    for begin in (run.encryption, run.decryption):
        with pytest.raises(Pkcs11Error, match=f"KEY_SIZE_RANGE: AES has no keys of {size} bytes"):
            begin(CKM.AES_CFB64, keys.aes_key(bytes(size)), IV)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33])
def test_cbc_mac_is_the_last_block_of_cbc_filled_up_with_zeros(size: int) -> None:
    data = bytes(range(1, size + 1))
    filled = data + bytes(-size % 16) if size else bytes(16)
    last = run.encrypt(CKM.AES_CBC, KEY, bytes(16), filled)[-16:]
    for pieces in ([data], [data[i : i + 1] for i in range(size)], [b"", data, b""]):
        assert run.sign(CKM.AES_MAC, KEY, b"", pieces) == last[:8]
        assert run.sign(CKM.AES_MAC_GENERAL, KEY, u32(16), pieces) == last


def test_strict_has_no_cbc_mac() -> None:
    assert not {CKM.AES_MAC, CKM.AES_MAC_GENERAL} & STRICT.mechanisms.keys()
