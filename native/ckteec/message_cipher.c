/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption and decryption by message (3.x, sections 5.9 and 5.11). OP-TEE's application has none of it: there all of
 * these are CKR_FUNCTION_NOT_SUPPORTED.
 */
#include "message.h"
#include "operation.h"

/* The parameters come with the messages; the mechanism's own is not looked at. */
static CK_RV init(enum ta_command number, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                  CK_OBJECT_HANDLE key)
{
    struct command command;

    command_begin_in_session(&command, number, session);
    put_ulong(&command.control, key, CKR_KEY_HANDLE_INVALID);
    put_bare_mechanism(&command.control, mechanism);
    return command_end(&command);
}

/* Put the parameter of a message and its associated data, and return what belongs to the parameter. */
static struct message put_message(struct command *command, const void *parameter, CK_ULONG size,
                                  const CK_BYTE *associated, CK_ULONG associated_length)
{
    struct message message = message_of(&command->control, parameter, size);

    put_message_parameter(&command->control, message.type, parameter, size);
    put_associated_data(&command->control, associated, associated_length);
    return message;
}

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    if (pMechanism == NULL)
        return C_SessionCancel(hSession, CKF_MESSAGE_ENCRYPT);
    return init(TA_MESSAGE_ENCRYPT_INIT, hSession, pMechanism, hKey);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                       CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen, CK_BYTE_PTR pPlaintext,
                       CK_ULONG ulPlaintextLen, CK_BYTE_PTR pCiphertext, CK_ULONG_PTR pulCiphertextLen)
{
    struct command command;
    struct message message;

    command_begin_in_session(&command, TA_ENCRYPT_MESSAGE, hSession);
    message = put_message(&command, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen);
    command_input(&command, pPlaintext, ulPlaintextLen);
    return message_end(&command, &message, NONCE_AND_TAG, pCiphertext, pulCiphertextLen);
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                            CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen)
{
    struct command command;
    struct message message;
    CK_BYTE nothing[1];
    CK_ULONG length = 0;

    command_begin_in_session(&command, TA_ENCRYPT_MESSAGE_BEGIN, hSession);
    message = put_message(&command, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen);
    return message_end(&command, &message, NONCE, nothing, &length);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                           CK_BYTE_PTR pPlaintextPart, CK_ULONG ulPlaintextPartLen, CK_BYTE_PTR pCiphertextPart,
                           CK_ULONG_PTR pulCiphertextPartLen, CK_FLAGS flags)
{
    struct command command;
    struct message message;

    command_begin_in_operation(&command, TA_ENCRYPT_MESSAGE_NEXT, hSession);
    message = message_of(&command.control, pParameter, ulParameterLen);
    put_ulong(&command.control, flags, CKR_ARGUMENTS_BAD);
    command_input(&command, pPlaintextPart, ulPlaintextPartLen);
    return message_end(&command, &message, (flags & CKF_END_OF_MESSAGE) != 0 ? TAG : NOTHING, pCiphertextPart,
                       pulCiphertextPartLen);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE hSession)
{
    return operation_step(TA_MESSAGE_ENCRYPT_FINAL, hSession);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    if (pMechanism == NULL)
        return C_SessionCancel(hSession, CKF_MESSAGE_DECRYPT);
    return init(TA_MESSAGE_DECRYPT_INIT, hSession, pMechanism, hKey);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                       CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen, CK_BYTE_PTR pCiphertext,
                       CK_ULONG ulCiphertextLen, CK_BYTE_PTR pPlaintext, CK_ULONG_PTR pulPlaintextLen)
{
    struct command command;
    struct message message;

    command_begin_in_session(&command, TA_DECRYPT_MESSAGE, hSession);
    message = put_message(&command, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen);
    put_tag(&command.control, &message);
    command_input(&command, pCiphertext, ulCiphertextLen);
    return message_end(&command, &message, NOTHING, pPlaintext, pulPlaintextLen);
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                            CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen)
{
    struct command command;

    command_begin_in_session(&command, TA_DECRYPT_MESSAGE_BEGIN, hSession);
    put_message(&command, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen);
    return command_end(&command);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                           CK_BYTE_PTR pCiphertextPart, CK_ULONG ulCiphertextPartLen, CK_BYTE_PTR pPlaintextPart,
                           CK_ULONG_PTR pulPlaintextPartLen, CK_FLAGS flags)
{
    struct command command;
    struct message message;

    command_begin_in_operation(&command, TA_DECRYPT_MESSAGE_NEXT, hSession);
    message = message_of(&command.control, pParameter, ulParameterLen);
    put_ulong(&command.control, flags, CKR_ARGUMENTS_BAD);
    put_tag(&command.control, &message);
    command_input(&command, pCiphertextPart, ulCiphertextPartLen);
    return message_end(&command, &message, NOTHING, pPlaintextPart, pulPlaintextPartLen);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE hSession)
{
    return operation_step(TA_MESSAGE_DECRYPT_FINAL, hSession);
}
