# SPDX-License-Identifier: Apache-2.0
"""Random numbers (PKCS#11 3.2, section 5.19)."""

from softee.names import CKR
from softee.pkcs11_ta.abi import messages as m
from softee.pkcs11_ta.abi.command import Command, Data, Output
from softee.pkcs11_ta.abi.returns import SESSION

SEED_RANDOM = Command(
    41,
    "SEED_RANDOM",
    "C_SeedRandom",
    m.InSession,
    SESSION | {CKR.OPERATION_ACTIVE, CKR.RANDOM_SEED_NOT_SUPPORTED},
    data=Data.INPUT,
)
GENERATE_RANDOM = Command(
    42, "GENERATE_RANDOM", "C_GenerateRandom", m.InSession, SESSION | {CKR.OPERATION_ACTIVE}, output=Output.STREAM
)

COMMANDS = (SEED_RANDOM, GENERATE_RANDOM)
