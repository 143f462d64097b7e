# SPDX-License-Identifier: Apache-2.0
"""PyKCS11's own suite passes, but for what the tables have."""

from interop.clients.suites import Suite
from interop.tools import Programs

SOFTHSM_NAME = "asserts SoftHSM's name"
NOT_YET = "CKM_RSA_X_509 is not there yet"
SUITE = Suite(
    "pykcs11",
    "test",
    left_out={
        "test_LowLevel.py::TestUtil::test_LowLevel": SOFTHSM_NAME,
        "test_info.py::TestUtil::test_getInfo": SOFTHSM_NAME,
        "test_info.py::TestUtil::test_getSlotInfo": SOFTHSM_NAME,
        "test_info.py::TestUtil::test_getTokenInfo": SOFTHSM_NAME,
        "test_gc.py::TestUtil::test_gc": "wants a logout without a login to be CKR_OK, as SoftHSM's is",
        "test_pin.py::TestUtil::test_null": "SoftHSM's CKR_ARGUMENTS_BAD for no PIN: OP-TEE's login by identity",
        "test_wrap.py::TestUtil::test_wrapKey": "wraps with a key made without CKA_WRAP: SoftHSM's default",
        "test_asymetric.py::TestUtil::test_encrypt_X509": NOT_YET,
        "test_asymetric.py::TestUtil::test_sign_X509": NOT_YET,
    },
    skipped={
        "test_asymetric_gost.py::TestUtil::*": "GOST's algorithms are in no well-kept library",
    },
)
SO_PIN, PIN = "123456", "1234"
"""The suite's own."""


def test_its_own_suite_passes(everything: Programs) -> None:
    slot = ("--slot", "0")
    everything.p11(*slot, "--init-token", "--label", "suite", "--so-pin", SO_PIN)
    everything.p11(*slot, "--login", "--so-pin", SO_PIN, "--init-pin", "--pin", PIN)
    # The suite copies the module to a place where libteec is not beside it.
    variables = {"PYKCS11LIB": str(everything.module), "LD_LIBRARY_PATH": str(everything.module.parent)}
    SUITE.run(everything, variables, "softhsm_version").check()
