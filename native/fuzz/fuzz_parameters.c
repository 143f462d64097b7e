/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: whatever a reply says of an operation's parameters, all of it is believed or nothing: where it is good, no
 * more has changed than the bytes that it tells of, within the caller's blocks; else nothing has. A request is as long
 * as it was said to be.
 *
 * The input begins with the caller's four parameters; the rest is the reply. Nothing here asks the system for anything,
 * so that tens of times as many replies are tried as by fuzz_teec.c, which has the same functions in their place.
 */
#include "blocks.h"
#include "input.h"

#include "../teec/parameters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT TEEC_CONFIG_PAYLOAD_REF_COUNT
#define UNTOUCHED 0x5A

static struct input input;

/* What the caller has, and had before. */
static struct {
    TEEC_Operation operation;
    TEEC_Parameter before[COUNT];
    TEEC_SharedMemory shared[COUNT];
    uint8_t *block[COUNT];
    size_t size[COUNT];
} caller;

static void *take_block(unsigned int i)
{
    caller.size[i] = take_u8(&input);
    caller.block[i] = application_block(caller.size[i]);
    memset(caller.block[i], UNTOUCHED, caller.size[i]);
    return caller.block[i];
}

/* A block of memory of the caller's own; rarely, one that is said to be larger than anything. */
static void take_temporary(unsigned int i)
{
    TEEC_TempMemoryReference *reference = &caller.operation.params[i].tmpref;

    reference->buffer = take_block(i);
    reference->size = caller.size[i] == UINT8_MAX ? SIZE_MAX : caller.size[i];
}

/* A block that was registered, all or part of it, which may leave it. */
static void take_registered(unsigned int i)
{
    TEEC_RegisteredMemoryReference *reference = &caller.operation.params[i].memref;

    caller.shared[i] = (TEEC_SharedMemory){.buffer = take_block(i), .size = caller.size[i], .flags = take_u8(&input)};
    *reference = (TEEC_RegisteredMemoryReference){&caller.shared[i], take_u8(&input), take_u8(&input)};
}

static void take_parameter(unsigned int i)
{
    const uint32_t type = take_u8(&input) % 16;

    caller.operation.paramTypes |= type << (4 * i);
    caller.operation.params[i].value = (TEEC_Value){i, ~i};
    if (type >= TEEC_MEMREF_WHOLE)
        take_registered(i);
    else if (type >= TEEC_MEMREF_TEMP_INPUT)
        take_temporary(i);
}

static void take_caller(void)
{
    memset(&caller, 0, sizeof(caller));
    for (unsigned int i = 0; i < COUNT; i++)
        take_parameter(i);
    memcpy(caller.before, caller.operation.params, sizeof(caller.before));
}

static void write_request(const struct parameters *parameters)
{
    const size_t size = parameters_request_size(parameters);
    struct writer writer = writer_of(application_block(size), size);

    parameters_write(parameters, &writer);
    require(!writer.failed && writer.size == size);
}

/* Nothing has changed in a caller's block but `size` bytes from `from` on. */
static void require_untouched_but(unsigned int i, size_t from, size_t size)
{
    for (size_t at = 0; at < caller.size[i]; at++)
        require(caller.block[i][at] == UNTOUCHED || (at >= from && at - from < size));
}

/* Where the reply says that it has given bytes, and they fit. */
static void require_within(unsigned int i, const struct parameter *parameter)
{
    const bool given = parameter->buffer != NULL && (parameter->type & TEEC_MEM_OUTPUT) != 0 &&
                       *parameter->reported <= parameter->size;

    require_untouched_but(i, given ? (size_t)(parameter->buffer - caller.block[i]) : 0,
                          given ? *parameter->reported : 0);
}

static void read_reply(struct parameters *parameters)
{
    const bool with_types = take_u8(&input) % 8 != 0;
    const size_t size = input.left + (with_types ? sizeof(uint32_t) : 0);
    uint8_t *reply = application_block(size);
    struct writer writer = writer_of(reply, size);
    struct reader reader = reader_of(reply, size);
    bool good;

    if (with_types) /* as they travel: nothing else is answered */
        write_u32(&writer, TEEC_PARAM_TYPES(parameters->list[0].type, parameters->list[1].type,
                                            parameters->list[2].type, parameters->list[3].type));
    write_bytes(&writer, input.next, input.left);
    good = parameters_read(parameters, &reader);
    require(!good || size <= parameters_reply_size(parameters));
    require(good || memcmp(caller.before, caller.operation.params, sizeof(caller.before)) == 0);
    for (unsigned int i = 0; i < COUNT; i++)
        if (good)
            require_within(i, &parameters->list[i]);
        else
            require_untouched_but(i, 0, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parameters parameters;
    TEEC_Result result;

    input = (struct input){data, size};
    take_caller();
    result = parameters_take(&parameters, &caller.operation);
    require(result == TEEC_SUCCESS || result == TEEC_ERROR_BAD_PARAMETERS || result == TEEC_ERROR_EXCESS_DATA);
    if (result == TEEC_SUCCESS) {
        require(parameters_place(&parameters, NULL) == TEEC_SUCCESS);
        write_request(&parameters);
        read_reply(&parameters);
    }
    free_blocks();
    return 0;
}
