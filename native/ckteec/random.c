/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers (section 5.15). */
#include "command.h"

/* What one command is asked for at most: as much as travels also where there are no memory files. */
#define PART_SIZE ((size_t)1 << 20)

CK_ENTRY(C_SeedRandom);
CK_RV C_SeedRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen)
{
    struct command command;

    command_begin_in_session(&command, TA_SEED_RANDOM, hSession);
    command_input_always(&command, pSeed, ulSeedLen);
    return command_end(&command);
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_BYTE_PTR data, size_t size)
{
    struct command command;

    command_begin_in_session(&command, TA_GENERATE_RANDOM, session);
    command_require(&command, data != NULL || size == 0);
    command_output(&command, data, size);
    return command_end(&command);
}

CK_ENTRY(C_GenerateRandom);
CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen)
{
    CK_RV rv = CKR_OK;

    while (rv == CKR_OK && ulRandomLen > PART_SIZE) {
        rv = generate(hSession, pRandomData, PART_SIZE);
        if (rv == CKR_OK) {
            pRandomData += PART_SIZE;
            ulRandomLen -= PART_SIZE;
        }
    }
    return rv == CKR_OK ? generate(hSession, pRandomData, ulRandomLen) : rv;
}
