/* SPDX-License-Identifier: Apache-2.0 */
/* C_SessionCancel (3.x, section 5.6): by a command of its own, or by those with which OP-TEE's application ends one. */
#include "command.h"

#include <stddef.h>

struct cancelled {
    CK_FLAGS flag;
    enum ta_command command; /* one that goes on with the operation */
};

/* The operations that OP-TEE's application has. */
static const struct cancelled operations[] = {
    {CKF_ENCRYPT, TA_ENCRYPT_UPDATE}, {CKF_DECRYPT, TA_DECRYPT_UPDATE}, {CKF_DIGEST, TA_DIGEST_UPDATE},
    {CKF_SIGN, TA_SIGN_UPDATE},       {CKF_VERIFY, TA_VERIFY_UPDATE},
};

static CK_RV release(CK_SESSION_HANDLE session, enum ta_command number)
{
    struct command command;

    command_begin_in_session(&command, TA_RELEASE_ACTIVE_PROCESSING, session);
    put_u32(&command.control, number);
    return command_end(&command);
}

/* What is not active needs no end. */
static CK_RV unless_idle(CK_RV rv)
{
    return rv == CKR_OPERATION_NOT_INITIALIZED || rv == CKR_OPERATION_ACTIVE ? CKR_OK : rv;
}

static CK_RV cancel_one_by_one(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]) && rv == CKR_OK; i++) {
        if ((flags & operations[i].flag) != 0)
            rv = unless_idle(release(session, operations[i].command));
    }
    if (rv == CKR_OK && (flags & CKF_FIND_OBJECTS) != 0)
        rv = unless_idle(C_FindObjectsFinal_local(session));
    return rv;
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE hSession, CK_FLAGS flags)
{
    struct command command;
    CK_RV rv;

    command_begin_in_session(&command, TA_SESSION_CANCEL, hSession);
    put_u32(&command.control, (uint32_t)flags);
    rv = command_end(&command);
    return rv == CKR_FUNCTION_NOT_SUPPORTED ? cancel_one_by_one(hSession, flags) : rv;
}
