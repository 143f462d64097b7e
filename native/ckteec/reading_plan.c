/* SPDX-License-Identifier: Apache-2.0 */
/* What an application may ask for next, from what it has asked for, and what it has found. */
#include "reading_plan.h"

#include "bytes.h"

/* The secure world tells of no more at once. */
#define FOLLOWING_LIMIT 16

bool reading_plan_names(const struct reading_plan *plan, uint32_t type)
{
    for (uint32_t i = 0; i < plan->type_count; i++)
        if (plan->types[i] == type)
            return true;
    return false;
}

static void learn(struct reading_plan *plan, uint32_t type)
{
    if (plan->type_count < TYPES_LIMIT) {
        plan->types[plan->type_count++] = type;
        return;
    }
    plan->types[plan->next_type] = type;
    plan->next_type = (plan->next_type + 1) % TYPES_LIMIT;
}

/* Learn what is asked for. True: it was asked for before, and may well be again, of the next object. */
static bool learn_all(struct reading_plan *plan, struct reader request)
{
    bool known = true;

    while (request.left > 0) {
        const uint32_t type = read_u32(&request);

        if (!reading_plan_names(plan, type)) {
            learn(plan, type);
            known = false;
        }
        read_span(&request, read_u32(&request));
        if (request.failed)
            return false;
    }
    return known;
}

static void put_numbers(struct buffer *buffer, const uint32_t *numbers, uint32_t count)
{
    put_u32(buffer, (uint32_t)(count * sizeof(uint32_t)));
    for (uint32_t i = 0; i < count; i++)
        put_u32(buffer, numbers[i]);
}

/* The objects that were found after this one. */
static void put_following(const struct reading_plan *plan, uint32_t handle, struct buffer *buffer)
{
    uint32_t next = 0;
    uint32_t count;

    while (next < plan->found_count && plan->found[next] != handle)
        next++;
    if (next < plan->found_count)
        next++;
    count = plan->found_count - next;
    put_numbers(buffer, plan->found + next, count < FOLLOWING_LIMIT ? count : FOLLOWING_LIMIT);
}

void reading_plan_put(struct reading_plan *plan, uint32_t handle, struct reader request, struct buffer *buffer)
{
    if (learn_all(plan, request))
        put_following(plan, handle, buffer);
    else
        put_numbers(buffer, NULL, 0);
    put_numbers(buffer, plan->types, plan->type_count);
}

void reading_plan_found(struct reading_plan *plan, const uint8_t *handles, size_t count)
{
    plan->found_count = count < HELD_HANDLES ? (uint32_t)count : HELD_HANDLES;
    for (uint32_t i = 0; i < plan->found_count; i++)
        plan->found[i] = u32_at(handles + i * sizeof(uint32_t));
}
