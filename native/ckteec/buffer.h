/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte buffer that grows, and the integers of the wire in it: 32 bits, little endian, not aligned.
 *
 * The first error stays in the buffer and makes all that follows do nothing, so that a caller writes everything that
 * belongs in and looks once. What the buffer held is wiped.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "library.h"

#define BUFFER_INLINE_SIZE 512

struct buffer {
    uint8_t *bytes; /* inline_bytes, or allocated */
    size_t size;
    size_t capacity;
    CK_RV error; /* CKR_OK while all is well */
    uint8_t inline_bytes[BUFFER_INLINE_SIZE];
};

void buffer_init(struct buffer *buffer);

/* Wipe, and free what was allocated. */
void buffer_release(struct buffer *buffer);

/* Note an error, unless there is one already. */
void buffer_refuse(struct buffer *buffer, CK_RV error);

/* Append zero bytes. NULL where the buffer has an error or gets CKR_HOST_MEMORY now. */
uint8_t *buffer_extend(struct buffer *buffer, size_t size);

/* Append bytes; `data` may be NULL where `size` is 0. */
void put_bytes(struct buffer *buffer, const void *data, size_t size);

void put_u32(struct buffer *buffer, uint32_t value);

/* Append a CK_ULONG as 32 bits; the error is `too_large` where it does not fit. */
void put_ulong(struct buffer *buffer, CK_ULONG value, CK_RV too_large);

/* Append a u32 that is not known yet, and set it: `at` is where it lies. */
size_t put_u32_later(struct buffer *buffer);
void put_u32_at(struct buffer *buffer, size_t at, size_t value);

#endif
