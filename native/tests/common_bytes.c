/* SPDX-License-Identifier: Apache-2.0 */
/* The libraries' reader and writer alone, on blocks of exactly their size: AddressSanitizer sees one byte too many. */
#include "bytes.h"

#include "../fuzz/input.h"

#include <stdio.h>

#define SIZES 20

static volatile size_t beyond_all_bounds = SIZE_MAX; /* which the compiler shall not know */

static void reader_has_failed_for_good(struct reader *reader)
{
    uint8_t target[3] = {9, 9, 9};

    require(reader->failed && !reader_at_end(reader));
    require(read_span(reader, 0) == NULL && read_u32(reader) == 0);
    read_bytes(reader, target, sizeof(target));
    require(target[0] == 0 && target[1] == 0 && target[2] == 0);
}

static void read_one_span(const uint8_t *block, size_t size, size_t before, size_t wanted)
{
    struct reader reader = reader_of(block, size);
    const bool fits = wanted <= size - before;

    require(read_span(&reader, before) == block && reader.left == size - before);
    require(read_span(&reader, wanted) == (fits ? block + before : NULL));
    require(reader.failed == !fits && reader_at_end(&reader) == (before + wanted == size));
    if (!fits)
        reader_has_failed_for_good(&reader);
}

static void read_spans_of(const uint8_t *block, size_t size)
{
    for (size_t before = 0; before <= size; before++) {
        for (size_t wanted = 0; wanted <= size + 2; wanted++)
            read_one_span(block, size, before, wanted);
        read_one_span(block, size, before, beyond_all_bounds);
        read_one_span(block, size, before, beyond_all_bounds - before + 1);
    }
}

static void read_bytes_of(const uint8_t *block, size_t size)
{
    struct reader reader = reader_of(block, size);
    uint8_t *target = exact_block(size);

    read_bytes(&reader, target, size);
    require(reader_at_end(&reader) && memcmp(target, block, size) == 0);
    free(target);
}

static void read_integers_of(const uint8_t *block, size_t size)
{
    struct reader reader = reader_of(block, size);

    for (size_t at = 0; at + 4 <= size; at += 4)
        require(u32_at(block + at) == 0x03020100 + at * 0x01010101 && read_u32(&reader) == u32_at(block + at));
    require(reader_at_end(&reader) == (size % 4 == 0) && reader.left == size % 4);
    require(read_u32(&reader) == 0);
    reader_has_failed_for_good(&reader);
}

static void write_into(uint8_t *block, size_t size)
{
    static const uint8_t bytes[SIZES + 2] = {1, 2, 3};

    for (size_t before = 0; before <= size; before++) {
        for (size_t count = 0; count <= size + 1; count++) {
            struct writer writer = writer_of(block, size);
            const bool fits = count <= size - before;

            write_bytes(&writer, bytes, before);
            write_bytes(&writer, bytes, count);
            require(writer.failed == !fits && writer.size == before + (fits ? count : 0));
            require(write_room(&writer, beyond_all_bounds) == NULL && writer.failed);
            write_bytes(&writer, bytes, 1);
            require(writer.size == before + (fits ? count : 0));
        }
    }
}

static void write_integers(void)
{
    static const uint8_t expected[] = {9, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1};
    uint8_t *block = exact_block(sizeof(expected));
    struct writer writer = writer_of(block, sizeof(expected));

    write_u8(&writer, 9);
    write_u32(&writer, 0x01020304);
    write_u64(&writer, 0x0102030405060708);
    require(!writer.failed && memcmp(block, expected, sizeof(expected)) == 0);
    write_u8(&writer, 9);
    require(writer.failed && writer.size == sizeof(expected));
    free(block);
}

int main(void)
{
    for (size_t size = 0; size < SIZES; size++) {
        uint8_t *block = exact_block(size);

        for (size_t i = 0; i < size; i++)
            block[i] = (uint8_t)i;
        read_spans_of(block, size);
        read_bytes_of(block, size);
        read_integers_of(block, size);
        write_into(block, size);
        free(block);
    }
    write_integers();
    puts("good");
    return 0;
}
