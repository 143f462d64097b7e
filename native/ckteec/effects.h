/* SPDX-License-Identifier: Apache-2.0 */
/* What a command may change of what an operation's beginning would answer. */
#ifndef EFFECTS_H
#define EFFECTS_H

#include "commands.gen.h"

enum effect {
    EFFECT_ANY,        /* and whatever is not known */
    EFFECT_OPERATIONS, /* those of its session alone */
    EFFECT_SEARCH,     /* that of its session; it cannot see which operations are active */
    EFFECT_READING,    /* none, and what it reads may have been told before */
    EFFECT_NONE,       /* and it cannot see which operations are active */
};

enum effect effect_of(enum ta_command command);

#endif
