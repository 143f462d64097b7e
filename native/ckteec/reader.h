/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11's own types out of what the secure world answered, on top of the readers that both libraries have. */
#ifndef READER_H
#define READER_H

#include "bytes.h"
#include "library.h"

CK_VERSION read_version(struct reader *reader);

/* A u32 that counts something. CK_UNAVAILABLE_INFORMATION is all ones: 32 bits on the wire, 64 in an application. */
CK_ULONG read_ulong(struct reader *reader);

/* The u32 at `place`, as read_ulong has it. */
CK_ULONG ulong_at(const uint8_t *place);

/* Spread `count` u32, which lie at the start of `list`, to CK_ULONGs in the same place. */
void widen_list(CK_ULONG *list, size_t count);

#endif
