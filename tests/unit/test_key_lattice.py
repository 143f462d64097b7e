# SPDX-License-Identifier: Apache-2.0
"""ML-DSA and ML-KEM keys: by seed, expanded, both; what does not belong together; PKCS#8 and SubjectPublicKeyInfo."""

import pytest
from Crypto.IO import PKCS8
from Crypto.PublicKey import MLDSA, MLKEM
from Crypto.Util.asn1 import DerOctetString, DerSequence
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from cryptography_vectors import open_vector_file

from softee.names import CKA, CKK, CKM, CKO, CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.secret_bytes import SecretBytes
from softee.pkcs11_ta.keys.material import KeyMaterial
from softee.pkcs11_ta.keys.pkcs8 import export_private_key, export_public_key, import_private_key
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.commands import c
from support.importing import imported, refusal
from support.object_calls import fresh_caller, get, pair
from support.samples import OBJECT_SAMPLES, sample
from support.samples.lattice import pair as sample_pair
from support.samples.lattice import without_seed
from support.samples.sample import ObjectSample
from support.token_world import template

T = True
KINDS = ("ML-DSA", "ML-KEM")
SETS = [(key_type, number) for key_type in (CKK.ML_DSA, CKK.ML_KEM) for number in (1, 2, 3)]
every_set = pytest.mark.parametrize(("key_type", "number"), SETS)
every_kind = pytest.mark.parametrize("kind", KINDS)
OIDS = {
    **{(CKK.ML_DSA, number): f"2.16.840.1.101.3.4.3.{16 + number}" for number in (1, 2, 3)},
    **{(CKK.ML_KEM, number): f"2.16.840.1.101.3.4.4.{number}" for number in (1, 2, 3)},
}
"""RFC 9881, RFC 9935."""


def private_of(key_type: CKK, number: int) -> ObjectSample:
    return sample_pair(key_type, number)[1]


def parts_of(private: ObjectSample) -> tuple[bytes, bytes]:
    seed, expanded = private[CKA.SEED], private[CKA.VALUE]
    assert isinstance(seed, bytes)
    assert isinstance(expanded, bytes)
    return seed, expanded


def other_seed(seed: bytes) -> bytes:
    return bytes(len(seed))


@every_set
def test_a_private_key_that_is_imported_by_its_seed_is_expanded(key_type: CKK, number: int) -> None:
    """PKCS#11 3.2 §6.67.3: C_CreateObject may be given either."""
    private = private_of(key_type, number)
    made = imported({part: value for part, value in private.items() if part != CKA.VALUE})
    assert (made[CKA.SEED], made[CKA.VALUE]) == (private[CKA.SEED], private[CKA.VALUE])
    assert isinstance(made[CKA.SEED], SecretBytes)
    assert isinstance(made[CKA.VALUE], SecretBytes)


@every_set
def test_a_private_key_that_is_imported_expanded_has_no_seed(key_type: CKK, number: int) -> None:
    private = without_seed(private_of(key_type, number))
    for given in (private, {**private, CKA.SEED: b""}):
        made = imported(given)
        assert (made[CKA.SEED], made[CKA.VALUE]) == (b"", private[CKA.VALUE])


@every_kind
def test_a_private_key_without_both_is_incomplete(kind: str) -> None:
    bare = without_seed({**sample(f"{kind} private key")})
    assert refusal({part: value for part, value in bare.items() if part != CKA.VALUE}) is CKR.TEMPLATE_INCOMPLETE
    assert refusal({**bare, CKA.VALUE: b""}) is CKR.TEMPLATE_INCOMPLETE
    assert refusal({**bare, CKA.VALUE: b"", CKA.SEED: b""}) is CKR.TEMPLATE_INCOMPLETE


@every_set
def test_parts_that_do_not_belong_together_are_refused(key_type: CKK, number: int) -> None:
    private = private_of(key_type, number)
    seed, expanded = parts_of(private)
    flipped = bytes([expanded[0] ^ 1]) + expanded[1:]
    other_set = 1 + number % 3
    wrong: tuple[ObjectSample, ...] = (
        {CKA.SEED: other_seed(seed)},
        {CKA.SEED: seed[:-1]},
        {CKA.SEED: seed + b"\0"},
        {CKA.VALUE: flipped},
        {CKA.VALUE: expanded[:-1]},
        {CKA.VALUE: expanded + b"\0"},
        {CKA.PARAMETER_SET: other_set},
    )
    for changes in wrong:
        assert refusal({**private, **changes}) is CKR.ATTRIBUTE_VALUE_INVALID
    for broken in (flipped, expanded[:-1], bytes(len(expanded))):
        assert refusal({**without_seed(private), CKA.VALUE: broken}) is CKR.ATTRIBUTE_VALUE_INVALID


@every_set
def test_a_public_key_of_another_size_is_refused(key_type: CKK, number: int) -> None:
    public, _ = sample_pair(key_type, number)
    value = public[CKA.VALUE]
    assert isinstance(value, bytes)
    for given in (value[:-1], value + b"\0", b"\0"):
        assert refusal({**public, CKA.VALUE: given}) is CKR.ATTRIBUTE_VALUE_INVALID
    assert refusal({**public, CKA.PARAMETER_SET: 1 + number % 3}) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_ml_kem_public_key_with_numbers_beyond_the_modulus_is_refused(number: int) -> None:
    """FIPS 203, section 7.2."""
    public, _ = sample_pair(CKK.ML_KEM, number)
    value = public[CKA.VALUE]
    assert isinstance(value, bytes)
    assert refusal({**public, CKA.VALUE: b"\xff\xff" + value[2:]}) is CKR.ATTRIBUTE_VALUE_INVALID


@pytest.mark.parametrize("number", [0, 4, 0xFFFFFFFF])
@pytest.mark.parametrize("half", ["public", "private"])
@every_kind
def test_a_parameter_set_that_is_none_is_not_supported(kind: str, half: str, number: int) -> None:
    assert refusal(sample(f"{kind} {half} key", PARAMETER_SET=number)) is CKR.PARAMETER_SET_NOT_SUPPORTED


def both(key_type: CKK, number: int, seed: bytes, expanded: bytes) -> bytes:
    choice = DerSequence([DerOctetString(seed), DerOctetString(expanded)])
    return PKCS8.wrap(choice.encode(), OIDS[key_type, number], key_params=None)


@every_set
def test_a_private_key_info_has_the_seed_and_the_expanded_key_where_both_are_known(key_type: CKK, number: int) -> None:
    """RFC 9881, section 6; RFC 9935, section 6."""
    private = private_of(key_type, number)
    seed, expanded = parts_of(private)
    assert bytes(export_private_key(KeyMaterial(imported(private)))) == both(key_type, number, seed, expanded)
    alone = PKCS8.wrap(DerOctetString(expanded).encode(), OIDS[key_type, number], key_params=None)
    assert bytes(export_private_key(KeyMaterial(imported(without_seed(private))))) == alone


@every_set
def test_every_form_of_a_private_key_info_is_read(key_type: CKK, number: int) -> None:
    private = private_of(key_type, number)
    seed, expanded = parts_of(private)
    by_seed = DerOctetString(seed, implicit=0).encode()
    oid, public = OIDS[key_type, number], sample_pair(key_type, number)[0][CKA.VALUE]
    assert isinstance(public, bytes)
    whole = {CKA.PARAMETER_SET: number, CKA.SEED: seed, CKA.VALUE: expanded}
    for info in (
        both(key_type, number, seed, expanded),
        PKCS8.wrap(by_seed, oid, key_params=None),
        PKCS8.wrap(by_seed, oid, key_params=None, public_key=public),
    ):
        assert import_private_key(info, key_type) == whole
    alone = PKCS8.wrap(DerOctetString(expanded).encode(), oid, key_params=None)
    assert import_private_key(alone + bytes(15), key_type) == {**whole, CKA.SEED: b""}


def test_the_keys_of_cryptography_s_vectors_are_read() -> None:
    for path, key_type, size in (
        ("asymmetric/MLDSA/mldsa44_priv.der", CKK.ML_DSA, 32),
        ("asymmetric/MLDSA/mldsa65_noseed_priv.der", CKK.ML_DSA, 0),
        ("asymmetric/MLKEM/mlkem768.der", CKK.ML_KEM, 64),
    ):
        with open_vector_file(path, "rb") as file:
            seed = import_private_key(file.read(), key_type)[CKA.SEED]
        assert isinstance(seed, bytearray)
        assert len(seed) == size


@every_set
def test_a_private_key_info_that_contradicts_itself_is_refused(key_type: CKK, number: int) -> None:
    seed, expanded = parts_of(private_of(key_type, number))
    oid, other_oid = OIDS[key_type, number], OIDS[key_type, 1 + number % 3]
    by_seed = DerOctetString(seed, implicit=0).encode()
    other_public = sample_pair(key_type, number)[0][CKA.VALUE]
    assert isinstance(other_public, bytes)
    for info in (
        both(key_type, number, other_seed(seed), expanded),
        both(key_type, number, seed, expanded[:-1] + bytes([expanded[-1] ^ 1])),
        PKCS8.wrap(DerOctetString(expanded).encode(), other_oid, key_params=None),
        PKCS8.wrap(DerOctetString(seed[:-1], implicit=0).encode(), oid, key_params=None),
        PKCS8.wrap(by_seed, oid, key_params=None, public_key=bytes([other_public[0] ^ 1]) + other_public[1:]),
    ):
        with pytest.raises(Pkcs11Error) as refused:
            import_private_key(info, key_type)
        assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


@pytest.mark.parametrize("spoil", [b"\x30\x80", b"\x30", b"", b"\x30\x00", b"\x30\x03\x02\x01\x00"])
@pytest.mark.parametrize("key_type", [CKK.ML_DSA, CKK.ML_KEM])
def test_bytes_that_are_no_private_key_info_are_refused(key_type: CKK, spoil: bytes) -> None:
    with pytest.raises(Pkcs11Error) as refused:
        import_private_key(spoil, key_type)
    assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


def test_what_is_no_private_key_is_not_taken_for_one() -> None:
    kem, dsa = MLKEM.generate(param_set=MLKEM.ML_KEM_768), MLDSA.generate(param_set=MLDSA.ML_DSA_44)
    for info, key_type in (
        (kem.public_key().export_key(), CKK.ML_KEM),
        (dsa.public_key().export_key(), CKK.ML_DSA),
        (kem.export_key(), CKK.ML_DSA),
        (dsa.export_key(), CKK.ML_KEM),
        (dsa.export_key(), CKK.EC),
        (mlkem.MLKEM768PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), CKK.RSA),
        (dsa.export_key(passphrase=b"secret"), CKK.ML_DSA),
    ):
        with pytest.raises(Pkcs11Error) as refused:
            import_private_key(info, key_type)
        assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


@every_set
def test_invariant_1_only_a_key_that_is_proven_by_its_seed_is_unwrapped_where_bytes_may_be_altered(
    key_type: CKK, number: int
) -> None:
    """Blocks of another wrapped key could stand in a seed, or in a part of an expanded key that nothing depends on."""
    seed, expanded = parts_of(private_of(key_type, number))
    oid = OIDS[key_type, number]
    assert import_private_key(both(key_type, number, seed, expanded), key_type, proven=True)
    for choice in (DerOctetString(seed, implicit=0), DerOctetString(expanded)):
        with pytest.raises(Pkcs11Error, match="a protected key without its public half") as refused:
            import_private_key(PKCS8.wrap(choice.encode(), oid, key_params=None), key_type, proven=True)
        assert refused.value.rv is CKR.WRAPPED_KEY_INVALID


DSA_PUBLIC_KEY = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
KEM_PUBLIC_KEY = mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey


@pytest.mark.parametrize("name", [name for name in OBJECT_SAMPLES if name.startswith(KINDS)])
def test_the_public_key_info_is_that_of_the_rfcs(name: str) -> None:
    made = imported(sample(name))
    info = export_public_key(KeyMaterial(made))
    number = made[CKA.PARAMETER_SET]
    key_type, key = made[CKA.KEY_TYPE], MLKEM if made[CKA.KEY_TYPE] == CKK.ML_KEM else MLDSA
    assert key.import_key(info).export_key() == info
    if (key_type, number) != (CKK.ML_KEM, 1):  # which `cryptography` does not have
        native = load_der_public_key(info)
        assert isinstance(native, DSA_PUBLIC_KEY | KEM_PUBLIC_KEY)
        if made[CKA.CLASS] == CKO.PUBLIC_KEY:
            assert native.public_bytes(Encoding.Raw, PublicFormat.Raw) == made[CKA.VALUE]
    assert imported({**sample(name), CKA.PUBLIC_KEY_INFO: info})[CKA.PUBLIC_KEY_INFO] == info
    other = info[:-1] + bytes([info[-1] ^ 1])
    assert refusal({**sample(name), CKA.PUBLIC_KEY_INFO: other}) is CKR.ATTRIBUTE_VALUE_INVALID


GENERATION = {CKK.ML_DSA: CKM.ML_DSA_KEY_PAIR_GEN, CKK.ML_KEM: CKM.ML_KEM_KEY_PAIR_GEN}


@every_set
def test_a_generated_pair_is_one_that_can_be_imported(key_type: CKK, number: int) -> None:
    """PKCS#11 3.2 §6.67.4: what the mechanism contributes."""
    caller, session = fresh_caller(policy=PORTABLE)
    shown = ((CKA.SENSITIVE, False), (CKA.EXTRACTABLE, T))
    public, private = pair(caller, session, GENERATION[key_type], ((CKA.PARAMETER_SET, number),), shown)
    made: ObjectSample = {CKA.CLASS: int(CKO.PRIVATE_KEY), CKA.KEY_TYPE: int(key_type)}
    made[CKA.PARAMETER_SET] = number
    for part in (CKA.SEED, CKA.VALUE, CKA.PUBLIC_KEY_INFO):
        value = get(caller, session, private, part)
        assert isinstance(value, bytes)
        made[part] = value
    attributes = imported(made)
    assert get(caller, session, public, CKA.PUBLIC_KEY_INFO) == attributes[CKA.PUBLIC_KEY_INFO]
    value = get(caller, session, public, CKA.VALUE)
    assert isinstance(value, bytes)
    assert value in export_public_key(KeyMaterial(attributes))
    assert get(caller, session, private, CKA.LOCAL) == b"\1"
    assert get(caller, session, public, CKA.PARAMETER_SET) == get(caller, session, private, CKA.PARAMETER_SET)


@pytest.mark.parametrize(
    ("public", "rv"),
    [
        ((), CKR.TEMPLATE_INCOMPLETE),
        (((CKA.PARAMETER_SET, 4),), CKR.PARAMETER_SET_NOT_SUPPORTED),
        (((CKA.PARAMETER_SET, 1), (CKA.VALUE, b"x")), CKR.TEMPLATE_INCONSISTENT),
    ],
)
@pytest.mark.parametrize("mechanism", GENERATION.values(), ids=lambda mechanism: mechanism.name)
def test_a_pair_of_no_parameter_set_is_not_made(
    mechanism: CKM, public: tuple[tuple[int, bytes | int], ...], rv: CKR
) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    answer = caller.call(c.GENERATE_KEY_PAIR, session, mechanism, b"", template(*public), template())
    assert answer.rv is rv


@pytest.mark.parametrize("given", [(CKA.PARAMETER_SET, 1), (CKA.PARAMETER_SET, 4), (CKA.SEED, bytes(32))])
def test_a_private_key_s_template_names_no_other_parameter_set_and_no_seed(given: tuple[int, bytes | int]) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    public, private = template((CKA.PARAMETER_SET, 2)), template(given)
    answer = caller.call(c.GENERATE_KEY_PAIR, session, CKM.ML_DSA_KEY_PAIR_GEN, b"", public, private)
    assert answer.rv is CKR.TEMPLATE_INCONSISTENT


@every_set
def test_a_private_key_s_template_may_repeat_the_parameter_set(key_type: CKK, number: int) -> None:
    """As pkcs11-tool does; alone, it makes no pair."""
    caller, session = fresh_caller(policy=PORTABLE)
    named = ((CKA.PARAMETER_SET, number),)
    public, private = pair(caller, session, GENERATION[key_type], named, named)
    assert get(caller, session, public, CKA.PARAMETER_SET) == get(caller, session, private, CKA.PARAMETER_SET)
    alone = caller.call(c.GENERATE_KEY_PAIR, session, GENERATION[key_type], b"", template(), template(*named))
    assert alone.rv is CKR.TEMPLATE_INCOMPLETE
