/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the TEE Client API 1.0, section 4.5: arguments are checked here, and become exchanges. */
#include "context.h"
#include "export.h"
#include "tee_client_api_extensions.h"

#include <stdatomic.h>

#define CONTEXT_OF(session) ((session)->imp.ctx)

/* OP-TEE's layouts, which programs for a board's libteec were compiled with (64-bit and 32-bit). */
_Static_assert(sizeof(TEEC_Context) == 8, "TEEC_Context");
_Static_assert(sizeof(TEEC_UUID) == 16, "TEEC_UUID");
_Static_assert(offsetof(TEEC_Session, imp.session_id) == sizeof(void *), "TEEC_Session");
_Static_assert(sizeof(TEEC_Session) == 2 * sizeof(void *), "TEEC_Session");
_Static_assert(offsetof(TEEC_SharedMemory, flags) == 2 * sizeof(void *), "TEEC_SharedMemory");
_Static_assert(offsetof(TEEC_SharedMemory, imp) == (sizeof(void *) == 8 ? 24 : 12), "TEEC_SharedMemory");
_Static_assert(sizeof(TEEC_SharedMemory) == (sizeof(void *) == 8 ? 56 : 32), "TEEC_SharedMemory");
_Static_assert(sizeof(TEEC_Parameter) == 3 * sizeof(void *), "TEEC_Parameter");
_Static_assert(offsetof(TEEC_Operation, params) == 8, "TEEC_Operation");
_Static_assert(offsetof(TEEC_Operation, imp) == 8 + 12 * sizeof(void *), "TEEC_Operation");
_Static_assert(sizeof(TEEC_Operation) == 8 + 13 * sizeof(void *), "TEEC_Operation");

EXPORT TEEC_Result TEEC_InitializeContext(const char *name, TEEC_Context *context)
{
    uint32_t number;
    TEEC_Result result;

    if (context == NULL)
        return TEEC_ERROR_BAD_PARAMETERS;
    *context = (TEEC_Context){.imp = {.fd = 0}};
    if (name != NULL && strcmp(name, "softee") != 0)
        return TEEC_ERROR_ITEM_NOT_FOUND;
    result = context_create(&number);
    if (result == TEEC_SUCCESS)
        context->imp.fd = (int)number;
    return result;
}

static uint32_t number_of(const TEEC_Context *context)
{
    return (uint32_t)context->imp.fd;
}

EXPORT const volatile uint64_t *softee_change_counters(const TEEC_Context *context, size_t *count)
{
    const struct counters counters = context_counters(number_of(context));

    *count = counters.count;
    return counters.values;
}

EXPORT TEEC_Result softee_reconnect(const TEEC_Context *lost, TEEC_Context *context)
{
    uint32_t number;
    const TEEC_Result result = context_create_again(number_of(lost), &number);

    *context = (TEEC_Context){.imp = {.fd = result == TEEC_SUCCESS ? (int)number : 0}};
    return result;
}

EXPORT bool softee_is_lost(const TEEC_Context *context)
{
    return context_is_lost(number_of(context));
}

EXPORT void TEEC_FinalizeContext(TEEC_Context *context)
{
    if (context == NULL)
        return;
    context_destroy(number_of(context));
    context->imp.fd = 0;
}

static TEEC_Result return_with(uint32_t *origin, uint32_t layer, TEEC_Result result)
{
    if (origin != NULL)
        *origin = layer;
    return result;
}

/* The layer that an error of this library comes from. */
static uint32_t layer_of(TEEC_Result result)
{
    return result == TEEC_ERROR_COMMUNICATION || result == TEEC_ERROR_TARGET_DEAD ? TEEC_ORIGIN_COMMS : TEEC_ORIGIN_API;
}

/* A number for TEEC_RequestCancellation to name the operation by; never 0. */
static uint32_t next_cancel_id(void)
{
    static atomic_uint last;
    uint32_t id;

    do
        id = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
    while (id == 0);
    return id;
}

/* From here until it is ended, TEEC_RequestCancellation finds the operation running. */
static void begin_operation(TEEC_Operation *operation, TEEC_Session *session, uint32_t cancel_id)
{
    if (operation == NULL)
        return;
    __atomic_store_n(&operation->imp.session, session, __ATOMIC_RELAXED);
    __atomic_store_n(&operation->started, cancel_id, __ATOMIC_RELEASE);
}

static void end_operation(TEEC_Operation *operation)
{
    if (operation != NULL)
        __atomic_store_n(&operation->started, 0, __ATOMIC_RELEASE);
}

/* Take the operation's parameters, exchange, and answer what the secure world answered. */
static TEEC_Result run(TEEC_Session *session, struct exchange *exchange, TEEC_Operation *operation, uint32_t cancel_id,
                       uint32_t *origin)
{
    struct parameters parameters;
    TEEC_Result result = parameters_take(&parameters, operation);

    if (result != TEEC_SUCCESS)
        return return_with(origin, TEEC_ORIGIN_API, result);
    exchange->parameters = &parameters;
    begin_operation(operation, session, cancel_id);
    result = context_exchange(number_of(CONTEXT_OF(session)), exchange, false);
    end_operation(operation);
    if (result != TEEC_SUCCESS)
        return return_with(origin, layer_of(result), result);
    return return_with(origin, u32_at(exchange->reply + 4), u32_at(exchange->reply));
}

static void put_uuid(uint8_t *data, const TEEC_UUID *uuid)
{
    for (unsigned int i = 0; i < 4; i++)
        data[i] = (uint8_t)(uuid->timeLow >> (24 - 8 * i));
    data[4] = (uint8_t)(uuid->timeMid >> 8);
    data[5] = (uint8_t)uuid->timeMid;
    data[6] = (uint8_t)(uuid->timeHiAndVersion >> 8);
    data[7] = (uint8_t)uuid->timeHiAndVersion;
    memcpy(data + 8, uuid->clockSeqAndNode, sizeof(uuid->clockSeqAndNode));
}

/* The 32 bits that go with a login method: the group's number. */
static TEEC_Result take_login(uint32_t method, const void *data, uint32_t *login_data)
{
    *login_data = 0;
    switch (method) {
    case TEEC_LOGIN_PUBLIC:
    case TEEC_LOGIN_USER:
        return TEEC_SUCCESS;
    case TEEC_LOGIN_GROUP:
        if (data == NULL)
            return TEEC_ERROR_BAD_PARAMETERS;
        memcpy(login_data, data, sizeof(*login_data));
        return TEEC_SUCCESS;
    default:
        return TEEC_ERROR_NOT_SUPPORTED;
    }
}

EXPORT TEEC_Result TEEC_OpenSession(TEEC_Context *context, TEEC_Session *session, const TEEC_UUID *destination,
                                    uint32_t method, const void *data, TEEC_Operation *operation, uint32_t *origin)
{
    struct exchange open = {.type = FRAME_OPEN_SESSION, .request_size = 28, .reply_size = 12};
    const uint32_t cancel_id = next_cancel_id();
    uint32_t login_data;
    TEEC_Result result;

    if (context == NULL || session == NULL || destination == NULL)
        return return_with(origin, TEEC_ORIGIN_API, TEEC_ERROR_BAD_PARAMETERS);
    session->imp.ctx = context;
    session->imp.session_id = 0;
    result = take_login(method, data, &login_data);
    if (result != TEEC_SUCCESS)
        return return_with(origin, TEEC_ORIGIN_API, result);
    put_uuid(open.request, destination);
    store_u32(open.request + 16, method);
    store_u32(open.request + 20, login_data);
    store_u32(open.request + 24, cancel_id);
    result = run(session, &open, operation, cancel_id, origin);
    if (result == TEEC_SUCCESS)
        session->imp.session_id = u32_at(open.reply + 8);
    return result;
}

EXPORT void TEEC_CloseSession(TEEC_Session *session)
{
    struct exchange close = {.type = FRAME_CLOSE_SESSION, .request_size = 4, .reply_size = 4};

    if (session == NULL || CONTEXT_OF(session) == NULL || session->imp.session_id == 0)
        return;
    store_u32(close.request, session->imp.session_id);
    context_exchange(number_of(CONTEXT_OF(session)), &close, false);
    session->imp.session_id = 0;
}

EXPORT TEEC_Result TEEC_InvokeCommand(TEEC_Session *session, uint32_t command, TEEC_Operation *operation,
                                      uint32_t *origin)
{
    struct exchange invoke = {.type = FRAME_INVOKE, .request_size = 12, .reply_size = 8};
    const uint32_t cancel_id = next_cancel_id();

    if (session == NULL || CONTEXT_OF(session) == NULL)
        return return_with(origin, TEEC_ORIGIN_API, TEEC_ERROR_BAD_PARAMETERS);
    store_u32(invoke.request, session->imp.session_id);
    store_u32(invoke.request + 4, command);
    store_u32(invoke.request + 8, cancel_id);
    return run(session, &invoke, operation, cancel_id, origin);
}

EXPORT void TEEC_RequestCancellation(TEEC_Operation *operation)
{
    struct exchange cancel = {.type = FRAME_CANCEL, .request_size = 8, .reply_size = 4};
    const uint32_t cancel_id = operation != NULL ? __atomic_load_n(&operation->started, __ATOMIC_ACQUIRE) : 0;
    const TEEC_Session *session;

    if (cancel_id == 0)
        return;
    session = __atomic_load_n(&operation->imp.session, __ATOMIC_RELAXED);
    store_u32(cancel.request, session->imp.session_id);
    store_u32(cancel.request + 4, cancel_id);
    context_exchange(number_of(CONTEXT_OF(session)), &cancel, true);
}
