/* SPDX-License-Identifier: Apache-2.0 */
/* The application's memory: blocks of exactly the sizes that it tells, so that a byte more is noticed. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "input.h"

/* What the application has allocated in this run: buffers of exactly the size that it tells. */
#define BLOCKS_MAX 512

static void *blocks[BLOCKS_MAX];
static size_t block_count;

static void *application_block(size_t size)
{
    require(block_count < BLOCKS_MAX);
    return blocks[block_count++] = exact_block(size);
}

static void free_blocks(void)
{
    while (block_count > 0)
        free(blocks[--block_count]);
}

#endif
