/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: from the application's structures to the wire. */
#include "template.h"

#include <stdbool.h>
#include <string.h>

#include "attribute_kinds.h"

static void put_attributes(struct buffer *buffer, const CK_ATTRIBUTE *attributes, CK_ULONG count, unsigned int depth);

/* A CK_ULONG of an application. All ones stands for CK_UNAVAILABLE_INFORMATION in either width, and for no number. */
static void put_ulong_value(struct buffer *buffer, const CK_BYTE *value)
{
    CK_ULONG number;

    memcpy(&number, value, sizeof(number));
    if (number == CK_UNAVAILABLE_INFORMATION) {
        put_u32(buffer, WIRE_UNAVAILABLE);
        return;
    }
    if (number == WIRE_UNAVAILABLE)
        buffer_refuse(buffer, CKR_ATTRIBUTE_VALUE_INVALID);
    put_ulong(buffer, number, CKR_ATTRIBUTE_VALUE_INVALID);
}

static void put_ulong_list(struct buffer *buffer, const CK_ATTRIBUTE *attribute, unsigned int depth)
{
    const CK_BYTE *values = attribute->pValue;

    (void)depth;
    if (attribute->ulValueLen % sizeof(CK_ULONG) != 0)
        buffer_refuse(buffer, CKR_ATTRIBUTE_VALUE_INVALID);
    for (CK_ULONG at = 0; at < attribute->ulValueLen && buffer->error == CKR_OK; at += sizeof(CK_ULONG))
        put_ulong_value(buffer, values + at);
}

static void put_one_ulong(struct buffer *buffer, const CK_ATTRIBUTE *attribute, unsigned int depth)
{
    if (attribute->ulValueLen != sizeof(CK_ULONG))
        buffer_refuse(buffer, CKR_ATTRIBUTE_VALUE_INVALID);
    put_ulong_list(buffer, attribute, depth);
}

static void put_byte_string(struct buffer *buffer, const CK_ATTRIBUTE *attribute, unsigned int depth)
{
    (void)depth;
    put_bytes(buffer, attribute->pValue, attribute->ulValueLen);
}

static void put_nested(struct buffer *buffer, const CK_ATTRIBUTE *attribute, unsigned int depth)
{
    if (attribute->ulValueLen % sizeof(CK_ATTRIBUTE) != 0 || depth >= TEMPLATE_DEPTH_LIMIT)
        buffer_refuse(buffer, CKR_ATTRIBUTE_VALUE_INVALID);
    put_attributes(buffer, attribute->pValue, attribute->ulValueLen / sizeof(CK_ATTRIBUTE), depth + 1);
}

typedef void put_value(struct buffer *buffer, const CK_ATTRIBUTE *attribute, unsigned int depth);

static put_value *const put_value_of[KIND_COUNT] = {
    [KIND_BYTES] = put_byte_string,
    [KIND_ULONG] = put_one_ulong,
    [KIND_ULONG_LIST] = put_ulong_list,
    [KIND_TEMPLATE] = put_nested,
};

static void put_type(struct buffer *buffer, CK_ATTRIBUTE_TYPE type)
{
    if (type == WIRE_UNAVAILABLE)
        buffer_refuse(buffer, CKR_ATTRIBUTE_TYPE_INVALID);
    put_ulong(buffer, type, CKR_ATTRIBUTE_TYPE_INVALID);
}

static void put_attribute(struct buffer *buffer, const CK_ATTRIBUTE *attribute, unsigned int depth)
{
    bool missing = attribute->pValue == NULL && attribute->ulValueLen != 0;
    size_t size_at;

    put_type(buffer, attribute->type);
    size_at = put_u32_later(buffer);
    if (missing || attribute->ulValueLen > UINT32_MAX - 1)
        buffer_refuse(buffer, CKR_ATTRIBUTE_VALUE_INVALID);
    put_value_of[attribute_kind(attribute->type)](buffer, attribute, depth);
    put_u32_at(buffer, size_at, buffer->size - size_at - sizeof(uint32_t));
}

/* The head of a template; `attributes_at` is then where its attributes begin. */
static size_t put_head(struct buffer *buffer, CK_ULONG count, size_t *attributes_at)
{
    size_t size_at = put_u32_later(buffer);

    put_ulong(buffer, count, CKR_ARGUMENTS_BAD);
    *attributes_at = buffer->size;
    return size_at;
}

static void put_attributes(struct buffer *buffer, const CK_ATTRIBUTE *attributes, CK_ULONG count, unsigned int depth)
{
    size_t attributes_at;
    size_t size_at = put_head(buffer, count, &attributes_at);

    for (CK_ULONG i = 0; i < count && buffer->error == CKR_OK; i++)
        put_attribute(buffer, &attributes[i], depth);
    put_u32_at(buffer, size_at, buffer->size - attributes_at);
}

void put_template(struct buffer *buffer, const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    if (attributes == NULL && count != 0)
        buffer_refuse(buffer, CKR_ARGUMENTS_BAD);
    put_attributes(buffer, attributes, count, 1);
}

size_t attribute_room(const CK_ATTRIBUTE *attribute)
{
    CK_ULONG ulongs = attribute->ulValueLen / sizeof(CK_ULONG);

    if (attribute->pValue == NULL)
        return 0;
    switch (attribute_kind(attribute->type)) {
    case KIND_ULONG:
        return ulongs > 0 ? sizeof(uint32_t) : 0;
    case KIND_ULONG_LIST:
        return ulongs * sizeof(uint32_t);
    case KIND_BYTES:
        return attribute->ulValueLen;
    default:
        return 0;
    }
}

void put_attribute_room(struct buffer *buffer, CK_ATTRIBUTE_TYPE type, size_t room)
{
    put_type(buffer, type);
    put_ulong(buffer, room, CKR_ARGUMENTS_BAD);
    buffer_extend(buffer, room);
}

void put_template_room(struct buffer *buffer, const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    size_t attributes_at;
    size_t size_at = put_head(buffer, count, &attributes_at);

    if (attributes == NULL && count != 0)
        buffer_refuse(buffer, CKR_ARGUMENTS_BAD);
    for (CK_ULONG i = 0; i < count && buffer->error == CKR_OK; i++)
        put_attribute_room(buffer, attributes[i].type, attribute_room(&attributes[i]));
    put_u32_at(buffer, size_at, buffer->size - attributes_at);
}
