/* SPDX-License-Identifier: Apache-2.0 */
/* Object management (section 5.7), but for C_GetAttributeValue and the search. */
#include "command.h"
#include "output.h"
#include "reader.h"
#include "template.h"

static void begin_on_object(struct command *command, enum ta_command number, CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE object)
{
    command_begin_in_session(command, number, session);
    put_ulong(&command->control, object, CKR_OBJECT_HANDLE_INVALID);
}

CK_ENTRY(C_CreateObject);
CK_RV C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                     CK_OBJECT_HANDLE_PTR phObject)
{
    struct command command;

    command_begin_in_session(&command, TA_CREATE_OBJECT, hSession);
    command_require(&command, pTemplate != NULL && ulCount != 0);
    put_template(&command.control, pTemplate, ulCount);
    return output_handle_end(&command, phObject);
}

CK_ENTRY(C_CopyObject);
CK_RV C_CopyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                   CK_OBJECT_HANDLE_PTR phNewObject)
{
    struct command command;

    begin_on_object(&command, TA_COPY_OBJECT, hSession, hObject);
    put_template(&command.control, pTemplate, ulCount);
    return output_handle_end(&command, phNewObject);
}

CK_ENTRY(C_DestroyObject);
CK_RV C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject)
{
    struct command command;

    begin_on_object(&command, TA_DESTROY_OBJECT, hSession, hObject);
    return command_end(&command);
}

CK_ENTRY(C_GetObjectSize);
CK_RV C_GetObjectSize(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ULONG_PTR pulSize)
{
    struct command command;
    uint8_t size[sizeof(uint32_t)] = {0};
    CK_RV rv;

    begin_on_object(&command, TA_GET_OBJECT_SIZE, hSession, hObject);
    command_require(&command, pulSize != NULL);
    command_output(&command, size, sizeof(size));
    rv = command_end(&command);
    if (rv == CKR_OK)
        *pulSize = ulong_at(size);
    return rv;
}

CK_ENTRY(C_SetAttributeValue);
CK_RV C_SetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate,
                          CK_ULONG ulCount)
{
    struct command command;

    begin_on_object(&command, TA_SET_ATTRIBUTE_VALUE, hSession, hObject);
    put_template(&command.control, pTemplate, ulCount);
    return command_end(&command);
}
