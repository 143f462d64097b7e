/* SPDX-License-Identifier: Apache-2.0 */
/* The function list of PKCS#11 2.40, and the interface of 3.x that hands it out. */
#include <stdbool.h>
#include <string.h>

#include "library.h"

#define LOCAL_NAME(name, parameters) .name = name##_local,

static CK_FUNCTION_LIST function_list = {.version = {CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR},
                                         CK_FUNCTIONS(LOCAL_NAME)};

static CK_UTF8CHAR interface_name[] = "PKCS 11";

static CK_INTERFACE interface = {
    .pInterfaceName = interface_name,
    .pFunctionList = &function_list,
    .flags = 0, /* not CKF_INTERFACE_FORK_SAFE: a child has nothing of its parent's sessions */
};

CK_ENTRY(C_GetFunctionList);
CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    if (ppFunctionList == NULL)
        return CKR_ARGUMENTS_BAD;
    *ppFunctionList = &function_list;
    return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
    CK_ULONG capacity;

    if (pulCount == NULL)
        return CKR_ARGUMENTS_BAD;
    capacity = *pulCount;
    *pulCount = 1;
    if (pInterfacesList == NULL)
        return CKR_OK;
    if (capacity < 1)
        return CKR_BUFFER_TOO_SMALL;
    pInterfacesList[0] = interface;
    return CKR_OK;
}

static bool is_ours(const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags)
{
    return (name == NULL || strcmp((const char *)name, (const char *)interface_name) == 0) &&
           (version == NULL || memcmp(version, &function_list.version, sizeof(*version)) == 0) &&
           (flags & ~interface.flags) == 0;
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                     CK_FLAGS flags)
{
    if (ppInterface == NULL || !is_ours(pInterfaceName, pVersion, flags))
        return CKR_ARGUMENTS_BAD;
    *ppInterface = &interface;
    return CKR_OK;
}
