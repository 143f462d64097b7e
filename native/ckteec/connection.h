/* SPDX-License-Identifier: Apache-2.0 */
/* The library's one session with the PKCS#11 application in the secure world. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <tee_client_api.h>

#include "library.h"

/*
 * Connect, and open a session as CKTEEC_LOGIN_TYPE (public, user, group) and CKTEEC_LOGIN_GID say. CKR_ARGUMENTS_BAD: a
 * variable's value makes no sense, or that of SOFTEE_RECONNECT_SECONDS. CKR_DEVICE_ERROR: nobody answers.
 */
CK_RV connection_open(void);
void connection_close(void);

/* In a child process: forget the parent's session, without a word to the secure world. */
void connection_forget(void);

/*
 * A connection to softee's secure world can be lost, when that is stopped, and made anew. It never is to a real OP-TEE,
 * which is there as long as the machine is; what fails there has failed, as it does in OP-TEE's library.
 */
bool connection_can_come_back(void);
bool connection_is_lost(void);

/* For how many nanoseconds a call waits for it, as SOFTEE_RECONNECT_SECONDS says. */
int64_t connection_patience(void);

struct connection {
    TEEC_Context context;
    TEEC_Session session;
};

/*
 * Connect anew to where a connection that was lost, `old`, had been, with a session as that one's. It takes its time,
 * and may be done while others call. CKR_DEVICE_ERROR: nobody answers.
 */
CK_RV connection_renew(const struct connection *old, struct connection *renewed);

/* The connection that calls go over, and another one in its place. Nobody calls meanwhile, of course. */
struct connection connection_now(void);
void connection_use(const struct connection *renewed);

/* Close one that no call goes over any more, or yet. */
void connection_end(struct connection *connection);

/* The secure world's change counters; NULL where there are none, as with a board's libteec. */
const volatile uint64_t *connection_counters(size_t *count);

/* Run a command of the application. */
TEEC_Result connection_invoke(uint32_t command, TEEC_Operation *operation, uint32_t *origin);

#endif
