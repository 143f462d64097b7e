/* SPDX-License-Identifier: Apache-2.0 */
/* The change counters of a secure world: a page of its memory that it alone writes to. */
#ifndef TEEC_COUNTERS_H
#define TEEC_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "descriptor.h"

struct counters {
    const volatile uint64_t *values; /* NULL: there are none */
    size_t count;
};

/* Map a file that the secure world has passed, and close it. None where it may shrink, which would kill the process. */
struct counters counters_map(struct descriptor *file);

void counters_unmap(struct counters *counters);

#endif
