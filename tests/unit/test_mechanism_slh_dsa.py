# SPDX-License-Identifier: Apache-2.0
"""SLH-DSA at its edges: parameter sets, sizes, contexts, what the library lacks, and a token without the library."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from softee.daemon import policies
from softee.daemon.settings import Pkcs11Settings, SettingsError
from softee.names import CKA, CKK, CKM, CKO, CKR, HedgeType, SlhDsaParameterSet
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.keys import slh_dsa_library as library
from softee.pkcs11_ta.keys.pkcs8 import import_private_key
from softee.pkcs11_ta.keys.slh_dsa import SLH_DSA, private_key, public_key
from softee.pkcs11_ta.mechanisms.hash_based.slh_dsa import LARGEST_MESSAGE
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT, PORTABLE, STRICT
from support import keys
from support import mechanism_runs as run
from support.commands import c
from support.importing import imported, refusal
from support.object_calls import fresh_caller, get
from support.object_calls import pair as token_pair
from support.samples.hash_based import PREHASHES, key, pair
from support.samples.lattice import sign_params
from support.token_world import template

QUICK = SlhDsaParameterSet.SLH_DSA_SHA2_128F
SIZES = {
    SlhDsaParameterSet.SLH_DSA_SHA2_128S: (32, 7856),
    SlhDsaParameterSet.SLH_DSA_SHAKE_128S: (32, 7856),
    SlhDsaParameterSet.SLH_DSA_SHA2_128F: (32, 17088),
    SlhDsaParameterSet.SLH_DSA_SHAKE_128F: (32, 17088),
    SlhDsaParameterSet.SLH_DSA_SHA2_192S: (48, 16224),
    SlhDsaParameterSet.SLH_DSA_SHAKE_192S: (48, 16224),
    SlhDsaParameterSet.SLH_DSA_SHA2_192F: (48, 35664),
    SlhDsaParameterSet.SLH_DSA_SHAKE_192F: (48, 35664),
    SlhDsaParameterSet.SLH_DSA_SHA2_256S: (64, 29792),
    SlhDsaParameterSet.SLH_DSA_SHAKE_256S: (64, 29792),
    SlhDsaParameterSet.SLH_DSA_SHA2_256F: (64, 49856),
    SlhDsaParameterSet.SLH_DSA_SHAKE_256F: (64, 49856),
}
"""Bytes of public keys and of signatures (FIPS 205, table 2)."""


def test_every_parameter_set_has_the_sizes_of_the_standard() -> None:
    assert set(SIZES) == set(SlhDsaParameterSet)
    for number, (public_size, signature_size) in SIZES.items():
        algorithm = public_key(key(number, CKO.PUBLIC_KEY)).algorithm
        assert (algorithm.public_size, algorithm.signature_size) == (public_size, signature_size)
        assert key(number).size == public_size
        functions = algorithm.functions
        assert (public_size, 2 * public_size) == (functions.PUBLIC_KEY_SIZE, functions.SECRET_KEY_SIZE)
        assert signature_size == functions.SIGNATURE_SIZE


def test_a_parameter_set_that_nobody_knows_is_refused() -> None:
    public, _ = pair(QUICK)
    for number in (0, 13):
        assert refusal({**public, CKA.PARAMETER_SET: number}) is CKR.PARAMETER_SET_NOT_SUPPORTED


@pytest.mark.parametrize("which", [0, 1], ids=["public", "private"])
def test_a_value_of_another_size_is_refused(which: int) -> None:
    template = pair(QUICK)[which]
    value = template[CKA.VALUE]
    assert isinstance(value, bytes)
    assert imported(template)[CKA.VALUE] == value
    for other in (value[:-1], value + b"\0", value * 2):
        assert refusal({**template, CKA.VALUE: other}) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("mechanism", [CKM.SLH_DSA, *PREHASHES], ids=lambda mechanism: mechanism.name)
def test_a_signature_holds_for_its_context_and_mechanism_alone(mechanism: CKM) -> None:
    signature = run.sign(mechanism, key(QUICK), sign_params(b"context"), [b"data"])
    run.verify(mechanism, key(QUICK), sign_params(b"context"), [b"data"], signature)
    other = CKM.SLH_DSA if mechanism is not CKM.SLH_DSA else CKM.HASH_SLH_DSA_SHA256
    for by, context in ((mechanism, b""), (mechanism, b"contex"), (other, b"context")):
        with pytest.raises(Pkcs11Error, match="SIGNATURE_INVALID"):
            run.verify(by, key(QUICK), sign_params(context), [b"data"], signature)
    for cut in (b"", signature[:-1], signature + b"\0"):
        with pytest.raises(Pkcs11Error, match="SIGNATURE_LEN_RANGE"):
            run.verify(mechanism, key(QUICK), sign_params(b"context"), [b"data"], cut)


def test_signatures_are_hedged_and_the_library_makes_no_others() -> None:
    """PKCS#11 3.2 §6.69: CKH_DETERMINISTIC_REQUIRED is refused where it cannot be had."""
    first, second = (run.sign(CKM.SLH_DSA, key(QUICK), sign_params(), [b"data"]) for _ in range(2))
    assert first != second
    for hedge, said in ((HedgeType.DETERMINISTIC_REQUIRED, "hedged alone"), (99, "no CK_HEDGE_TYPE")):
        with pytest.raises(Pkcs11Error, match=f"MECHANISM_PARAM_INVALID.*{said}"):
            run.sign(CKM.SLH_DSA, key(QUICK), sign_params(b"", hedge), [b"data"])
        run.verify(CKM.SLH_DSA, key(QUICK), sign_params(b"", hedge), [b"data"], first)


def test_a_message_is_held_up_to_a_mebibyte() -> None:
    data = bytes(LARGEST_MESSAGE)
    run.verify(CKM.SLH_DSA, key(QUICK), sign_params(), [data], run.sign(CKM.SLH_DSA, key(QUICK), sign_params(), [data]))
    with pytest.raises(Pkcs11Error, match="DEVICE_MEMORY"):
        run.sign(CKM.SLH_DSA, key(QUICK), sign_params(), [data, b"\0"])


def test_keys_of_other_types_are_refused() -> None:
    for take in (private_key, public_key):
        with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
            take(keys.ec_pair())
    with pytest.raises(Pkcs11Error, match="KEY_TYPE_INCONSISTENT"):
        private_key(key(QUICK, CKO.PUBLIC_KEY))
    assert SLH_DSA.from_native is not None
    assert SLH_DSA.public_parts is not None
    with pytest.raises(TypeError):
        SLH_DSA.public_parts(keys.ec_pair().native().public_key())  # type: ignore[union-attr]


def test_a_private_key_is_read_from_pkcs8_as_it_was_written() -> None:
    """RFC 9909, section 6: the private key's octets are its value."""
    private = private_key(key(QUICK))
    info = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert bytes(private.value) in info
    parts = import_private_key(info, CKK.SLH_DSA)
    assert parts == {CKA.PARAMETER_SET: QUICK, CKA.VALUE: private.value}
    public = private.public_key()
    assert public.public_bytes(Encoding.Raw, PublicFormat.Raw) == public.value
    assert public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).endswith(b"\x03\x21\x00" + public.value)
    for broken in (info[:-1], b"\x30\x00", info.replace(bytes.fromhex("0304"), bytes.fromhex("0305"))):
        with pytest.raises(Pkcs11Error, match="WRAPPED_KEY_INVALID"):
            import_private_key(broken, CKK.SLH_DSA)
    with pytest.raises(Pkcs11Error, match=r"WRAPPED_KEY_INVALID: .*public half"):
        import_private_key(info, CKK.SLH_DSA, proven=True)


def test_no_profile_has_it_before_the_settings_add_it() -> None:
    ours = {CKM.SLH_DSA_KEY_PAIR_GEN, CKM.SLH_DSA, *PREHASHES}
    assert ours <= OFF_BY_DEFAULT
    assert not ours & PORTABLE.mechanisms.keys()
    assert not ours & STRICT.mechanisms.keys()
    (policy,) = policies.slot_policies(Pkcs11Settings(slots=1, added_mechanisms=("CKM_SLH_DSA",)))
    assert CKM.SLH_DSA in policy.mechanisms


def test_a_private_key_s_template_may_repeat_the_parameter_set_and_names_no_other() -> None:
    settings = Pkcs11Settings(slots=1, added_mechanisms=("CKM_SLH_DSA_KEY_PAIR_GEN",))
    caller, session = fresh_caller(policy=policies.slot_policies(settings)[0])
    named = ((CKA.PARAMETER_SET, int(QUICK)),)
    public, private = token_pair(caller, session, CKM.SLH_DSA_KEY_PAIR_GEN, named, named)
    assert get(caller, session, public, CKA.PARAMETER_SET) == get(caller, session, private, CKA.PARAMETER_SET)
    others = template((CKA.PARAMETER_SET, int(QUICK) + 1))
    answer = caller.call(c.GENERATE_KEY_PAIR, session, CKM.SLH_DSA_KEY_PAIR_GEN, b"", template(*named), others)
    assert answer.rv is CKR.TEMPLATE_INCONSISTENT


def test_settings_that_add_it_without_its_library_are_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "MISSING", {CKM.SLH_DSA: library.EXTRA})
    with pytest.raises(SettingsError, match=r"CKM_SLH_DSA needs .* pip install 'softee\[slh-dsa\]'"):
        policies.slot_policies(Pkcs11Settings(slots=1, added_mechanisms=("CKM_SLH_DSA",)))
