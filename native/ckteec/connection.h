/* SPDX-License-Identifier: Apache-2.0 */
/* The library's one session with the PKCS#11 application in the secure world. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <tee_client_api.h>

#include "library.h"

/*
 * Connect, and open a session as CKTEEC_LOGIN_TYPE (public, user, group) and CKTEEC_LOGIN_GID say. CKR_ARGUMENTS_BAD: a
 * variable's value makes no sense. CKR_DEVICE_ERROR: nobody answers.
 */
CK_RV connection_open(void);
void connection_close(void);

/* In a child process: forget the parent's session, without a word to the secure world. */
void connection_forget(void);

/* The secure world's change counters; NULL where there are none, as with a board's libteec. */
const volatile uint64_t *connection_counters(size_t *count);

/* Run a command of the application. */
TEEC_Result connection_invoke(uint32_t command, TEEC_Operation *operation, uint32_t *origin);

#endif
