/* SPDX-License-Identifier: Apache-2.0 */
/* What callers do at a word of the conductor's. */
#ifndef BENCH_ACTS_H
#define BENCH_ACTS_H

#include "operations.h"

/* Follow the stage's acts until it says LEAVE. The first caller of each process has its threads beside it by then. */
void follow(struct caller *caller);

/* The calls of one caller in a round. Whoever counts its instructions finds it by its name. */
void bench_round(struct caller *caller, operation *once, struct result *result);

#endif
