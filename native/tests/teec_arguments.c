/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that the TEE Client API refuses or ignores by itself, and shared memory. SOFTEE_SOCKET has to answer. */
#include <tee_client_api.h>

#include <stdio.h>
#include <string.h>

#define CONTEXTS 64 /* as many may be open at the same time */

static int failures;

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    printf("line %d: not true: %s\n", line, condition);
    failures++;
}

static const TEEC_UUID UUID = {1, 2, 3, {4}};

static void null_pointers(void)
{
    TEEC_Context context = {.imp = {.fd = 0}};
    TEEC_Session session = {.imp = {.ctx = NULL}};
    TEEC_SharedMemory memory = {.flags = TEEC_MEM_INPUT};
    uint32_t origin = 0;

    CHECK(TEEC_InitializeContext(NULL, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    TEEC_FinalizeContext(NULL);
    CHECK(TEEC_OpenSession(NULL, &session, &UUID, 0, NULL, NULL, &origin) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_OpenSession(&context, NULL, &UUID, 0, NULL, NULL, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_OpenSession(&context, &session, NULL, 0, NULL, NULL, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(origin == TEEC_ORIGIN_API);
    TEEC_CloseSession(NULL);
    CHECK(TEEC_InvokeCommand(NULL, 0, NULL, &origin) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_RegisterSharedMemory(NULL, &memory) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_RegisterSharedMemory(&context, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_AllocateSharedMemory(NULL, &memory) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_AllocateSharedMemory(&context, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(TEEC_RegisterSharedMemoryFileDescriptor(&context, &memory, 0) == TEEC_ERROR_NOT_SUPPORTED);
    CHECK(TEEC_RegisterSharedMemoryFileDescriptor(&context, &memory, -1) == TEEC_ERROR_BAD_PARAMETERS);
    TEEC_ReleaseSharedMemory(NULL);
    TEEC_RequestCancellation(NULL);
}

static void structures_of_zeros(void)
{
    TEEC_Context context = {.imp = {.fd = 0}};
    TEEC_Session session = {.imp = {.ctx = NULL}};
    TEEC_SharedMemory memory = {.buffer = NULL};
    TEEC_Operation operation = {.started = 0};

    TEEC_FinalizeContext(&context);
    TEEC_CloseSession(&session);
    TEEC_ReleaseSharedMemory(&memory);
    TEEC_RequestCancellation(&operation);
    CHECK(TEEC_InvokeCommand(&session, 0, NULL, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    session.imp.ctx = &context;
    CHECK(TEEC_InvokeCommand(&session, 0, NULL, NULL) == TEEC_ERROR_BAD_STATE);
    context.imp.fd = -1;
    CHECK(TEEC_InvokeCommand(&session, 0, NULL, NULL) == TEEC_ERROR_BAD_STATE);
}

static void names_of_tees(void)
{
    TEEC_Context context;

    CHECK(TEEC_InitializeContext("another", &context) == TEEC_ERROR_ITEM_NOT_FOUND);
    CHECK(TEEC_InitializeContext("softee", &context) == TEEC_SUCCESS);
    TEEC_FinalizeContext(&context);
    TEEC_FinalizeContext(&context);
}

static void many_contexts(void)
{
    TEEC_Context contexts[CONTEXTS];
    TEEC_Context another;

    for (size_t i = 0; i < CONTEXTS; i++)
        CHECK(TEEC_InitializeContext(NULL, &contexts[i]) == TEEC_SUCCESS);
    CHECK(TEEC_InitializeContext(NULL, &another) == TEEC_ERROR_OUT_OF_MEMORY);
    TEEC_FinalizeContext(&contexts[5]);
    CHECK(TEEC_InitializeContext(NULL, &another) == TEEC_SUCCESS);
    TEEC_FinalizeContext(&another);
    for (size_t i = 0; i < CONTEXTS; i++)
        TEEC_FinalizeContext(&contexts[i]);
}

static void shared_memory(TEEC_Context *context)
{
    TEEC_SharedMemory memory = {.size = 0, .flags = TEEC_MEM_INPUT};
    char buffer[8];

    CHECK(TEEC_AllocateSharedMemory(context, &memory) == TEEC_SUCCESS);
    CHECK(memory.buffer != NULL);
    TEEC_ReleaseSharedMemory(&memory);
    CHECK(memory.buffer == NULL && memory.size == 0);
    TEEC_ReleaseSharedMemory(&memory);

    memory = (TEEC_SharedMemory){.size = 8, .flags = 0};
    CHECK(TEEC_AllocateSharedMemory(context, &memory) == TEEC_ERROR_BAD_PARAMETERS);
    memory.flags = 4;
    CHECK(TEEC_AllocateSharedMemory(context, &memory) == TEEC_ERROR_BAD_PARAMETERS);
    memory.flags = TEEC_MEM_OUTPUT;
    CHECK(TEEC_RegisterSharedMemory(context, &memory) == TEEC_ERROR_BAD_PARAMETERS);
    memory.size = 0;
    CHECK(TEEC_RegisterSharedMemory(context, &memory) == TEEC_ERROR_BAD_PARAMETERS);
    memory.buffer = buffer;
    CHECK(TEEC_RegisterSharedMemory(context, &memory) == TEEC_SUCCESS);
    TEEC_ReleaseSharedMemory(&memory);

    memory = (TEEC_SharedMemory){.size = SIZE_MAX / 4, .flags = TEEC_MEM_INPUT};
    CHECK(TEEC_AllocateSharedMemory(context, &memory) == TEEC_ERROR_OUT_OF_MEMORY);
}

static TEEC_Result invoke_part(TEEC_Session *session, uint32_t type, TEEC_SharedMemory *parent, size_t offset,
                               size_t size)
{
    TEEC_Operation operation = {.paramTypes = TEEC_PARAM_TYPES(TEEC_NONE, type, TEEC_NONE, TEEC_NONE)};
    uint32_t origin = 0;
    TEEC_Result result;

    operation.params[1].memref = (TEEC_RegisteredMemoryReference){parent, size, offset};
    result = TEEC_InvokeCommand(session, 7, &operation, &origin);
    CHECK(result == TEEC_SUCCESS || origin == TEEC_ORIGIN_API);
    return result;
}

static void references(TEEC_Session *session)
{
    char buffer[16] = "";
    TEEC_SharedMemory in = {.buffer = buffer, .size = sizeof(buffer), .flags = TEEC_MEM_INPUT};

    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, &in, 0, 16) == TEEC_SUCCESS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, &in, 16, 0) == TEEC_SUCCESS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, &in, 1, 16) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, &in, 17, 0) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, &in, SIZE_MAX, 2) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, &in, 2, SIZE_MAX) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_OUTPUT, &in, 0, 4) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INOUT, &in, 0, 4) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_PARTIAL_INPUT, NULL, 0, 0) == TEEC_ERROR_BAD_PARAMETERS);
    CHECK(invoke_part(session, TEEC_MEMREF_WHOLE, NULL, 0, 0) == TEEC_ERROR_BAD_PARAMETERS);
    in.flags = 0;
    CHECK(invoke_part(session, TEEC_MEMREF_WHOLE, &in, 0, 0) == TEEC_ERROR_BAD_PARAMETERS);
}

static void unknown_parameter_types(TEEC_Session *session)
{
    static const uint32_t unknown[] = {4, 8, 9, 0xA, 0xB};

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        TEEC_Operation operation = {.paramTypes = unknown[i] << 12};

        CHECK(TEEC_InvokeCommand(session, 7, &operation, NULL) == TEEC_ERROR_BAD_PARAMETERS);
    }
}

static void buffers_of_four_gigabytes(TEEC_Session *session)
{
    TEEC_Operation operation = {.paramTypes = TEEC_MEMREF_TEMP_OUTPUT};
    char buffer[1];

    operation.params[0].tmpref = (TEEC_TempMemoryReference){buffer, (size_t)UINT32_MAX + 1};
    CHECK(TEEC_InvokeCommand(session, 7, &operation, NULL) == TEEC_ERROR_EXCESS_DATA);
    operation.params[0].tmpref.size = UINT32_MAX;
    CHECK(TEEC_InvokeCommand(session, 7, &operation, NULL) == TEEC_ERROR_EXCESS_DATA);
}

int main(void)
{
    TEEC_Context context;
    TEEC_Session session;

    null_pointers();
    structures_of_zeros();
    names_of_tees();
    many_contexts();
    CHECK(TEEC_InitializeContext(NULL, &context) == TEEC_SUCCESS);
    CHECK(TEEC_OpenSession(&context, &session, &UUID, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL) == TEEC_SUCCESS);
    shared_memory(&context);
    references(&session);
    unknown_parameter_types(&session);
    buffers_of_four_gigabytes(&session);
    CHECK(TEEC_InvokeCommand(&session, 7, NULL, NULL) == TEEC_SUCCESS);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    CHECK(TEEC_InvokeCommand(&session, 7, NULL, NULL) == TEEC_ERROR_BAD_STATE);
    TEEC_CloseSession(&session);
    return failures != 0;
}
