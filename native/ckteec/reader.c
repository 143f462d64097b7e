/* SPDX-License-Identifier: Apache-2.0 */
/* The widening of the wire's 32-bit integers to an application's. */
#include "reader.h"

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

CK_ULONG ulong_at(const uint8_t *place)
{
    return widen(u32_at(place));
}

void widen_list(CK_ULONG *list, size_t count)
{
    const uint8_t *wire = (const uint8_t *)list;

    /* From the end: an element is never narrower than what it is read from. */
    while (count-- > 0)
        list[count] = u32_at(wire + count * sizeof(uint32_t));
}
