/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates on the wire: {u32 size of the attributes, u32 count, attributes}, an attribute {u32 type, u32 size, value}.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "buffer.h"
#include "library.h"

/* Templates may hold templates; more levels than these are refused: an application may tie them in a knot. */
#define TEMPLATE_DEPTH_LIMIT 4

/* CKA_* that stands for no attribute, and the size of a value that cannot be had: all ones. */
#define WIRE_UNAVAILABLE UINT32_MAX

/* A template with its values. CKR_ARGUMENTS_BAD: NULL with a count. CKR_ATTRIBUTE_*_INVALID: cannot be sent. */
void put_template(struct buffer *buffer, const CK_ATTRIBUTE *attributes, CK_ULONG count);

/* The same with room for values in place of values, as C_GetAttributeValue sends it. */
void put_template_room(struct buffer *buffer, const CK_ATTRIBUTE *attributes, CK_ULONG count);

/* One attribute of such a template, with room for a value of `room` bytes. */
void put_attribute_room(struct buffer *buffer, CK_ATTRIBUTE_TYPE type, size_t room);

/*
 * The size of the value, on the wire, that fits the application's buffer: 0 where there is none, where it is too small
 * for a CK_ULONG, and for a template, whose size on the wire is not known beforehand.
 */
size_t attribute_room(const CK_ATTRIBUTE *attribute);

#endif
