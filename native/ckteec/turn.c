/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: from what is known of the session's last operation to what is sent, and from the answer to what is known. */
#include "turn.h"

#include <string.h>

#include "again.h"
#include "bytes.h"
#include "connection.h"
#include "known_attributes.h"
#include "peer.h"
#include "read_ahead.h"

/* As the secure world says it in its answer to ..._START. */
#define RESUMABLE 1u
#define IN_PARTS 2u

/* The question for a size is answered where its data could be sent in any case. */
#define ASKING_LIMIT 1024

static const struct operation_kind kinds[] = {
    {TA_SIGN_INIT, TA_SIGN_START, TA_SIGN_ONESHOT, TA_SIGN_AGAIN, TA_SIGN_UPDATE, TA_SIGN_FINAL},
    {TA_DIGEST_INIT, TA_DIGEST_START, TA_DIGEST_ONESHOT, TA_DIGEST_AGAIN, TA_DIGEST_UPDATE, TA_DIGEST_FINAL},
    {TA_VERIFY_INIT, TA_VERIFY_START, TA_VERIFY_ONESHOT, TA_VERIFY_AGAIN, TA_VERIFY_UPDATE, TA_VERIFY_FINAL},
    {TA_ENCRYPT_INIT, TA_ENCRYPT_START, TA_ENCRYPT_ONESHOT, TA_ENCRYPT_AGAIN, TA_ENCRYPT_UPDATE, TA_ENCRYPT_FINAL},
    {TA_DECRYPT_INIT, TA_DECRYPT_START, TA_DECRYPT_ONESHOT, TA_DECRYPT_AGAIN, TA_DECRYPT_UPDATE, TA_DECRYPT_FINAL},
};

static const struct operation_kind *kind_begun_by(enum ta_command init)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].init == init)
            return &kinds[i];
    return NULL;
}

/* Tell the secure world of an operation that the application takes for active. */
static void make_active(struct last_operation *operation, uint32_t session)
{
    const CK_RV rv = command_tell(TA_RESUME, session, &operation->kind->again);

    if (rv == CKR_OK)
        operation->state = OPERATION_READY;
    else
        operation->state = connection_is_lost() ? OPERATION_LOST : OPERATION_UNKNOWN;
}

/* The application asks again for what it was given last, and nothing has changed. */
static bool is_known_to_begin(const struct last_operation *operation, const struct operation_kind *kind,
                              const struct buffer *request)
{
    return operation->state == OPERATION_ENDED && operation->kind == kind && operation->request_size == request->size &&
           memcmp(operation->request, request->bytes, request->size) == 0 && changes_none(&operation->mark);
}

static void answer(struct turn *turn, CK_RV rv)
{
    turn->answered = true;
    turn->answer = rv;
}

static void begin_init(struct turn *turn, struct command *command, const struct operation_kind *kind)
{
    struct last_operation *operation = turn->visit.operation;
    const struct buffer *request = &command->control;

    if (is_known_to_begin(operation, kind, request)) {
        operation->state = OPERATION_CLAIMED;
        answer(turn, CKR_OK);
        return;
    }
    operation->state = OPERATION_UNKNOWN;
    if (request->size > sizeof(operation->request) || !changes_are_seen())
        return;
    operation->kind = kind;
    operation->request_size = request->size;
    memcpy(operation->request, request->bytes, request->size);
    command->number = kind->start;
    command_output(command, turn->started, sizeof(turn->started));
}

static void take_started(struct turn *turn)
{
    struct last_operation *operation = turn->visit.operation;
    const uint32_t flags = u32_at(turn->started + 4);

    operation->state = OPERATION_READY;
    operation->size = u32_at(turn->started);
    operation->resumable = (flags & RESUMABLE) != 0;
    operation->in_parts = (flags & IN_PARTS) != 0;
    operation->mark = (struct changes_mark){turn->own, u32_at(turn->started + 8), u64_at(turn->started + 12)};
}

/* Begin an operation again that was begun in a secure world that is gone. */
static void begin_lost(struct turn *turn)
{
    struct last_operation *operation = turn->visit.operation;
    size_t size = sizeof(turn->started);

    if (operation->state != OPERATION_LOST)
        return;
    if (command_fetch(operation->kind->start, operation->request, operation->request_size, turn->started, &size) ==
            CKR_OK &&
        size == sizeof(turn->started))
        take_started(turn);
    else if (!connection_is_lost())
        operation->state = OPERATION_UNKNOWN;
}

/* The application has no room for a result whose size is known. */
static bool asks_for_known_size(const struct last_operation *operation, const struct command *command)
{
    const bool in_one_part = command->number == operation->kind->one_shot;
    const bool at_an_end = command->number == operation->kind->final && operation->in_parts;
    const bool is_active = operation->state == OPERATION_READY ||
                           (operation->state == OPERATION_CLAIMED && in_one_part) ||
                           (operation->state == OPERATION_RUNNING && at_an_end);

    return is_active && (in_one_part || at_an_end) && command->output_capacity < operation->size &&
           command->operation.params[1].tmpref.size <= ASKING_LIMIT && changes_none_of_ours(&operation->mark);
}

static void begin_in_place(struct turn *turn, struct command *command)
{
    struct last_operation *operation = turn->visit.operation;
    const struct operation_kind *kind = kind_begun_by(command->number);

    begin_lost(turn);
    if (operation->state != OPERATION_UNKNOWN && asks_for_known_size(operation, command)) {
        command->operation.params[2].tmpref.size = operation->size;
        answer(turn, CKR_BUFFER_TOO_SMALL);
        return;
    }
    if (operation->state == OPERATION_CLAIMED && command->number == operation->kind->one_shot) {
        command->number = operation->kind->again;
        return;
    }
    if (operation->state == OPERATION_CLAIMED)
        make_active(operation, turn->visit.session);
    if (kind != NULL)
        begin_init(turn, command, kind);
}

/* Leave nothing behind of the session that had the place before. */
static void take_over(struct turn *turn)
{
    const struct visit *visit = &turn->visit;

    if (visit->owner == visit->session)
        return;
    if (visit->operation->state == OPERATION_CLAIMED)
        make_active(visit->operation, visit->owner);
    begin_lost(turn);
    visit->operation->state = OPERATION_UNKNOWN;
    search_settle(visit->search, visit->owner);
}

static void begin_search(struct turn *turn, struct command *command)
{
    if (search_begin(turn->visit.search, command, turn->found))
        answer(turn, CKR_OK);
}

static void begin_reading(struct turn *turn, struct command *command)
{
    CK_RV rv;

    if (read_ahead(command, &rv))
        answer(turn, rv);
}

/* What it does may depend on what its session has under way. */
static bool is_followed(enum effect effect)
{
    return effect != EFFECT_NONE && effect != EFFECT_READING;
}

static bool takes_place(enum ta_command command)
{
    return command == TA_FIND_OBJECTS_INIT || kind_begun_by(command) != NULL;
}

void turn_begin(struct turn *turn, struct command *command, bool sends)
{
    turn->called = command->number;
    turn->follows = changes_are_watched();
    if (!turn->follows)
        return;
    turn->effect = effect_of(command->number);
    turn->answered = false;
    turn->own = changes_own();
    turn->counted = sends && turn->effect == EFFECT_ANY;
    if (turn->counted)
        changes_begin();
    if (sends && turn->effect == EFFECT_READING)
        begin_reading(turn, command);
    visit_begin(&turn->visit, is_followed(turn->effect) ? command->session : 0, sends && takes_place(command->number));
    if (!sends || turn->visit.operation == NULL)
        return;
    take_over(turn);
    if (turn->effect == EFFECT_SEARCH)
        begin_search(turn, command);
    else
        begin_in_place(turn, command);
}

bool turn_again(struct turn *turn, struct command *command, bool sent)
{
    const bool needs_operation = sent && again_of(turn->called) == AGAIN_WITH_OPERATION;
    struct last_operation *operation = turn->follows ? turn->visit.operation : NULL;

    if (command_has_output(command)) /* as if nobody had answered, whatever has come of it */
        command->operation.params[2].tmpref.size = command->output_capacity;
    if (operation == NULL || turn->effect == EFFECT_SEARCH)
        return !needs_operation;
    begin_lost(turn);
    if (kind_begun_by(turn->called) == NULL)
        command->number = turn->called;
    return !needs_operation || operation->state == OPERATION_READY || operation->state == OPERATION_LOST;
}

/* Make the command what the application asked for. */
static void restore_init(const struct turn *turn, struct command *command)
{
    const struct last_operation *operation = turn->visit.operation;

    if (turn->effect == EFFECT_SEARCH) {
        command->control.size -= sizeof(uint32_t);
        store_u32(command->control.bytes, command->session); /* the answer may have been written there */
    } else {
        command->control.size = 0;
        put_bytes(&command->control, operation->request, operation->request_size);
    }
    command_without_output(command);
}

/* The secure world does not have the command that was sent instead. */
static bool falls_back(const struct turn *turn, struct command *command, enum ta_command sent, CK_RV rv)
{
    if (rv != CKR_FUNCTION_NOT_SUPPORTED || !peer_lacks(sent))
        return false;
    changes_lose_sight();
    restore_init(turn, command);
    return true;
}

static void operation_seen(struct turn *turn, enum ta_command sent, CK_RV rv)
{
    struct last_operation *operation = turn->visit.operation;

    if (sent == operation->kind->start && rv == CKR_OK)
        take_started(turn);
    if (sent == operation->kind->again && rv == CKR_BUFFER_TOO_SMALL)
        operation->state = OPERATION_READY; /* it is active there now */
}

bool turn_seen(struct turn *turn, struct command *command, CK_RV rv)
{
    const enum ta_command sent = command->number;

    if (!turn->follows || turn->visit.operation == NULL)
        return false;
    if (turn->effect == EFFECT_SEARCH)
        search_seen(turn->visit.search, command, rv, turn->found, turn->own);
    else if (sent != turn->called)
        operation_seen(turn, sent, rv);
    command->number = turn->called;
    return sent != turn->called && falls_back(turn, command, sent, rv);
}

static bool goes_on_with(const struct last_operation *operation, enum ta_command command)
{
    return command == operation->kind->one_shot || command == operation->kind->update ||
           command == operation->kind->final;
}

bool turn_drops_operation(struct turn *turn)
{
    const struct last_operation *operation = turn->follows ? turn->visit.operation : NULL;

    return operation != NULL && (operation->state == OPERATION_CLAIMED || operation->state == OPERATION_LOST) &&
           goes_on_with(operation, turn->called);
}

static enum operation_state after_one_shot(const struct last_operation *operation, const struct command *command,
                                           CK_RV rv)
{
    /* With no room for output CKR_OK may mean that there would be none; the operation goes on then. */
    const bool has_ended = rv == CKR_OK && (command->output_capacity > 0 || !command_has_output(command));

    if (rv == CKR_BUFFER_TOO_SMALL)
        return OPERATION_READY;
    return has_ended && operation->resumable ? OPERATION_ENDED : OPERATION_UNKNOWN;
}

static enum operation_state state_after(const struct turn *turn, const struct command *command, CK_RV rv)
{
    const struct last_operation *operation = turn->visit.operation;
    const bool is_active = operation->state == OPERATION_READY || operation->state == OPERATION_RUNNING;

    if (operation->state == OPERATION_UNKNOWN)
        return OPERATION_UNKNOWN;
    /* The call was refused on this side, or nobody was there for it; C_SessionCancel needs nobody. */
    if ((operation->state == OPERATION_CLAIMED || operation->state == OPERATION_LOST) &&
        !goes_on_with(operation, turn->called))
        return again_of(turn->called) == AGAIN_ENDED && rv == CKR_OK ? OPERATION_UNKNOWN : operation->state;
    if (turn->called == operation->kind->init)
        return rv == CKR_OK ? OPERATION_READY : OPERATION_UNKNOWN;
    if (turn->called == operation->kind->one_shot && operation->state != OPERATION_RUNNING &&
        operation->state != OPERATION_ENDED)
        return after_one_shot(operation, command, rv);
    if (turn->called == operation->kind->update && is_active)
        return rv == CKR_OK ? OPERATION_RUNNING : OPERATION_UNKNOWN;
    if (turn->called == operation->kind->final && is_active && rv == CKR_BUFFER_TOO_SMALL)
        return operation->state;
    return OPERATION_UNKNOWN;
}

void turn_end(struct turn *turn, const struct command *command, CK_RV rv)
{
    struct last_operation *operation = turn->visit.operation;

    if (!turn->follows)
        return;
    if (operation != NULL && !turn->answered && turn->effect != EFFECT_SEARCH)
        operation->state = state_after(turn, command, rv);
    if (operation != NULL && turn->called == TA_CLOSE_SESSION && rv == CKR_OK)
        visit_forget_session(&turn->visit);
    visit_end(&turn->visit);
    if (turn->counted) {
        changes_end();
        known_attributes_wipe();
    }
}
