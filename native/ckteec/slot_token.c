/* SPDX-License-Identifier: Apache-2.0 */
/* Slot and token management (section 5.5). */
#include "command.h"
#include "output.h"
#include "process.h"
#include "reader.h"

#define LABEL_SIZE 32

static void begin_on_slot(struct command *command, enum ta_command number, CK_SLOT_ID slot)
{
    command_begin(command, number);
    put_ulong(&command->control, slot, CKR_SLOT_ID_INVALID);
}

CK_ENTRY(C_GetSlotList);
CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount)
{
    struct command command;

    (void)tokenPresent; /* every slot has a token */
    command_begin(&command, TA_SLOT_LIST);
    command_require(&command, pulCount != NULL);
    output_list(&command, pSlotList, pulCount != NULL ? *pulCount : 0);
    return output_list_end(&command, pSlotList, pulCount);
}

CK_ENTRY(C_GetSlotInfo);
CK_RV C_GetSlotInfo(CK_SLOT_ID slotID, CK_SLOT_INFO_PTR pInfo)
{
    struct command command;
    uint8_t info[TA_SLOT_INFO_BYTES] = {0};
    struct reader reader = reader_of(info, sizeof(info));
    CK_RV rv;

    begin_on_slot(&command, TA_SLOT_INFO, slotID);
    command_require(&command, pInfo != NULL);
    command_output(&command, info, sizeof(info));
    rv = command_end(&command);
    if (rv != CKR_OK)
        return rv;
    read_bytes(&reader, pInfo->slotDescription, sizeof(pInfo->slotDescription));
    read_bytes(&reader, pInfo->manufacturerID, sizeof(pInfo->manufacturerID));
    pInfo->flags = read_u32(&reader);
    pInfo->hardwareVersion = read_version(&reader);
    pInfo->firmwareVersion = read_version(&reader);
    return CKR_OK;
}

static void read_token_info(struct reader *reader, CK_TOKEN_INFO *info)
{
    read_bytes(reader, info->label, sizeof(info->label));
    read_bytes(reader, info->manufacturerID, sizeof(info->manufacturerID));
    read_bytes(reader, info->model, sizeof(info->model));
    read_bytes(reader, info->serialNumber, sizeof(info->serialNumber));
    info->flags = read_u32(reader);
    info->ulMaxSessionCount = read_ulong(reader);
    info->ulSessionCount = read_ulong(reader);
    info->ulMaxRwSessionCount = read_ulong(reader);
    info->ulRwSessionCount = read_ulong(reader);
    info->ulMaxPinLen = read_u32(reader);
    info->ulMinPinLen = read_u32(reader);
    info->ulTotalPublicMemory = read_ulong(reader);
    info->ulFreePublicMemory = read_ulong(reader);
    info->ulTotalPrivateMemory = read_ulong(reader);
    info->ulFreePrivateMemory = read_ulong(reader);
    info->hardwareVersion = read_version(reader);
    info->firmwareVersion = read_version(reader);
    read_bytes(reader, info->utcTime, sizeof(info->utcTime));
}

CK_ENTRY(C_GetTokenInfo);
CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo)
{
    struct command command;
    uint8_t info[TA_TOKEN_INFO_BYTES] = {0};
    struct reader reader = reader_of(info, sizeof(info));
    CK_RV rv;

    begin_on_slot(&command, TA_TOKEN_INFO, slotID);
    command_require(&command, pInfo != NULL);
    command_output(&command, info, sizeof(info));
    rv = command_end(&command);
    if (rv == CKR_OK)
        read_token_info(&reader, pInfo);
    return rv;
}

CK_ENTRY(C_GetMechanismList);
CK_RV C_GetMechanismList(CK_SLOT_ID slotID, CK_MECHANISM_TYPE_PTR pMechanismList, CK_ULONG_PTR pulCount)
{
    struct command command;

    begin_on_slot(&command, TA_MECHANISM_IDS, slotID);
    command_require(&command, pulCount != NULL);
    output_list(&command, pMechanismList, pulCount != NULL ? *pulCount : 0);
    return output_list_end(&command, pMechanismList, pulCount);
}

CK_ENTRY(C_GetMechanismInfo);
CK_RV C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR pInfo)
{
    struct command command;
    uint8_t info[TA_MECHANISM_INFO_BYTES] = {0};
    struct reader reader = reader_of(info, sizeof(info));
    CK_RV rv;

    begin_on_slot(&command, TA_MECHANISM_INFO, slotID);
    command_require(&command, pInfo != NULL);
    put_ulong(&command.control, type, CKR_MECHANISM_INVALID);
    command_output(&command, info, sizeof(info));
    rv = command_end(&command);
    if (rv != CKR_OK)
        return rv;
    pInfo->ulMinKeySize = read_ulong(&reader);
    pInfo->ulMaxKeySize = read_ulong(&reader);
    pInfo->flags = read_u32(&reader);
    return CKR_OK;
}

/* A PIN of NULL and no bytes means that the token itself authenticates: here, by who the caller is. */
static void put_pin_length(struct command *command, const CK_UTF8CHAR *pin, CK_ULONG length)
{
    command_require(command, pin != NULL || length == 0);
    put_ulong(&command->control, length, CKR_PIN_LEN_RANGE);
}

/* A slot's token is always there: nothing ever happens to a slot. */
CK_ENTRY(C_WaitForSlotEvent);
CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR pSlot, CK_VOID_PTR pReserved)
{
    if (!library_is_initialized())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (pSlot == NULL || pReserved != NULL)
        return CKR_ARGUMENTS_BAD;
    if ((flags & CKF_DONT_BLOCK) != 0)
        return CKR_NO_EVENT;
    library_wait_for_end();
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_ENTRY(C_InitToken);
CK_RV C_InitToken(CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen, CK_UTF8CHAR_PTR pLabel)
{
    struct command command;

    begin_on_slot(&command, TA_INIT_TOKEN, slotID);
    command_require(&command, pLabel != NULL);
    put_pin_length(&command, pPin, ulPinLen);
    put_bytes(&command.control, pLabel, LABEL_SIZE);
    put_bytes(&command.control, pPin, ulPinLen);
    return command_end(&command);
}

CK_ENTRY(C_InitPIN);
CK_RV C_InitPIN(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen)
{
    struct command command;

    command_begin_in_session(&command, TA_INIT_PIN, hSession);
    put_pin_length(&command, pPin, ulPinLen);
    put_bytes(&command.control, pPin, ulPinLen);
    return command_end(&command);
}

CK_ENTRY(C_SetPIN);
CK_RV C_SetPIN(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pOldPin, CK_ULONG ulOldLen, CK_UTF8CHAR_PTR pNewPin,
               CK_ULONG ulNewLen)
{
    struct command command;

    command_begin_in_session(&command, TA_SET_PIN, hSession);
    put_pin_length(&command, pOldPin, ulOldLen);
    put_pin_length(&command, pNewPin, ulNewLen);
    put_bytes(&command.control, pOldPin, ulOldLen);
    put_bytes(&command.control, pNewPin, ulNewLen);
    return command_end(&command);
}
