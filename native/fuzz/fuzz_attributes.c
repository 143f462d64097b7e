/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: whatever value the secure world tells of an attribute, it is delivered within the application's buffers,
 * with no length that is larger than they are, or refused. A template that was sent comes back as it was; where memory
 * is refused, the buffer says so.
 *
 * The input begins with the seed of the faults (u16; 0: none); then come the application's attributes; the rest is the
 * value of the first.
 */
#include "blocks.h"
#include "faults.h"
#include "input.h"

#include "../ckteec/attribute_kinds.h"
#include "../ckteec/attribute_values.h"
#include "../ckteec/buffer.h"
#include "../ckteec/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INNER_MAX 4
#define DEPTH_MAX 6 /* more than are taken */

static struct input input;

static const CK_ATTRIBUTE_TYPE types[] = {
    CKA_LABEL, CKA_CLASS, CKA_ALLOWED_MECHANISMS, CKA_WRAP_TEMPLATE, CKA_MODULUS_BITS, CKA_UNWRAP_TEMPLATE,
};

static CK_ATTRIBUTE take_attribute(unsigned int depth);

static CK_ATTRIBUTE take_template(CK_ATTRIBUTE_TYPE type, unsigned int depth)
{
    const size_t count = take_u8(&input) % (INNER_MAX + 1);
    CK_ATTRIBUTE *inner = application_block(count * sizeof(*inner));

    for (size_t i = 0; i < count; i++)
        inner[i] = take_attribute(depth + 1);
    return (CK_ATTRIBUTE){type, inner, count * sizeof(*inner)};
}

/* An attribute with a buffer of some size and some content, or none. */
static CK_ATTRIBUTE take_attribute(unsigned int depth)
{
    const uint8_t which = take_u8(&input);
    const CK_ATTRIBUTE_TYPE type = which < 240 ? types[which % (sizeof(types) / sizeof(types[0]))] : take_u32(&input);
    size_t size;
    void *value;

    if (attribute_kind(type) == KIND_TEMPLATE && depth < DEPTH_MAX)
        return take_template(type, depth);
    size = take_u8(&input);
    if (size == UINT8_MAX || attribute_kind(type) == KIND_TEMPLATE)
        return (CK_ATTRIBUTE){type, NULL, 0};
    value = application_block(size);
    take_bytes(&input, value, size);
    return (CK_ATTRIBUTE){type, value, size};
}

/* The same attribute with empty buffers of the same sizes. */
static CK_ATTRIBUTE emptied(const CK_ATTRIBUTE *attribute)
{
    const size_t count = attribute->ulValueLen / sizeof(CK_ATTRIBUTE);
    CK_ATTRIBUTE copy = *attribute;

    if (attribute->pValue == NULL)
        return copy;
    copy.pValue = application_block(attribute->ulValueLen);
    for (size_t i = 0; attribute_kind(attribute->type) == KIND_TEMPLATE && i < count; i++)
        ((CK_ATTRIBUTE *)copy.pValue)[i] = emptied((CK_ATTRIBUTE *)attribute->pValue + i);
    return copy;
}

static bool same(const CK_ATTRIBUTE *one, const CK_ATTRIBUTE *other)
{
    const size_t count = one->ulValueLen / sizeof(CK_ATTRIBUTE);

    if (one->type != other->type || one->ulValueLen != other->ulValueLen)
        return false;
    if (one->pValue == NULL || attribute_kind(one->type) != KIND_TEMPLATE)
        return one->ulValueLen == 0 || memcmp(one->pValue, other->pValue, one->ulValueLen) == 0;
    for (size_t i = 0; i < count; i++)
        if (!same((CK_ATTRIBUTE *)one->pValue + i, (CK_ATTRIBUTE *)other->pValue + i))
            return false;
    return true;
}

/* Send a template of one attribute, with its value and with room for it, and deliver what was sent. */
static void send_and_deliver(const CK_ATTRIBUTE *attribute, uint16_t seed)
{
    const size_t heads = 4 * sizeof(uint32_t); /* of the template and of the attribute */
    CK_ATTRIBUTE copy = emptied(attribute);
    struct buffer sent;
    struct buffer room;

    buffer_init(&sent);
    buffer_init(&room);
    faults_begin(seed);
    put_template(&sent, attribute, 1);
    put_template_room(&room, attribute, 1);
    faults_end();
    require(sent.error == CKR_OK || sent.error == CKR_HOST_MEMORY || sent.error == CKR_ATTRIBUTE_TYPE_INVALID ||
            sent.error == CKR_ATTRIBUTE_VALUE_INVALID);
    require(room.error != CKR_OK || room.size == heads + attribute_room(attribute));
    if (sent.error == CKR_OK) {
        uint8_t *value = application_block(sent.size - heads);

        memcpy(value, sent.bytes + heads, sent.size - heads);
        require(deliver_value(&copy, value, (uint32_t)(sent.size - heads)) == CKR_OK && same(attribute, &copy));
    }
    buffer_release(&sent);
    buffer_release(&room);
}

static void deliver_anything(CK_ATTRIBUTE *attribute)
{
    const CK_ATTRIBUTE before = *attribute;
    uint8_t *value = application_block(input.left);
    const size_t size = take_bytes(&input, value, input.left);
    const CK_RV rv = deliver_value(attribute, value, (uint32_t)size);

    require(rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL || rv == CKR_DEVICE_ERROR);
    require(before.pValue == NULL || attribute->ulValueLen <= before.ulValueLen ||
            attribute->ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_ATTRIBUTE attribute;
    uint16_t seed;

    input = (struct input){data, size};
    seed = take_u16(&input);
    attribute = take_attribute(1);
    send_and_deliver(&attribute, seed);
    deliver_anything(&attribute);
    free_blocks();
    return 0;
}
