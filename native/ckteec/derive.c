/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_DeriveKey (section 5.18.5). Most mechanisms answer a handle. Those of TLS 1.2 also write into their parameter:
 * handles of further keys, initialization vectors, a version. For these there is a command of ours, whose answer is the
 * handles, one after the other, and then the bytes; OP-TEE's application has neither it nor them.
 */
#include <string.h>

#include "command.h"
#include "mechanism.h"
#include "output.h"
#include "reader.h"
#include "template.h"

#define HANDLES 4
#define LARGEST_VECTOR 64
#define LARGEST_ANSWER (HANDLES * sizeof(uint32_t) + 2 * LARGEST_VECTOR)

/* Where the answer goes: handles in turn, then one or two pieces of as many bytes. */
struct answer {
    CK_OBJECT_HANDLE_PTR handles[HANDLES];
    size_t count;
    void *pieces[2];
    size_t piece_size;
};

static void expect_master(struct answer *answer, CK_OBJECT_HANDLE_PTR key, CK_VERSION_PTR version)
{
    answer->handles[0] = key;
    answer->count = 1;
    answer->pieces[0] = version;
    answer->piece_size = version != NULL ? sizeof(*version) : 0;
}

static bool expect_key_block(struct answer *answer, const CK_TLS12_KEY_MAT_PARAMS *params, bool vectors)
{
    const CK_ULONG size = vectors ? params->ulIVSizeInBits / 8 : 0;
    CK_SSL3_KEY_MAT_OUT *out = params->pReturnedKeyMaterial;

    if (out == NULL || size > LARGEST_VECTOR || (size > 0 && (out->pIVClient == NULL || out->pIVServer == NULL)))
        return false;
    *answer = (struct answer){
        .handles = {&out->hClientMacSecret, &out->hServerMacSecret, &out->hClientKey, &out->hServerKey},
        .count = HANDLES,
        .pieces = {out->pIVClient, out->pIVServer},
        .piece_size = size,
    };
    return true;
}

static bool answers_more(const CK_MECHANISM *mechanism)
{
    switch (mechanism != NULL ? mechanism->mechanism : 0) {
    case CKM_TLS12_MASTER_KEY_DERIVE:
    case CKM_TLS12_MASTER_KEY_DERIVE_DH:
    case CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE:
    case CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH:
    case CKM_TLS12_KEY_AND_MAC_DERIVE:
    case CKM_TLS12_KEY_SAFE_DERIVE:
        return true;
    default:
        return false;
    }
}

/* Find out what comes. The parameter has the size of its structure: put_mechanism() has looked. */
static CK_RV expect(struct answer *answer, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE_PTR key)
{
    const void *params = mechanism->pParameter;
    const bool vectors = mechanism->mechanism == CKM_TLS12_KEY_AND_MAC_DERIVE;

    if (vectors || mechanism->mechanism == CKM_TLS12_KEY_SAFE_DERIVE)
        return expect_key_block(answer, params, vectors) ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
    if (key == NULL)
        return CKR_ARGUMENTS_BAD;
    if (mechanism->mechanism == CKM_TLS12_MASTER_KEY_DERIVE || mechanism->mechanism == CKM_TLS12_MASTER_KEY_DERIVE_DH)
        expect_master(answer, key, ((const CK_TLS12_MASTER_KEY_DERIVE_PARAMS *)params)->pVersion);
    else
        expect_master(answer, key, ((const CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS *)params)->pVersion);
    return CKR_OK;
}

static size_t answer_size(const struct answer *answer)
{
    size_t size = answer->count * sizeof(uint32_t);

    for (size_t i = 0; i < 2; i++)
        size += answer->pieces[i] != NULL ? answer->piece_size : 0;
    return size;
}

static void give(const struct answer *answer, const uint8_t *received)
{
    for (size_t i = 0; i < answer->count; i++, received += sizeof(uint32_t))
        *answer->handles[i] = u32_at(received);
    for (size_t i = 0; i < 2 && answer->piece_size > 0 && answer->pieces[i] != NULL; i++) {
        memcpy(answer->pieces[i], received, answer->piece_size);
        received += answer->piece_size;
    }
}

static CK_RV derive_more(struct command *command, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE_PTR key)
{
    struct answer answer = {.count = 0};
    uint8_t received[LARGEST_ANSWER] = {0};
    CK_RV rv;

    if (command->control.error == CKR_OK) {
        rv = expect(&answer, mechanism, key);
        if (rv != CKR_OK)
            buffer_refuse(&command->control, rv);
    }
    command_output(command, received, answer_size(&answer));
    command->handles = (uint32_t)answer.count;
    rv = command_end(command);
    if (rv == CKR_OK)
        give(&answer, received);
    return rv == CKR_FUNCTION_NOT_SUPPORTED ? CKR_MECHANISM_INVALID : rv;
}

CK_ENTRY(C_DeriveKey);
CK_RV C_DeriveKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hBaseKey,
                  CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phKey)
{
    const bool more = answers_more(pMechanism);
    struct command command;

    command_begin_in_session(&command, more ? TA_DERIVE_KEYS : TA_DERIVE_KEY, hSession);
    put_ulong(&command.control, hBaseKey, CKR_KEY_HANDLE_INVALID);
    put_mechanism(&command.control, pMechanism);
    put_template(&command.control, pTemplate, ulCount);
    return more ? derive_more(&command, pMechanism, phKey) : output_handle_end(&command, phKey);
}
