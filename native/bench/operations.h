/* SPDX-License-Identifier: Apache-2.0 */
/* What a row may do, by name: one call of each is what is timed. */
#ifndef BENCH_OPERATIONS_H
#define BENCH_OPERATIONS_H

#include "token.h"

/* Do it once. False where it failed, which is noted. */
typedef bool operation(struct caller *caller);

/* NULL where there is none of the name. */
operation *operation_named(const char *name);

/* Whether a row's object is a key that is imported first. */
bool operation_has_key(const char *name);

bool operation_sign(struct caller *caller);

#endif
