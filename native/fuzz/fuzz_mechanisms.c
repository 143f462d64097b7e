/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: whatever structure an application gives with a mechanism, of the sizes that it tells, nothing outside it
 * is read, and it is sent with its size before it, or refused by a return value for mechanisms. Where memory is
 * refused, the buffer says so.
 *
 * The input begins with the seed of the faults (u16; 0: none), the mechanism (u16) and what it is for; the rest fills
 * the structure, field by field as its layout says.
 */
#include "blocks.h"
#include "faults.h"
#include "input.h"

#include "../ckteec/mechanism.h"
#include "../ckteec/mechanism_layouts.h"
#include "bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ELEMENTS_MAX 4

static struct input input;

static void *take_structure(const struct layout *layout);

static void set_ulong(uint8_t *member, CK_ULONG value)
{
    memcpy(member, &value, sizeof(value));
}

static void set_pointer(uint8_t *member, const void *value)
{
    memcpy(member, &value, sizeof(value));
}

/* Mostly a number that fits 32 bits. */
static CK_ULONG take_ulong(void)
{
    const uint8_t high = take_u8(&input);

    return take_u32(&input) | (high == UINT8_MAX ? (CK_ULONG)high << 32 : 0);
}

/* A block of some bytes, or NULL, which may have a size. */
static void *take_counted(size_t *size)
{
    const uint8_t how = take_u8(&input);
    void *block;

    *size = take_u8(&input);
    if (how % 8 == 0)
        return NULL;
    block = application_block(*size);
    take_bytes(&input, block, *size);
    return block;
}

static void fill_counted(const struct field *field, uint8_t *structure)
{
    uint8_t *length_member = structure + field->length_offset;
    size_t size;
    const void *block = take_counted(&size);
    const bool in_bits =
        field->form == FIELD_COUNTED_BITS || (field->form == FIELD_COUNTED_EITHER && size >= LEAST_BITS / 8);

    set_pointer(structure + field->offset, block);
    if (field->form == FIELD_COUNTED_BY && take_u8(&input) % 2 != 0) {
        CK_ULONG *elsewhere = application_block(sizeof(*elsewhere));

        *elsewhere = size;
        set_pointer(length_member, elsewhere);
    } else {
        set_ulong(length_member, in_bits ? 8 * size + take_u8(&input) % 16 / 15 : size);
    }
}

static void fill_structure(const struct layout *layout, uint8_t *structure);

static void fill_list(const struct field *field, uint8_t *structure)
{
    const size_t count = take_u8(&input) % (ELEMENTS_MAX + 1);
    uint8_t *list = application_block(count * field->layout->size);

    for (size_t i = 0; i < count; i++)
        fill_structure(field->layout, list + i * field->layout->size);
    set_pointer(structure + field->offset, list);
    set_ulong(structure + field->length_offset, count);
}

static void fill_field(const struct field *field, uint8_t *structure)
{
    uint8_t *member = structure + field->offset;

    switch (field->form) {
    case FIELD_ULONG:
        set_ulong(member, take_ulong());
        break;
    case FIELD_FLAG:
        *member = take_u8(&input);
        break;
    case FIELD_BLOCK:
        take_bytes(&input, member, 16);
        break;
    case FIELD_COUNTED:
    case FIELD_COUNTED_BITS:
    case FIELD_COUNTED_EITHER:
    case FIELD_COUNTED_BY:
        fill_counted(field, structure);
        break;
    case FIELD_LIST:
        fill_list(field, structure);
        break;
    case FIELD_STRUCTURE:
        set_pointer(member, take_u8(&input) % 8 != 0 ? take_structure(field->layout) : NULL);
        break;
    case FIELD_POINTED:
        set_pointer(member, take_u8(&input) % 2 != 0 ? structure : NULL);
        break;
    case FIELD_CHOSEN: /* below, when all others are there */
    case FIELD_WHOLE:
        break;
    }
}

/* What another member says that it is, if the choice says nothing else; that member is told. */
static void fill_chosen(const struct field *field, uint8_t *structure)
{
    const struct choice *choice = field->choices;
    void *block;
    size_t size;

    for (uint8_t skipped = take_u8(&input); choice->layout != NULL && skipped % 4 != 0; skipped /= 4)
        choice++;
    if (choice->layout != NULL) {
        set_ulong(structure + field->selector_offset, choice->selector);
        block = take_structure(choice->layout);
        size = take_u8(&input) % 8 != 0 ? choice->layout->size : 0;
    } else {
        set_ulong(structure + field->selector_offset, ~0UL);
        block = take_counted(&size);
    }
    set_pointer(structure + field->offset, block);
    set_ulong(structure + field->length_offset, size);
}

static void fill_structure(const struct layout *layout, uint8_t *structure)
{
    for (size_t i = 0; i < layout->count; i++)
        fill_field(&layout->fields[i], structure);
    for (size_t i = 0; i < layout->count; i++)
        if (layout->fields[i].form == FIELD_CHOSEN)
            fill_chosen(&layout->fields[i], structure);
}

static void *take_structure(const struct layout *layout)
{
    uint8_t *structure = application_block(layout->size);

    fill_structure(layout, structure);
    return structure;
}

/* The structure that belongs to the layout, or bytes of which nothing may be taken for a pointer. */
static void *take_parameter(const struct layout *layout, CK_ULONG *size)
{
    size_t counted;
    void *block;

    if (layout != NULL && layout->size > 0 && take_u8(&input) % 8 != 0) {
        *size = layout->size;
        return take_structure(layout);
    }
    block = take_counted(&counted);
    *size = layout != NULL && counted == layout->size && layout->size > 0 ? counted - 1 : counted;
    return block;
}

/* {u32 size, parameter}, which ends where the buffer does. */
static void require_sized(const struct buffer *buffer, size_t before)
{
    if (buffer->error == CKR_OK)
        require(u32_at(buffer->bytes + before) == buffer->size - before - sizeof(uint32_t));
    else
        require(buffer->error == CKR_HOST_MEMORY || buffer->error == CKR_MECHANISM_INVALID ||
                buffer->error == CKR_MECHANISM_PARAM_INVALID);
}

static void put(uint16_t seed, enum layout_use use, const CK_MECHANISM *mechanism)
{
    struct buffer buffer;

    buffer_init(&buffer);
    faults_begin(seed);
    if (use == USE_OPERATION)
        put_mechanism(&buffer, mechanism);
    else
        put_message_parameter(&buffer, mechanism->mechanism, mechanism->pParameter, mechanism->ulParameterLen);
    faults_end();
    require_sized(&buffer, use == USE_OPERATION ? sizeof(uint32_t) : 0);
    buffer_release(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_MECHANISM mechanism = {0};
    enum layout_use use;
    uint16_t seed;

    input = (struct input){data, size};
    seed = take_u16(&input);
    mechanism.mechanism = take_u16(&input);
    use = take_u8(&input) % 4 == 0 ? USE_MESSAGE : USE_OPERATION;
    mechanism.pParameter = take_parameter(mechanism_layout(mechanism.mechanism, use), &mechanism.ulParameterLen);
    put(seed, use, &mechanism);
    free_blocks();
    return 0;
}
