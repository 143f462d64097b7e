/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that OP-TEE's token does not have: saved operation states, signatures with recovery, dual-function updates
 * and waiting for slot events are CKR_FUNCTION_NOT_SUPPORTED; parallel functions, which no token has,
 * CKR_FUNCTION_NOT_PARALLEL. Whoever asks for a slot event without waiting is told the truth: there is none.
 */
#include "library.h"
#include "process.h"

/* Nobody looks at the arguments of what is refused. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static CK_RV refuse(CK_RV rv)
{
    return library_is_initialized() ? rv : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_ENTRY(C_GetOperationState);
CK_RV C_GetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG_PTR pulOperationStateLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_SetOperationState);
CK_RV C_SetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG ulOperationStateLen,
                          CK_OBJECT_HANDLE hEncryptionKey, CK_OBJECT_HANDLE hAuthenticationKey)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_SignRecoverInit);
CK_RV C_SignRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_SignRecover);
CK_RV C_SignRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
                    CK_ULONG_PTR pulSignatureLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_VerifyRecoverInit);
CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_VerifyRecover);
CK_RV C_VerifyRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen, CK_BYTE_PTR pData,
                      CK_ULONG_PTR pulDataLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_DigestEncryptUpdate);
CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                            CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_DecryptDigestUpdate);
CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
                            CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_SignEncryptUpdate);
CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
                          CK_ULONG_PTR pulEncryptedPartLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_DecryptVerifyUpdate);
CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
                            CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    return refuse(CKR_FUNCTION_NOT_SUPPORTED);
}

CK_ENTRY(C_GetFunctionStatus);
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE hSession)
{
    return refuse(CKR_FUNCTION_NOT_PARALLEL);
}

CK_ENTRY(C_CancelFunction);
CK_RV C_CancelFunction(CK_SESSION_HANDLE hSession)
{
    return refuse(CKR_FUNCTION_NOT_PARALLEL);
}

CK_ENTRY(C_WaitForSlotEvent);
CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR pSlot, CK_VOID_PTR pReserved)
{
    return refuse((flags & CKF_DONT_BLOCK) != 0 ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED);
}
