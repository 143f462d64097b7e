/* SPDX-License-Identifier: Apache-2.0 */
/* The command that tells ahead: what it is sent, and what becomes of its answer. */
#include "read_ahead.h"

#include <string.h>

#include "attribute_values.h"
#include "changes.h"
#include "connection.h"
#include "known_attributes.h"
#include "peer.h"
#include "reader.h"

/* A longer request has room for large values, none of which is told ahead. */
#define WANTED_LIMIT 4096

/* Place and value of the change counter, before what is told. */
#define MARK_SIZE 12

static struct attributes_wanted wanted_by(const struct command *command)
{
    return (struct attributes_wanted){
        .session = command->session,
        .request = command->control.bytes,
        .size = command->control.size,
        .reply = command->operation.params[2].tmpref.buffer,
    };
}

/* What comes behind the application's own answer. */
static void keep(const struct command *ahead, const uint8_t *bytes, size_t size, uint64_t own)
{
    struct changes_mark mark = {.own = own};

    if (size < MARK_SIZE)
        return;
    mark.place = u32_at(bytes);
    mark.token = u64_at(bytes + sizeof(uint32_t));
    known_attributes_keep(ahead->session, &mark, bytes + MARK_SIZE, size - MARK_SIZE);
}

/* The application's own answer stands before what is told. */
static CK_RV take(struct command *command, const struct command *ahead, const uint8_t *answer, uint64_t own)
{
    const size_t size = command->output_capacity;
    const size_t got = command_output_size(ahead);

    if (got < size || got > ahead->output_capacity)
        return CKR_DEVICE_ERROR;
    memcpy(command->operation.params[2].tmpref.buffer, answer, size);
    keep(ahead, answer + size, got - size, own);
    return CKR_OK;
}

static CK_RV ask(struct command *command, struct command *ahead, struct buffer *answer, uint64_t own)
{
    const struct attributes_wanted wanted = wanted_by(command);
    CK_RV taken = CKR_OK;
    CK_RV rv;

    put_bytes(&ahead->control, wanted.request, wanted.size);
    known_attributes_put_plan(&wanted, &ahead->control);
    buffer_extend(answer, command->output_capacity + TOLD_LIMIT);
    buffer_refuse(&ahead->control, answer->error);
    command_output(ahead, answer->bytes, answer->size);
    rv = command_ask(ahead);
    if (comes_with_values(rv))
        taken = take(command, ahead, answer->bytes, own);
    return taken != CKR_OK ? taken : rv;
}

/* Without what it would tell besides; whoever asks again waits for the secure world to come back. */
static bool may_be_asked_again(const struct command *ahead)
{
    return (ahead->unsent || ahead->unanswered) && connection_can_come_back();
}

bool read_ahead(struct command *command, CK_RV *rv)
{
    const struct attributes_wanted wanted = wanted_by(command);
    const struct changes_mark now = {.own = changes_own()};
    struct command ahead = {.number = TA_GET_ATTRIBUTES_AHEAD, .session = command->session};
    enum knowledge known;
    struct buffer answer;

    if (!changes_none_of_ours(&now) || wanted.size > WANTED_LIMIT || peer_lacks(ahead.number))
        return false;
    known = known_attributes_answer(&wanted, rv);
    if (known != KNOWLEDGE_NONE)
        return known == KNOWLEDGE_FULL;
    buffer_init(&ahead.control);
    buffer_init(&answer);
    *rv = ask(command, &ahead, &answer, now.own);
    buffer_release(&answer);
    buffer_release(&ahead.control);
    return *rv != CKR_FUNCTION_NOT_SUPPORTED && !may_be_asked_again(&ahead);
}
