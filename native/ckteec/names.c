/* SPDX-License-Identifier: Apache-2.0 */
/* What ck_debug.h declares: the search in tables that come from the Python names. */
#pragma GCC visibility push(default)
#include "ck_debug.h"
#pragma GCC visibility pop

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "names.gen.h"

struct table {
    const struct name *rows;
    size_t count;
};

#define TABLE(rows) (&(const struct table){rows, sizeof(rows) / sizeof((rows)[0])})

static int compare(const void *key, const void *row)
{
    CK_ULONG wanted = *(const CK_ULONG *)key;
    uint32_t number = ((const struct name *)row)->number;

    return (wanted > number) - (wanted < number);
}

static const char *name_in(const struct table *table, CK_ULONG number, const char *unknown)
{
    const struct name *row = bsearch(&number, table->rows, table->count, sizeof(*row), compare);

    return row != NULL ? row->text : unknown;
}

static const char *name_of_id(const struct table *table, CK_ULONG id)
{
    return name_in(table, id, (id & CKM_VENDOR_DEFINED) != 0 ? "Vendor defined" : "Unknown ID");
}

const char *ckr2str(CK_RV id)
{
    return name_of_id(TABLE(names_of_returns), id);
}

const char *ckm2str(CK_MECHANISM_TYPE id)
{
    return name_of_id(TABLE(names_of_mechanisms), id);
}

const char *cka2str(CK_ATTRIBUTE_TYPE id)
{
    return name_of_id(TABLE(names_of_attributes), id);
}

const char *cko2str(CK_OBJECT_CLASS id)
{
    return name_in(TABLE(names_of_classes), id, "Unknown");
}

const char *ckk2str(CK_KEY_TYPE id)
{
    return name_in(TABLE(names_of_key_types), id, "Unknown");
}

const char *slot_ckf2str(CK_ULONG flag)
{
    return name_in(TABLE(names_of_slot_flags), flag, "Unknown flag");
}

const char *token_ckf2str(CK_ULONG flag)
{
    return name_in(TABLE(names_of_token_flags), flag, "Unknown flag");
}

const char *mecha_ckf2str(CK_ULONG flag)
{
    return name_in(TABLE(names_of_mechanism_flags), flag, "Unknown flag");
}

const char *session_ckf2str(CK_ULONG flag)
{
    return name_in(TABLE(names_of_session_flags), flag, "Unknown flag");
}

const char *session_cks2str(CK_ULONG state)
{
    return name_in(TABLE(names_of_session_states), state, "Unknown flag");
}
