/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked with both static archives and nothing else: signs with the first private key of slot 0, and then asks in a
 * child, which has nothing of its parent's. Argument: the user's PIN.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11.h"

static int failed(const char *what, CK_RV rv)
{
    printf("%s: %#lx\n", what, rv);
    return 1;
}

static CK_RV find_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *key)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &private_key, sizeof(private_key)};
    CK_ULONG count = 0;
    CK_RV rv = C_FindObjectsInit(session, &wanted, 1);

    if (rv == CKR_OK)
        rv = C_FindObjects(session, key, 1, &count);
    if (rv == CKR_OK)
        rv = C_FindObjectsFinal(session);
    return rv == CKR_OK && count == 0 ? CKR_KEY_HANDLE_INVALID : rv;
}

static CK_RV sign(CK_SESSION_HANDLE session)
{
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {0};
    CK_BYTE signature[64];
    CK_ULONG size = sizeof(signature);
    CK_OBJECT_HANDLE key;
    CK_RV rv = find_key(session, &key);

    if (rv == CKR_OK)
        rv = C_SignInit(session, &ecdsa, key);
    return rv == CKR_OK ? C_Sign(session, digest, sizeof(digest), signature, &size) : rv;
}

/* Returns the exit status: 0 where the library has noticed that this is a child, and begins anew. */
static int be_a_child(CK_SESSION_HANDLE session)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = sizeof(slots) / sizeof(slots[0]);

    if (sign(session) != CKR_CRYPTOKI_NOT_INITIALIZED || C_Initialize(NULL) != CKR_OK)
        return 1;
    return C_GetSlotList(CK_FALSE, slots, &count) == CKR_OK && count > 0 ? 0 : 1;
}

static int child_is_apart(CK_SESSION_HANDLE session)
{
    int status = 1;
    pid_t child = fork();

    if (child == 0)
        _exit(be_a_child(session));
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int count, char **arguments)
{
    CK_SESSION_HANDLE session;
    CK_RV rv;

    if (count != 2)
        return 2;
    rv = C_Initialize(NULL);
    if (rv != CKR_OK)
        return failed("C_Initialize", rv);
    rv = C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return failed("C_OpenSession", rv);
    rv = C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)arguments[1], strlen(arguments[1]));
    if (rv != CKR_OK)
        return failed("C_Login", rv);
    rv = sign(session);
    if (rv != CKR_OK)
        return failed("C_Sign", rv);
    puts("signed");
    puts(child_is_apart(session) ? "the child is apart" : "the child has something of its parent's");
    rv = sign(session);
    if (rv != CKR_OK)
        return failed("C_Sign", rv);
    puts("signed");
    return C_Finalize(NULL) == CKR_OK ? 0 : 1;
}
