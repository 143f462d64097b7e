/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption and decryption (sections 5.8 and 5.9): the same but for the commands' numbers. */
#include "command.h"
#include "mechanism.h"
#include "output.h"

static CK_RV init(enum ta_command number, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                  CK_OBJECT_HANDLE key)
{
    struct command command;

    command_begin_in_session(&command, number, session);
    put_ulong(&command.control, key, CKR_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, mechanism);
    return command_end(&command);
}

static CK_RV process(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG input_length,
                     CK_BYTE_PTR output, CK_ULONG_PTR output_length)
{
    struct command command;

    command_begin_in_operation(&command, number, session);
    command_input(&command, input, input_length);
    output_bytes(&command, output, output_length);
    return output_bytes_end(&command, output, output_length);
}

CK_ENTRY(C_EncryptInit);
CK_RV C_EncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return init(TA_ENCRYPT_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_Encrypt);
CK_RV C_Encrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pEncryptedData,
                CK_ULONG_PTR pulEncryptedDataLen)
{
    return process(TA_ENCRYPT_ONESHOT, hSession, pData, ulDataLen, pEncryptedData, pulEncryptedDataLen);
}

CK_ENTRY(C_EncryptUpdate);
CK_RV C_EncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
                      CK_ULONG_PTR pulEncryptedPartLen)
{
    return process(TA_ENCRYPT_UPDATE, hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen);
}

CK_ENTRY(C_EncryptFinal);
CK_RV C_EncryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastEncryptedPart, CK_ULONG_PTR pulLastEncryptedPartLen)
{
    return process(TA_ENCRYPT_FINAL, hSession, NULL, 0, pLastEncryptedPart, pulLastEncryptedPartLen);
}

CK_ENTRY(C_DecryptInit);
CK_RV C_DecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    return init(TA_DECRYPT_INIT, hSession, pMechanism, hKey);
}

CK_ENTRY(C_Decrypt);
CK_RV C_Decrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData, CK_ULONG ulEncryptedDataLen, CK_BYTE_PTR pData,
                CK_ULONG_PTR pulDataLen)
{
    return process(TA_DECRYPT_ONESHOT, hSession, pEncryptedData, ulEncryptedDataLen, pData, pulDataLen);
}

CK_ENTRY(C_DecryptUpdate);
CK_RV C_DecryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
                      CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    return process(TA_DECRYPT_UPDATE, hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen);
}

CK_ENTRY(C_DecryptFinal);
CK_RV C_DecryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastPart, CK_ULONG_PTR pulLastPartLen)
{
    return process(TA_DECRYPT_FINAL, hSession, NULL, 0, pLastPart, pulLastPartLen);
}
