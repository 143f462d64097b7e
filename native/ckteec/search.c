/* SPDX-License-Identifier: Apache-2.0 */
/* A search's handles in this library, and what the secure world is told of it. */
#include "search.h"

#include "known_attributes.h"
#include "reader.h"

void search_settle(struct search *search, uint32_t session)
{
    if (search->state == SEARCH_ENDED)
        command_tell(TA_FIND_OBJECTS_FINAL, session, NULL);
    search->state = SEARCH_ELSEWHERE;
}

static void begin_search(const struct search *search, struct command *command, uint8_t *answer)
{
    put_u32(&command->control, search->state == SEARCH_ENDED);
    command->number = TA_FIND_OBJECTS_START;
    command_output_up_to(command, answer, sizeof(search_answer));
}

/* Give as many handles as there is room for. */
static void give(struct search *search, struct command *command)
{
    const size_t room = command->output_capacity / sizeof(uint32_t);
    const uint32_t left = search->count - search->next;
    const uint32_t count = room < left ? (uint32_t)room : left;
    uint8_t *place = command->operation.params[2].tmpref.buffer;

    for (uint32_t i = 0; i < count; i++)
        store_u32(place + i * sizeof(uint32_t), search->handles[search->next + i]);
    search->next += count;
    command->operation.params[2].tmpref.size = count * sizeof(uint32_t);
}

/* What is held is all there is to know, unless something was done that may have ended the search. */
static bool answer_held(struct search *search, struct command *command)
{
    if (!changes_none_of_ours(&search->mark))
        return false;
    if (command->number == TA_FIND_OBJECTS)
        give(search, command);
    else
        search->state = SEARCH_ENDED;
    return true;
}

bool search_begin(struct search *search, struct command *command, uint8_t *answer)
{
    const bool begins = command->number == TA_FIND_OBJECTS_INIT;

    if (search->state == SEARCH_HELD)
        return !begins && answer_held(search, command);
    if (begins && changes_are_seen())
        begin_search(search, command, answer);
    else
        search_settle(search, command->session);
    return false;
}

static void take_answer(struct search *search, const struct command *command, const uint8_t *answer)
{
    struct reader reader = reader_of(answer, command_output_size(command));

    search->count = read_u32(&reader);
    search->next = 0;
    search->state = SEARCH_ELSEWHERE;
    if (search->count > HELD_HANDLES || reader.left != search->count * sizeof(uint32_t))
        return;
    for (uint32_t i = 0; i < search->count; i++)
        search->handles[i] = read_u32(&reader);
    if (!reader_at_end(&reader))
        return;
    search->state = SEARCH_HELD;
    known_attributes_found(command->session, answer + sizeof(uint32_t), search->count);
}

/* Handles that the secure world has given, of more than can be held. */
static void note_given(const struct command *command, CK_RV rv)
{
    if (command->number == TA_FIND_OBJECTS && rv == CKR_OK)
        known_attributes_found(command->session, command->operation.params[2].tmpref.buffer,
                               command_output_size(command) / sizeof(uint32_t));
}

void search_seen(struct search *search, struct command *command, CK_RV rv, const uint8_t *answer, uint64_t own)
{
    if (command->number == TA_FIND_OBJECTS_START) {
        if (rv == CKR_OK) /* else one that was ended may still have to be replaced */
            take_answer(search, command, answer);
    } else if (command->number == TA_FIND_OBJECTS_INIT) {
        if (rv == CKR_OK)
            search->state = SEARCH_ELSEWHERE;
        return;
    } else if (command->number == TA_FIND_OBJECTS && rv == CKR_OK && search->state == SEARCH_HELD) {
        give(search, command);
    } else {
        note_given(command, rv);
        search->state = SEARCH_ELSEWHERE;
    }
    search->mark.own = own;
}
