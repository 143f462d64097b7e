/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libteec whose secure world is a function of the test's: it sees every command with its parameters and answers.
 * PING is answered here. The test also sees which sessions were opened, and how, and may let opening fail.
 */
#include <string.h>
#include <tee_client_api.h>

#define PING 0

typedef TEEC_Result fake_handler(uint32_t command, TEEC_Operation *operation, uint32_t *origin);

struct fake_state {
    uint32_t contexts_opened;
    uint32_t contexts_closed;
    uint32_t sessions_opened;
    uint32_t sessions_closed;
    uint32_t login_method;
    uint32_t login_group;
    uint32_t invokes;
    uint32_t version_major;
    uint32_t initialize_result;
    uint32_t open_result;
    uint8_t uuid[sizeof(TEEC_UUID)];
};

extern struct fake_state fake_teec;
extern void fake_teec_set_handler(fake_handler *function);

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
    uint32_t version[3] = {fake_teec.version_major, 0, 0};

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
