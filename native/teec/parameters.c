/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of operations: nothing is sent of what leaves the caller's blocks, and of a reply nothing is believed
 * before all of it has been read.
 */
#include "parameters.h"

#define COUNT TEEC_CONFIG_PAYLOAD_REF_COUNT
#define LARGE_BUFFER 15360u           /* a frame with a smaller one has no more than 16 KiB, and is answered quickly */
#define LARGE_FIRST_BUFFER (1u << 20) /* parameter 0 is most applications' request: inline while a frame has room */

static bool is_value(const struct parameter *parameter)
{
    return parameter->type >= TEEC_VALUE_INPUT && parameter->type <= TEEC_VALUE_INOUT;
}

static bool is_memref(const struct parameter *parameter)
{
    return parameter->type >= TEEC_MEMREF_TEMP_INPUT && parameter->type <= TEEC_MEMREF_TEMP_INOUT;
}

/* The two low bits of VALUE and MEMREF types are TEEC_MEM_INPUT and TEEC_MEM_OUTPUT. */
static bool is_input(const struct parameter *parameter)
{
    return (parameter->type & TEEC_MEM_INPUT) != 0;
}

static bool is_output(const struct parameter *parameter)
{
    return (parameter->type & TEEC_MEM_OUTPUT) != 0;
}

static TEEC_Result take_buffer(struct parameter *parameter, uint32_t direction, void *buffer, size_t size,
                               size_t *reported)
{
    if (buffer == NULL && size > 0)
        return TEEC_ERROR_BAD_PARAMETERS;
    if (size > UINT32_MAX)
        return TEEC_ERROR_EXCESS_DATA;
    parameter->type = TEEC_MEMREF_TEMP_INPUT - TEEC_MEM_INPUT + direction;
    parameter->buffer = buffer;
    parameter->size = (uint32_t)size;
    parameter->reported = reported;
    parameter->where = buffer != NULL ? INLINE : NULL_BUFFER;
    return TEEC_SUCCESS;
}

static TEEC_Result take_whole(struct parameter *parameter, TEEC_RegisteredMemoryReference *reference)
{
    const TEEC_SharedMemory *parent = reference->parent;
    uint32_t direction = parent != NULL ? parent->flags & (TEEC_MEM_INPUT | TEEC_MEM_OUTPUT) : 0;

    if (direction == 0)
        return TEEC_ERROR_BAD_PARAMETERS;
    return take_buffer(parameter, direction, parent->buffer, parent->size, &reference->size);
}

static TEEC_Result take_part(struct parameter *parameter, uint32_t direction, TEEC_RegisteredMemoryReference *reference)
{
    const TEEC_SharedMemory *parent = reference->parent;

    if (parent == NULL || (parent->flags & direction) != direction)
        return TEEC_ERROR_BAD_PARAMETERS;
    if (reference->offset > parent->size || reference->size > parent->size - reference->offset)
        return TEEC_ERROR_BAD_PARAMETERS;
    return take_buffer(parameter, direction, parent->buffer != NULL ? (char *)parent->buffer + reference->offset : NULL,
                       reference->size, &reference->size);
}

static TEEC_Result take_one(struct parameter *parameter, uint32_t type, TEEC_Parameter *callers)
{
    const uint32_t direction = type & (TEEC_MEM_INPUT | TEEC_MEM_OUTPUT);

    switch (type) {
    case TEEC_NONE:
        return TEEC_SUCCESS;
    case TEEC_VALUE_INPUT:
    case TEEC_VALUE_OUTPUT:
    case TEEC_VALUE_INOUT:
        parameter->type = type;
        parameter->value = &callers->value;
        return TEEC_SUCCESS;
    case TEEC_MEMREF_TEMP_INPUT:
    case TEEC_MEMREF_TEMP_OUTPUT:
    case TEEC_MEMREF_TEMP_INOUT:
        return take_buffer(parameter, direction, callers->tmpref.buffer, callers->tmpref.size, &callers->tmpref.size);
    case TEEC_MEMREF_WHOLE:
        return take_whole(parameter, &callers->memref);
    case TEEC_MEMREF_PARTIAL_INPUT:
    case TEEC_MEMREF_PARTIAL_OUTPUT:
    case TEEC_MEMREF_PARTIAL_INOUT:
        return take_part(parameter, direction, &callers->memref);
    default:
        return TEEC_ERROR_BAD_PARAMETERS;
    }
}

TEEC_Result parameters_take(struct parameters *parameters, TEEC_Operation *operation)
{
    *parameters = (struct parameters){.file = NULL};
    for (size_t i = 0; operation != NULL && i < COUNT; i++) {
        uint32_t type = TEEC_PARAM_TYPE_GET(operation->paramTypes, i);
        TEEC_Result result = take_one(&parameters->list[i], type, &operation->params[i]);

        if (result != TEEC_SUCCESS)
            return result;
    }
    return TEEC_SUCCESS;
}

static TEEC_Result fill_file(const struct parameters *parameters)
{
    for (const struct parameter *p = parameters->list; p < parameters->list + COUNT; p++) {
        if (p->where == IN_MEMORY_FILE && is_input(p) &&
            !memory_file_write(parameters->file, p->offset, p->buffer, p->size))
            return TEEC_ERROR_OUT_OF_MEMORY;
    }
    return TEEC_SUCCESS;
}

TEEC_Result parameters_place(struct parameters *parameters, struct memory_file *file)
{
    uint64_t size = 0;

    parameters->file = NULL;
    for (size_t i = 0; file != NULL && i < COUNT; i++) {
        struct parameter *parameter = &parameters->list[i];

        if (parameter->size < LARGE_BUFFER || (i == 0 && parameter->size <= LARGE_FIRST_BUFFER))
            continue;
        parameter->where = IN_MEMORY_FILE;
        parameter->offset = size;
        size += parameter->size;
    }
    if (size == 0)
        return TEEC_SUCCESS;
    if (size > MEMORY_FILE_MAX)
        return TEEC_ERROR_EXCESS_DATA;
    if (memory_file_prepare(file, (size_t)size)) {
        parameters->file = file;
        return fill_file(parameters);
    }
    for (size_t i = 0; i < COUNT; i++)
        if (parameters->list[i].where == IN_MEMORY_FILE)
            parameters->list[i].where = INLINE;
    return TEEC_SUCCESS;
}

static uint64_t request_size(const struct parameter *parameter)
{
    if (is_value(parameter))
        return is_input(parameter) ? 8 : 0;
    if (!is_memref(parameter))
        return 0;
    if (parameter->where == IN_MEMORY_FILE)
        return 1 + 4 + 8;
    return 1 + 4 + (is_input(parameter) ? (uint64_t)parameter->size : 0);
}

static uint64_t reply_size(const struct parameter *parameter)
{
    if (!is_output(parameter))
        return 0;
    if (is_value(parameter))
        return 8;
    return 4 + (parameter->where == INLINE ? (uint64_t)parameter->size : 0);
}

uint64_t parameters_request_size(const struct parameters *parameters)
{
    uint64_t size = 4;

    for (size_t i = 0; i < COUNT; i++)
        size += request_size(&parameters->list[i]);
    return size;
}

uint64_t parameters_reply_size(const struct parameters *parameters)
{
    uint64_t size = 4;

    for (size_t i = 0; i < COUNT; i++)
        size += reply_size(&parameters->list[i]);
    return size;
}

static uint32_t all_types(const struct parameters *parameters)
{
    const struct parameter *list = parameters->list;

    return TEEC_PARAM_TYPES(list[0].type, list[1].type, list[2].type, list[3].type);
}

static void write_one(const struct parameter *parameter, struct writer *writer)
{
    if (is_value(parameter) && is_input(parameter)) {
        write_u32(writer, parameter->value->a);
        write_u32(writer, parameter->value->b);
    }
    if (!is_memref(parameter))
        return;
    write_u8(writer, (uint8_t)parameter->where);
    write_u32(writer, parameter->size);
    if (parameter->where == IN_MEMORY_FILE)
        write_u64(writer, parameter->offset);
    else if (is_input(parameter))
        write_bytes(writer, parameter->buffer, parameter->size);
}

void parameters_write(const struct parameters *parameters, struct writer *writer)
{
    write_u32(writer, all_types(parameters));
    for (size_t i = 0; i < COUNT; i++)
        write_one(&parameters->list[i], writer);
}

/* What a reply says of one parameter. */
struct answer {
    uint32_t a; /* a VALUE's, or a MEMREF's size */
    uint32_t b;
    const uint8_t *data; /* an inline MEMREF's */
};

static void read_one(const struct parameter *parameter, struct reader *reader, struct answer *answer)
{
    if (!is_output(parameter))
        return;
    answer->a = read_u32(reader);
    if (is_value(parameter))
        answer->b = read_u32(reader);
    else if (parameter->where == INLINE && answer->a <= parameter->size)
        answer->data = read_span(reader, answer->a);
}

static bool apply(const struct parameter *parameter, const struct memory_file *file, const struct answer *answer)
{
    if (!is_output(parameter))
        return true;
    if (is_value(parameter)) {
        *parameter->value = (TEEC_Value){.a = answer->a, .b = answer->b};
        return true;
    }
    *parameter->reported = answer->a;
    if (answer->a == 0 || answer->a > parameter->size)
        return true;
    if (parameter->where == IN_MEMORY_FILE)
        return memory_file_read(file, parameter->offset, parameter->buffer, answer->a);
    memcpy(parameter->buffer, answer->data, answer->a);
    return true;
}

bool parameters_read(const struct parameters *parameters, struct reader *reader)
{
    struct answer answers[COUNT] = {{0}};
    bool good = read_u32(reader) == all_types(parameters);

    for (size_t i = 0; i < COUNT; i++)
        read_one(&parameters->list[i], reader, &answers[i]);
    good = good && reader_at_end(reader);
    for (size_t i = 0; good && i < COUNT; i++)
        good = apply(&parameters->list[i], parameters->file, &answers[i]);
    return good;
}
