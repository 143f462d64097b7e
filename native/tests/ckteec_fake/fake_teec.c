/* SPDX-License-Identifier: Apache-2.0 */
/* The fake libteec: opens and closes what it is asked to, counts it, and hands commands to the test. */
#include "fake_teec.h"

#include <string.h>
#include <tee_client_api_extensions.h>

#define PING 0

struct fake_state fake_teec = {.version_major = 1};
static fake_handler *handler;

void fake_teec_set_handler(fake_handler *function)
{
    handler = function;
}

TEEC_Result TEEC_InitializeContext(const char *name, TEEC_Context *context)
{
    if (name != NULL || fake_teec.initialize_result != TEEC_SUCCESS)
        return fake_teec.initialize_result;
    memset(context, 0, sizeof(*context));
    fake_teec.contexts_opened++;
    return TEEC_SUCCESS;
}

void TEEC_FinalizeContext(TEEC_Context *context)
{
    (void)context;
    fake_teec.contexts_closed++;
}

const volatile uint64_t *softee_change_counters(const TEEC_Context *context, size_t *count)
{
    (void)context;
    *count = fake_teec.counter_count;
    return fake_teec.counters;
}

TEEC_Result TEEC_OpenSession(TEEC_Context *context, TEEC_Session *session, const TEEC_UUID *destination,
                             uint32_t connectionMethod, const void *connectionData, TEEC_Operation *operation,
                             uint32_t *returnOrigin)
{
    (void)operation;
    (void)returnOrigin;
    if (fake_teec.open_result != TEEC_SUCCESS)
        return fake_teec.open_result;
    session->imp.ctx = context;
    fake_teec.sessions_opened++;
    fake_teec.login_method = connectionMethod;
    if (connectionMethod == TEEC_LOGIN_GROUP)
        memcpy(&fake_teec.login_group, connectionData, sizeof(fake_teec.login_group));
    memcpy(fake_teec.uuid, destination, sizeof(*destination));
    return TEEC_SUCCESS;
}

void TEEC_CloseSession(TEEC_Session *session)
{
    (void)session;
    fake_teec.sessions_closed++;
}

static TEEC_Result answer_ping(TEEC_Operation *operation)
{
    uint32_t version[3] = {fake_teec.version_major, 2, 3};

    memset(operation->params[0].tmpref.buffer, 0, sizeof(uint32_t));
    memcpy(operation->params[2].tmpref.buffer, version, sizeof(version));
    return TEEC_SUCCESS;
}

TEEC_Result TEEC_InvokeCommand(TEEC_Session *session, uint32_t commandID, TEEC_Operation *operation,
                               uint32_t *returnOrigin)
{
    if (session->imp.ctx == NULL)
        return TEEC_ERROR_BAD_STATE;
    __atomic_fetch_add(&fake_teec.invokes, 1, __ATOMIC_RELAXED);
    if (commandID == PING || handler == NULL)
        return answer_ping(operation);
    *returnOrigin = TEEC_ORIGIN_TRUSTED_APP;
    return handler(commandID, operation, returnOrigin);
}
