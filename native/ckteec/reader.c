/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded reader, and the widening of the wire's 32-bit integers. */
#include "reader.h"

#include <endian.h>
#include <string.h>

struct reader reader_of(const void *bytes, size_t size)
{
    return (struct reader){.next = bytes, .left = size, .failed = false};
}

bool reader_at_end(const struct reader *reader)
{
    return !reader->failed && reader->left == 0;
}

const uint8_t *read_span(struct reader *reader, size_t size)
{
    const uint8_t *span = reader->next;

    if (reader->failed || size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    reader->next += size;
    reader->left -= size;
    return span;
}

void read_bytes(struct reader *reader, void *target, size_t size)
{
    const uint8_t *span = read_span(reader, size);

    if (span != NULL)
        memcpy(target, span, size);
    else
        memset(target, 0, size);
}

uint32_t read_u32(struct reader *reader)
{
    uint32_t wire;

    read_bytes(reader, &wire, sizeof(wire));
    return le32toh(wire);
}

CK_VERSION read_version(struct reader *reader)
{
    CK_VERSION version;

    read_bytes(reader, &version.major, 1);
    read_bytes(reader, &version.minor, 1);
    return version;
}

static CK_ULONG widen(uint32_t value)
{
    return value == UINT32_MAX ? CK_UNAVAILABLE_INFORMATION : value;
}

CK_ULONG read_ulong(struct reader *reader)
{
    return widen(read_u32(reader));
}

uint32_t u32_at(const uint8_t *bytes)
{
    uint32_t wire;

    memcpy(&wire, bytes, sizeof(wire));
    return le32toh(wire);
}

CK_ULONG ulong_at(const uint8_t *bytes)
{
    return widen(u32_at(bytes));
}

void widen_list(CK_ULONG *list, size_t count)
{
    const uint8_t *wire = (const uint8_t *)list;

    /* From the end: an element is never narrower than what it is read from. */
    while (count-- > 0)
        list[count] = u32_at(wire + count * sizeof(uint32_t));
}
