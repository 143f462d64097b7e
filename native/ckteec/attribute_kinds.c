/* SPDX-License-Identifier: Apache-2.0 */
/* The table of attribute kinds, from the Python one. */
#include "attribute_kinds.h"

#include <stdint.h>
#include <stdlib.h>

struct row {
    uint32_t type;
    enum attribute_kind kind;
};

static const struct row attribute_kinds[] = {
#include "attribute_kinds.gen.h"
};

static int compare(const void *key, const void *row)
{
    CK_ATTRIBUTE_TYPE wanted = *(const CK_ATTRIBUTE_TYPE *)key;
    uint32_t type = ((const struct row *)row)->type;

    return (wanted > type) - (wanted < type);
}

enum attribute_kind attribute_kind(CK_ATTRIBUTE_TYPE type)
{
    const struct row *row = bsearch(&type, attribute_kinds, sizeof(attribute_kinds) / sizeof(attribute_kinds[0]),
                                    sizeof(attribute_kinds[0]), compare);

    return row != NULL ? row->kind : KIND_BYTES;
}
