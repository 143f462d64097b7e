/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dual-function updates (section 5.13): a part goes to two operations of a session, by OP-TEE's command for each.
 *
 * The operation that gives bytes comes first: where it gives none, because it fails or its buffer is too small or not
 * there, the other one gets nothing, and the call can be made again. Where the other one then refuses the part, the
 * first one, which has taken it, ends too: it would take the part twice.
 */
#include "command.h"

typedef CK_RV update_function(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG length);

/* End the operation that `number` goes on with; the answer is `rv`, which made it necessary. */
static CK_RV abandon(enum ta_command number, CK_SESSION_HANDLE session, CK_RV rv)
{
    struct command release;

    command_begin_in_session(&release, TA_RELEASE_ACTIVE_PROCESSING, session);
    put_u32(&release.control, number);
    command_end(&release);
    return rv;
}

static CK_RV encrypt_and(update_function *update, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG length,
                         CK_BYTE_PTR output, CK_ULONG_PTR output_length)
{
    struct buffer plain; /* the application may want the output in the part's place */
    CK_RV rv;

    buffer_init(&plain);
    if (part != NULL && output != NULL)
        put_bytes(&plain, part, length);
    if (plain.error != CKR_OK)
        return abandon(TA_ENCRYPT_UPDATE, session, plain.error);
    rv = C_EncryptUpdate_local(session, part, length, output, output_length);
    if (rv == CKR_OK && output != NULL) {
        rv = update(session, plain.bytes, plain.size);
        if (rv != CKR_OK)
            abandon(TA_ENCRYPT_UPDATE, session, rv);
    }
    buffer_release(&plain);
    return rv;
}

static CK_RV decrypt_and(update_function *update, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG length,
                         CK_BYTE_PTR output, CK_ULONG_PTR output_length)
{
    CK_RV rv = C_DecryptUpdate_local(session, part, length, output, output_length);

    if (rv != CKR_OK || output == NULL)
        return rv;
    rv = update(session, output, *output_length);
    return rv == CKR_OK ? rv : abandon(TA_DECRYPT_UPDATE, session, rv);
}

CK_ENTRY(C_DigestEncryptUpdate);
CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                            CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
    return encrypt_and(C_DigestUpdate_local, hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen);
}

CK_ENTRY(C_DecryptDigestUpdate);
CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
                            CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    return decrypt_and(C_DigestUpdate_local, hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen);
}

CK_ENTRY(C_SignEncryptUpdate);
CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
                          CK_ULONG_PTR pulEncryptedPartLen)
{
    return encrypt_and(C_SignUpdate_local, hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen);
}

CK_ENTRY(C_DecryptVerifyUpdate);
CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
                            CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
    return decrypt_and(C_VerifyUpdate_local, hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen);
}
