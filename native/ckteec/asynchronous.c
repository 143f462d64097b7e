/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that go on after their return (3.2, section 5.21): no session here is asynchronous, so none has begun. */
#include <stddef.h>

#include "library.h"

/* Refuse a session that there is not, then the arguments, and then what no session can have. */
static CK_RV refuse(CK_SESSION_HANDLE session, const CK_UTF8CHAR *function, CK_RV refusal)
{
    CK_SESSION_INFO info;
    CK_RV rv = C_GetSessionInfo_local(session, &info);

    if (rv != CKR_OK)
        return rv;
    return function != NULL ? refusal : CKR_ARGUMENTS_BAD;
}

CK_RV C_AsyncComplete(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pFunctionName, CK_ASYNC_DATA_PTR pResult)
{
    (void)pResult;
    return refuse(hSession, pFunctionName, CKR_OPERATION_NOT_INITIALIZED);
}

CK_RV C_AsyncGetID(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pFunctionName, CK_ULONG_PTR pulID)
{
    (void)pulID;
    return refuse(hSession, pFunctionName, CKR_OPERATION_NOT_INITIALIZED);
}

CK_RV C_AsyncJoin(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pFunctionName, CK_ULONG ulID, CK_BYTE_PTR pData,
                  CK_ULONG ulData)
{
    (void)ulID;
    (void)pData;
    (void)ulData;
    return refuse(hSession, pFunctionName, CKR_SAVED_STATE_INVALID);
}
