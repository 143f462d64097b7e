/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contexts of this process, each with a small pool of channels.
 *
 * A context is known by a number that is never used again, so that what is finalized, or was the parent's before a
 * fork, is told from what is in use. Its first channel makes it; more join it when all are busy.
 */
#ifndef TEEC_CONTEXT_H
#define TEEC_CONTEXT_H

#include "channel.h"
#include "counters.h"

/* Connect; `number` is at least 1. */
TEEC_Result context_create(uint32_t *number);

/*
 * Connect once more to the socket of a context, which may have lost its secure world and is left alone: a new context.
 * TEEC_ERROR_BAD_STATE: there is no such context in this process.
 */
TEEC_Result context_create_again(uint32_t old, uint32_t *number);

/* Whether a context has lost its secure world, for good; also where there is no such context. */
bool context_is_lost(uint32_t number);

/* Close its channels, those of running calls when they come back. Nothing happens where there is no such context. */
void context_destroy(uint32_t number);

/* Its secure world's change counters, mapped until the context is destroyed; none where it passes none. */
struct counters context_counters(uint32_t number);

/*
 * Place the parameters and make one exchange, over a channel that is free. An urgent one may use a channel that is
 * kept from the others, so that a cancellation does not wait for what it shall cancel. Results: those of
 * parameters_place and channel_exchange; TEEC_ERROR_BAD_STATE: no such context in this process;
 * TEEC_ERROR_TARGET_DEAD: its connection was lost before the request was sent; TEEC_ERROR_BUSY: urgent, and no channel
 * to be had.
 */
TEEC_Result context_exchange(uint32_t number, struct exchange *exchange, bool urgent);

#endif
