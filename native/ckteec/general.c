/* SPDX-License-Identifier: Apache-2.0 */
/* General-purpose functions (section 5.4). */
#include <stdbool.h>
#include <string.h>

#include "library.h"
#include "process.h"

static CK_RV check_arguments(const CK_C_INITIALIZE_ARGS *args)
{
    int callbacks = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) + (args->LockMutex != NULL) +
                    (args->UnlockMutex != NULL);

    if (args->pReserved != NULL || (callbacks != 0 && callbacks != 4))
        return CKR_ARGUMENTS_BAD;
    /* This library locks with the system's primitives alone. */
    return callbacks != 0 && (args->flags & CKF_OS_LOCKING_OK) == 0 ? CKR_CANT_LOCK : CKR_OK;
}

CK_ENTRY(C_Initialize);
CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
    CK_RV rv = pInitArgs != NULL ? check_arguments(pInitArgs) : CKR_OK;

    return rv == CKR_OK ? library_initialize() : rv;
}

CK_ENTRY(C_Finalize);
CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
    if (!library_is_initialized())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return pReserved == NULL ? library_finalize() : CKR_ARGUMENTS_BAD;
}

/* Blank-padded, without a terminating zero. */
static void set_text(CK_UTF8CHAR *field, size_t size, const char *text)
{
    memset(field, ' ', size);
    memcpy(field, text, strlen(text));
}

CK_RV get_info_of(CK_INFO_PTR pInfo, CK_VERSION version)
{
    if (!library_is_initialized())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (pInfo == NULL)
        return CKR_ARGUMENTS_BAD;
    *pInfo = (CK_INFO){.cryptokiVersion = version, .libraryVersion = {0, 1}};
    set_text(pInfo->manufacturerID, sizeof(pInfo->manufacturerID), "Linaro");
    set_text(pInfo->libraryDescription, sizeof(pInfo->libraryDescription), "OP-TEE PKCS11 Cryptoki library");
    return CKR_OK;
}

CK_ENTRY(C_GetInfo);
CK_RV C_GetInfo(CK_INFO_PTR pInfo)
{
    return get_info_of(pInfo, (CK_VERSION){CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR});
}
