/* SPDX-License-Identifier: Apache-2.0 */
/* The secure world that a context is connected to, and how its channels come to be. */
#ifndef TEEC_WORLD_H
#define TEEC_WORLD_H

#include "channel.h"
#include "counters.h"

struct world {
    uint32_t features; /* that both sides have */
    uint8_t secret[SECRET_SIZE];
    struct counters counters;
    struct socket_path path;
};

/* Open the first channel of a new context, to the socket that the path names, else to one that is looked for. */
TEEC_Result world_meet(struct world *world, struct channel *channel);

/* Open one more channel of a context that works. */
TEEC_Result world_join(const struct world *world, struct channel *channel);

#endif
