/* SPDX-License-Identifier: Apache-2.0 */
/* OP-TEE's name for the header of its extensions; here they are declared together with the standard's functions. */
#ifndef TEE_CLIENT_API_EXTENSIONS_H
#define TEE_CLIENT_API_EXTENSIONS_H

#include <tee_client_api.h>

#endif
