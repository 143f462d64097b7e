/* SPDX-License-Identifier: Apache-2.0 */
/* C_DeriveKey where the answer is more than a handle: with an application that has the command, and with OP-TEE's. */
#include "../ckteec/command.h"
#include "../fuzz/input.h"
#include "ckteec_fake/fake_teec.h"

#include <stdio.h>
#include <string.h>

#define HANDLES 4
#define UNTOUCHED 0x77

static bool lacks;
static size_t short_by;
static unsigned int asked;
static size_t room;

static TEEC_Result answer(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    TEEC_TempMemoryReference *output = &operation->params[2].tmpref;
    uint8_t *bytes = output->buffer;

    *origin = TEEC_ORIGIN_TRUSTED_APP;
    asked++;
    if (command != TA_DERIVE_KEYS || lacks)
        return TEEC_ERROR_NOT_SUPPORTED;
    room = output->size;
    output->size -= short_by;
    for (size_t i = 0; i < output->size; i++)
        bytes[i] = (uint8_t)i;
    memset(operation->params[0].tmpref.buffer, 0, sizeof(uint32_t));
    operation->params[0].tmpref.size = sizeof(uint32_t);
    return TEEC_SUCCESS;
}

static CK_BYTE random_bytes[32];
static CK_BYTE client_iv[64], server_iv[64];
static CK_SSL3_KEY_MAT_OUT out;
static CK_TLS12_KEY_MAT_PARAMS block;
static CK_VERSION version;
static CK_TLS12_MASTER_KEY_DERIVE_PARAMS master;
static CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS extended;
static CK_OBJECT_HANDLE key;

static void reset(void)
{
    const CK_SSL3_RANDOM_DATA randoms = {random_bytes, sizeof(random_bytes), random_bytes, sizeof(random_bytes)};

    memset(client_iv, UNTOUCHED, sizeof(client_iv));
    memset(server_iv, UNTOUCHED, sizeof(server_iv));
    out = (CK_SSL3_KEY_MAT_OUT){9, 9, 9, 9, client_iv, server_iv};
    block = (CK_TLS12_KEY_MAT_PARAMS){160, 128, 32, CK_FALSE, randoms, &out, CKM_SHA256};
    version = (CK_VERSION){UNTOUCHED, UNTOUCHED};
    master = (CK_TLS12_MASTER_KEY_DERIVE_PARAMS){randoms, &version, CKM_SHA256};
    extended = (CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS){CKM_SHA256, random_bytes, sizeof(random_bytes), &version};
    key = 9;
    asked = 0;
}

static CK_RV derive(CK_MECHANISM_TYPE type, void *parameter, CK_ULONG size, CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM mechanism = {type, parameter, size};

    return C_DeriveKey(1, &mechanism, 2, NULL, 0, made);
}

static CK_RV derive_block(CK_MECHANISM_TYPE type)
{
    return derive(type, &block, sizeof(block), NULL);
}

static CK_RV derive_master(CK_OBJECT_HANDLE_PTR made)
{
    return derive(CKM_TLS12_MASTER_KEY_DERIVE, &master, sizeof(master), made);
}

static bool nothing_came(void)
{
    return out.hClientMacSecret == 9 && out.hServerKey == 9 && client_iv[0] == UNTOUCHED && server_iv[0] == UNTOUCHED &&
           version.major == UNTOUCHED && key == 9;
}

static void refused(CK_RV rv, CK_RV expected)
{
    require(rv == expected && asked == 0 && nothing_came());
    reset();
}

static void handles_and_vectors_come_into_their_places(void)
{
    const CK_BYTE client[] = {16, 17, 18, 19, UNTOUCHED}, server[] = {20, 21, 22, 23, UNTOUCHED};

    reset();
    require(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE) == CKR_OK && room == 24);
    require(out.hClientMacSecret == 0x03020100 && out.hServerMacSecret == 0x07060504);
    require(out.hClientKey == 0x0B0A0908 && out.hServerKey == 0x0F0E0D0C);
    require(memcmp(client_iv, client, sizeof(client)) == 0 && memcmp(server_iv, server, sizeof(server)) == 0);
}

static void the_largest_vectors_have_room(void)
{
    reset();
    block.ulIVSizeInBits = 8 * sizeof(client_iv);
    require(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE) == CKR_OK && room == 16 + 128);
    require(client_iv[63] == 16 + 63 && server_iv[63] == 16 + 127);
}

static void no_vectors_come_where_none_are_asked_for(void)
{
    reset();
    require(derive_block(CKM_TLS12_KEY_SAFE_DERIVE) == CKR_OK && room == 16);
    require(out.hServerKey == 0x0F0E0D0C && client_iv[0] == UNTOUCHED && server_iv[0] == UNTOUCHED);
    reset();
    out.pIVClient = out.pIVServer = NULL;
    block.ulIVSizeInBits = 0;
    require(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE) == CKR_OK && room == 16);
}

static void the_version_comes_where_there_is_a_place_for_it(void)
{
    reset();
    require(derive_master(&key) == CKR_OK && room == 6 && key == 0x03020100);
    require(version.major == 4 && version.minor == 5);
    reset();
    master.pVersion = NULL;
    require(derive_master(&key) == CKR_OK && room == 4 && key == 0x03020100);
    reset();
    require(derive(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, &extended, sizeof(extended), &key) == CKR_OK && room == 6);
    require(version.major == 4 && version.minor == 5);
}

static void what_has_no_place_for_an_answer_is_not_sent(void)
{
    reset();
    block.pReturnedKeyMaterial = NULL;
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    out.pIVClient = NULL;
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    out.pIVServer = NULL;
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    block.ulIVSizeInBits = 8 * (sizeof(client_iv) + 1);
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    refused(derive_master(NULL), CKR_ARGUMENTS_BAD);
}

static void attack_parameters_that_are_none(void)
{
    reset();
    block.ulIVSizeInBits = ~0UL;
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    block.ulMacSizeInBits = 1UL << 32;
    refused(derive_block(CKM_TLS12_KEY_SAFE_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    block.RandomInfo.pClientRandom = NULL;
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    block.RandomInfo.ulServerRandomLen = (1UL << 32) + 32;
    refused(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE), CKR_MECHANISM_PARAM_INVALID);
    master.RandomInfo.pServerRandom = NULL;
    refused(derive_master(&key), CKR_MECHANISM_PARAM_INVALID);
    extended.pSessionHash = NULL;
    refused(derive(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, &extended, sizeof(extended), &key),
            CKR_MECHANISM_PARAM_INVALID);
    refused(derive(CKM_TLS12_KEY_AND_MAC_DERIVE, NULL, 0, NULL), CKR_MECHANISM_PARAM_INVALID);
    refused(derive(CKM_TLS12_KEY_AND_MAC_DERIVE, &block, sizeof(block) - 1, NULL), CKR_MECHANISM_PARAM_INVALID);
    refused(derive(CKM_TLS12_MASTER_KEY_DERIVE, NULL, sizeof(master), &key), CKR_MECHANISM_PARAM_INVALID);
}

static void an_answer_that_is_too_short_is_none(void)
{
    for (short_by = 1; short_by <= 24; short_by++) {
        reset();
        require(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE) == CKR_DEVICE_ERROR && nothing_came());
    }
    short_by = 0;
}

static void op_tee_s_application_has_no_such_mechanism(void)
{
    lacks = true;
    reset();
    require(derive_block(CKM_TLS12_KEY_AND_MAC_DERIVE) == CKR_MECHANISM_INVALID);
    require(derive_block(CKM_TLS12_KEY_SAFE_DERIVE) == CKR_MECHANISM_INVALID);
    require(derive_master(&key) == CKR_MECHANISM_INVALID);
    require(asked == 1 && nothing_came());
}

int main(void)
{
    fake_teec_set_handler(answer);
    require(C_Initialize(NULL) == CKR_OK);
    handles_and_vectors_come_into_their_places();
    the_largest_vectors_have_room();
    no_vectors_come_where_none_are_asked_for();
    the_version_comes_where_there_is_a_place_for_it();
    what_has_no_place_for_an_answer_is_not_sent();
    attack_parameters_that_are_none();
    an_answer_that_is_too_short_is_none();
    op_tee_s_application_has_no_such_mechanism();
    require(C_Finalize(NULL) == CKR_OK);
    puts("good");
    return 0;
}
