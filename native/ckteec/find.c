/* SPDX-License-Identifier: Apache-2.0 */
/* The search for objects (section 5.7). */
#include "command.h"
#include "output.h"
#include "template.h"

CK_ENTRY(C_FindObjectsInit);
CK_RV C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
    struct command command;

    command_begin_in_session(&command, TA_FIND_OBJECTS_INIT, hSession);
    put_template(&command.control, pTemplate, ulCount);
    return command_end(&command);
}

CK_ENTRY(C_FindObjects);
CK_RV C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE_PTR phObject, CK_ULONG ulMaxObjectCount,
                    CK_ULONG_PTR pulObjectCount)
{
    struct command command;
    CK_ULONG count = 0;
    CK_RV rv;

    command_begin_in_session(&command, TA_FIND_OBJECTS, hSession);
    command_require(&command, pulObjectCount != NULL && (phObject != NULL || ulMaxObjectCount == 0));
    output_list(&command, phObject, ulMaxObjectCount);
    rv = output_list_end(&command, phObject, &count);
    if (rv == CKR_BUFFER_TOO_SMALL || count > ulMaxObjectCount)
        return CKR_DEVICE_ERROR; /* more handles than were asked for */
    if (rv == CKR_OK)
        *pulObjectCount = count;
    return rv;
}

CK_ENTRY(C_FindObjectsFinal);
CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE hSession)
{
    struct command command;

    command_begin_in_session(&command, TA_FIND_OBJECTS_FINAL, hSession);
    return command_end(&command);
}
