/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The function lists of PKCS#11 2.40 to 3.2, and the interfaces that hand them out.
 *
 * Whoever asks for a version gets a list whose C_GetInfo tells that version. Whoever does not gets all functions, and
 * is told 2.40, as by C_GetFunctionList: programs that know no other version look at what C_GetInfo says, not at the
 * list.
 */
#include <stdbool.h>
#include <string.h>

#include "library.h"

#define LOCAL_NAME(name, parameters) .name = name##_local,
#define HIDDEN_NAME(name, parameters) .name = name,

#define FUNCTIONS_OF_3_0 CK_FUNCTIONS(LOCAL_NAME) CK_INTERFACE_FUNCTIONS(LOCAL_NAME) CK_FUNCTIONS_3_0(HIDDEN_NAME)
#define FUNCTIONS_OF_3_2 FUNCTIONS_OF_3_0 CK_FUNCTIONS_3_2(HIDDEN_NAME)

static CK_RV get_info_3_0(CK_INFO_PTR pInfo)
{
    return get_info_of(pInfo, (CK_VERSION){3, 0});
}

static CK_RV get_info_3_1(CK_INFO_PTR pInfo)
{
    return get_info_of(pInfo, (CK_VERSION){3, 1});
}

static CK_RV get_info_3_2(CK_INFO_PTR pInfo)
{
    return get_info_of(pInfo, (CK_VERSION){3, 2});
}

static CK_FUNCTION_LIST list_2_40 = {.version = {CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR},
                                     CK_FUNCTIONS(LOCAL_NAME)};
static CK_FUNCTION_LIST_3_2 list_of_all = {.version = {3, 2}, FUNCTIONS_OF_3_2};

/* In these, C_GetInfo is another one: the last initializer counts. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static CK_FUNCTION_LIST_3_0 list_3_0 = {.version = {3, 0}, FUNCTIONS_OF_3_0.C_GetInfo = get_info_3_0};
static CK_FUNCTION_LIST_3_0 list_3_1 = {.version = {3, 1}, FUNCTIONS_OF_3_0.C_GetInfo = get_info_3_1};
static CK_FUNCTION_LIST_3_2 list_3_2 = {.version = {3, 2}, FUNCTIONS_OF_3_2.C_GetInfo = get_info_3_2};
#pragma GCC diagnostic pop

static CK_UTF8CHAR interface_name[] = "PKCS 11";

/* Not CKF_INTERFACE_FORK_SAFE: a child has nothing of its parent's sessions. */
#define INTERFACE(list) {.pInterfaceName = interface_name, .pFunctionList = &(list), .flags = 0}

static CK_INTERFACE interfaces[] = {INTERFACE(list_3_2), INTERFACE(list_3_1), INTERFACE(list_3_0),
                                    INTERFACE(list_2_40)};
static CK_INTERFACE interface_of_all = INTERFACE(list_of_all);

#define INTERFACES (sizeof(interfaces) / sizeof(interfaces[0]))

CK_ENTRY(C_GetFunctionList);
CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    if (ppFunctionList == NULL)
        return CKR_ARGUMENTS_BAD;
    *ppFunctionList = &list_2_40;
    return CKR_OK;
}

CK_ENTRY(C_GetInterfaceList);
CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
    CK_ULONG capacity;

    if (pulCount == NULL)
        return CKR_ARGUMENTS_BAD;
    capacity = *pulCount;
    *pulCount = INTERFACES;
    if (pInterfacesList == NULL)
        return CKR_OK;
    if (capacity < INTERFACES)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(pInterfacesList, interfaces, sizeof(interfaces));
    return CKR_OK;
}

/* Every list begins with its version. */
static bool has_version(const CK_INTERFACE *interface, const CK_VERSION *version)
{
    return memcmp(interface->pFunctionList, version, sizeof(*version)) == 0;
}

static CK_INTERFACE *interface_with(const CK_VERSION *version)
{
    if (version == NULL)
        return &interface_of_all;
    for (size_t i = 0; i < INTERFACES; i++) {
        if (has_version(&interfaces[i], version))
            return &interfaces[i];
    }
    return NULL;
}

CK_ENTRY(C_GetInterface);
CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                     CK_FLAGS flags)
{
    bool is_ours = pInterfaceName == NULL || strcmp((const char *)pInterfaceName, (const char *)interface_name) == 0;
    CK_INTERFACE *interface = is_ours && flags == 0 ? interface_with(pVersion) : NULL;

    if (ppInterface == NULL || interface == NULL)
        return CKR_ARGUMENTS_BAD;
    *ppInterface = interface;
    return CKR_OK;
}
