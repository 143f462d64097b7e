/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures, MACs and their verification (sections 5.11 and 5.12). OP-TEE's application has no signatures with
 * recovery: there they are CKR_FUNCTION_NOT_SUPPORTED.
 */
#include "operation.h"

static CK_RV update(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *part, CK_ULONG length)
{
    struct command command;

    command_begin_in_operation(&command, number, session);
    command_input_always(&command, part, length);
    return command_end(&command);
}

static CK_RV verify(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *data, CK_ULONG length,
                    const CK_BYTE *signature, CK_ULONG signature_length)
{
    struct command command;

    command_begin_in_operation(&command, number, session);
    command_input(&command, data, length);
    command_second_input(&command, signature, signature_length);
    return command_end(&command);
}

CK_ENTRY(C_SignInit);
CK_RV C_SignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return operation_init(TA_SIGN_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_Sign);
CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
             CK_ULONG_PTR pulSignatureLen)
{
    return operation_process(TA_SIGN_ONESHOT, hSession, pData, ulDataLen, pSignature, pulSignatureLen);
}

CK_ENTRY(C_SignUpdate);
CK_RV C_SignUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    return update(TA_SIGN_UPDATE, hSession, pPart, ulPartLen);
}

CK_ENTRY(C_SignFinal);
CK_RV C_SignFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    return operation_process(TA_SIGN_FINAL, hSession, NULL, 0, pSignature, pulSignatureLen);
}

CK_ENTRY(C_SignRecoverInit);
CK_RV C_SignRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return operation_init(TA_SIGN_RECOVER_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_SignRecover);
CK_RV C_SignRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
                    CK_ULONG_PTR pulSignatureLen)
{
    return operation_process(TA_SIGN_RECOVER, hSession, pData, ulDataLen, pSignature, pulSignatureLen);
}

CK_ENTRY(C_VerifyInit);
CK_RV C_VerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return operation_init(TA_VERIFY_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_Verify);
CK_RV C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
               CK_ULONG ulSignatureLen)
{
    return verify(TA_VERIFY_ONESHOT, hSession, pData, ulDataLen, pSignature, ulSignatureLen);
}

CK_ENTRY(C_VerifyUpdate);
CK_RV C_VerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    return update(TA_VERIFY_UPDATE, hSession, pPart, ulPartLen);
}

CK_ENTRY(C_VerifyFinal);
CK_RV C_VerifyFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    return verify(TA_VERIFY_FINAL, hSession, NULL, 0, pSignature, ulSignatureLen);
}

CK_ENTRY(C_VerifyRecoverInit);
CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return operation_init(TA_VERIFY_RECOVER_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_VerifyRecover);
CK_RV C_VerifyRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen, CK_BYTE_PTR pData,
                      CK_ULONG_PTR pulDataLen)
{
    return operation_process(TA_VERIFY_RECOVER, hSession, pSignature, ulSignatureLen, pData, pulDataLen);
}
