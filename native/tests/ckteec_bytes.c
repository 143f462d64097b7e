/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libckteec reads and writes bytes with, alone: inputs and outputs are blocks of exactly their size, so that
 * AddressSanitizer sees one byte too many.
 */
#include "../ckteec/attribute_values.h"
#include "../ckteec/buffer.h"
#include "../ckteec/reader.h"
#include "../ckteec/template.h"
#include "../fuzz/input.h"

#include <stdio.h>

#define SIZES 20

/* The bytes 1, 2, 3, ... */
static uint8_t *counting_block(size_t size)
{
    uint8_t *block = exact_block(size);

    for (size_t i = 0; i < size; i++)
        block[i] = (uint8_t)(i + 1);
    return block;
}

static bool is_zero(const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    while (size > 0)
        if (byte[--size] != 0)
            return false;
    return true;
}

static void versions(void)
{
    for (size_t size = 0; size < SIZES; size++) {
        uint8_t *block = counting_block(size);
        struct reader reader = reader_of(block, size);
        const CK_VERSION version = read_version(&reader);

        require(version.major == (size > 0) && version.minor == (size > 1 ? 2 : 0) && reader.failed == (size < 2));
        free(block);
    }
}

static void widening(void)
{
    static const uint8_t ones[] = {0xFF, 0xFF, 0xFF, 0xFF};
    struct reader reader = reader_of(ones, sizeof(ones));

    require(read_ulong(&reader) == CK_UNAVAILABLE_INFORMATION && ulong_at(ones) == CK_UNAVAILABLE_INFORMATION);
    require(read_ulong(&reader) == 0 && reader.failed);
    for (size_t count = 0; count < SIZES; count++) {
        CK_ULONG *list = exact_block(count * sizeof(*list));

        for (uint32_t i = 0; i < count; i++)
            memcpy((uint8_t *)list + i * sizeof(i), &i, sizeof(i));
        widen_list(list, count);
        for (size_t i = 0; i < count; i++)
            require(list[i] == i);
        free(list);
    }
}

/* Pieces of every size around the inline capacity and the doublings after it. */
static void buffers_grow(size_t piece)
{
    uint8_t *block = counting_block(piece);
    struct buffer buffer = {0}; /* what is never written is looked at in the end, too */

    buffer_init(&buffer);
    for (size_t count = 1; count * piece <= 5 * BUFFER_INLINE_SIZE; count++) {
        put_bytes(&buffer, block, piece);
        require(buffer.size == count * piece && buffer.size <= buffer.capacity && buffer.error == CKR_OK);
        require(memcmp(buffer.bytes + buffer.size - piece, block, piece) == 0);
        require(memcmp(buffer.bytes, block, piece) == 0);
    }
    buffer_release(&buffer);
    require(buffer.size == 0 && is_zero(buffer.inline_bytes, sizeof(buffer.inline_bytes)));
    free(block);
}

static void sizes_beyond_all_bounds_are_refused(void)
{
    static const size_t sizes[] = {((size_t)1 << 30) + 1, SIZE_MAX - 4, SIZE_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buffer buffer;

        buffer_init(&buffer);
        put_u32(&buffer, 7);
        require(buffer_extend(&buffer, sizes[i]) == NULL && buffer.error == CKR_HOST_MEMORY && buffer.size == 4);
        buffer_release(&buffer);
    }
}

static void buffer_errors_stay(void)
{
    struct buffer buffer;
    size_t later;

    buffer_init(&buffer);
    memset(buffer.inline_bytes, 0, sizeof(buffer.inline_bytes));
    later = put_u32_later(&buffer);
    put_ulong(&buffer, (CK_ULONG)UINT32_MAX, CKR_ARGUMENTS_BAD);
    require(buffer.size == 8 && buffer.error == CKR_OK);
    put_u32_at(&buffer, later, 7);
    require(u32_at(buffer.bytes) == 7 && u32_at(buffer.bytes + 4) == UINT32_MAX);
    require(buffer_extend(&buffer, (size_t)1 << 31) == NULL && buffer.error == CKR_HOST_MEMORY);
    require(buffer_extend(&buffer, 0) == NULL);
    put_u32_at(&buffer, later, 8);
    put_u32_at(&buffer, put_u32_later(&buffer), 9);
    buffer_refuse(&buffer, CKR_ARGUMENTS_BAD);
    require(u32_at(buffer.bytes) == 7 && buffer.size == 8 && buffer.error == CKR_HOST_MEMORY);
    buffer_release(&buffer);
    require(is_zero(buffer.inline_bytes, sizeof(buffer.inline_bytes)));
}

/* Values of every kind and short size, out of and into blocks of exactly that size. */
static const CK_ATTRIBUTE_TYPE kinds[] = {CKA_LABEL, CKA_CLASS, CKA_ALLOWED_MECHANISMS, CKA_WRAP_TEMPLATE};

static void templates(CK_ATTRIBUTE_TYPE type, size_t size)
{
    CK_ATTRIBUTE attribute = {type, exact_block(size), size};
    struct buffer buffer;
    const size_t room = attribute_room(&attribute);

    buffer_init(&buffer);
    put_template(&buffer, &attribute, 1);
    if (buffer.error == CKR_OK)
        require(u32_at(buffer.bytes) == buffer.size - 8 && u32_at(buffer.bytes + 12) == buffer.size - 16);
    buffer_release(&buffer);
    put_template_room(&buffer, &attribute, 1);
    require(buffer.error == CKR_OK && buffer.size == 16 + room && u32_at(buffer.bytes + 12) == room);
    buffer_release(&buffer);
    free(attribute.pValue);
}

/* A CK_ULONG is 4 bytes on the wire, or none; a list of them, any number of such; the shortest template, 8 zeros. */
static bool is_value(CK_ATTRIBUTE_TYPE type, uint32_t size)
{
    switch (type) {
    case CKA_CLASS:
        return size == 0 || size == 4;
    case CKA_ALLOWED_MECHANISMS:
        return size % 4 == 0;
    case CKA_WRAP_TEMPLATE:
        return size == 8;
    default:
        return true;
    }
}

static void values(CK_ATTRIBUTE_TYPE type, size_t room, uint32_t size)
{
    CK_ATTRIBUTE attribute = {type, exact_block(room), room};
    CK_ATTRIBUTE question = {type, NULL, 0};
    uint8_t *wire = exact_block(size);
    CK_RV rv = deliver_value(&attribute, wire, size);

    require(is_value(type, size) ? rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL : rv == CKR_DEVICE_ERROR);
    require(rv != CKR_OK || attribute.ulValueLen <= room);
    require(rv != CKR_BUFFER_TOO_SMALL || attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION);
    rv = deliver_value(&question, wire, size);
    require(rv == (is_value(type, size) ? CKR_OK : CKR_DEVICE_ERROR));
    free(wire);
    free(attribute.pValue);
}

int main(void)
{
    versions();
    widening();
    for (size_t piece = 1; piece <= 2 * BUFFER_INLINE_SIZE + 1; piece++)
        buffers_grow(piece);
    sizes_beyond_all_bounds_are_refused();
    buffer_errors_stay();
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (size_t size = 0; size < SIZES; size++) {
            templates(kinds[kind], size);
            for (uint32_t wire = 0; wire < SIZES; wire++)
                values(kinds[kind], size, wire);
        }
    }
    puts("good");
    return 0;
}
