/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that the conductor times itself, one after the other: those which begin without the module. */
#ifndef BENCH_ALONE_H
#define BENCH_ALONE_H

#include "token.h"

/*
 * `load`: from a process without the module to its first signature, by a key that is found on the token.
 * `echo`: 64 bytes to another process and back, over a Unix socket at which both look without sleeping.
 * False where the operation is neither.
 */
bool alone(struct process *process, const struct row *row, struct result *result);

#endif
