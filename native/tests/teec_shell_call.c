/* SPDX-License-Identifier: Apache-2.0 */
/* One call of teec_shell.c, with the parameters that its line describes. */
#include "teec_shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_OFFSET 3

static uint32_t crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = ~UINT32_C(0);

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

static uint32_t direction(char letter)
{
    return letter == 'i' ? TEEC_MEM_INPUT : letter == 'o' ? TEEC_MEM_OUTPUT : TEEC_MEM_INPUT | TEEC_MEM_OUTPUT;
}

/* Three bytes before and after a buffer are guards, which nothing may change. */
static void make_buffer(struct call *call, size_t i, size_t size)
{
    call->size[i] = size;
    call->buffer[i] = malloc(size + (size_t)2 * PART_OFFSET);
    for (size_t k = 0; k < size + (size_t)2 * PART_OFFSET; k++)
        call->buffer[i][k] = (uint8_t)(k - PART_OFFSET + i);
}

static void add_buffer(struct call *call, size_t i, char kind, char letter, size_t size)
{
    TEEC_Parameter *parameter = &call->operation.params[i];
    TEEC_SharedMemory *memory = &call->memory[i];
    uint32_t type = TEEC_MEMREF_TEMP_INPUT - TEEC_MEM_INPUT + direction(letter);

    make_buffer(call, i, size);
    *memory = (TEEC_SharedMemory){.size = size, .flags = direction(letter)};
    if (kind == 't') {
        parameter->tmpref = (TEEC_TempMemoryReference){call->buffer[i] + PART_OFFSET, size};
    } else if (kind == 'n') {
        parameter->tmpref = (TEEC_TempMemoryReference){NULL, size};
    } else if (kind == 'p') {
        memory->buffer = call->buffer[i];
        memory->size = size + PART_OFFSET;
        TEEC_RegisterSharedMemory(&context, memory);
        parameter->memref = (TEEC_RegisteredMemoryReference){memory, size, PART_OFFSET};
        type += TEEC_MEMREF_PARTIAL_INPUT - TEEC_MEMREF_TEMP_INPUT;
    } else {
        TEEC_AllocateSharedMemory(&context, memory);
        memcpy(memory->buffer, call->buffer[i] + PART_OFFSET, size);
        parameter->memref.parent = memory;
        type = TEEC_MEMREF_WHOLE;
    }
    call->operation.paramTypes |= type << (4 * i);
}

static void add_param(struct call *call, size_t i, const char *text)
{
    unsigned int a = 0;
    unsigned int b = 0;

    call->kind[i] = text[0];
    if (text[0] == '-' || sscanf(text + 2, ":%u,%u", &a, &b) < 1)
        return;
    if (text[0] != 'v') {
        add_buffer(call, i, text[0], text[1], a);
        return;
    }
    call->operation.params[i].value = (TEEC_Value){a, b};
    call->operation.paramTypes |= direction(text[1]) << (4 * i);
}

void call_prepare(struct call *call, char *arguments)
{
    char *word = strtok(arguments, " ");

    memset(call, 0, sizeof(*call));
    call->command = word != NULL ? (uint32_t)strtoul(word, NULL, 0) : 0;
    memset(call->kind, '-', sizeof(call->kind));
    for (size_t i = 0; i < 4 && (word = strtok(NULL, " ")) != NULL; i++)
        add_param(call, i, word);
}

void *call_run(void *argument)
{
    struct call *call = argument;

    call->result = TEEC_InvokeCommand(&session, call->command, &call->operation, &call->origin);
    return NULL;
}

static void check_guards(const struct call *call, size_t i)
{
    const uint8_t *buffer = call->buffer[i];

    for (size_t k = 0; k < PART_OFFSET; k++)
        if (buffer[k] != (uint8_t)(k - PART_OFFSET + i) ||
            buffer[PART_OFFSET + call->size[i] + k] != (uint8_t)(call->size[i] + k + i))
            printf(" OVERWRITTEN");
}

static void print_param(struct call *call, size_t i)
{
    const TEEC_Parameter *parameter = &call->operation.params[i];
    const uint8_t *data = call->buffer[i] != NULL ? call->buffer[i] + PART_OFFSET : NULL;
    size_t size = parameter->tmpref.size; /* lies where memref.size does */

    if (call->kind[i] == '-')
        printf(" -");
    else if (call->kind[i] == 'v')
        printf(" %u,%u", parameter->value.a, parameter->value.b);
    else if (size > call->size[i] || call->kind[i] == 'n')
        printf(" %zu", size);
    else
        printf(" %zu:%08" PRIx32, size, crc32(call->kind[i] == 'w' ? call->memory[i].buffer : data, size));
    if (data != NULL)
        check_guards(call, i);
}

void call_finish(struct call *call)
{
    printf("%08" PRIx32 " %" PRIu32, call->result, call->origin);
    for (size_t i = 0; i < 4; i++) {
        print_param(call, i);
        TEEC_ReleaseSharedMemory(&call->memory[i]);
        free(call->buffer[i]);
    }
    printf("\n");
}
