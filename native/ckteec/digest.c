/* SPDX-License-Identifier: Apache-2.0 */
/* Message digests (section 5.10). */
#include "command.h"
#include "mechanism.h"
#include "operation.h"

CK_ENTRY(C_DigestInit);
CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism)
{
    struct command command;

    command_begin_in_session(&command, TA_DIGEST_INIT, hSession);
    put_mechanism(&command.control, pMechanism);
    return command_end(&command);
}

CK_ENTRY(C_Digest);
CK_RV C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pDigest,
               CK_ULONG_PTR pulDigestLen)
{
    return operation_process(TA_DIGEST_ONESHOT, hSession, pData, ulDataLen, pDigest, pulDigestLen);
}

CK_ENTRY(C_DigestUpdate);
CK_RV C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    struct command command;

    command_begin_in_operation(&command, TA_DIGEST_UPDATE, hSession);
    command_input(&command, pPart, ulPartLen);
    return command_end(&command);
}

CK_ENTRY(C_DigestKey);
CK_RV C_DigestKey(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hKey)
{
    struct command command;

    command_begin_in_session(&command, TA_DIGEST_KEY, hSession);
    put_ulong(&command.control, hKey, CKR_KEY_HANDLE_INVALID);
    return command_end(&command);
}

CK_ENTRY(C_DigestFinal);
CK_RV C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
    return operation_process(TA_DIGEST_FINAL, hSession, NULL, 0, pDigest, pulDigestLen);
}
