/* SPDX-License-Identifier: Apache-2.0 */
/* The two functions, besides the TEE Client API, that OP-TEE's libckteec imports from libteec. */
#ifndef TEEC_TRACE_H
#define TEEC_TRACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Write a line to standard error, after the level's name, the thread and the place where `function` is not NULL.
 * `level` is 1 (error), 2 (information), 3 (debugging) or 4 (flow).
 */
void _dprintf(const char *function, int line, int level, const char *prefix, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Does nothing: buffers may hold PINs and keys. */
void dump_buffer(const char *name, const uint8_t *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
