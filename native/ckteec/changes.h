/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether anything has changed since the secure world was asked.
 *
 * What this process does, it counts itself, while it is done and when it is; what others do to a token, the secure
 * world counts, where its libteec shows that (tee_client_api_extensions.h). Any number of threads may ask and count at
 * the same time.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When something was learned. */
struct changes_mark {
    uint64_t own;   /* as changes_own() said before the secure world was asked */
    uint32_t place; /* of the token's counter */
    uint64_t token; /* its value, as the secure world told it with the answer */
};

/* Begin anew, with the secure world's counters; NULL where there are none. */
void changes_watch(const volatile uint64_t *counters, size_t count);

/* Go on with the counters of another secure world, in which nothing is on its way. */
void changes_watch_others(const volatile uint64_t *counters, size_t count);

/* Whether there were counters at the beginning, and whether all changes are still seen. */
bool changes_are_watched(void);
bool changes_are_seen(void);

/* A command was sent of which nobody knows when it is done. */
void changes_lose_sight(void);

/* Around a command that may change anything. */
void changes_begin(void);
void changes_end(void);

uint64_t changes_own(void);

/* Nothing was done by this process since, nor is. */
bool changes_none_of_ours(const struct changes_mark *since);

/* Nothing at all. */
bool changes_none(const struct changes_mark *since);

#endif
