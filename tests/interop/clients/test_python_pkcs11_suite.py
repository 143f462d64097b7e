# SPDX-License-Identifier: Apache-2.0
"""python-pkcs11's own suite passes, ML-DSA and ML-KEM too, but for what the tables have."""

import shutil

from interop.clients.suites import Suite
from interop.tools import LABEL, PIN, SO_PIN, Programs

ONLY_SOFTHSM = "the suite runs it on SoftHSM alone"
NO_OP_TEE_EC = "wants CKF_EC_NAMEDCURVE, which OP-TEE's mechanisms lack (docs/deviations.md)"
NO_DES = "DES is left out by decision"
NO_DSA = "DSA is left out by decision"
OWN_PRIME = "its prime is of no group of RFC 3526 or RFC 7919: others may have small subgroups"

SUITE = Suite(
    "python-pkcs11",
    "tests",
    left_out={
        "test_slots_and_tokens.py::SlotsAndTokensTests::test_get_mechanism_info_ec": NO_OP_TEE_EC,
        "test_dh.py::DHTests::test_derive_key": OWN_PRIME,
    },
    skipped={
        "test_des.py::*": NO_DES,
        "test_dh.py::DHTests::test_generate_params": "a client finds primes itself",
        "test_dsa.py::*": NO_DSA,
        "test_ecc.py::ECCTests::test_import_key_params": ONLY_SOFTHSM,
        "test_sessions.py::SessionTests::*": ONLY_SOFTHSM,
        "test_slots_and_tokens.py::SlotsAndTokensTests::*": ONLY_SOFTHSM,
        "test_x509.py::X509Tests::test_verify_certificate_dsa": NO_DSA,
    },
)


def test_its_own_suite_passes(everything: Programs) -> None:
    everything.init_token()
    other = everything.directory / "other"
    shutil.copytree(everything.module.parent, other)  # the suite loads two modules at once
    variables = {
        "PKCS11_MODULE": str(everything.module),
        "PKCS11_MODULE2": str(other / everything.module.name),
        "PKCS11_TOKEN_LABEL": LABEL,
        "PKCS11_TOKEN_PIN": PIN,
        "PKCS11_TOKEN_SO_PIN": SO_PIN,
    }
    SUITE.run(everything, variables).check()
