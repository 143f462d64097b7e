/* SPDX-License-Identifier: Apache-2.0 */
/* Operations, from their beginning with a key to the bytes that come out. */
#include "operation.h"

#include <stdbool.h>

#include "mechanism.h"
#include "output.h"

CK_RV operation_init(enum ta_command number, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                     CK_OBJECT_HANDLE key)
{
    struct command command;

    command_begin_in_session(&command, number, session);
    put_ulong(&command.control, key, CKR_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, mechanism);
    return command_end(&command);
}

CK_RV operation_step(enum ta_command number, CK_SESSION_HANDLE session)
{
    struct command command;

    command_begin_in_session(&command, number, session);
    return command_end(&command);
}

struct part {
    enum ta_command number;
    CK_SESSION_HANDLE session;
    const CK_BYTE *input;
    CK_ULONG input_length;
};

static CK_RV process(const struct part *part, CK_BYTE_PTR output, CK_ULONG_PTR output_length)
{
    struct command command;

    command_begin_in_operation(&command, part->number, part->session);
    command_input(&command, part->input, part->input_length);
    output_bytes(&command, output, output_length);
    return output_bytes_end(&command, output, output_length);
}

static bool ends_operation(enum ta_command number)
{
    return number != TA_ENCRYPT_UPDATE && number != TA_DECRYPT_UPDATE;
}

/*
 * Go on with a part that brings no bytes, after the other side was sent an empty buffer and gave `answer`. It cannot
 * tell such a buffer from the question for the size, which softee's application answers and does nothing; OP-TEE's goes
 * on. So it is sent again with room that will not be used; whoever has no operation any more had gone on.
 */
static CK_RV process_without_output(const struct part *part, CK_RV answer)
{
    CK_BYTE unused[1];
    CK_ULONG length = sizeof(unused);
    CK_RV rv;

    if (answer == CKR_OK && !ends_operation(part->number))
        return CKR_OK;
    rv = process(part, unused, &length);
    if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && length > 0))
        return CKR_DEVICE_ERROR;
    return rv == CKR_OPERATION_NOT_INITIALIZED && answer == CKR_OK ? CKR_OK : rv;
}

CK_RV operation_process(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG input_length,
                        CK_BYTE_PTR output, CK_ULONG_PTR output_length)
{
    const struct part part = {number, session, input, input_length};
    bool without_room = output != NULL && output_length != NULL && *output_length == 0;
    CK_RV rv = process(&part, output, output_length);

    if (without_room && *output_length == 0 && (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL))
        return process_without_output(&part, rv);
    return rv;
}
