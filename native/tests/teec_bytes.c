/* SPDX-License-Identifier: Apache-2.0 */
/* libteec's reader and writer alone, on blocks of exactly their size: AddressSanitizer sees one byte too many. */
#include "../teec/bytes.h"

#include "../fuzz/input.h"

#include <stdio.h>

#define SIZES 20

static volatile size_t beyond_all_bounds = SIZE_MAX; /* which the compiler shall not know */

static void read_all_of(uint8_t *block, size_t size)
{
    struct reader reader = {.next = block, .left = size};

    for (size_t i = 0; i < size; i++)
        block[i] = (uint8_t)i;
    for (size_t at = 0; at + 4 <= size; at += 4)
        require(read_u32(&reader) == 0x03020100 + at * 0x01010101);
    require(read_all(&reader) == (size % 4 == 0) && reader.left == size % 4);
    require(read_u32(&reader) == 0 && reader.failed && !read_all(&reader));
    require(read_bytes(&reader, 0) == NULL);
}

static void read_parts_of(const uint8_t *block, size_t size)
{
    for (size_t before = 0; before <= size; before++) {
        for (size_t wanted = 0; wanted <= size + 1; wanted++) {
            struct reader reader = {.next = block, .left = size};
            const bool fits = wanted <= size - before;

            require(read_bytes(&reader, before) == block);
            require(read_bytes(&reader, wanted) == (fits ? block + before : NULL));
            require(reader.failed == !fits && read_all(&reader) == (before + wanted == size));
            require(read_bytes(&reader, beyond_all_bounds) == NULL && reader.failed);
        }
    }
}

static void write_into(uint8_t *block, size_t size)
{
    static const uint8_t bytes[SIZES + 2] = {1, 2, 3};

    for (size_t before = 0; before <= size; before++) {
        for (size_t count = 0; count <= size + 1; count++) {
            struct writer writer = {.start = block, .capacity = size};
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
    struct writer writer = {.start = block, .capacity = sizeof(expected)};

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

        read_all_of(block, size);
        read_parts_of(block, size);
        write_into(block, size);
        free(block);
    }
    write_integers();
    puts("good");
    return 0;
}
