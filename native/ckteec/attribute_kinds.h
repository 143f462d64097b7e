/* SPDX-License-Identifier: Apache-2.0 */
/* What the value of an attribute is made of. */
#ifndef ATTRIBUTE_KINDS_H
#define ATTRIBUTE_KINDS_H

#include "library.h"

enum attribute_kind {
    KIND_BYTES,      /* the same on both sides */
    KIND_ULONG,      /* a CK_ULONG, 32 bits on the wire */
    KIND_ULONG_LIST, /* an array of such */
    KIND_TEMPLATE,   /* an array of CK_ATTRIBUTE */
    KIND_COUNT
};

enum attribute_kind attribute_kind(CK_ATTRIBUTE_TYPE type);

#endif
