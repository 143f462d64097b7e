/* SPDX-License-Identifier: Apache-2.0 */
/* The session with the PKCS#11 application: opened as who we are, and forgotten in a child process. */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "standard_error.h"
#include "tee_client_api_extensions.h"

/* A board's libteec lacks it. */
#pragma weak softee_change_counters

static const TEEC_UUID ta_uuid = TA_UUID;

static TEEC_Context context;
static TEEC_Session session;

struct login {
    const char *name; /* CKTEEC_LOGIN_TYPE */
    uint32_t method;
};

static const struct login logins[] = {
    {"public", TEEC_LOGIN_PUBLIC},
    {"user", TEEC_LOGIN_USER},
    {"group", TEEC_LOGIN_GROUP},
};

static CK_RV complain(const char *what)
{
    char line[128];
    int length = snprintf(line, sizeof(line), "libckteec: %s\n", what);

    if (length > 0)
        standard_error_write(line, (size_t)length);
    return CKR_ARGUMENTS_BAD;
}

static CK_RV login_method(uint32_t *method)
{
    const char *name = secure_getenv("CKTEEC_LOGIN_TYPE");

    *method = TEEC_LOGIN_PUBLIC;
    if (name == NULL)
        return CKR_OK;
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        if (strcmp(name, logins[i].name) == 0) {
            *method = logins[i].method;
            return CKR_OK;
        }
    }
    return complain("CKTEEC_LOGIN_TYPE must be public, user or group");
}

static CK_RV login_group(uint32_t *gid)
{
    const char *digits = secure_getenv("CKTEEC_LOGIN_GID");
    unsigned long long value;
    char *end;

    if (digits == NULL || digits[0] < '0' || digits[0] > '9')
        return complain("CKTEEC_LOGIN_TYPE=group needs CKTEEC_LOGIN_GID, a group's number");
    errno = 0;
    value = strtoull(digits, &end, 10);
    if (errno != 0 || *end != '\0' || value >= UINT32_MAX)
        return complain("CKTEEC_LOGIN_GID is not a group's number");
    *gid = (uint32_t)value;
    return CKR_OK;
}

static CK_RV open_session(uint32_t method, const uint32_t *gid)
{
    const void *data = method == TEEC_LOGIN_GROUP ? gid : NULL;
    uint32_t origin = 0;
    TEEC_Result result = TEEC_OpenSession(&context, &session, &ta_uuid, method, data, NULL, &origin);

    return result == TEEC_SUCCESS ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV connection_open(void)
{
    uint32_t method = TEEC_LOGIN_PUBLIC;
    uint32_t gid = 0;
    CK_RV rv = login_method(&method);

    if (rv == CKR_OK && method == TEEC_LOGIN_GROUP)
        rv = login_group(&gid);
    if (rv != CKR_OK)
        return rv;
    if (TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS)
        return CKR_DEVICE_ERROR;
    rv = open_session(method, &gid);
    if (rv != CKR_OK)
        TEEC_FinalizeContext(&context);
    return rv;
}

void connection_close(void)
{
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    connection_forget();
}

void connection_forget(void)
{
    memset(&session, 0, sizeof(session));
    memset(&context, 0, sizeof(context));
}

const volatile uint64_t *connection_counters(size_t *count)
{
    *count = 0;
    return softee_change_counters != NULL ? softee_change_counters(&context, count) : NULL;
}

TEEC_Result connection_invoke(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    return TEEC_InvokeCommand(&session, command, operation, origin);
}
