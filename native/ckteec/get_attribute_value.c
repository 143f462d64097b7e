/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_GetAttributeValue: a request with room for the values, and a reply of the same layout with the values in it.
 *
 * A template among the attributes does not fit that scheme: the size of its room is unknown. It is asked for alone,
 * when the first reply has told its size.
 */
#include "attribute_kinds.h"
#include "attribute_values.h"
#include "command.h"
#include "reader.h"
#include "template.h"

struct object {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE handle;
};

/* {u32 type, u32 size} before a value, {u32 size, u32 count} before the attributes of a template. */
#define HEAD_SIZE (2 * sizeof(uint32_t))

/* More than a frame holds: no template is larger. */
#define TEMPLATE_SIZE_LIMIT (1U << 20)

static void begin(struct command *command, const struct object *object)
{
    command_begin_in_session(command, TA_GET_ATTRIBUTE_VALUE, object->session);
    put_ulong(&command->control, object->handle, CKR_OBJECT_HANDLE_INVALID);
}

/* End the command, into which room for a template was put from `room_at` on; `reply` gets its likeness. */
static CK_RV end(struct command *command, size_t room_at, struct buffer *reply)
{
    CK_RV rv;

    buffer_extend(reply, command->control.size - room_at);
    buffer_refuse(&command->control, reply->error);
    command_output(command, reply->bytes, reply->size);
    rv = command_end(command);
    return comes_with_values(rv) && command_output_size(command) != reply->size ? CKR_DEVICE_ERROR : rv;
}

/* Ask for one attribute whose value has `size` bytes on the wire. */
static CK_RV fetch(const struct object *object, CK_ATTRIBUTE_TYPE type, uint32_t size, struct buffer *reply)
{
    struct command command;
    size_t room_at;

    begin(&command, object);
    room_at = command.control.size;
    put_u32(&command.control, (uint32_t)HEAD_SIZE + size);
    put_u32(&command.control, 1);
    put_attribute_room(&command.control, type, size);
    return end(&command, room_at, reply);
}

/* A template of `size` bytes, known from the first reply. OP-TEE's application, which gives none, answers with 0. */
static CK_RV deliver_template(const struct object *object, CK_ATTRIBUTE *attribute, uint32_t size)
{
    struct buffer reply;
    CK_RV rv;

    if (size == WIRE_UNAVAILABLE || size < HEAD_SIZE)
        return deliver_value(attribute, NULL, WIRE_UNAVAILABLE);
    if (size > TEMPLATE_SIZE_LIMIT)
        return CKR_DEVICE_ERROR;
    buffer_init(&reply);
    rv = fetch(object, attribute->type, size, &reply);
    if (rv == CKR_OK && u32_at(reply.bytes + HEAD_SIZE + sizeof(uint32_t)) != size)
        rv = CKR_DEVICE_ERROR;
    if (rv == CKR_OK)
        rv = deliver_value(attribute, reply.bytes + 2 * HEAD_SIZE, size);
    buffer_release(&reply);
    return rv;
}

/* The next attribute of the reply, which has as much room for its value as the request gave it. */
static CK_RV deliver_next(const struct object *object, struct reader *reader, CK_ATTRIBUTE *attribute)
{
    uint32_t type = read_u32(reader);
    uint32_t size = read_u32(reader);
    const uint8_t *data = read_span(reader, attribute_room(attribute));

    if (data == NULL || type != attribute->type)
        return CKR_DEVICE_ERROR;
    if (attribute_kind(type) == KIND_TEMPLATE)
        return deliver_template(object, attribute, size);
    return deliver_value(attribute, data, size);
}

/* Every attribute that can be delivered is, also where others are too large for their buffers. */
static CK_RV deliver_all(const struct object *object, struct reader reader, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    uint32_t size = read_u32(&reader);
    CK_RV rv = CKR_OK;

    if (read_u32(&reader) != count || size != reader.left)
        return CKR_DEVICE_ERROR;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV one = deliver_next(object, &reader, &attributes[i]);

        if (one != CKR_OK && one != CKR_BUFFER_TOO_SMALL)
            return one;
        if (rv == CKR_OK)
            rv = one;
    }
    return rv;
}

CK_ENTRY(C_GetAttributeValue);
CK_RV C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate,
                          CK_ULONG ulCount)
{
    struct object object = {hSession, hObject};
    struct command command;
    struct buffer reply;
    size_t room_at;
    CK_RV delivered;
    CK_RV rv;

    begin(&command, &object);
    room_at = command.control.size;
    put_template_room(&command.control, pTemplate, ulCount);
    buffer_init(&reply);
    rv = end(&command, room_at, &reply);
    if (comes_with_values(rv)) {
        delivered = deliver_all(&object, reader_of(reply.bytes, reply.size), pTemplate, ulCount);
        if (rv == CKR_OK || (delivered != CKR_OK && delivered != CKR_BUFFER_TOO_SMALL))
            rv = delivered;
    }
    buffer_release(&reply);
    return rv;
}
