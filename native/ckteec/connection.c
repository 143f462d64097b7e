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

/* A board's libteec lacks them. */
#pragma weak softee_change_counters
#pragma weak softee_is_lost
#pragma weak softee_reconnect

#define NS_PER_SECOND INT64_C(1000000000)
#define PATIENCE_SECONDS 10 /* if nobody says otherwise */
#define PATIENCE_SECONDS_MAX 86400

static const TEEC_UUID ta_uuid = TA_UUID;

static struct connection connection;

/* As at the first connection: the environment is not looked at again, another thread may be changing it. */
static uint32_t method;
static uint32_t gid;
static int64_t patience;

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

static CK_RV take_login_method(void)
{
    const char *name = secure_getenv("CKTEEC_LOGIN_TYPE");

    method = TEEC_LOGIN_PUBLIC;
    if (name == NULL)
        return CKR_OK;
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        if (strcmp(name, logins[i].name) == 0) {
            method = logins[i].method;
            return CKR_OK;
        }
    }
    return complain("CKTEEC_LOGIN_TYPE must be public, user or group");
}

/* A number that is all of the text, and at most `limit`. */
static bool take_number(const char *digits, unsigned long long limit, unsigned long long *value)
{
    char *end;

    if (digits[0] < '0' || digits[0] > '9')
        return false;
    errno = 0;
    *value = strtoull(digits, &end, 10);
    return errno == 0 && *end == '\0' && *value <= limit;
}

static CK_RV take_login_group(void)
{
    const char *digits = secure_getenv("CKTEEC_LOGIN_GID");
    unsigned long long value;

    if (digits == NULL)
        return complain("CKTEEC_LOGIN_TYPE=group needs CKTEEC_LOGIN_GID, a group's number");
    if (!take_number(digits, UINT32_MAX - 1, &value))
        return complain("CKTEEC_LOGIN_GID is not a group's number");
    gid = (uint32_t)value;
    return CKR_OK;
}

static CK_RV take_patience(void)
{
    const char *digits = secure_getenv("SOFTEE_RECONNECT_SECONDS");
    unsigned long long seconds = PATIENCE_SECONDS;

    if (digits != NULL && *digits != '\0' && !take_number(digits, PATIENCE_SECONDS_MAX, &seconds))
        return complain("SOFTEE_RECONNECT_SECONDS is not a number of seconds, at most a day's");
    patience = (int64_t)seconds * NS_PER_SECOND;
    return CKR_OK;
}

/* In a context that was just made; it is finalized where that fails. */
static CK_RV open_session(struct connection *made)
{
    const void *data = method == TEEC_LOGIN_GROUP ? &gid : NULL;
    uint32_t origin = 0;
    const TEEC_Result result = TEEC_OpenSession(&made->context, &made->session, &ta_uuid, method, data, NULL, &origin);

    if (result == TEEC_SUCCESS)
        return CKR_OK;
    TEEC_FinalizeContext(&made->context);
    return CKR_DEVICE_ERROR;
}

CK_RV connection_open(void)
{
    CK_RV rv = take_login_method();

    if (rv == CKR_OK && method == TEEC_LOGIN_GROUP)
        rv = take_login_group();
    if (rv == CKR_OK)
        rv = take_patience();
    if (rv != CKR_OK)
        return rv;
    if (TEEC_InitializeContext(NULL, &connection.context) != TEEC_SUCCESS)
        return CKR_DEVICE_ERROR;
    return open_session(&connection);
}

/* A session says where its context lies. */
void connection_end(struct connection *ended)
{
    ended->session.imp.ctx = &ended->context;
    TEEC_CloseSession(&ended->session);
    TEEC_FinalizeContext(&ended->context);
    memset(ended, 0, sizeof(*ended));
}

void connection_close(void)
{
    connection_end(&connection);
}

void connection_forget(void)
{
    memset(&connection, 0, sizeof(connection));
}

bool connection_can_come_back(void)
{
    return softee_is_lost != NULL && softee_reconnect != NULL;
}

bool connection_is_lost(void)
{
    return connection_can_come_back() && softee_is_lost(&connection.context);
}

int64_t connection_patience(void)
{
    return patience;
}

CK_RV connection_renew(const struct connection *old, struct connection *renewed)
{
    if (softee_reconnect(&old->context, &renewed->context) != TEEC_SUCCESS)
        return CKR_DEVICE_ERROR;
    return open_session(renewed);
}

struct connection connection_now(void)
{
    return connection;
}

void connection_use(const struct connection *renewed)
{
    connection = *renewed;
    connection.session.imp.ctx = &connection.context;
}

const volatile uint64_t *connection_counters(size_t *count)
{
    *count = 0;
    return softee_change_counters != NULL ? softee_change_counters(&connection.context, count) : NULL;
}

TEEC_Result connection_invoke(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    return TEEC_InvokeCommand(&connection.session, command, operation, origin);
}
