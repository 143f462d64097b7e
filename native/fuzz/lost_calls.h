/* SPDX-License-Identifier: Apache-2.0 */
/* Part of fuzz_ckteec.c: sessions, logins and operations, while the secure world goes away and another one comes. */
#ifndef LOST_CALLS_H
#define LOST_CALLS_H

#include <tee_client_api_extensions.h>

/* Contexts are numbered; the secure worlds of those up to a number are gone. */
static int current;
static int gone;

/* Where the secure world is gone, nothing is sent to it; it may go without an answer. */
static TEEC_Result answer_unless_lost(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    TEEC_Result result;

    *origin = TEEC_ORIGIN_COMMS;
    if (current <= gone)
        return TEEC_ERROR_TARGET_DEAD;
    result = answer(command, operation, origin);
    if (result == TEEC_ERROR_COMMUNICATION && *origin == TEEC_ORIGIN_COMMS)
        gone = current;
    return result;
}

bool softee_is_lost(const TEEC_Context *context)
{
    return context->imp.fd <= gone;
}

/* The fake libteec fails to connect by chance, as at first. */
TEEC_Result softee_reconnect(const TEEC_Context *old, TEEC_Context *context)
{
    const TEEC_Result result = TEEC_InitializeContext(NULL, context);

    (void)old;
    if (result == TEEC_SUCCESS)
        context->imp.fd = ++current;
    return result;
}

static CK_RV step_with_sessions(CK_MECHANISM *mechanism, uint8_t which)
{
    CK_UTF8CHAR pin[] = "1234";
    CK_ULONG handle;
    CK_ULONG second;

    switch (which % 10) {
    case 0:
        return C_OpenSession(which / 10 % 4, CKF_SERIAL_SESSION, NULL, NULL, &handle);
    case 1:
        return C_Login(which / 10 % 4, CKU_USER, pin, sizeof(pin));
    case 2:
        return C_SetPIN(SESSION, pin, sizeof(pin), pin, sizeof(pin));
    case 3:
        return C_Logout(which / 10 % 4);
    case 4:
        return C_CloseSession(which / 10 % 4);
    case 5:
        return C_CloseAllSessions(which / 10 % 4);
    case 6:
        return C_GenerateKeyPair(SESSION, mechanism, NULL, 0, NULL, 0, &handle, &second);
    case 7:
        return all_functions()->C_SessionCancel(SESSION, CKF_SIGN);
    default:
        return step(mechanism, which / 10);
    }
}

static void call_while_it_comes_and_goes(void)
{
    CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};

    for (int i = 0; i < STEPS_MAX && input.left > 0; i++) {
        const uint8_t which = take_u8(&input);

        if (take_u8(&input) % 4 == 0)
            gone = current;
        require_sane(step_with_sessions(&mechanism, which));
    }
}

#endif
