/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mechanism parameters: for each layout on the wire, the fields of the application's structure that make it.
 */
#ifndef MECHANISM_LAYOUTS_H
#define MECHANISM_LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "library.h"

#define LAYOUT_FIELDS_MAX 4

enum field_kind {
    FIELD_END = 0,
    FIELD_WHOLE,   /* the whole parameter, of any size, as it is */
    FIELD_ULONG,   /* a CK_ULONG: u32 */
    FIELD_FLAG,    /* a CK_BBOOL: u32 */
    FIELD_BLOCK,   /* 16 bytes, as they are */
    FIELD_COUNTED, /* a pointer and a CK_ULONG length: u32 length, bytes */
    FIELD_OAEP,    /* a pointer to CK_RSA_PKCS_OAEP_PARAMS: the fields of that */
};

struct field {
    enum field_kind kind;
    size_t offset;
    size_t length_offset; /* of a counted field */
};

struct layout {
    size_t size;   /* of the application's structure; 0 where it is any */
    bool optional; /* no parameter means a structure of zeros */
    struct field fields[LAYOUT_FIELDS_MAX];
};

/* The layout of a mechanism's parameter, or NULL where the mechanism is not known to take one. */
const struct layout *mechanism_layout(CK_MECHANISM_TYPE type);

/* The layout of CK_RSA_PKCS_OAEP_PARAMS. */
const struct layout *oaep_layout(void);

#endif
