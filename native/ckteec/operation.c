/* SPDX-License-Identifier: Apache-2.0 */
/* Operations, from their beginning with a key to the bytes that come out. */
#include "operation.h"

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

CK_RV operation_process(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG input_length,
                        CK_BYTE_PTR output, CK_ULONG_PTR output_length)
{
    struct command command;

    command_begin_in_operation(&command, number, session);
    command_input(&command, input, input_length);
    output_bytes(&command, output, output_length);
    return output_bytes_end(&command, output, output_length);
}
