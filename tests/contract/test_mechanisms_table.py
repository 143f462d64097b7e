# SPDX-License-Identifier: Apache-2.0
"""The table of mechanisms is the one that OP-TEE's documentation shows, and each is described in one place."""

import re
from pathlib import Path

import pytest

from softee.names import CKK, CKM, MechanismFlag
from softee.pkcs11_ta.keys.view import SizeRange
from softee.pkcs11_ta.mechanisms.spec import AnyMechanism
from softee.pkcs11_ta.mechanisms.table import MECHANISMS, build_table
from softee.pkcs11_ta.token.profiles import OFF_BY_DEFAULT, OPTEE, PORTABLE

SOURCE = Path(__file__).parents[2] / "src" / "softee"

SIGN = MechanismFlag.SIGN | MechanismFlag.VERIFY
CRYPT = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
WRAP = MechanismFlag.WRAP | MechanismFlag.UNWRAP

DOCUMENTED: dict[CKM, tuple[tuple[int, int] | None, MechanismFlag]] = {
    CKM.SHA224_RSA_PKCS_PSS: ((256, 4096), SIGN),
    CKM.SHA224_RSA_PKCS: ((256, 4096), SIGN),
    CKM.SHA512_RSA_PKCS_PSS: ((256, 4096), SIGN),
    CKM.SHA384_RSA_PKCS_PSS: ((256, 4096), SIGN),
    CKM.SHA256_RSA_PKCS_PSS: ((256, 4096), SIGN),
    CKM.SHA512_RSA_PKCS: ((256, 4096), SIGN),
    CKM.SHA384_RSA_PKCS: ((256, 4096), SIGN),
    CKM.SHA256_RSA_PKCS: ((256, 4096), SIGN),
    CKM.SHA1_RSA_PKCS_PSS: ((256, 4096), SIGN),
    CKM.RSA_PKCS_OAEP: ((256, 4096), CRYPT),
    CKM.SHA1_RSA_PKCS: ((256, 4096), SIGN),
    CKM.MD5_RSA_PKCS: ((256, 4096), SIGN),
    CKM.RSA_PKCS_PSS: (None, SIGN),
    CKM.RSA_PKCS: ((256, 4096), CRYPT | SIGN),
    CKM.RSA_PKCS_KEY_PAIR_GEN: ((1024, 4096), MechanismFlag.GENERATE_KEY_PAIR),  # OP-TEE: from 256
    CKM.ECDSA_SHA512: ((160, 521), SIGN),
    CKM.ECDSA_SHA384: ((160, 521), SIGN),
    CKM.ECDSA_SHA256: ((160, 521), SIGN),
    CKM.ECDSA_SHA224: ((160, 521), SIGN),
    CKM.ECDSA_SHA1: ((160, 521), SIGN),
    CKM.ECDSA: ((160, 521), SIGN),
    CKM.EC_KEY_PAIR_GEN: ((160, 521), MechanismFlag.GENERATE_KEY_PAIR),
    CKM.SHA512_HMAC_GENERAL: ((32, 128), SIGN),
    CKM.SHA384_HMAC_GENERAL: ((32, 128), SIGN),
    CKM.SHA256_HMAC_GENERAL: ((24, 128), SIGN),
    CKM.SHA224_HMAC_GENERAL: ((14, 64), SIGN),
    CKM.SHA_1_HMAC_GENERAL: ((10, 64), SIGN),
    CKM.MD5_HMAC_GENERAL: ((8, 64), SIGN),
    CKM.SHA512_HMAC: ((32, 128), SIGN),
    CKM.SHA384_HMAC: ((32, 128), SIGN),
    CKM.SHA256_HMAC: ((24, 128), SIGN),
    CKM.SHA224_HMAC: ((14, 64), SIGN),
    CKM.SHA_1_HMAC: ((10, 64), SIGN),
    CKM.MD5_HMAC: ((8, 64), SIGN),
    CKM.SHA512: (None, MechanismFlag.DIGEST),
    CKM.SHA384: (None, MechanismFlag.DIGEST),
    CKM.SHA256: (None, MechanismFlag.DIGEST),
    CKM.SHA224: (None, MechanismFlag.DIGEST),
    CKM.SHA_1: (None, MechanismFlag.DIGEST),
    CKM.MD5: (None, MechanismFlag.DIGEST),
    CKM.GENERIC_SECRET_KEY_GEN: ((1, 4096), MechanismFlag.GENERATE),
    CKM.AES_KEY_GEN: ((16, 32), MechanismFlag.GENERATE),
    CKM.AES_CMAC_GENERAL: ((16, 32), SIGN),
    CKM.AES_CMAC: ((16, 32), SIGN),
    CKM.AES_CTS: ((16, 32), CRYPT),
    CKM.AES_CTR: ((16, 32), CRYPT),
    CKM.AES_CBC_PAD: ((16, 32), CRYPT),
    CKM.AES_CBC: ((16, 32), CRYPT | WRAP),
    CKM.AES_ECB: ((16, 32), CRYPT | WRAP),
}
"""As ``pkcs11-tool --list-mechanisms`` prints it in OP-TEE's documentation, with the key sizes and functions there."""

DERIVE = MechanismFlag.DERIVE
SHOWN_BY_4_10: dict[CKM, tuple[tuple[int, int] | None, MechanismFlag]] = {
    CKM.RSA_X_509: ((256, 4096), CRYPT | SIGN),
    CKM.RSA_AES_KEY_WRAP: (None, WRAP),  # OP-TEE's flags say that it encrypts, too, which panics it
    CKM.EDDSA: ((256, 448), SIGN),
    CKM.EC_EDWARDS_KEY_PAIR_GEN: ((256, 448), MechanismFlag.GENERATE_KEY_PAIR),
    CKM.ECDH1_DERIVE: ((160, 521), DERIVE),
    CKM.AES_CBC_ENCRYPT_DATA: (None, DERIVE),
    CKM.AES_ECB_ENCRYPT_DATA: (None, DERIVE),
    CKM.AES_GCM: ((16, 32), CRYPT | WRAP),
}
"""What a board with OP-TEE 4.10 lists besides."""

NAMED_AS_VALUES = {CKM.SHA_1: {"kinds.py"}}
"""Where an attribute's default names a mechanism: CKA_NAME_HASH_ALGORITHM."""


def test_the_optee_profile_has_the_mechanisms_key_sizes_and_functions_of_optee() -> None:
    ours = {
        mechanism: (spec.key_size and (spec.key_size.low, spec.key_size.high), spec.flags)
        for mechanism, spec in OPTEE.mechanisms.items()
    }
    there = {mechanism: shown for mechanism, shown in SHOWN_BY_4_10.items() if mechanism in MECHANISMS}
    assert ours == DOCUMENTED | there


def test_the_portable_profile_has_every_mechanism_that_is_not_off_by_default() -> None:
    on = {mechanism: spec for mechanism, spec in MECHANISMS.items() if mechanism not in OFF_BY_DEFAULT}
    assert list(PORTABLE.mechanisms.items()) == list(on.items())


@pytest.mark.parametrize(
    "family", ["_RSA_PKCS_PSS$", "(SHA.*|MD5)_RSA_PKCS$", "^ECDSA", "HMAC", r"^(SHA\d*|MD5|SHA_1)$", "AES"]
)
def test_families_come_in_the_documented_order(family: str) -> None:
    ours = [mechanism for mechanism in OPTEE.mechanisms if re.search(family, mechanism.name)]
    assert len(ours) > 4
    documented = [mechanism for mechanism in ours if mechanism in DOCUMENTED]
    assert documented == [mechanism for mechanism in DOCUMENTED if mechanism in ours]


def test_every_spec_is_under_its_own_type() -> None:
    assert all(mechanism is spec.mechanism for mechanism, spec in MECHANISMS.items())


def test_table_is_read_only() -> None:
    with pytest.raises(TypeError):
        MECHANISMS[CKM.MD5] = MECHANISMS[CKM.SHA256]  # type: ignore[index] # what the test is about


def test_mechanism_described_twice_is_refused() -> None:
    with pytest.raises(RuntimeError, match="CKM_MD5 is described twice"):
        build_table([MECHANISMS[CKM.MD5], MECHANISMS[CKM.SHA256], MECHANISMS[CKM.MD5]])


@pytest.mark.parametrize("spec", MECHANISMS.values(), ids=lambda spec: spec.mechanism.name)
def test_spec_says_all_that_its_functions_need(spec: AnyMechanism) -> None:
    assert bool(spec.key_types) == (spec.flags is not MechanismFlag.DIGEST)
    assert spec.functions


def test_generic_secret_serves_every_hmac() -> None:
    hmacs = [spec for spec in OPTEE.mechanisms.values() if "HMAC" in spec.mechanism.name]
    assert len(hmacs) == 12
    assert all(CKK.GENERIC_SECRET in spec.key_types and len(spec.key_types) == 2 for spec in hmacs)


def test_larger_keys_are_hmacs_alone() -> None:
    taking = {m for m, spec in MECHANISMS.items() if spec.key_size and 10_000 in spec.key_size}
    assert taking == {m for m in MECHANISMS if "HMAC" in m.name}


def test_size_range_knows_its_ends() -> None:
    assert [size in SizeRange(16, 32) for size in (15, 16, 32, 33)] == [False, True, True, False]
    assert [size in SizeRange(16, 32, takes_larger=True) for size in (15, 16, 33)] == [False, True, True]
    assert "16" not in SizeRange(16, 32)


CLIENTS = {"bench", "cryptoki"}
"""What calls a token as an application does, and so says which mechanism it wants."""


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda mechanism: mechanism.name)
def test_mechanism_is_named_in_its_own_module_alone(mechanism: CKM) -> None:
    """So that adding or removing one touches one file, and no code elsewhere asks which mechanism it has."""
    mention = re.compile(rf"\bCKM\.{mechanism.name}\b")
    files = [path for path in SOURCE.rglob("*.py") if path.parent.name != "names" and mention.search(path.read_text())]
    elsewhere = {path.name for path in files if not {"mechanisms", "known_answers", *CLIENTS} & {*path.parts}}
    elsewhere -= {"profiles.py", "presented.py"}
    assert sum("mechanisms" in path.parts for path in files) == 1, f"{mechanism.name} is named in {files}"
    assert elsewhere <= NAMED_AS_VALUES.get(mechanism, set())
