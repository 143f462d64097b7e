/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from and for the other side: little-endian integers, not aligned, and blocks of them with an end.
 *
 * A reader never reads past its end, a writer never writes past its. Both remember for good that it was tried, and then
 * do nothing more, so that a caller asks once, when it has read or written everything.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The integer whose four bytes are at `place`. */
static inline uint32_t u32_at(const uint8_t *place)
{
    return (uint32_t)place[0] | (uint32_t)place[1] << 8 | (uint32_t)place[2] << 16 | (uint32_t)place[3] << 24;
}

static inline uint64_t u64_at(const uint8_t *place)
{
    return u32_at(place) | (uint64_t)u32_at(place + 4) << 32;
}

static inline void store_u32(uint8_t *place, uint32_t value)
{
    for (unsigned int i = 0; i < sizeof(value); i++)
        place[i] = (uint8_t)(value >> (8 * i));
}

struct reader {
    const uint8_t *next;
    size_t left;
    bool failed;
};

static inline struct reader reader_of(const void *bytes, size_t size)
{
    return (struct reader){.next = bytes, .left = size};
}

/* Whether all that was read was there, and nothing is left. */
static inline bool reader_at_end(const struct reader *reader)
{
    return !reader->failed && reader->left == 0;
}

/* The next `size` bytes, where they lie; NULL where fewer are left. */
static inline const uint8_t *read_span(struct reader *reader, size_t size)
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

/* Copy the next `size` bytes; zeros where fewer are left. */
static inline void read_bytes(struct reader *reader, void *target, size_t size)
{
    const uint8_t *span = read_span(reader, size);

    if (span == NULL)
        memset(target, 0, size);
    else if (size > 0)
        memcpy(target, span, size);
}

/* The next integer; 0 where fewer than four bytes are left. */
static inline uint32_t read_u32(struct reader *reader)
{
    const uint8_t *span = read_span(reader, sizeof(uint32_t));

    return span != NULL ? u32_at(span) : 0;
}

struct writer {
    uint8_t *start;
    size_t size; /* bytes written */
    size_t capacity;
    bool failed;
};

static inline struct writer writer_of(void *block, size_t capacity)
{
    return (struct writer){.start = block, .capacity = capacity};
}

/* Room for `size` more bytes; NULL where there is none. */
static inline uint8_t *write_room(struct writer *writer, size_t size)
{
    uint8_t *room = writer->start + writer->size;

    if (writer->failed || size > writer->capacity - writer->size) {
        writer->failed = true;
        return NULL;
    }
    writer->size += size;
    return room;
}

static inline void write_bytes(struct writer *writer, const void *data, size_t size)
{
    uint8_t *room = write_room(writer, size);

    if (room != NULL && size > 0)
        memcpy(room, data, size);
}

static inline void write_u8(struct writer *writer, uint8_t value)
{
    write_bytes(writer, &value, sizeof(value));
}

static inline void write_u32(struct writer *writer, uint32_t value)
{
    uint8_t *room = write_room(writer, sizeof(value));

    if (room != NULL)
        store_u32(room, value);
}

static inline void write_u64(struct writer *writer, uint64_t value)
{
    write_u32(writer, (uint32_t)value);
    write_u32(writer, (uint32_t)(value >> 32));
}

#endif
