/* SPDX-License-Identifier: Apache-2.0 */
/* The structures of messages' parameters, in a table. */
#include "message.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "output.h"
#include "reader.h"

/* More than any secure world takes. */
#define LONGEST_TAG 16
#define LONGEST_NONCE 4096

#define NO_MEMBER SIZE_MAX

struct kind {
    CK_MECHANISM_TYPE type;
    size_t size; /* another one for each kind */
    size_t nonce;
    size_t nonce_length;
    bool nonce_in_bits; /* or in bytes, as its size tells */
    size_t generator;   /* NO_MEMBER: the nonce is the caller's */
    size_t tag;
    size_t tag_length; /* NO_MEMBER: the longest */
    CK_ULONG tag_unit; /* how much of `tag_length` makes a byte */
};

#define AT(member) offsetof(KIND, member)

static const struct kind kinds[] = {
#define KIND CK_GCM_MESSAGE_PARAMS
    {CKM_AES_GCM, sizeof(KIND), AT(pIv), AT(ulIvLen), false, AT(ivGenerator), AT(pTag), AT(ulTagBits), CHAR_BIT},
#undef KIND
#define KIND CK_CCM_MESSAGE_PARAMS
    {CKM_AES_CCM, sizeof(KIND), AT(pNonce), AT(ulNonceLen), false, AT(nonceGenerator), AT(pMAC), AT(ulMACLen), 1},
#undef KIND
#define KIND CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS
    {CKM_CHACHA20_POLY1305, sizeof(KIND), AT(pNonce), AT(ulNonceLen), true, NO_MEMBER, AT(pTag), NO_MEMBER, 1},
#undef KIND
};
_Static_assert(sizeof(CK_GCM_MESSAGE_PARAMS) != sizeof(CK_CCM_MESSAGE_PARAMS) &&
                   sizeof(CK_CCM_MESSAGE_PARAMS) != sizeof(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS) &&
                   sizeof(CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS) != sizeof(CK_GCM_MESSAGE_PARAMS),
               "their sizes tell them apart");

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *kind_of_size(CK_ULONG size)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].size == size)
            return &kinds[i];
    }
    return NULL;
}

static CK_BYTE_PTR pointer_at(const CK_BYTE *structure, size_t offset)
{
    CK_BYTE_PTR pointer;

    memcpy(&pointer, structure + offset, sizeof(pointer));
    return pointer;
}

static CK_ULONG number_at(const CK_BYTE *structure, size_t offset)
{
    CK_ULONG number;

    memcpy(&number, structure + offset, sizeof(number));
    return number;
}

static size_t nonce_size(const CK_BYTE *structure, const struct kind *kind)
{
    CK_ULONG length = number_at(structure, kind->nonce_length);

    return kind->nonce_in_bits && length >= LEAST_BITS ? length / CHAR_BIT : length;
}

static bool makes_nonce(const CK_BYTE *structure, const struct kind *kind)
{
    return kind->generator != NO_MEMBER && number_at(structure, kind->generator) != CKG_NO_GENERATE;
}

static size_t tag_size(const CK_BYTE *structure, const struct kind *kind)
{
    return kind->tag_length != NO_MEMBER ? number_at(structure, kind->tag_length) / kind->tag_unit : LONGEST_TAG;
}

struct message message_of(struct buffer *buffer, const void *parameter, CK_ULONG size)
{
    const struct kind *kind = parameter != NULL ? kind_of_size(size) : NULL;
    struct message message = {0};

    if (kind == NULL) {
        buffer_refuse(buffer, CKR_MECHANISM_PARAM_INVALID);
        return message;
    }
    message.type = kind->type;
    message.nonce = pointer_at(parameter, kind->nonce);
    message.nonce_size = nonce_size(parameter, kind);
    message.makes_nonce = makes_nonce(parameter, kind);
    message.tag = pointer_at(parameter, kind->tag);
    message.tag_size = tag_size(parameter, kind);
    if (message.tag_size > LONGEST_TAG || message.nonce_size > LONGEST_NONCE) {
        buffer_refuse(buffer, CKR_MECHANISM_PARAM_INVALID);
        message.nonce_size = message.tag_size = 0;
    }
    return message;
}

struct message put_mechanism_on_message(struct buffer *buffer, const CK_MECHANISM *mechanism)
{
    struct message message = {0};

    if (mechanism == NULL) {
        buffer_refuse(buffer, CKR_ARGUMENTS_BAD);
        return message;
    }
    message = message_of(buffer, mechanism->pParameter, mechanism->ulParameterLen);
    if (message.type != mechanism->mechanism)
        buffer_refuse(buffer, CKR_MECHANISM_PARAM_INVALID);
    put_ulong(buffer, mechanism->mechanism, CKR_MECHANISM_INVALID);
    put_message_parameter(buffer, message.type, mechanism->pParameter, mechanism->ulParameterLen);
    return message;
}

static void put_counted(struct buffer *buffer, const void *data, CK_ULONG size)
{
    put_ulong(buffer, size, CKR_ARGUMENTS_BAD);
    put_bytes(buffer, data, size);
}

void put_associated_data(struct buffer *buffer, const void *data, CK_ULONG size)
{
    if (data == NULL && size != 0)
        buffer_refuse(buffer, CKR_ARGUMENTS_BAD);
    put_counted(buffer, data, size);
}

void put_tag(struct buffer *buffer, const struct message *message)
{
    put_counted(buffer, message->tag, message->tag != NULL ? message->tag_size : 0);
}

static size_t size_given(const struct message *message, enum given given)
{
    size_t size = 0;

    if (given == NONCE || given == NONCE_AND_TAG)
        size += message->nonce_size;
    if (given == TAG || given == NONCE_AND_TAG)
        size += message->tag_size;
    return size;
}

static void take(const struct message *message, enum given given, const uint8_t *bytes)
{
    if (given == NONCE || given == NONCE_AND_TAG) {
        if (message->makes_nonce)
            memcpy(message->nonce, bytes, message->nonce_size);
        bytes += message->nonce_size;
    }
    if (given == TAG || given == NONCE_AND_TAG)
        memcpy(message->tag, bytes, message->tag_size);
}

/* The output is {u32 size, what is given}, and then the bytes that are asked for. */
CK_RV message_end(struct command *command, const struct message *message, enum given given, CK_BYTE_PTR buffer,
                  CK_ULONG_PTR length)
{
    const size_t size = size_given(message, given);
    struct output_behind output;
    CK_RV rv;

    if ((given == TAG || given == NONCE_AND_TAG) && message->tag == NULL)
        buffer_refuse(&command->control, CKR_MECHANISM_PARAM_INVALID);
    output_behind(command, &output, sizeof(uint32_t) + size, buffer, length);
    rv = output_behind_end(command, &output, buffer, length);
    if (rv == CKR_OK && buffer != NULL) {
        if (u32_at(output.bytes.bytes) == size)
            take(message, given, output.bytes.bytes + sizeof(uint32_t));
        else
            rv = CKR_DEVICE_ERROR;
    }
    output_behind_release(&output);
    return rv;
}
