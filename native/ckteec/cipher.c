/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption and decryption (sections 5.8 and 5.9): the same but for the commands' numbers. */
#include "operation.h"

CK_ENTRY(C_EncryptInit);
CK_RV C_EncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return operation_init(TA_ENCRYPT_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_Encrypt);
CK_RV C_Encrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pEncryptedData,
                CK_ULONG_PTR pulEncryptedDataLen)
{
    return operation_process(TA_ENCRYPT_ONESHOT, hSession, pData, ulDataLen, pEncryptedData, pulEncryptedDataLen);
}

CK_ENTRY(C_EncryptUpdate);
CK_RV C_EncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
                      CK_ULONG_PTR pulEncryptedPartLen)
{
    return operation_process(TA_ENCRYPT_UPDATE, hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen);
}

CK_ENTRY(C_EncryptFinal);
CK_RV C_EncryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastEncryptedPart, CK_ULONG_PTR pulLastEncryptedPartLen)
{
    return operation_process(TA_ENCRYPT_FINAL, hSession, NULL, 0, pLastEncryptedPart, pulLastEncryptedPartLen);
}

CK_ENTRY(C_DecryptInit);
CK_RV C_DecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return operation_init(TA_DECRYPT_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_Decrypt);
CK_RV C_Decrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData, CK_ULONG ulEncryptedDataLen, CK_BYTE_PTR pData,
                CK_ULONG_PTR pulDataLen)
{
    return operation_process(TA_DECRYPT_ONESHOT, hSession, pEncryptedData, ulEncryptedDataLen, pData, pulDataLen);
}

CK_ENTRY(C_DecryptUpdate);
CK_RV C_DecryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
                      CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    return operation_process(TA_DECRYPT_UPDATE, hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen);
}

CK_ENTRY(C_DecryptFinal);
CK_RV C_DecryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastPart, CK_ULONG_PTR pulLastPartLen)
{
    return operation_process(TA_DECRYPT_FINAL, hSession, NULL, 0, pLastPart, pulLastPartLen);
}
