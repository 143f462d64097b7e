/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structures of the TEE Client API against their layout in OP-TEE's libteec 4.x on a 64-bit machine, stated here
 * in numbers: sizes and offsets that programs for a board were compiled with.
 */
#include <tee_client_api.h>

#include <stdio.h>

struct fact {
    const char *what;
    size_t ours;
    size_t op_tees;
};

#define SIZE(type, number) {"sizeof " #type, sizeof(type), number}
#define OFFSET(type, field, number) {#type "." #field, offsetof(type, field), number}

static const struct fact FACTS[] = {
    SIZE(TEEC_Context, 8),
    OFFSET(TEEC_Context, imp.fd, 0),
    OFFSET(TEEC_Context, imp.reg_mem, 4),
    OFFSET(TEEC_Context, imp.memref_null, 5),
    SIZE(TEEC_UUID, 16),
    OFFSET(TEEC_UUID, timeMid, 4),
    OFFSET(TEEC_UUID, timeHiAndVersion, 6),
    OFFSET(TEEC_UUID, clockSeqAndNode, 8),
    SIZE(TEEC_Session, 16),
    OFFSET(TEEC_Session, imp.ctx, 0),
    OFFSET(TEEC_Session, imp.session_id, 8),
    SIZE(TEEC_SharedMemory, 56),
    OFFSET(TEEC_SharedMemory, buffer, 0),
    OFFSET(TEEC_SharedMemory, size, 8),
    OFFSET(TEEC_SharedMemory, flags, 16),
    OFFSET(TEEC_SharedMemory, imp.id, 24),
    OFFSET(TEEC_SharedMemory, imp.alloced_size, 32),
    OFFSET(TEEC_SharedMemory, imp.shadow_buffer, 40),
    OFFSET(TEEC_SharedMemory, imp.registered_fd, 48),
    OFFSET(TEEC_SharedMemory, imp.flags, 52),
    SIZE(TEEC_Parameter, 24),
    OFFSET(TEEC_Parameter, tmpref.buffer, 0),
    OFFSET(TEEC_Parameter, tmpref.size, 8),
    OFFSET(TEEC_Parameter, memref.parent, 0),
    OFFSET(TEEC_Parameter, memref.size, 8),
    OFFSET(TEEC_Parameter, memref.offset, 16),
    OFFSET(TEEC_Parameter, value.a, 0),
    OFFSET(TEEC_Parameter, value.b, 4),
    SIZE(TEEC_Operation, 112),
    OFFSET(TEEC_Operation, started, 0),
    OFFSET(TEEC_Operation, paramTypes, 4),
    OFFSET(TEEC_Operation, params, 8),
    OFFSET(TEEC_Operation, imp.session, 104),
};

int main(void)
{
    int differences = 0;

    for (size_t i = 0; i < sizeof(FACTS) / sizeof(FACTS[0]); i++) {
        if (FACTS[i].ours == FACTS[i].op_tees)
            continue;
        printf("%s is %zu, OP-TEE's %zu\n", FACTS[i].what, FACTS[i].ours, FACTS[i].op_tees);
        differences++;
    }
    if (!differences)
        puts("same");
    return differences != 0;
}
