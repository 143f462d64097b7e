/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: whatever the secure world answers, and whatever the system refuses, a C_* function returns, writes nothing
 * outside the application's buffers, leaves no memory behind, with CKR_OK tells no size that is larger than they are,
 * and gives no return value that is neither the secure world's nor one of the library's own.
 *
 * The input begins with the seed of the faults (u16; 0: none) and a byte that chooses the function; then come what the
 * application asks for and what the fake libteec answers to each command.
 */
#include "blocks.h"
#include "faults.h"
#include "input.h"

#include "../ckteec/commands.gen.h"
#include "../ckteec/known_attributes.h"
#include "../tests/ckteec_fake/fake_teec.h"
#include "bytes.h"
#include "pkcs11.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SESSION 1
#define OBJECT 2
#define OBJECTS 4 /* their handles are below */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input input;

static volatile uint64_t counters[2]; /* that the secure world shows */

/* The statuses that the secure world has given in this run, each once: another one takes five bytes of the input. */
#define TOLD_MAX 1024

static CK_RV told[TOLD_MAX];
static size_t told_count;

static const CK_RV own_values[] = {
    CKR_OK,
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_TYPE_INVALID, /* of what was told ahead */
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_BUFFER_TOO_SMALL,
    CKR_CANT_LOCK,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_HOST_MEMORY,
    CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_SESSION_HANDLE_INVALID,
    CKR_USER_NOT_LOGGED_IN, /* of what has ended with a secure world that is gone */
};

static bool has(const CK_RV *list, size_t count, CK_RV rv)
{
    while (count > 0)
        if (list[--count] == rv)
            return true;
    return false;
}

static void note_told(CK_RV status)
{
    if (has(told, told_count, status))
        return;
    require(told_count < TOLD_MAX);
    told[told_count++] = status;
}

/* The return value, if it is the library's own or the secure world's. */
static CK_RV require_sane(CK_RV rv)
{
    require(has(own_values, COUNT(own_values), rv) || has(told, told_count, rv));
    return rv;
}

#include "answers.h"

#include "again_calls.h"
#include "modern_calls.h"

#include "lost_calls.h"

typedef CK_RV list_call(CK_ULONG *list, CK_ULONG *count);

static CK_RV slot_list(CK_ULONG *list, CK_ULONG *count)
{
    return C_GetSlotList(CK_FALSE, list, count);
}

static CK_RV mechanism_list(CK_ULONG *list, CK_ULONG *count)
{
    return C_GetMechanismList(0, list, count);
}

static CK_RV find_objects(CK_ULONG *list, CK_ULONG *count)
{
    return C_FindObjects(SESSION, list, *count, count);
}

static list_call *const list_calls[] = {slot_list, mechanism_list, find_objects};

static void call_list(void)
{
    list_call *call = list_calls[take_u8(&input) % COUNT(list_calls)];
    const CK_ULONG capacity = take_u8(&input);
    CK_ULONG *list = capacity % 8 ? application_block(capacity * sizeof(*list)) : NULL;
    CK_ULONG count = capacity;

    require(require_sane(call(list, &count)) != CKR_OK || list == NULL || count <= capacity);
}

static CK_RV (*const process_calls[])(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *) = {
    C_Encrypt, C_VerifyRecover, C_SignEncryptUpdate, C_DecryptDigestUpdate};

static CK_RV process(CK_BYTE *output, CK_ULONG *size)
{
    CK_BYTE data[] = "data";

    return process_calls[take_u8(&input) % COUNT(process_calls)](SESSION, data, sizeof(data), output, size);
}

static CK_RV sign_final(CK_BYTE *output, CK_ULONG *size)
{
    return C_SignFinal(SESSION, output, size);
}

static CK_RV wrap(CK_BYTE *output, CK_ULONG *size)
{
    CK_MECHANISM mechanism = {CKM_AES_ECB, NULL, 0};

    return C_WrapKey(SESSION, &mechanism, OBJECT, OBJECT, output, size);
}

static CK_RV random_bytes(CK_BYTE *output, CK_ULONG *size)
{
    return C_GenerateRandom(SESSION, output, output != NULL ? *size : 0);
}

typedef CK_RV bytes_call(CK_BYTE *output, CK_ULONG *size);

static bytes_call *const bytes_calls[] = {process, sign_final,         wrap,        random_bytes,
                                          message, wrap_authenticated, encapsulate, sign_message};

static void call_bytes(void)
{
    bytes_call *call = bytes_calls[take_u8(&input) % COUNT(bytes_calls)];
    const CK_ULONG capacity = take_u16(&input);
    CK_BYTE *output = capacity % 8 ? application_block(capacity) : NULL;
    CK_ULONG size = capacity;

    require(require_sane(call(output, &size)) != CKR_OK || output == NULL || size <= capacity);
}

static void call_structures(void)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_SLOT_INFO *slot = application_block(sizeof(*slot));
    CK_TOKEN_INFO *token = application_block(sizeof(*token));
    CK_SESSION_INFO *session = application_block(sizeof(*session));
    CK_MECHANISM_INFO *about = application_block(sizeof(*about));
    CK_ULONG *numbers = application_block(2 * sizeof(*numbers));

    require_sane(C_GetSlotInfo(0, slot));
    require_sane(C_GetTokenInfo(0, token));
    require_sane(C_GetSessionInfo(SESSION, session));
    require_sane(C_GetMechanismInfo(0, CKM_ECDSA, about));
    require_sane(C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, numbers));
    require_sane(C_GetObjectSize(SESSION, OBJECT, numbers));
    require_sane(C_GenerateKeyPair(SESSION, &mechanism, NULL, 0, NULL, 0, numbers, numbers + 1));
    call_modern_structures(numbers);
}

#define ATTRIBUTES_MAX 6
#define INNER_MAX 3
#define DEPTH_MAX 3

static void make_attribute(CK_ATTRIBUTE *attribute, unsigned int depth);

static void make_template(CK_ATTRIBUTE *attribute, unsigned int depth)
{
    const size_t count = take_u8(&input) % (INNER_MAX + 1);
    CK_ATTRIBUTE *inner = application_block(count * sizeof(*inner));

    for (size_t i = 0; i < count; i++)
        make_attribute(&inner[i], depth + 1);
    attribute->pValue = inner;
    attribute->ulValueLen = count * sizeof(*inner);
}

/* An attribute with a buffer of some size, or none. A template's buffer holds attributes, of any type. */
static void make_attribute(CK_ATTRIBUTE *attribute, unsigned int depth)
{
    const uint8_t room = take_u8(&input);

    attribute->type = types[take_u8(&input) % COUNT(types)];
    attribute->pValue = NULL;
    attribute->ulValueLen = 0;
    if (room % 4 == 0)
        return;
    if (attribute->type == CKA_WRAP_TEMPLATE && depth < DEPTH_MAX) {
        make_template(attribute, depth);
    } else if (attribute->type != CKA_WRAP_TEMPLATE && attribute->type != CKA_UNWRAP_TEMPLATE) {
        attribute->ulValueLen = room;
        attribute->pValue = application_block(room);
    }
}

static void call_get_attribute_value(void)
{
    const size_t count = take_u8(&input) % (ATTRIBUTES_MAX + 1);
    CK_ATTRIBUTE *attributes = application_block(count * sizeof(*attributes));
    CK_ATTRIBUTE made[ATTRIBUTES_MAX];

    for (size_t i = 0; i < count; i++) {
        make_attribute(&attributes[i], 0);
        made[i] = attributes[i];
    }
    require_sane(C_GetAttributeValue(SESSION, OBJECT, attributes, count));
    for (size_t i = 0; i < count; i++)
        require(made[i].pValue == NULL || attributes[i].ulValueLen <= made[i].ulValueLen ||
                attributes[i].ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

/* Requests that may grow large. */
static void call_with_template(void)
{
    const size_t count = take_u8(&input) % (ATTRIBUTES_MAX + 1);
    CK_ATTRIBUTE *attributes = application_block(count * sizeof(*attributes));
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE *handle = application_block(sizeof(*handle));

    for (size_t i = 0; i < count; i++)
        make_attribute(&attributes[i], 0);
    require_sane(C_FindObjectsInit(SESSION, attributes, count));
    require_sane(C_CreateObject(SESSION, attributes, count, handle));
    require_sane(C_GenerateKey(SESSION, &mechanism, attributes, count, handle));
}

#include "ahead_calls.h"
#include "derive_calls.h"

static void (*const calls[])(void) = {
    call_list, call_bytes, call_structures, call_get_attribute_value, call_with_template, call_derive,
};

/* Where the secure world shows changes: what the last bytes choose. */
static void (*const special[])(void) = {
    call_one_object_after_the_other,
    call_while_it_comes_and_goes,
    call_again_and_again,
};

#define SPECIAL (UINT8_MAX + 1 - COUNT(special))

/* Once, before anything has been allowed: what the library has for the whole process cannot be had. */
static void begin_without_anything(void)
{
    static bool begun;

    if (begun)
        return;
    begun = true;
    fake_teec_set_handler(answer_unless_lost);
    require(setenv("SOFTEE_RECONNECT_SECONDS", "0", 1) == 0);
    faults_begin_always();
    require(C_Initialize(NULL) == CKR_HOST_MEMORY && C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED);
    faults_end();
}

/* The fake libteec may fail to connect, too, or find somebody whom the library does not know. */
static CK_RV initialize(void)
{
    fake_teec.initialize_result = fault() ? TEEC_ERROR_COMMUNICATION : TEEC_SUCCESS;
    fake_teec.open_result = fault() ? TEEC_ERROR_OUT_OF_MEMORY : TEEC_SUCCESS;
    fake_teec.version_major = fault() ? UINT32_MAX : 1;
    return C_Initialize(NULL);
}

static void use(void)
{
    const uint8_t choice = take_u8(&input);
    CK_RV rv;

    current = 0;
    gone = -1;
    fake_teec.counters = choice >= SPECIAL ? counters : NULL;
    fake_teec.counter_count = COUNT(counters);
    rv = require_sane(initialize());
    if (rv == CKR_OK)
        (choice >= SPECIAL ? special[choice - SPECIAL] : calls[choice % COUNT(calls)])();
    if (rv == CKR_OK && require_sane(C_Finalize(NULL)) == CKR_OK)
        rv = CKR_CRYPTOKI_NOT_INITIALIZED;
    faults_end();
    require(C_Finalize(NULL) == (rv == CKR_OK ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED));
    require(fake_teec.contexts_opened == fake_teec.contexts_closed);
    require(fake_teec.sessions_opened == fake_teec.sessions_closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin_without_anything();
    input = (struct input){data, size};
    told_count = 0;
    faults_begin(take_u16(&input));
    use();
    free_blocks();
    return 0;
}
