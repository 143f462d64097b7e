/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands that the library sends again; it is looked into only when the secure world has gone. */
#include "again.h"

#include <stddef.h>

static const struct {
    enum ta_command command;
    enum again again;
} rows[] = {
#include "again.gen.h"
};

enum again again_of(enum ta_command command)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].command == command)
            return rows[i].again;
    return AGAIN_NEVER;
}
