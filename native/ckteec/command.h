/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command to the PKCS#11 application, from the C_* function's first line to its last.
 *
 * A C_* function begins a command, requires what the standard requires of its arguments, puts the request into
 * `control` (parameter 0), names input (parameter 1) and output (parameter 2), and ends the command. The first thing
 * that is wrong is the function's answer, and then nothing is sent. From begin to end the library stays initialized.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <tee_client_api.h>

#include "buffer.h"
#include "commands.gen.h"
#include "library.h"

/* No answer is longer: 64 MiB, and what a mechanism adds to as many. */
#define ANSWER_LIMIT (((size_t)64 << 20) + ((size_t)64 << 10))

struct command {
    enum ta_command number;
    bool entered;
    int cancel_state;
    bool ends_operation;     /* what is wrong with the arguments ends the session's active operation */
    bool output_may_be_less; /* else the output has exactly the size of its buffer */
    bool unsent;             /* the last time, the secure world was gone before it had the command */
    bool unanswered;         /* or it went away before it had answered, and may have done it */
    uint32_t session;
    uint32_t slot; /* these three where remembered.c asks for them */
    uint32_t flags;
    uint32_t user;
    uint32_t handles;       /* so many are at the beginning of the output */
    size_t output_capacity; /* what is asked for at most */
    size_t output_room;     /* what the application's buffer holds, which may be more */
    struct buffer control;
    TEEC_Operation operation;
};

/* CKR_CRYPTOKI_NOT_INITIALIZED comes before every other error. */
void command_begin(struct command *command, enum ta_command number);

/* Begin a command whose request starts with a session's handle. */
void command_begin_in_session(struct command *command, enum ta_command number, CK_SESSION_HANDLE session);

/*
 * Begin a command that goes on with an active operation. Where it is refused on this side, for its arguments or their
 * size, the secure world is told to drop the operation, as it would have done itself had it seen them.
 */
void command_begin_in_operation(struct command *command, enum ta_command number, CK_SESSION_HANDLE session);

/* CKR_ARGUMENTS_BAD where it does not hold. */
void command_require(struct command *command, bool holds);

/* Parameter 1, where there are any bytes: CKR_ARGUMENTS_BAD for a NULL pointer with a size. */
void command_input(struct command *command, const void *data, CK_ULONG size);

/* Parameter 1, also where there are none: OP-TEE wants it in some commands. */
void command_input_always(struct command *command, const void *data, CK_ULONG size);

/* Parameter 2 as a second input. */
void command_second_input(struct command *command, const void *data, CK_ULONG size);

/* Parameter 2 as an output of exactly `size` bytes; success with another size is CKR_DEVICE_ERROR. */
void command_output(struct command *command, void *output, size_t size);

/*
 * Parameter 2 as an output of up to `room` bytes, but no more than any answer has; command_output_size() says how many
 * it had, or would have. No room asks for the size. It travels as an empty buffer, never as NULL: to a NULL buffer
 * OP-TEE's application answers CKR_OK with the size of a list, and CKR_ARGUMENTS_BAD where bytes would come.
 */
void command_output_up_to(struct command *command, void *output, size_t room);
size_t command_output_size(const struct command *command);

/* Take back that there is an output. */
void command_without_output(struct command *command);
bool command_has_output(const struct command *command);

/*
 * Send the command, unless something is wrong already. After command_output_up_to(), CKR_BUFFER_TOO_SMALL comes with a
 * size that is more than its room, and CKR_OK with one that is not. Where there was no room, CKR_BUFFER_TOO_SMALL may
 * come with size 0: nothing was done and nothing would come, which softee's application says and OP-TEE's does not.
 */
CK_RV command_end(struct command *command);

/* Within another command: send one whose control buffer and output are there, and nothing else. */
CK_RV command_ask(struct command *command);

/*
 * Within another command: one whose request and output are prepared in the same way, and that is then sent, as it is
 * and once. It has gone afterwards, but for the size of its output.
 */
void command_prepare(struct command *command, enum ta_command number);
CK_RV command_send(struct command *command);

/* Likewise: one that has nothing but a session's handle, and a command's number if not NULL. */
CK_RV command_tell(enum ta_command number, uint32_t session, const enum ta_command *what);

/* Likewise: one of these bytes, that gives up to `*output_size` bytes; then that is how many. */
CK_RV command_fetch(enum ta_command number, const void *request, size_t request_size, void *output,
                    size_t *output_size);

#endif
