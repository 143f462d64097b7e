/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that a session has active: what the functions that encrypt, sign, digest and so on have in common. */
#ifndef OPERATION_H
#define OPERATION_H

#include "command.h"

/* Begin an operation with a key. */
CK_RV operation_init(enum ta_command number, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                     CK_OBJECT_HANDLE key);

/* Go on with the active operation, or end it: a step that takes and gives nothing. */
CK_RV operation_step(enum ta_command number, CK_SESSION_HANDLE session);

/*
 * Go on with the active operation, from bytes, which may be none, to bytes. The output follows the standard's
 * convention, which output.h tells.
 */
CK_RV operation_process(enum ta_command number, CK_SESSION_HANDLE session, const CK_BYTE *input, CK_ULONG input_length,
                        CK_BYTE_PTR output, CK_ULONG_PTR output_length);

#endif
