/* SPDX-License-Identifier: Apache-2.0 */
/* The convention of the NULL buffer and of CKR_BUFFER_TOO_SMALL, for bytes and for lists. */
#include "output.h"

#include <string.h>

#include "reader.h"

/* No list is longer; a buffer may well be. */
#define LIST_LIMIT ((size_t)16 << 10)

static CK_RV answer(CK_RV rv, const void *buffer)
{
    return rv == CKR_BUFFER_TOO_SMALL && buffer == NULL ? CKR_OK : rv;
}

void output_bytes(struct command *command, CK_BYTE_PTR buffer, CK_ULONG_PTR length)
{
    command_require(command, length != NULL);
    command_output_up_to(command, buffer, buffer != NULL && length != NULL ? *length : 0);
}

CK_RV output_bytes_end(struct command *command, CK_BYTE_PTR buffer, CK_ULONG_PTR length)
{
    CK_RV rv = command_end(command);

    if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
        *length = command_output_size(command);
    return answer(rv, buffer);
}

void output_list(struct command *command, CK_ULONG_PTR list, CK_ULONG capacity)
{
    size_t elements = capacity < LIST_LIMIT ? capacity : LIST_LIMIT;

    /* The application's array has room for the narrower elements, which widen_list() then spreads in place. */
    command_output_up_to(command, list, list != NULL ? elements * sizeof(uint32_t) : 0);
}

CK_RV output_list_end(struct command *command, CK_ULONG_PTR list, CK_ULONG_PTR count)
{
    CK_RV rv = command_end(command);
    size_t size = command_output_size(command);

    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        return rv;
    if (size % sizeof(uint32_t) != 0)
        return CKR_DEVICE_ERROR;
    *count = size / sizeof(uint32_t);
    if (rv == CKR_OK)
        widen_list(list, *count);
    return answer(rv, list);
}

CK_RV output_handle_end(struct command *command, CK_ULONG_PTR handle)
{
    uint8_t wire[sizeof(uint32_t)] = {0};
    CK_RV rv;

    command_require(command, handle != NULL);
    command_output(command, wire, sizeof(wire));
    command->handles = 1;
    rv = command_end(command);
    if (rv == CKR_OK)
        *handle = u32_at(wire);
    return rv;
}

void output_behind(struct command *command, struct output_behind *output, size_t prefix, CK_BYTE_PTR buffer,
                   CK_ULONG_PTR length)
{
    size_t size = 0;

    output->prefix = prefix;
    buffer_init(&output->bytes);
    command_require(command, length != NULL);
    if (buffer != NULL && length != NULL)
        size = prefix + (*length < ANSWER_LIMIT ? *length : ANSWER_LIMIT);
    if (buffer_extend(&output->bytes, size) == NULL)
        buffer_refuse(&command->control, CKR_HOST_MEMORY);
    command_output_up_to(command, output->bytes.bytes, size);
}

CK_RV output_behind_end(struct command *command, struct output_behind *output, CK_BYTE_PTR buffer, CK_ULONG_PTR length)
{
    CK_RV rv = command_end(command);
    size_t size = command_output_size(command);

    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
        return rv;
    if (size < output->prefix)
        return CKR_DEVICE_ERROR;
    *length = size - output->prefix;
    if (rv == CKR_OK && buffer != NULL)
        memcpy(buffer, output->bytes.bytes + output->prefix, *length);
    return answer(rv, buffer);
}

void output_behind_release(struct output_behind *output)
{
    buffer_release(&output->bytes);
}
