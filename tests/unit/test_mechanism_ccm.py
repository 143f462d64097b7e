# SPDX-License-Identifier: Apache-2.0
"""AES-CCM at its edges: nothing is given before the MAC is right, what is held has a limit, one error for a bad MAC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softee.names import CKM, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.mechanisms.aes import ccm
from softee.pkcs11_ta.mechanisms.table import MECHANISMS
from softee.pkcs11_ta.token.profiles import PORTABLE
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.mechanism_runs import ccm_params
from support.object_calls import create
from support.token_world import Caller, make_application

CCM = MECHANISMS[CKM.AES_CCM]
KEY = keys.aes_key(bytes(range(32)))
NONCE = bytes(range(100, 112))
PLAIN = b"forty bytes of data that nobody sees yet"
PARAMETER = ccm_params(len(PLAIN), NONCE, b"associated")


@given(place=st.integers(0, 55), bit=st.integers(0, 7), cut=st.integers(0, 56))
def test_a_changed_bit_anywhere_gives_nothing_and_one_error(place: int, bit: int, cut: int) -> None:
    changed = bytearray(run.encrypt(CKM.AES_CCM, KEY, PARAMETER, PLAIN))
    changed[place] ^= 1 << bit
    operation = run.decryption(CKM.AES_CCM, KEY, PARAMETER)
    assert operation.update(bytes(changed[:cut])) + operation.update(bytes(changed[cut:])) == b""
    with pytest.raises(Pkcs11Error) as caught:
        operation.finish()
    assert str(caught.value) == "CKR_ENCRYPTED_DATA_INVALID: the MAC is another one"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "parameter",
    [
        ccm_params(40, NONCE, b"other"),
        ccm_params(40, NONCE[::-1], b"associated"),
        ccm_params(40, NONCE[:-1], b"associated"),
        ccm_params(40, NONCE),
        ccm_params(42, NONCE, b"associated", 14),
    ],
)
def test_another_parameter_is_a_bad_mac(parameter: bytes) -> None:
    sealed = run.encrypt(CKM.AES_CCM, KEY, PARAMETER, PLAIN)
    with pytest.raises(Pkcs11Error, match="ENCRYPTED_DATA_INVALID: the MAC is another one"):
        run.decrypt(CKM.AES_CCM, KEY, parameter, sealed)


@pytest.mark.parametrize("size", [0, 39, 41, 56])
def test_data_of_another_size_than_was_announced_are_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"CKR_DATA_LEN_RANGE: {size} bytes of data where ulDataLen, 40,"):
        run.encrypt(CKM.AES_CCM, KEY, PARAMETER, bytes(size))
    with pytest.raises(Pkcs11Error, match=f"ENCRYPTED_DATA_LEN_RANGE: {size + 1} bytes of data where 56, "):
        run.decrypt(CKM.AES_CCM, KEY, PARAMETER, bytes(size + 1))


@pytest.mark.parametrize("size", [0, 6, 14, 16])
def test_a_nonce_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulNonceLen {size} "):
        CCM.parameter(ccm_params(0, bytes(size)))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 15, 17, 18, 2**32 - 1])
def test_a_mac_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulMACLen {size} "):
        CCM.parameter(ccm_params(0, NONCE, b"", size))


@pytest.mark.parametrize(("nonce", "longest"), [(13, 65535), (12, (1 << 20) - 16), (7, (1 << 20) - 16)])
def test_more_data_than_the_nonce_or_the_memory_allow_are_refused_at_the_beginning(nonce: int, longest: int) -> None:
    assert CCM.parameter(ccm_params(longest, bytes(nonce))).data_size == longest
    for size in (longest + 1, 2**32 - 1):
        with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID: ulDataLen {size}"):
            CCM.parameter(ccm_params(size, bytes(nonce)))


def test_more_associated_data_than_the_limit_are_refused() -> None:
    assert CCM.parameter(ccm_params(0, NONCE, bytes(ccm.LARGEST_AAD))).mac_size == 16
    with pytest.raises(Pkcs11Error, match="MECHANISM_PARAM_INVALID: ulAADLen 65537"):
        CCM.parameter(ccm_params(0, NONCE, bytes(ccm.LARGEST_AAD + 1)))


def test_the_largest_message_comes_back() -> None:
    plain = bytes(ccm.LARGEST_MESSAGE - 16)
    parameter = ccm_params(len(plain), NONCE)
    sealed = run.encrypt(CKM.AES_CCM, KEY, parameter, plain)
    assert run.decrypt(CKM.AES_CCM, KEY, parameter, sealed) == plain
    operation = run.decryption(CKM.AES_CCM, KEY, parameter)
    operation.update(sealed)
    with pytest.raises(Pkcs11Error, match="DEVICE_MEMORY"):
        operation.update(b"\0")


def test_a_key_of_a_size_between_is_refused_before_any_data() -> None:
    for begin in (run.encryption, run.decryption):
        with pytest.raises(Pkcs11Error, match="KEY_SIZE_RANGE: AES has no keys of 20 bytes"):
            begin(CKM.AES_CCM, keys.aes_key(bytes(20)), PARAMETER)


def test_the_commands_give_nothing_for_a_bad_mac_and_end() -> None:
    caller = Caller(make_application(policy=PORTABLE))
    session = caller.set_up()
    key = create(caller, session, "AES key", ENCRYPT=True, DECRYPT=True)
    caller.ok(c.ENCRYPT_INIT, session, key, CKM.AES_CCM, PARAMETER)
    sealed = caller.ok(c.ENCRYPT_ONESHOT, session, data=PLAIN).output
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_CCM, PARAMETER)
    assert caller.ok(c.DECRYPT_ONESHOT, session, data=sealed).output == PLAIN
    bad = sealed[:-1] + bytes([sealed[-1] ^ 1])
    caller.ok(c.DECRYPT_INIT, session, key, CKM.AES_CCM, PARAMETER)
    assert caller.ok(c.DECRYPT_UPDATE, session, data=bad).size == 0
    answer = caller.call(c.DECRYPT_FINAL, session)
    assert (answer.rv, answer.output) == (CKR.ENCRYPTED_DATA_INVALID, b"")
    assert caller.call(c.DECRYPT_FINAL, session).rv is CKR.OPERATION_NOT_INITIALIZED
