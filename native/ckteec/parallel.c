/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that run beside their caller (section 5.16): no token has them any more. */
#include "process.h"

static CK_RV refuse(void)
{
    return library_is_initialized() ? CKR_FUNCTION_NOT_PARALLEL : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_ENTRY(C_GetFunctionStatus);
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE hSession)
{
    (void)hSession;
    return refuse();
}

CK_ENTRY(C_CancelFunction);
CK_RV C_CancelFunction(CK_SESSION_HANDLE hSession)
{
    (void)hSession;
    return refuse();
}
