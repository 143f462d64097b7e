/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded reader of what the secure world answered. Nothing is read past the end: `failed` is then set for good, and
 * integers and bytes read as zero.
 */
#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "library.h"

struct reader {
    const uint8_t *next;
    size_t left;
    bool failed;
};

struct reader reader_of(const void *bytes, size_t size);

/* All was there and nothing is left over. */
bool reader_at_end(const struct reader *reader);

/* The next `size` bytes, or NULL. */
const uint8_t *read_span(struct reader *reader, size_t size);

void read_bytes(struct reader *reader, void *target, size_t size);
uint32_t read_u32(struct reader *reader);
CK_VERSION read_version(struct reader *reader);

/* A u32 that counts something. CK_UNAVAILABLE_INFORMATION is all ones: 32 bits on the wire, 64 in an application. */
CK_ULONG read_ulong(struct reader *reader);

/* The u32 at `bytes`, as read_u32 and as read_ulong have it. */
uint32_t u32_at(const uint8_t *bytes);
CK_ULONG ulong_at(const uint8_t *bytes);

/* Spread `count` u32, which lie at the start of `list`, to CK_ULONGs in the same place. */
void widen_list(CK_ULONG *list, size_t count);

#endif
