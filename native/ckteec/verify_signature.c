/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of a signature that comes before its data (3.2, section 5.15). OP-TEE's application has none of it:
 * there these are CKR_FUNCTION_NOT_SUPPORTED.
 */
#include "mechanism.h"
#include "operation.h"

static CK_RV take(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *data, CK_ULONG length)
{
    struct command command;

    command_begin_in_operation(&command, number, session);
    command_input(&command, data, length);
    return command_end(&command);
}

CK_RV C_VerifySignatureInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey,
                            CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    struct command command;

    if (pMechanism == NULL)
        return C_SessionCancel(hSession, CKF_VERIFY);
    command_begin_in_session(&command, TA_VERIFY_SIGNATURE_INIT, hSession);
    put_ulong(&command.control, hKey, CKR_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, pMechanism);
    command_input_always(&command, pSignature, ulSignatureLen);
    return command_end(&command);
}

CK_RV C_VerifySignature(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen)
{
    return take(TA_VERIFY_SIGNATURE, hSession, pData, ulDataLen);
}

CK_RV C_VerifySignatureUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    return take(TA_VERIFY_SIGNATURE_UPDATE, hSession, pPart, ulPartLen);
}

CK_RV C_VerifySignatureFinal(CK_SESSION_HANDLE hSession)
{
    return operation_step(TA_VERIFY_SIGNATURE_FINAL, hSession);
}
