/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of changes: our own, which only rises, and those that the secure world shows. */
#include "changes.h"

#include <stdatomic.h>

static const volatile uint64_t *shown;
static size_t places;
static atomic_bool seen;

/* How many commands have changed something, and how many that may are on their way. */
static atomic_ullong own;
static atomic_ulong running;

void changes_watch(const volatile uint64_t *counters, size_t count)
{
    atomic_store(&own, 0);
    atomic_store(&running, 0);
    changes_watch_others(counters, count);
}

void changes_watch_others(const volatile uint64_t *counters, size_t count)
{
    shown = counters;
    places = count;
    atomic_store(&seen, counters != NULL && __GCC_ATOMIC_LLONG_LOCK_FREE == 2);
}

bool changes_are_watched(void)
{
    return shown != NULL;
}

bool changes_are_seen(void)
{
    return atomic_load(&seen);
}

void changes_lose_sight(void)
{
    atomic_store(&seen, false);
}

void changes_begin(void)
{
    atomic_fetch_add(&running, 1);
}

/* In this order: who sees that none runs sees that it was counted. */
void changes_end(void)
{
    atomic_fetch_add(&own, 1);
    atomic_fetch_sub(&running, 1);
}

uint64_t changes_own(void)
{
    return atomic_load(&own);
}

bool changes_none_of_ours(const struct changes_mark *since)
{
    return changes_are_seen() && atomic_load(&running) == 0 && atomic_load(&own) == since->own;
}

bool changes_none(const struct changes_mark *since)
{
    return changes_none_of_ours(since) && since->place < places &&
           __atomic_load_n(&shown[since->place], __ATOMIC_ACQUIRE) == since->token;
}
