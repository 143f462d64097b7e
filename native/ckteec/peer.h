/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the application at the other end, from C_Initialize to C_Finalize; each time it begins with nothing,
 * as does a child process. Any number of threads may ask and learn at the same time.
 *
 * Commands from 0x1000 on are not OP-TEE's, and OP-TEE's application has none of them. One is sent to find that out;
 * whoever invokes another gets the same answer, TEEC_ERROR_NOT_SUPPORTED, without asking.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <tee_client_api.h>

#include "library.h"

struct peer_version {
    uint32_t major;
    uint32_t minor;
    uint32_t patch;
};

/* Ask who is there. CKR_DEVICE_ERROR: no application that this library knows. */
CK_RV peer_meet(void);

/* The version that it told. */
struct peer_version peer_version(void);

/* It is known not to have a command. */
bool peer_lacks(uint32_t command);

/* Run a command of the application, unless it is known not to have it. */
TEEC_Result peer_invoke(uint32_t command, TEEC_Operation *operation, uint32_t *origin);

#endif
