/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what a libteec answers, a line for each call: what it was, the result and its origin. Run with a board's
 * libteec and with ours it says where they differ. The trusted application is the PKCS#11 one.
 */
#include <tee_client_api.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PING 0
#define UNKNOWN_COMMAND 0x0FFF

static const TEEC_UUID PKCS11 = {0xfd02c9da, 0x306c, 0x48c7, {0xa4, 0x9c, 0xbb, 0xd8, 0x27, 0xae, 0x86, 0xee}};
static const TEEC_UUID NOBODY = {1, 2, 3, {4}};

static TEEC_Context context;
static TEEC_Session session;

static void told(const char *what, TEEC_Result result, uint32_t origin)
{
    printf("%s: %08x %u\n", what, result, origin);
}

static void open_as(const char *what, const TEEC_UUID *uuid, uint32_t method, const void *data)
{
    TEEC_Session opened = {.imp = {.ctx = NULL}};
    uint32_t origin = 0;
    TEEC_Result result = TEEC_OpenSession(&context, &opened, uuid, method, data, NULL, &origin);

    told(what, result, origin);
    if (result == TEEC_SUCCESS)
        TEEC_CloseSession(&opened);
}

static void logins(void)
{
    const uint32_t mine = getgid();
    const uint32_t another = 4242424;

    open_as("public", &PKCS11, TEEC_LOGIN_PUBLIC, NULL);
    open_as("public with data", &PKCS11, TEEC_LOGIN_PUBLIC, &mine);
    open_as("user", &PKCS11, TEEC_LOGIN_USER, NULL);
    open_as("user with data", &PKCS11, TEEC_LOGIN_USER, &mine);
    open_as("group", &PKCS11, TEEC_LOGIN_GROUP, &mine);
    open_as("group of others", &PKCS11, TEEC_LOGIN_GROUP, &another);
    open_as("application", &PKCS11, TEEC_LOGIN_APPLICATION, NULL);
    open_as("user application", &PKCS11, TEEC_LOGIN_USER_APPLICATION, NULL);
    open_as("group application", &PKCS11, TEEC_LOGIN_GROUP_APPLICATION, &mine);
    open_as("login 3", &PKCS11, 3, NULL);
    open_as("login 7", &PKCS11, 7, NULL);
    open_as("login of the system", &PKCS11, 0x80000000, NULL);
    open_as("nobody", &NOBODY, TEEC_LOGIN_PUBLIC, NULL);
}

static void invoke(const char *what, uint32_t command, TEEC_Operation *operation)
{
    uint32_t origin = 0;
    TEEC_Result result = TEEC_InvokeCommand(&session, command, operation, &origin);

    told(what, result, origin);
}

/* A command with its status in `control`, and one output. */
static TEEC_Operation operation_with(uint8_t *control, uint32_t type, TEEC_Parameter output)
{
    TEEC_Operation operation = {.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INOUT, TEEC_NONE, type, TEEC_NONE)};

    memset(control, 0, 4);
    operation.params[0].tmpref = (TEEC_TempMemoryReference){control, 4};
    operation.params[2] = output;
    return operation;
}

static void ping_into(const char *what, uint32_t type, TEEC_Parameter output)
{
    uint8_t control[4];
    TEEC_Operation operation = operation_with(control, type, output);

    invoke(what, PING, &operation);
    printf("%s, status: %02x%02x%02x%02x size %zu\n", what, control[3], control[2], control[1], control[0],
           type >= TEEC_MEMREF_WHOLE ? operation.params[2].memref.size : operation.params[2].tmpref.size);
}

static void temporary(void)
{
    uint8_t version[16];

    ping_into("12 bytes", TEEC_MEMREF_TEMP_OUTPUT, (TEEC_Parameter){.tmpref = {version, 12}});
    ping_into("11 bytes", TEEC_MEMREF_TEMP_OUTPUT, (TEEC_Parameter){.tmpref = {version, 11}});
    ping_into("no byte", TEEC_MEMREF_TEMP_OUTPUT, (TEEC_Parameter){.tmpref = {version, 0}});
    ping_into("NULL", TEEC_MEMREF_TEMP_OUTPUT, (TEEC_Parameter){.tmpref = {NULL, 0}});
    ping_into("NULL with a size", TEEC_MEMREF_TEMP_OUTPUT, (TEEC_Parameter){.tmpref = {NULL, 12}});
    invoke("no operation", PING, NULL);
    invoke("unknown command", UNKNOWN_COMMAND, NULL);
    for (uint32_t type = TEEC_NONE; type < TEEC_MEMREF_WHOLE; type++) { /* without a block OP-TEE's library crashes */
        TEEC_Operation operation = {.paramTypes = type << 12};
        char what[32];

        snprintf(what, sizeof(what), "zeros of type %u", type);
        invoke(what, PING, &operation);
    }
}

static void ping_through(const char *what, TEEC_SharedMemory *memory)
{
    char line[64];

    snprintf(line, sizeof(line), "%s, whole", what);
    ping_into(line, TEEC_MEMREF_WHOLE, (TEEC_Parameter){.memref = {memory, 12, 0}});
    snprintf(line, sizeof(line), "%s, part", what);
    ping_into(line, TEEC_MEMREF_PARTIAL_OUTPUT, (TEEC_Parameter){.memref = {memory, 12, 0}});
    snprintf(line, sizeof(line), "%s, its end", what);
    ping_into(line, TEEC_MEMREF_PARTIAL_OUTPUT, (TEEC_Parameter){.memref = {memory, 12, 4}});
    snprintf(line, sizeof(line), "%s, beyond", what);
    ping_into(line, TEEC_MEMREF_PARTIAL_OUTPUT, (TEEC_Parameter){.memref = {memory, 12, 8}});
    snprintf(line, sizeof(line), "%s, the other way", what);
    ping_into(line, TEEC_MEMREF_PARTIAL_INOUT, (TEEC_Parameter){.memref = {memory, 12, 0}});
}

static void shared(const char *what, void *buffer, size_t size, uint32_t flags)
{
    TEEC_SharedMemory memory = {.buffer = buffer, .size = size, .flags = flags};
    TEEC_Result result = TEEC_RegisterSharedMemory(&context, &memory);
    char line[64];

    snprintf(line, sizeof(line), "registered %s", what);
    told(line, result, 0);
    if (result == TEEC_SUCCESS) {
        ping_through(line, &memory);
        TEEC_ReleaseSharedMemory(&memory);
    }
    memory = (TEEC_SharedMemory){.size = size, .flags = flags};
    result = TEEC_AllocateSharedMemory(&context, &memory);
    snprintf(line, sizeof(line), "allocated %s", what);
    told(line, result, 0);
    if (result == TEEC_SUCCESS) {
        printf("%s, memory: %d size %zu\n", line, memory.buffer != NULL, memory.size);
        ping_through(line, &memory);
        TEEC_ReleaseSharedMemory(&memory);
        printf("%s, released: %d size %zu\n", line, memory.buffer != NULL, memory.size);
    }
}

static void shared_memory(void)
{
    static uint8_t buffer[16];

    shared("16 bytes out", buffer, 16, TEEC_MEM_OUTPUT);
    shared("12 bytes out", buffer, 12, TEEC_MEM_OUTPUT);
    shared("16 bytes in", buffer, 16, TEEC_MEM_INPUT);
    shared("16 bytes both ways", buffer, 16, TEEC_MEM_INPUT | TEEC_MEM_OUTPUT);
    shared("no bytes", buffer, 0, TEEC_MEM_OUTPUT);
    shared("NULL", NULL, 16, TEEC_MEM_OUTPUT);
    shared("NULL of no bytes", NULL, 0, TEEC_MEM_OUTPUT);
    shared("without flags", buffer, 16, 0);
    shared("unknown flags", buffer, 16, 4);
}

int main(void)
{
    TEEC_Operation idle = {.started = 0};
    uint32_t origin = 0;
    TEEC_Result result;

    told("context", TEEC_InitializeContext(NULL, &context), 0);
    told("another TEE", TEEC_InitializeContext("another", &(TEEC_Context){.imp = {.fd = 0}}), 0);
    logins();
    result = TEEC_OpenSession(&context, &session, &PKCS11, TEEC_LOGIN_PUBLIC, NULL, NULL, &origin);
    told("session", result, origin);
    temporary();
    shared_memory();
    TEEC_RequestCancellation(&idle);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return 0;
}
