/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of one fuzzing run, taken piece by piece; when they are used up, zeros. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *next;
    size_t left;
};

static inline size_t take_bytes(struct input *input, void *target, size_t size)
{
    const size_t taken = size < input->left ? size : input->left;

    if (taken > 0)
        memcpy(target, input->next, taken);
    input->next += taken;
    input->left -= taken;
    return taken;
}

static inline uint8_t take_u8(struct input *input)
{
    uint8_t value = 0;

    take_bytes(input, &value, sizeof(value));
    return value;
}

static inline uint16_t take_u16(struct input *input)
{
    uint16_t value = 0;

    take_bytes(input, &value, sizeof(value));
    return value;
}

static inline uint32_t take_u32(struct input *input)
{
    uint32_t value = 0;

    take_bytes(input, &value, sizeof(value));
    return value;
}

/* Numbers without a pattern, the same for the same first state, which is not 0. */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A block of exactly `size` bytes, so that AddressSanitizer sees whoever leaves it. */
static inline void *exact_block(size_t size)
{
    void *block = calloc(1, size);

    if (block == NULL)
        abort();
    return block;
}

/* The invariant of the program does not hold. */
static inline void require(int holds)
{
    if (!holds)
        abort();
}

#endif
