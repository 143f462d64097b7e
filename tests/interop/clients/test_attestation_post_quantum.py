# SPDX-License-Identifier: Apache-2.0
"""Statements of post-quantum keys, by the recipe, with an OpenSSL that knows them: Debian 13's."""

import json

import pytest

from interop.clients.debian import Debian
from interop.test_attestation import WITH_OPENSSL
from softee.names import CKA, CKM
from softee.pkcs11_ta.token.profiles import PORTABLE
from support.attestations import attest, chain_of
from support.object_calls import fresh_caller, pair

PAIRS = [
    *((CKM.ML_DSA_KEY_PAIR_GEN, number) for number in (1, 2, 3)),
    *((CKM.ML_KEM_KEY_PAIR_GEN, number) for number in (2, 3)),
]


@pytest.mark.parametrize(("mechanism", "number"), PAIRS, ids=lambda value: getattr(value, "name", str(value)))
def test_openssl_verifies_statements_of_post_quantum_keys(debian13: Debian, mechanism: CKM, number: int) -> None:
    caller, session = fresh_caller(policy=PORTABLE)
    _, private = pair(caller, session, mechanism, ((CKA.PARAMETER_SET, number),))
    (debian13.directory / "key.pem").write_bytes(attest(caller, session, private))
    (debian13.directory / "root.pem").write_bytes(chain_of(caller))
    shown = debian13.run("sh", "-ec", WITH_OPENSSL)
    assert "key.pem: OK" in shown
    assert "-----BEGIN PUBLIC KEY-----" in shown
    assert json.loads(shown[shown.index("{") :])["key"]["CKA_KEY_GEN_MECHANISM"] == f"CKM_{mechanism.name}"
