/* SPDX-License-Identifier: Apache-2.0 */
/* A byte buffer that grows and wipes itself. */
#include "buffer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

/* More than any command takes; sizes below it fit 32 bits and cannot overflow. */
#define BUFFER_LIMIT (1U << 30)

void buffer_init(struct buffer *buffer)
{
    buffer->bytes = buffer->inline_bytes;
    buffer->size = 0;
    buffer->capacity = sizeof(buffer->inline_bytes);
    buffer->error = CKR_OK;
}

void buffer_release(struct buffer *buffer)
{
    explicit_bzero(buffer->bytes, buffer->size);
    if (buffer->bytes != buffer->inline_bytes)
        free(buffer->bytes);
    buffer_init(buffer);
}

void buffer_refuse(struct buffer *buffer, CK_RV error)
{
    if (buffer->error == CKR_OK)
        buffer->error = error;
}

/* Move to a larger block; realloc would leave a copy behind. */
static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity = needed > 2 * buffer->capacity ? needed : 2 * buffer->capacity;
    uint8_t *bytes = needed <= BUFFER_LIMIT ? malloc(capacity) : NULL;

    if (bytes == NULL) {
        buffer_refuse(buffer, CKR_HOST_MEMORY);
        return false;
    }
    memcpy(bytes, buffer->bytes, buffer->size);
    explicit_bzero(buffer->bytes, buffer->size);
    if (buffer->bytes != buffer->inline_bytes)
        free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

/* Room for `size` bytes more, not yet zero. */
static uint8_t *reserve(struct buffer *buffer, size_t size)
{
    if (buffer->error != CKR_OK)
        return NULL;
    if (size > BUFFER_LIMIT) {
        buffer_refuse(buffer, CKR_HOST_MEMORY);
        return NULL;
    }
    if (size > buffer->capacity - buffer->size && !grow(buffer, buffer->size + size))
        return NULL;
    buffer->size += size;
    return buffer->bytes + buffer->size - size;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    uint8_t *bytes = reserve(buffer, size);

    if (bytes != NULL)
        memset(bytes, 0, size);
    return bytes;
}

void put_bytes(struct buffer *buffer, const void *data, size_t size)
{
    uint8_t *bytes = reserve(buffer, size);

    if (bytes != NULL && size > 0)
        memcpy(bytes, data, size);
}

void put_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t *place = reserve(buffer, sizeof(value));

    if (place != NULL)
        store_u32(place, value);
}

void put_ulong(struct buffer *buffer, CK_ULONG value, CK_RV too_large)
{
    if ((uint32_t)value != value)
        buffer_refuse(buffer, too_large);
    put_u32(buffer, (uint32_t)value);
}

size_t put_u32_later(struct buffer *buffer)
{
    put_u32(buffer, 0);
    return buffer->size - sizeof(uint32_t);
}

void put_u32_at(struct buffer *buffer, size_t at, size_t value)
{
    if (buffer->error == CKR_OK)
        store_u32(buffer->bytes + at, (uint32_t)value);
}
