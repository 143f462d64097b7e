/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C_GetAttributeValue where changes are seen: answered from what is known, or by a command that tells more than is
 * asked for, so that the next one can be.
 */
#ifndef READ_AHEAD_H
#define READ_AHEAD_H

#include "command.h"

/* What GET_ATTRIBUTE_VALUE would answer, in the command's output, and in `rv`. False: it has to be asked. */
bool read_ahead(struct command *command, CK_RV *rv);

#endif
