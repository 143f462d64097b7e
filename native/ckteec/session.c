/* SPDX-License-Identifier: Apache-2.0 */
/* Session management and login (section 5.6). */
#include "command.h"
#include "output.h"
#include "reader.h"

CK_ENTRY(C_OpenSession);
CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY Notify,
                    CK_SESSION_HANDLE_PTR phSession)
{
    struct command command;

    (void)pApplication; /* nothing here ever calls back */
    (void)Notify;
    command_begin(&command, TA_OPEN_SESSION);
    command_require(&command, (flags & ~(CKF_RW_SESSION | CKF_SERIAL_SESSION | CKF_ASYNC_SESSION)) == 0);
    put_ulong(&command.control, slotID, CKR_SLOT_ID_INVALID);
    put_ulong(&command.control, flags, CKR_ARGUMENTS_BAD);
    command.slot = (uint32_t)slotID;
    command.flags = (uint32_t)flags;
    return output_handle_end(&command, phSession);
}

CK_ENTRY(C_CloseSession);
CK_RV C_CloseSession(CK_SESSION_HANDLE hSession)
{
    struct command command;

    command_begin_in_session(&command, TA_CLOSE_SESSION, hSession);
    return command_end(&command);
}

CK_ENTRY(C_CloseAllSessions);
CK_RV C_CloseAllSessions(CK_SLOT_ID slotID)
{
    struct command command;

    command_begin(&command, TA_CLOSE_ALL_SESSIONS);
    put_ulong(&command.control, slotID, CKR_SLOT_ID_INVALID);
    command.slot = (uint32_t)slotID;
    return command_end(&command);
}

CK_ENTRY(C_GetSessionInfo);
CK_RV C_GetSessionInfo(CK_SESSION_HANDLE hSession, CK_SESSION_INFO_PTR pInfo)
{
    struct command command;
    uint8_t info[TA_SESSION_INFO_BYTES] = {0};
    struct reader reader = reader_of(info, sizeof(info));
    CK_RV rv;

    command_begin_in_session(&command, TA_SESSION_INFO, hSession);
    command_require(&command, pInfo != NULL);
    command_output(&command, info, sizeof(info));
    rv = command_end(&command);
    if (rv != CKR_OK)
        return rv;
    pInfo->slotID = read_u32(&reader);
    pInfo->state = read_u32(&reader);
    pInfo->flags = read_u32(&reader);
    pInfo->ulDeviceError = read_u32(&reader);
    return CKR_OK;
}

/* Nobody has validated anything here, so no operation was. */
CK_RV C_GetSessionValidationFlags(CK_SESSION_HANDLE hSession, CK_SESSION_VALIDATION_FLAGS_TYPE type, CK_FLAGS *pFlags)
{
    CK_SESSION_INFO info;
    CK_RV rv = C_GetSessionInfo_local(hSession, &info);

    (void)type;
    if (rv != CKR_OK)
        return rv;
    if (pFlags == NULL)
        return CKR_ARGUMENTS_BAD;
    *pFlags = 0;
    return CKR_OK;
}

/* OP-TEE's application saves no operations: there these two are CKR_FUNCTION_NOT_SUPPORTED. */
CK_ENTRY(C_GetOperationState);
CK_RV C_GetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG_PTR pulOperationStateLen)
{
    struct command command;

    command_begin_in_session(&command, TA_GET_OPERATION_STATE, hSession);
    output_bytes(&command, pOperationState, pulOperationStateLen);
    return output_bytes_end(&command, pOperationState, pulOperationStateLen);
}

CK_ENTRY(C_SetOperationState);
CK_RV C_SetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG ulOperationStateLen,
                          CK_OBJECT_HANDLE hEncryptionKey, CK_OBJECT_HANDLE hAuthenticationKey)
{
    struct command command;

    command_begin_in_session(&command, TA_SET_OPERATION_STATE, hSession);
    put_ulong(&command.control, hEncryptionKey, CKR_KEY_NOT_NEEDED);
    put_ulong(&command.control, hAuthenticationKey, CKR_KEY_NOT_NEEDED);
    command_input(&command, pOperationState, ulOperationStateLen);
    return command_end(&command);
}

CK_ENTRY(C_Login);
CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen)
{
    struct command command;

    command_begin_in_session(&command, TA_LOGIN, hSession);
    command_require(&command, pPin != NULL || ulPinLen == 0);
    put_ulong(&command.control, userType, CKR_USER_TYPE_INVALID);
    put_ulong(&command.control, ulPinLen, CKR_PIN_INCORRECT);
    put_bytes(&command.control, pPin, ulPinLen);
    command.user = (uint32_t)userType;
    return command_end(&command);
}

CK_ENTRY(C_Logout);
CK_RV C_Logout(CK_SESSION_HANDLE hSession)
{
    struct command command;

    command_begin_in_session(&command, TA_LOGOUT, hSession);
    return command_end(&command);
}

/* No token has users with names. Whoever gives none means C_Login. */
CK_RV C_LoginUser(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
                  CK_UTF8CHAR_PTR pUsername, CK_ULONG ulUsernameLen)
{
    CK_SESSION_INFO info;
    CK_RV rv;

    if (ulUsernameLen == 0)
        return C_Login_local(hSession, userType, pPin, ulPinLen);
    rv = C_GetSessionInfo_local(hSession, &info);
    if (rv != CKR_OK)
        return rv;
    return pUsername != NULL ? CKR_USER_TYPE_INVALID : CKR_ARGUMENTS_BAD;
}
