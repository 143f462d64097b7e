/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an application may ask for next: the attributes that it has asked for before, of the objects that it has found
 * after the one that it asks about. It is a guess, which costs nothing but time where it is wrong.
 */
#ifndef READING_PLAN_H
#define READING_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "bytes.h"
#include "search.h"

/* The secure world tells no more at once. */
#define TYPES_LIMIT 32

/* All zero: nothing is planned. */
struct reading_plan {
    uint32_t type_count;
    uint32_t next_type; /* the one to make room, where there is none */
    uint32_t types[TYPES_LIMIT];
    uint32_t found_count;
    uint32_t found[HELD_HANDLES];
};

/* Whether a type of attributes was asked for before. */
bool reading_plan_names(const struct reading_plan *plan, uint32_t type);

/*
 * Learn what is asked for of an object: `request` has the attributes. Put what else shall be told: the handles of the
 * objects that follow, if the same was asked for before, and types; a size and numbers, both.
 */
void reading_plan_put(struct reading_plan *plan, uint32_t handle, struct reader request, struct buffer *buffer);

/* Objects were found, whose handles are here as they travel. */
void reading_plan_found(struct reading_plan *plan, const uint8_t *handles, size_t count);

#endif
