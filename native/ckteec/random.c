/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers (section 5.15). */
#include "command.h"

CK_ENTRY(C_SeedRandom)
CK_RV C_SeedRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen)
{
    struct command command;

    command_begin_in_session(&command, TA_SEED_RANDOM, hSession);
    command_input_always(&command, pSeed, ulSeedLen);
    return command_end(&command);
}

CK_ENTRY(C_GenerateRandom)
CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen)
{
    struct command command;

    command_begin_in_session(&command, TA_GENERATE_RANDOM, hSession);
    command_require(&command, pRandomData != NULL || ulRandomLen == 0);
    command_output(&command, pRandomData, ulRandomLen);
    return command_end(&command);
}
