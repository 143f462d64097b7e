# SPDX-License-Identifier: Apache-2.0
"""Attestation of keys, which is ours: no function of PKCS#11 asks for it."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Output
from softee.pkcs11_ta.abi.returns import ANY, NOT_ON_EVERY_TOKEN, OUTPUT, SESSION

ATTEST_KEY = Command(
    0x1050,
    "ATTEST_KEY",
    "",
    m.AttestKey,
    SESSION | OUTPUT | NOT_ON_EVERY_TOKEN | {CKR.KEY_HANDLE_INVALID, CKR.KEY_TYPE_INCONSISTENT},
    output=Output.OUTPUT,
    output_layout="certificates in PEM: of the attested key, of the attestation key, of the CAs above it",
)
ATTESTATION_CHAIN = Command(
    0x1051,
    "ATTESTATION_CHAIN",
    "",
    m.Nothing,
    ANY | OUTPUT,
    output=Output.OUTPUT,
    output_layout="certificates in PEM: of the attestation key, of the CAs above it",
)
ATTESTATION_REQUEST = Command(
    0x1052,
    "ATTESTATION_REQUEST",
    "",
    m.Nothing,
    ANY | OUTPUT,
    output=Output.OUTPUT,
    output_layout="a PKCS#10 request in PEM",
)

COMMANDS = (ATTEST_KEY, ATTESTATION_CHAIN, ATTESTATION_REQUEST)
