/* SPDX-License-Identifier: Apache-2.0 */
/* Mechanisms: from the application's structures to the wire, field by field as the layouts say. */
#include "mechanism.h"

#include <limits.h>
#include <string.h>

#include "mechanism_layouts.h"

#define BLOCK_SIZE 16
#define NO_MECHANISM UINT32_MAX

/* Linux maps nothing below: so much is a length, and more a pointer to one. */
#define LOWEST_ADDRESS 65536

/* What an optional parameter that is missing stands for: larger than every structure. */
static const CK_BYTE zeros[64];

static void put_structure(struct buffer *buffer, const struct layout *layout, const void *parameter, CK_ULONG size);

static void put_checked_bytes(struct buffer *buffer, const void *data, CK_ULONG size)
{
    if (data == NULL && size != 0)
        buffer_refuse(buffer, CKR_MECHANISM_PARAM_INVALID);
    put_bytes(buffer, data, size);
}

static void put_number(struct buffer *buffer, const CK_BYTE *member)
{
    CK_ULONG number;

    memcpy(&number, member, sizeof(number));
    put_ulong(buffer, number, CKR_MECHANISM_PARAM_INVALID);
}

static void put_pointed_bytes(struct buffer *buffer, const CK_BYTE *pointer_member, CK_ULONG length)
{
    const void *data;

    memcpy(&data, pointer_member, sizeof(data));
    put_ulong(buffer, length, CKR_MECHANISM_PARAM_INVALID);
    put_checked_bytes(buffer, data, length);
}

static void put_counted(struct buffer *buffer, const CK_BYTE *pointer_member, const CK_BYTE *length_member)
{
    CK_ULONG length;

    memcpy(&length, length_member, sizeof(length));
    put_pointed_bytes(buffer, pointer_member, length);
}

static void put_counted_bits(struct buffer *buffer, const CK_BYTE *pointer_member, const CK_BYTE *length_member)
{
    CK_ULONG bits;

    memcpy(&bits, length_member, sizeof(bits));
    if (bits % CHAR_BIT != 0)
        buffer_refuse(buffer, CKR_MECHANISM_PARAM_INVALID);
    put_pointed_bytes(buffer, pointer_member, bits / CHAR_BIT);
}

static void put_counted_either(struct buffer *buffer, const CK_BYTE *pointer_member, const CK_BYTE *length_member)
{
    CK_ULONG length;

    memcpy(&length, length_member, sizeof(length));
    if (length >= LEAST_BITS)
        put_counted_bits(buffer, pointer_member, length_member);
    else
        put_counted(buffer, pointer_member, length_member);
}

/* As CK_PKCS5_PBKD2_PARAMS2 has it, or the older CK_PKCS5_PBKD2_PARAMS, which looks the same. */
static void put_counted_by(struct buffer *buffer, const CK_BYTE *pointer_member, const CK_BYTE *length_member)
{
    const CK_BYTE *elsewhere;
    CK_ULONG length;

    memcpy(&length, length_member, sizeof(length));
    memcpy(&elsewhere, length_member, sizeof(elsewhere));
    put_counted(buffer, pointer_member, length >= LOWEST_ADDRESS ? elsewhere : length_member);
}

static const struct layout *chosen_layout(const struct choice *choice, CK_ULONG selector)
{
    while (choice->layout != NULL && choice->selector != selector)
        choice++;
    return choice->layout;
}

static void put_chosen(struct buffer *buffer, const struct field *field, const CK_BYTE *structure)
{
    const struct layout *layout;
    const void *data;
    CK_ULONG length, selector;
    size_t size_at;

    memcpy(&data, structure + field->offset, sizeof(data));
    memcpy(&length, structure + field->length_offset, sizeof(length));
    memcpy(&selector, structure + field->selector_offset, sizeof(selector));
    layout = chosen_layout(field->choices, selector);
    size_at = put_u32_later(buffer);
    if (layout == NULL || length == 0)
        put_checked_bytes(buffer, data, length);
    else
        put_structure(buffer, layout, data, length);
    put_u32_at(buffer, size_at, buffer->size - size_at - sizeof(uint32_t));
}

static void put_list(struct buffer *buffer, const struct field *field, const CK_BYTE *structure)
{
    const CK_BYTE *element;
    CK_ULONG count;

    memcpy(&element, structure + field->offset, sizeof(element));
    memcpy(&count, structure + field->length_offset, sizeof(count));
    put_ulong(buffer, count, CKR_MECHANISM_PARAM_INVALID);
    for (CK_ULONG i = 0; i < count && buffer->error == CKR_OK; i++) {
        put_structure(buffer, field->layout, element, field->layout->size);
        element += element != NULL ? field->layout->size : 0;
    }
}

static void put_pointed(struct buffer *buffer, const struct layout *layout, const CK_BYTE *pointer_member)
{
    const void *structure;

    memcpy(&structure, pointer_member, sizeof(structure));
    put_structure(buffer, layout, structure, structure != NULL ? layout->size : 0);
}

static void put_whether_pointed(struct buffer *buffer, const CK_BYTE *pointer_member)
{
    const void *place;

    memcpy(&place, pointer_member, sizeof(place));
    put_u32(buffer, place != NULL);
}

static void put_field(struct buffer *buffer, const struct field *field, const CK_BYTE *structure)
{
    const CK_BYTE *member = structure + field->offset;

    switch (field->form) {
    case FIELD_ULONG:
        put_number(buffer, member);
        break;
    case FIELD_FLAG:
        put_u32(buffer, *member);
        break;
    case FIELD_BLOCK:
        put_bytes(buffer, member, BLOCK_SIZE);
        break;
    case FIELD_COUNTED:
        put_counted(buffer, member, structure + field->length_offset);
        break;
    case FIELD_COUNTED_BITS:
        put_counted_bits(buffer, member, structure + field->length_offset);
        break;
    case FIELD_COUNTED_EITHER:
        put_counted_either(buffer, member, structure + field->length_offset);
        break;
    case FIELD_COUNTED_BY:
        put_counted_by(buffer, member, structure + field->length_offset);
        break;
    case FIELD_CHOSEN:
        put_chosen(buffer, field, structure);
        break;
    case FIELD_LIST:
        put_list(buffer, field, structure);
        break;
    case FIELD_STRUCTURE:
        put_pointed(buffer, field->layout, member);
        break;
    case FIELD_POINTED:
        put_whether_pointed(buffer, member);
        break;
    case FIELD_WHOLE:
        break;
    }
}

static void put_structure(struct buffer *buffer, const struct layout *layout, const void *parameter, CK_ULONG size)
{
    if (layout->optional && size == 0) {
        parameter = zeros;
        size = layout->size;
    }
    if (parameter == NULL || size != layout->size) {
        buffer_refuse(buffer, CKR_MECHANISM_PARAM_INVALID);
        return;
    }
    for (size_t i = 0; i < layout->count; i++)
        put_field(buffer, &layout->fields[i], parameter);
}

/* Only the token knows whether it minds. What the application gave is not looked at: it may be garbage. */
static void put_superfluous(struct buffer *buffer, CK_ULONG size)
{
    put_bytes(buffer, zeros, size != 0 ? 1 : 0);
}

static void put_parameter(struct buffer *buffer, const CK_MECHANISM *mechanism)
{
    const struct layout *layout = mechanism_layout(mechanism->mechanism, USE_OPERATION);

    if (layout == NULL) {
        if (mechanism->ulParameterLen != 0)
            buffer_refuse(buffer, CKR_MECHANISM_INVALID); /* there may be pointers in it */
    } else if (layout->count == 0) {
        put_superfluous(buffer, mechanism->ulParameterLen);
    } else if (layout->fields[0].form == FIELD_WHOLE) {
        put_checked_bytes(buffer, mechanism->pParameter, mechanism->ulParameterLen);
    } else {
        put_structure(buffer, layout, mechanism->pParameter, mechanism->ulParameterLen);
    }
}

static void put_type(struct buffer *buffer, CK_MECHANISM_TYPE type)
{
    if (type == NO_MECHANISM)
        buffer_refuse(buffer, CKR_MECHANISM_INVALID);
    put_ulong(buffer, type, CKR_MECHANISM_INVALID);
}

static void put_size_since(struct buffer *buffer, size_t size_at)
{
    put_u32_at(buffer, size_at, buffer->size - size_at - sizeof(uint32_t));
}

void put_mechanism(struct buffer *buffer, const CK_MECHANISM *mechanism)
{
    size_t size_at;

    if (mechanism == NULL) {
        buffer_refuse(buffer, CKR_ARGUMENTS_BAD);
        return;
    }
    put_type(buffer, mechanism->mechanism);
    size_at = put_u32_later(buffer);
    put_parameter(buffer, mechanism);
    put_size_since(buffer, size_at);
}

void put_message_parameter(struct buffer *buffer, CK_MECHANISM_TYPE type, const void *parameter, CK_ULONG size)
{
    const struct layout *layout = mechanism_layout(type, USE_MESSAGE);
    size_t size_at = put_u32_later(buffer);

    if (layout == NULL)
        buffer_refuse(buffer, CKR_MECHANISM_INVALID);
    else
        put_structure(buffer, layout, parameter, size);
    put_size_since(buffer, size_at);
}

void put_bare_mechanism(struct buffer *buffer, const CK_MECHANISM *mechanism)
{
    if (mechanism == NULL) {
        buffer_refuse(buffer, CKR_ARGUMENTS_BAD);
        return;
    }
    put_type(buffer, mechanism->mechanism);
    put_u32(buffer, 0);
}
