/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mechanism parameters: for each layout on the wire, the fields of the application's structure that make it.
 */
#ifndef MECHANISM_LAYOUTS_H
#define MECHANISM_LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "library.h"

enum field_form {
    FIELD_WHOLE,          /* the whole parameter, of any size, as it is */
    FIELD_ULONG,          /* a CK_ULONG: u32 */
    FIELD_FLAG,           /* a CK_BBOOL: u32 */
    FIELD_BLOCK,          /* 16 bytes, as they are */
    FIELD_COUNTED,        /* a pointer and a CK_ULONG length: u32 length, bytes */
    FIELD_COUNTED_BITS,   /* the same; the length is in bits */
    FIELD_COUNTED_EITHER, /* the same; the length is in bytes, or from 64 on in bits */
    FIELD_COUNTED_BY,     /* the same; the length may also be a pointer to one */
    FIELD_CHOSEN,         /* a pointer and a CK_ULONG length: u32 length, what another member says that it is */
    FIELD_LIST,           /* a pointer to so many structures: u32 count, the fields of each */
    FIELD_STRUCTURE,      /* a pointer to another structure: the fields of that */
    FIELD_POINTED,        /* a pointer to where an answer goes: u32, whether it points anywhere */
};

struct layout;

/* What a chosen field points to, by the value of another member. */
struct choice {
    CK_ULONG selector;
    const struct layout *layout;
};

struct field {
    enum field_form form;
    size_t offset;
    size_t length_offset;         /* of a counted field, a chosen one or a list */
    const struct layout *layout;  /* of a structure, or of each in a list */
    size_t selector_offset;       /* of a chosen field */
    const struct choice *choices; /* of a chosen field: the last has no layout; bytes where none fits */
};

struct layout {
    size_t size;   /* of the application's structure; 0 where it is any */
    bool optional; /* no parameter means a structure of zeros */
    size_t count;  /* of fields; 0 where the mechanism takes no parameter */
    const struct field *fields;
};

/* What a parameter is for: a mechanism's structure may be another one in the functions on messages. */
enum layout_use {
    USE_OPERATION,
    USE_MESSAGE,
};

/* The layout of a mechanism's parameter, or NULL where the mechanism is not known. */
const struct layout *mechanism_layout(CK_MECHANISM_TYPE type, enum layout_use use);

#endif
