/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory blocks (TEE Client API 1.0, sections 4.5.4 to 4.5.6). Nothing is shared with the secure world: a block
 * is plain memory, and operations copy the part that they refer to. `imp.shadow_buffer` is what an allocation has to
 * free, whatever becomes of `buffer`.
 */
#include "export.h"

#include <stdlib.h>
#include <string.h>

static bool flags_are_good(const TEEC_SharedMemory *memory)
{
    return memory->flags != 0 && (memory->flags & ~(uint32_t)(TEEC_MEM_INPUT | TEEC_MEM_OUTPUT)) == 0;
}

EXPORT TEEC_Result TEEC_RegisterSharedMemory(TEEC_Context *context, TEEC_SharedMemory *memory)
{
    if (context == NULL || memory == NULL || memory->buffer == NULL || !flags_are_good(memory))
        return TEEC_ERROR_BAD_PARAMETERS;
    memset(&memory->imp, 0, sizeof(memory->imp));
    return TEEC_SUCCESS;
}

EXPORT TEEC_Result TEEC_RegisterSharedMemoryFileDescriptor(TEEC_Context *context, TEEC_SharedMemory *memory, int fd)
{
    return context != NULL && memory != NULL && fd >= 0 ? TEEC_ERROR_NOT_SUPPORTED : TEEC_ERROR_BAD_PARAMETERS;
}

/* A block of size 0 has an address too (section 4.5.5). */
EXPORT TEEC_Result TEEC_AllocateSharedMemory(TEEC_Context *context, TEEC_SharedMemory *memory)
{
    if (context == NULL || memory == NULL || !flags_are_good(memory))
        return TEEC_ERROR_BAD_PARAMETERS;
    memset(&memory->imp, 0, sizeof(memory->imp));
    memory->buffer = calloc(1, memory->size ? memory->size : 1);
    if (memory->buffer == NULL)
        return TEEC_ERROR_OUT_OF_MEMORY;
    memory->imp.shadow_buffer = memory->buffer;
    memory->imp.alloced_size = memory->size;
    return TEEC_SUCCESS;
}

EXPORT void TEEC_ReleaseSharedMemory(TEEC_SharedMemory *memory)
{
    if (memory == NULL)
        return;
    if (memory->imp.shadow_buffer != NULL)
        explicit_bzero(memory->imp.shadow_buffer, memory->imp.alloced_size);
    free(memory->imp.shadow_buffer);
    memset(&memory->imp, 0, sizeof(memory->imp));
    memory->buffer = NULL;
    memory->size = 0;
}
