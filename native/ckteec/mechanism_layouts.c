/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of layouts and mechanisms, which come from the Python ones, and the search in them. */
#include "mechanism_layouts.h"

#include <stdint.h>
#include <stdlib.h>

struct row {
    uint32_t type;
    enum layout_use use;
    const struct layout *layout;
};

#include "mechanism_layouts.gen.h"

struct wanted {
    CK_MECHANISM_TYPE type;
    enum layout_use use;
};

static int compare(const void *key, const void *element)
{
    const struct wanted *wanted = key;
    const struct row *row = element;

    if (wanted->type != row->type)
        return wanted->type > row->type ? 1 : -1;
    return (wanted->use > row->use) - (wanted->use < row->use);
}

const struct layout *mechanism_layout(CK_MECHANISM_TYPE type, enum layout_use use)
{
    const struct wanted wanted = {type, use};
    const struct row *row =
        bsearch(&wanted, mechanism_layouts, sizeof(mechanism_layouts) / sizeof(mechanism_layouts[0]),
                sizeof(mechanism_layouts[0]), compare);

    return row != NULL ? row->layout : NULL;
}
