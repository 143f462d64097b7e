/* SPDX-License-Identifier: Apache-2.0 */
/* Values of attributes: from the wire to the application's buffers. */
#include "attribute_values.h"

#include <string.h>

#include "attribute_kinds.h"
#include "reader.h"
#include "template.h"

/* The shortest attribute on the wire: a type and a size. */
#define ATTRIBUTE_HEAD_SIZE (2 * sizeof(uint32_t))

static CK_RV deliver(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth);

/* Set the length that the value has for the application, where its buffer holds it. */
static CK_RV set_length(CK_ATTRIBUTE *attribute, CK_ULONG length)
{
    bool fits = attribute->pValue == NULL || attribute->ulValueLen >= length;

    attribute->ulValueLen = fits ? length : CK_UNAVAILABLE_INFORMATION;
    return fits ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

static CK_RV deliver_byte_string(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth)
{
    CK_RV rv = set_length(attribute, size);

    (void)depth;
    if (rv == CKR_OK && attribute->pValue != NULL && size > 0)
        memcpy(attribute->pValue, data, size);
    return rv;
}

static CK_RV deliver_ulong_list(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth)
{
    CK_ULONG count = size / sizeof(uint32_t);
    CK_BYTE *target = attribute->pValue;
    CK_RV rv;

    (void)depth;
    if (size % sizeof(uint32_t) != 0)
        return CKR_DEVICE_ERROR;
    rv = set_length(attribute, count * sizeof(CK_ULONG));
    for (CK_ULONG i = 0; rv == CKR_OK && target != NULL && i < count; i++) {
        CK_ULONG value = ulong_at(data + i * sizeof(uint32_t));

        memcpy(target + i * sizeof(value), &value, sizeof(value));
    }
    return rv;
}

static CK_RV deliver_ulong(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth)
{
    if (size > sizeof(uint32_t))
        return CKR_DEVICE_ERROR;
    return deliver_ulong_list(attribute, data, size, depth);
}

/* Deliver the attributes of a template to an array that has room for them all. */
static CK_RV deliver_attributes(struct reader *reader, CK_ATTRIBUTE *attributes, CK_ULONG count, unsigned int depth)
{
    CK_RV rv = CKR_OK;

    for (CK_ULONG i = 0; i < count; i++) {
        uint32_t type = read_u32(reader);
        uint32_t size = read_u32(reader);
        const uint8_t *data = read_span(reader, size);
        CK_RV one;

        if (data == NULL)
            return CKR_DEVICE_ERROR;
        attributes[i].type = type;
        one = deliver(&attributes[i], data, size, depth);
        if (one == CKR_DEVICE_ERROR)
            return one;
        if (rv == CKR_OK)
            rv = one;
    }
    return reader_at_end(reader) ? rv : CKR_DEVICE_ERROR;
}

static CK_RV deliver_template(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth)
{
    struct reader reader = reader_of(data, size);
    uint32_t attributes_size = read_u32(&reader);
    uint32_t count = read_u32(&reader);
    CK_RV rv;

    if (reader.failed || attributes_size != reader.left || count > attributes_size / ATTRIBUTE_HEAD_SIZE ||
        depth > TEMPLATE_DEPTH_LIMIT)
        return CKR_DEVICE_ERROR;
    rv = set_length(attribute, count * sizeof(CK_ATTRIBUTE));
    if (rv != CKR_OK || attribute->pValue == NULL)
        return rv;
    return deliver_attributes(&reader, attribute->pValue, count, depth + 1);
}

typedef CK_RV deliver_kind(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth);

static deliver_kind *const deliver_of[KIND_COUNT] = {
    [KIND_BYTES] = deliver_byte_string,
    [KIND_ULONG] = deliver_ulong,
    [KIND_ULONG_LIST] = deliver_ulong_list,
    [KIND_TEMPLATE] = deliver_template,
};

static CK_RV deliver(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size, unsigned int depth)
{
    if (size == WIRE_UNAVAILABLE) {
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_OK;
    }
    return deliver_of[attribute_kind(attribute->type)](attribute, data, size, depth);
}

CK_RV deliver_value(CK_ATTRIBUTE *attribute, const uint8_t *data, uint32_t size)
{
    return deliver(attribute, data, size, 1);
}

bool comes_with_values(CK_RV rv)
{
    return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
           rv == CKR_BUFFER_TOO_SMALL;
}
