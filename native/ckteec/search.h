/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's search, whose handles come with its beginning where they are few: then C_FindObjects and
 * C_FindObjectsFinal need nobody else. The secure world keeps it as one that has none left.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "changes.h"
#include "command.h"

#define HELD_HANDLES 128

enum search_state {
    SEARCH_ELSEWHERE, /* where the secure world says, if there is one */
    SEARCH_HELD,      /* all that is left of it is here */
    SEARCH_ENDED,     /* by the application, which the secure world does not know yet */
};

struct search {
    enum search_state state;
    struct changes_mark mark; /* of which only our own changes count: they alone end a search */
    uint32_t count;
    uint32_t next;
    uint32_t handles[HELD_HANDLES];
};

/* Number of the objects, and their handles. */
typedef uint8_t search_answer[(1 + HELD_HANDLES) * sizeof(uint32_t)];

/*
 * Before a command of the search is sent; it may be sent as another one then, whose output goes to `answer`. True:
 * nothing is to be sent, and CKR_OK is the answer.
 */
bool search_begin(struct search *search, struct command *command, uint8_t *answer);

/* With what the secure world has said to it; `own` is changes_own() as it was before. */
void search_seen(struct search *search, struct command *command, CK_RV rv, const uint8_t *answer, uint64_t own);

/* Nothing is held back from the secure world any more. Not for a search that is held. */
void search_settle(struct search *search, uint32_t session);

#endif
