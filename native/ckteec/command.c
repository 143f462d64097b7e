/* SPDX-License-Identifier: Apache-2.0 */
/* One command: parameters, the call into the secure world, and what its answer means. */
#include "command.h"

#include <string.h>

#include "again.h"
#include "changes.h"
#include "connection.h"
#include "peer.h"
#include "process.h"
#include "reader.h"
#include "remembered.h"
#include "turn.h"

#define STATUS_SIZE sizeof(uint32_t)
#define LOGINS_AGAIN 3 /* how often a child's login is sent again: it may be what its secure world dies of */

/* Buffers of no bytes point here: OP-TEE's library passes no NULL either. */
static uint8_t nothing[1];

struct result {
    TEEC_Result result;
    CK_RV rv;
};

/* What a call that failed on its way means; what is not listed is CKR_DEVICE_ERROR. */
static const struct result results[] = {
    {TEEC_ERROR_SHORT_BUFFER, CKR_BUFFER_TOO_SMALL},
    {TEEC_ERROR_OUT_OF_MEMORY, CKR_DEVICE_MEMORY},
    {TEEC_ERROR_EXCESS_DATA, CKR_DEVICE_MEMORY},
    {TEEC_ERROR_NOT_SUPPORTED, CKR_FUNCTION_NOT_SUPPORTED}, /* an application that does not know the command */
    {TEEC_ERROR_NOT_IMPLEMENTED, CKR_FUNCTION_NOT_SUPPORTED},
};

void command_prepare(struct command *command, enum ta_command number)
{
    command->number = number;
    command->entered = false;
    command->ends_operation = false;
    command->output_may_be_less = false;
    command->session = 0;
    command->slot = 0;
    command->handles = 0;
    command->output_capacity = 0;
    command->output_room = 0;
    buffer_init(&command->control);
    memset(&command->operation, 0, sizeof(command->operation));
}

void command_begin(struct command *command, enum ta_command number)
{
    command_prepare(command, number);
    command->entered = library_enter(&command->cancel_state);
    if (!command->entered)
        buffer_refuse(&command->control, CKR_CRYPTOKI_NOT_INITIALIZED);
}

void command_begin_in_session(struct command *command, enum ta_command number, CK_SESSION_HANDLE session)
{
    command_begin(command, number);
    command->session = (uint32_t)session;
    put_ulong(&command->control, session, CKR_SESSION_HANDLE_INVALID);
}

void command_begin_in_operation(struct command *command, enum ta_command number, CK_SESSION_HANDLE session)
{
    command_begin_in_session(command, number, session);
    command->ends_operation = command->control.error == CKR_OK;
}

void command_require(struct command *command, bool holds)
{
    if (!holds)
        buffer_refuse(&command->control, CKR_ARGUMENTS_BAD);
}

static void set_parameter(struct command *command, unsigned int index, uint32_t type, void *buffer, size_t size)
{
    command->operation.paramTypes |= type << (4 * index);
    command->operation.params[index].tmpref.buffer = buffer;
    command->operation.params[index].tmpref.size = size;
}

static void set_input(struct command *command, unsigned int index, const void *data, CK_ULONG size)
{
    union {
        const void *constant;
        void *writable;
    } buffer = {.constant = data}; /* the API has one pointer for both ways; inputs are only read */

    command_require(command, data != NULL || size == 0);
    set_parameter(command, index, TEEC_MEMREF_TEMP_INPUT, data != NULL && size > 0 ? buffer.writable : nothing, size);
}

void command_input(struct command *command, const void *data, CK_ULONG size)
{
    if (size > 0)
        set_input(command, 1, data, size);
}

void command_input_always(struct command *command, const void *data, CK_ULONG size)
{
    set_input(command, 1, data, size);
}

void command_second_input(struct command *command, const void *data, CK_ULONG size)
{
    set_input(command, 2, data, size);
}

void command_output(struct command *command, void *output, size_t size)
{
    command->output_capacity = size;
    command->output_room = size;
    set_parameter(command, 2, TEEC_MEMREF_TEMP_OUTPUT, size > 0 ? output : nothing, size);
}

void command_output_up_to(struct command *command, void *output, size_t room)
{
    command->output_may_be_less = true;
    command_output(command, output, room < ANSWER_LIMIT ? room : ANSWER_LIMIT);
    command->output_room = room;
}

size_t command_output_size(const struct command *command)
{
    return command->operation.params[2].tmpref.size;
}

void command_without_output(struct command *command)
{
    command->operation.paramTypes &= ~(uint32_t)TEEC_PARAM_TYPES(0, 0, 0xF, 0);
    command->output_capacity = 0;
}

bool command_has_output(const struct command *command)
{
    return TEEC_PARAM_TYPE_GET(command->operation.paramTypes, 2) == TEEC_MEMREF_TEMP_OUTPUT;
}

/* The size of the answer makes sense for what was asked. */
static bool output_is_sound(const struct command *command, CK_RV rv)
{
    size_t size = command_output_size(command);

    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        return true;
    if (!command_has_output(command))
        return rv == CKR_OK;
    if (!command->output_may_be_less)
        return size == command->output_capacity;
    if (rv == CKR_BUFFER_TOO_SMALL)
        return size > command->output_capacity || command->output_capacity == 0;
    return size <= command->output_capacity;
}

static CK_RV rv_of(TEEC_Result result, uint32_t origin)
{
    if (result == TEEC_ERROR_OUT_OF_MEMORY && origin == TEEC_ORIGIN_API)
        return CKR_HOST_MEMORY;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        if (results[i].result == result)
            return results[i].rv;
    }
    return CKR_DEVICE_ERROR;
}

/* Too large to be sent, or no memory to do it: the application in the secure world has not seen the command. */
static bool was_refused_on_the_way(TEEC_Result result, uint32_t origin)
{
    return (result == TEEC_ERROR_EXCESS_DATA || result == TEEC_ERROR_OUT_OF_MEMORY) &&
           (origin == TEEC_ORIGIN_API || origin == TEEC_ORIGIN_TEE);
}

static CK_RV invoke(struct command *command)
{
    struct buffer *control = &command->control;
    uint32_t origin = TEEC_ORIGIN_API;
    TEEC_Result result;

    if (control->size < STATUS_SIZE && buffer_extend(control, STATUS_SIZE - control->size) == NULL)
        return control->error;
    set_parameter(command, 0, TEEC_MEMREF_TEMP_INOUT, control->bytes, control->size);
    result = peer_invoke(command->number, &command->operation, &origin);
    command->unsent = result == TEEC_ERROR_TARGET_DEAD && origin == TEEC_ORIGIN_COMMS;
    command->unanswered = result != TEEC_SUCCESS && origin == TEEC_ORIGIN_COMMS && !command->unsent;
    if (command->unanswered)
        changes_lose_sight();
    if (was_refused_on_the_way(result, origin))
        buffer_refuse(control, rv_of(result, origin));
    if (result != TEEC_SUCCESS)
        return rv_of(result, origin);
    if (command->operation.params[0].tmpref.size != STATUS_SIZE)
        return CKR_DEVICE_ERROR;
    return u32_at(control->bytes);
}

CK_RV command_ask(struct command *command)
{
    return command->control.error == CKR_OK ? invoke(command) : command->control.error;
}

/* The answer is larger than any that can come, but not than the application's buffer: more room would not help. */
static bool output_is_out_of_reach(const struct command *command, CK_RV rv)
{
    return rv == CKR_BUFFER_TOO_SMALL && command->output_room > command->output_capacity &&
           command_output_size(command) <= command->output_room;
}

static CK_RV send_and_judge(struct command *command)
{
    CK_RV rv = invoke(command);

    if (!output_is_sound(command, rv))
        return CKR_DEVICE_ERROR;
    if (output_is_out_of_reach(command, rv))
        buffer_refuse(&command->control, CKR_DEVICE_MEMORY);
    return rv;
}

CK_RV command_send(struct command *command)
{
    const CK_RV rv = command->control.error == CKR_OK ? send_and_judge(command) : command->control.error;

    buffer_release(&command->control);
    return rv;
}

CK_RV command_tell(enum ta_command number, uint32_t session, const enum ta_command *what)
{
    struct command command;

    command_prepare(&command, number);
    put_u32(&command.control, session);
    if (what != NULL)
        put_u32(&command.control, *what);
    return command_send(&command);
}

CK_RV command_fetch(enum ta_command number, const void *request, size_t request_size, void *output, size_t *output_size)
{
    struct command command;
    CK_RV rv;

    command_prepare(&command, number);
    put_bytes(&command.control, request, request_size);
    command_output_up_to(&command, output, *output_size);
    rv = command_send(&command);
    *output_size = command_output_size(&command);
    return rv;
}

static bool is_answered(const struct command *command)
{
    return !command->unsent && !command->unanswered;
}

/* A login that could not be kept has gone with its secure world, as if that had not answered over the request. */
static CK_RV send_and_remember(struct command *command)
{
    const CK_RV rv = send_and_judge(command);

    if (rv == CKR_OK && is_answered(command) && !remember(command)) {
        store_u32(command->control.bytes, command->session);
        command->unanswered = true;
    }
    return rv;
}

/* Whether a command may be sent again that the secure world has got; `times`: how often it was. */
static bool may_be_done_again(const struct command *command, enum again again, unsigned int times)
{
    if (again == AGAIN_IN_CHILD)
        return library_has_parents_place() && command->user != CKU_CONTEXT_SPECIFIC && times < LOGINS_AGAIN;
    return again == AGAIN_DONE || again == AGAIN_WITH_OPERATION;
}

/*
 * Where the secure world was gone, or went away, wait for it to come back, and have it do what does no harm. What only
 * ends something has ended with the old one.
 */
static CK_RV send_until_answered(struct command *command, struct turn *turn)
{
    int64_t deadline = 0;
    unsigned int times = 0;
    CK_RV rv = send_and_remember(command);

    while (!is_answered(command) && connection_can_come_back()) {
        const enum again again = again_of(turn->called);
        const bool sent = command->unanswered;

        if (again == AGAIN_ENDED && connection_is_lost())
            return remembered_end(command);
        if (sent && !may_be_done_again(command, again, times++))
            return CKR_DEVICE_ERROR;
        if (!library_reconnect(&deadline) || !turn_again(turn, command, sent))
            return CKR_DEVICE_ERROR;
        rv = send_and_remember(command);
    }
    return rv;
}

static CK_RV exchange(struct command *command, struct turn *turn)
{
    CK_RV rv;

    if (turn->follows && turn->answered)
        return turn->answer;
    do
        rv = send_until_answered(command, turn);
    while (turn_seen(turn, command, rv));
    return rv;
}

/* Whether anything is to be done for it but to answer what is wrong. */
static bool has_turn(const struct command *command)
{
    return command->control.error == CKR_OK || command->ends_operation;
}

static CK_RV take_turn(struct command *command)
{
    struct turn turn;
    CK_RV rv = CKR_OK;

    turn_begin(&turn, command, command->control.error == CKR_OK);
    if (command->control.error == CKR_OK)
        rv = exchange(command, &turn);
    if (command->control.error != CKR_OK) {
        rv = command->control.error;
        if (command->ends_operation && !turn_drops_operation(&turn))
            command_tell(TA_RELEASE_ACTIVE_PROCESSING, command->session, &command->number);
    }
    turn_end(&turn, command, rv);
    return rv;
}

CK_RV command_end(struct command *command)
{
    const CK_RV rv = has_turn(command) ? take_turn(command) : command->control.error;

    if (command->entered)
        library_leave(command->cancel_state);
    buffer_release(&command->control);
    return rv;
}
