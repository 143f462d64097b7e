/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Little-endian integers into and out of byte buffers (docs/wire-protocol.md).
 *
 * A writer never writes past its buffer, a reader never reads past its end. Both remember that it was tried, so that a
 * caller asks once, at the end.
 */
#ifndef TEEC_BYTES_H
#define TEEC_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
    uint8_t *start;
    size_t size; /* bytes written */
    size_t capacity;
    bool failed;
};

struct reader {
    const uint8_t *next;
    size_t left;
    bool failed;
};

static inline uint32_t get_u32(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static inline void put_u32(uint8_t *data, uint32_t value)
{
    data[0] = (uint8_t)value;
    data[1] = (uint8_t)(value >> 8);
    data[2] = (uint8_t)(value >> 16);
    data[3] = (uint8_t)(value >> 24);
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

    if (room && size)
        memcpy(room, data, size);
}

static inline void write_u8(struct writer *writer, uint8_t value)
{
    write_bytes(writer, &value, 1);
}

static inline void write_u32(struct writer *writer, uint32_t value)
{
    uint8_t *room = write_room(writer, 4);

    if (room)
        put_u32(room, value);
}

static inline void write_u64(struct writer *writer, uint64_t value)
{
    write_u32(writer, (uint32_t)value);
    write_u32(writer, (uint32_t)(value >> 32));
}

/* The next `size` bytes, where they are; NULL where fewer are left. */
static inline const uint8_t *read_bytes(struct reader *reader, size_t size)
{
    const uint8_t *data = reader->next;

    if (reader->failed || size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    reader->next += size;
    reader->left -= size;
    return data;
}

/* The next integer; 0 where fewer than four bytes are left. */
static inline uint32_t read_u32(struct reader *reader)
{
    const uint8_t *data = read_bytes(reader, 4);

    return data ? get_u32(data) : 0;
}

/* Whether all reads were within the data, and nothing is left. */
static inline bool read_all(const struct reader *reader)
{
    return !reader->failed && reader->left == 0;
}

#endif
