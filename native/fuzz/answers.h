/* SPDX-License-Identifier: Apache-2.0 */
/* What the fake secure world answers. A part of fuzz_ckteec.c, whose input and list of statuses it uses. */
#ifndef ANSWERS_H
#define ANSWERS_H

static const uint32_t statuses[] = {
    CKR_OK, CKR_OK, CKR_BUFFER_TOO_SMALL, CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_DEVICE_ERROR,
};

static const TEEC_Result results[] = {
    TEEC_SUCCESS, TEEC_SUCCESS, TEEC_SUCCESS, TEEC_ERROR_SHORT_BUFFER, TEEC_ERROR_EXCESS_DATA, TEEC_ERROR_COMMUNICATION,
};

/* How an answer is chosen: bits of its first byte. */
enum { ANY_STATUS = 1, ANY_CONTROL_SIZE = 2, ANY_OUTPUT_SIZE = 4, FULL_OUTPUT = 8, ECHO = 16 };

#define HEAD (2 * sizeof(uint32_t)) /* {size, count} of a template, {type, size} of an attribute */

static const CK_ATTRIBUTE_TYPE types[] = {
    CKA_LABEL, CKA_CLASS, CKA_ALLOWED_MECHANISMS, CKA_WRAP_TEMPLATE, CKA_VALUE, CKA_UNWRAP_TEMPLATE,
};

static void put_word(uint8_t *place, size_t word)
{
    const uint32_t wire = (uint32_t)word;

    memcpy(place, &wire, sizeof(wire));
}

static uint32_t word_at(const uint8_t *place)
{
    uint32_t word;

    memcpy(&word, place, sizeof(word));
    return word;
}

/* A size that is told where there is room for `room` bytes: mostly, but not always, a true one. */
static size_t told_size(size_t room)
{
    switch (take_u8(&input) % 8) {
    case 0:
        return take_u8(&input);
    case 1:
        return UINT32_MAX;
    case 2:
        return room + 1;
    default:
        return room;
    }
}

/* A template of attributes, the last of which takes what is left. */
static void nest_template(uint8_t *value, size_t room)
{
    const size_t count = take_u8(&input) % 4;
    size_t at = HEAD;

    take_bytes(&input, value, room);
    if (room < HEAD)
        return;
    put_word(value, told_size(room - HEAD));
    put_word(value + sizeof(uint32_t), count);
    for (size_t i = 1; i <= count && room - at >= HEAD; i++) {
        const size_t left = room - at - HEAD;
        const size_t size = i == count ? left : take_u8(&input) % (left + 1);

        put_word(value + at, types[take_u8(&input) % COUNT(types)]);
        put_word(value + at + sizeof(uint32_t), told_size(size));
        at += HEAD + size;
    }
}

/* The request's template with values, as an answer to C_GetAttributeValue is, and then some bytes changed. */
static void echo_template(const TEEC_TempMemoryReference *control, uint8_t *output, size_t capacity)
{
    const uint8_t *request = control->buffer;
    size_t room;

    if (control->size >= HEAD && control->size - HEAD <= capacity)
        memcpy(output, request + HEAD, control->size - HEAD);
    for (size_t at = HEAD; at + HEAD <= capacity; at += HEAD + room) {
        room = word_at(output + at + sizeof(uint32_t));
        if (room > capacity - at - HEAD)
            break;
        nest_template(output + at + HEAD, room);
        put_word(output + at + sizeof(uint32_t), told_size(room));
    }
    for (uint8_t changes = take_u8(&input) % 4; capacity > 0 && changes > 0; changes--)
        output[take_u16(&input) % capacity] = take_u8(&input);
}

/* An attribute of an object, as it is told ahead. */
static void tell_attribute(struct writer *writer)
{
    uint8_t value[32];
    const size_t size = take_u8(&input) % sizeof(value);

    take_bytes(&input, value, size);
    write_u32(writer, (uint32_t)types[take_u8(&input) % COUNT(types)]);
    write_u32(writer, (uint32_t)told_size(size));
    write_bytes(writer, value, size);
}

/* What comes behind the application's own answer: the place and the value of a counter, then objects. */
static size_t tell_ahead(uint8_t *output, size_t capacity)
{
    struct writer writer = writer_of(output, capacity);

    write_u32(&writer, take_u8(&input) % 8 / 7);
    write_u64(&writer, counters[0]);
    for (uint8_t count = take_u8(&input) % OBJECTS; count > 0; count--) {
        uint8_t *head;
        size_t before;

        write_u32(&writer, take_u8(&input) % OBJECTS);
        head = write_room(&writer, sizeof(uint32_t));
        before = writer.size;
        for (uint8_t attributes = take_u8(&input) % 4; attributes > 0; attributes--)
            tell_attribute(&writer);
        put_word(head, told_size(writer.size - before));
    }
    return writer.size;
}

static void answer_output(TEEC_TempMemoryReference *output, const TEEC_TempMemoryReference *control, uint8_t how)
{
    const size_t capacity = output->size;
    size_t size = take_u16(&input);

    size = size < capacity ? size : capacity;
    if ((how & ECHO) != 0 && output->buffer != NULL)
        echo_template(control, output->buffer, capacity);
    else if (output->buffer != NULL)
        take_bytes(&input, output->buffer, size);
    if ((how & ANY_OUTPUT_SIZE) != 0)
        size = take_u32(&input);
    output->size = (how & (FULL_OUTPUT | ECHO)) != 0 ? capacity : size;
}

static void answer_ahead(TEEC_TempMemoryReference *output)
{
    const size_t own = output->size - TOLD_LIMIT;

    output->size = own + tell_ahead((uint8_t *)output->buffer + own, TOLD_LIMIT);
}

static TEEC_Result answer(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    TEEC_TempMemoryReference *control = &operation->params[0].tmpref;
    const uint8_t how = take_u8(&input);
    uint32_t status = (how & ANY_STATUS) != 0 ? take_u32(&input) : statuses[take_u8(&input) % COUNT(statuses)];

    if (TEEC_PARAM_TYPE_GET(operation->paramTypes, 2) == TEEC_MEMREF_TEMP_OUTPUT)
        answer_output(&operation->params[2].tmpref, control, how);
    if (command == TA_GET_ATTRIBUTES_AHEAD && (how & ECHO) != 0)
        answer_ahead(&operation->params[2].tmpref);
    note_told(status);
    memcpy(control->buffer, &status, sizeof(status));
    control->size = (how & ANY_CONTROL_SIZE) != 0 ? take_u32(&input) : sizeof(status);
    *origin = take_u8(&input) % 5;
    return results[take_u8(&input) % COUNT(results)];
}

#endif
