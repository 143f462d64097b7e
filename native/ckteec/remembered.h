/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the application has in the secure world, as far as another one can give it back: its sessions under their
 * handles, and its logins by tickets. No PIN is kept.
 *
 * New handles always begin above all that were ever given, so that one which is gone never names anything else.
 */
#ifndef REMEMBERED_H
#define REMEMBERED_H

#include "command.h"

/*
 * With a command that has succeeded, while the library stays initialized. False: it was a login, and the secure world
 * has gone before it could say how that comes back: nobody is logged in.
 */
bool remember(const struct command *command);

/*
 * What a command that only ends something answers where the secure world is gone, and with it what there was to end:
 * CKR_OK, where the session was there and, for C_Logout, the login.
 */
CK_RV remembered_end(const struct command *command);

/*
 * Have a secure world restore all that, to which a session was just opened. What it does not restore is forgotten.
 * CKR_FUNCTION_NOT_SUPPORTED: it does not know how to, so that its handles may be those of old. Nobody calls anything
 * else meanwhile.
 */
CK_RV remembered_restore(void);

/* At the beginning and the end of a connection, and in a child process: nothing of it is left. */
void remembered_forget(void);

#endif
