/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libteec.so.2 has beyond the standard. OP-TEE's extensions, for which it uses the same name of a header, are
 * declared together with the standard's functions.
 */
#ifndef TEE_CLIENT_API_EXTENSIONS_H
#define TEE_CLIENT_API_EXTENSIONS_H

#include <stdbool.h>
#include <tee_client_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * softee's. The change counters of the secure world that a context is connected to, until it is finalized: as long as
 * one of them stands still, nothing has changed of what the application says it counts. NULL, and a count of 0: there
 * are none. Only their being equal to an earlier value means anything. A board's libteec has no such function.
 */
const volatile uint64_t *softee_change_counters(const TEEC_Context *context, size_t *count);

/*
 * softee's. Make a context anew that has lost its secure world: connected to the same socket, which is not looked for
 * again. The old one stays until it is finalized. Results: those of TEEC_InitializeContext. A board's libteec has no
 * such function; a context there is not lost.
 */
TEEC_Result softee_reconnect(const TEEC_Context *lost, TEEC_Context *context);

/* softee's. Whether a context has lost its secure world, which ends all its sessions. */
bool softee_is_lost(const TEEC_Context *context);

#ifdef __cplusplus
}
#endif

#endif
