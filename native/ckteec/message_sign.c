/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures by message and their verification (3.x, sections 5.14 and 5.16). No mechanism here has parameters of
 * messages. OP-TEE's application has none of it: there all of these are CKR_FUNCTION_NOT_SUPPORTED.
 */
#include "operation.h"
#include "output.h"

static void take_parameter(struct command *command, CK_ULONG length)
{
    if (length != 0)
        buffer_refuse(&command->control, CKR_MECHANISM_PARAM_INVALID);
}

static CK_RV begin(enum ta_command number, CK_SESSION_HANDLE session, CK_ULONG parameter_length)
{
    struct command command;

    command_begin_in_session(&command, number, session);
    take_parameter(&command, parameter_length);
    return command_end(&command);
}

/* Take a message or a part of it. */
static void take(struct command *command, CK_ULONG parameter_length, const CK_BYTE *data, CK_ULONG length)
{
    take_parameter(command, parameter_length);
    command_input(command, data, length);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    if (pMechanism == NULL)
        return C_SessionCancel(hSession, CKF_MESSAGE_SIGN);
    return operation_init(TA_MESSAGE_SIGN_INIT, hSession, pMechanism, hKey);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
                    CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    struct command command;

    (void)pParameter;
    command_begin_in_session(&command, TA_SIGN_MESSAGE, hSession);
    take(&command, ulParameterLen, pData, ulDataLen);
    output_bytes(&command, pSignature, pulSignatureLen);
    return output_bytes_end(&command, pSignature, pulSignatureLen);
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen)
{
    (void)pParameter;
    return begin(TA_SIGN_MESSAGE_BEGIN, hSession, ulParameterLen);
}

/* The last part is the one with which the signature is asked for. */
CK_RV C_SignMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
                        CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    struct command command;

    (void)pParameter;
    command_begin_in_operation(&command, TA_SIGN_MESSAGE_NEXT, hSession);
    put_u32(&command.control, pulSignatureLen != NULL ? CKF_END_OF_MESSAGE : 0);
    take(&command, ulParameterLen, pData, ulDataLen);
    if (pulSignatureLen == NULL)
        return command_end(&command);
    output_bytes(&command, pSignature, pulSignatureLen);
    return output_bytes_end(&command, pSignature, pulSignatureLen);
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE hSession)
{
    return operation_step(TA_MESSAGE_SIGN_FINAL, hSession);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    if (pMechanism == NULL)
        return C_SessionCancel(hSession, CKF_MESSAGE_VERIFY);
    return operation_init(TA_MESSAGE_VERIFY_INIT, hSession, pMechanism, hKey);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
                      CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    struct command command;

    (void)pParameter;
    command_begin_in_session(&command, TA_VERIFY_MESSAGE, hSession);
    take(&command, ulParameterLen, pData, ulDataLen);
    command_second_input(&command, pSignature, ulSignatureLen);
    return command_end(&command);
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen)
{
    (void)pParameter;
    return begin(TA_VERIFY_MESSAGE_BEGIN, hSession, ulParameterLen);
}

/* The last part is the one with which the signature comes. */
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
                          CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    struct command command;

    (void)pParameter;
    command_begin_in_operation(&command, TA_VERIFY_MESSAGE_NEXT, hSession);
    put_u32(&command.control, pSignature != NULL ? CKF_END_OF_MESSAGE : 0);
    take(&command, ulParameterLen, pData, ulDataLen);
    command_second_input(&command, pSignature, ulSignatureLen);
    return command_end(&command);
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE hSession)
{
    return operation_step(TA_MESSAGE_VERIFY_FINAL, hSession);
}
