/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call's turn: what the library can do for it without the secure world, and what it has to tell that first.
 *
 * Where the other side lets changes be seen, it answers what it has just heard: that an operation begins, if the same
 * one ended well and nothing has changed since, how large a signature or digest will be, and what a search has found.
 * The function that follows then begins the operation and ends it, in one command. Any other that could see the
 * difference has the operation begun first. Applications cannot tell.
 */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>

#include "command.h"
#include "effects.h"
#include "last_operation.h"

struct turn {
    bool follows; /* false: nothing is done but what the call asks for */
    enum effect effect;
    enum ta_command called;
    struct visit visit;
    uint64_t own; /* changes_own() at the beginning */
    bool answered;
    CK_RV answer;
    bool counted;
    uint8_t started[TA_SIGN_START_BYTES];
    search_answer found;
};

/*
 * Before a command is sent, where `sends`, or is refused on this side. It may be sent as another one then; or it need
 * not be: then `answered` is set, and `answer` and the output are as the secure world would have given them.
 */
void turn_begin(struct turn *turn, struct command *command, bool sends);

/*
 * The command shall be sent again, to another secure world; `sent`: the one before may have got it. Its operation is
 * begun again before. False: there is none to go on with.
 */
bool turn_again(struct turn *turn, struct command *command, bool sent);

/* With what the secure world has answered. True: it lacks the command, which was made the application's own again. */
bool turn_seen(struct turn *turn, struct command *command, CK_RV rv);

/* The session's operation shall end with this call. False: the secure world has to be told. */
bool turn_drops_operation(struct turn *turn);

/* With the application's answer. */
void turn_end(struct turn *turn, const struct command *command, CK_RV rv);

#endif
