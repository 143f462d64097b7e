/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library knows of the operation that a session had last, and of its search: a place for each of some
 * sessions.
 *
 * Calls of a session that has a place wait there for each other, as they would in the secure world. A session gets one
 * when it begins an operation, where the place that its number names is free; it loses it to another session. The
 * others' calls are counted meanwhile: a place changes hands only while none of them runs.
 */
#ifndef LAST_OPERATION_H
#define LAST_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "changes.h"
#include "commands.gen.h"
#include "search.h"

/* The commands of one kind of operation that can be done in one part. */
struct operation_kind {
    enum ta_command init;
    enum ta_command start; /* ours: as init, and tells of it */
    enum ta_command one_shot;
    enum ta_command again; /* ours: the operation that has ended last, anew, and one_shot */
    enum ta_command update;
    enum ta_command final;
};

enum operation_state {
    OPERATION_UNKNOWN, /* of this and of all others in the session */
    OPERATION_READY,   /* it was begun */
    OPERATION_RUNNING, /* it has had a part */
    OPERATION_ENDED,   /* and may be resumed */
    OPERATION_CLAIMED, /* the application was told that it is begun again, which the secure world does not know yet */
    OPERATION_LOST,    /* the application takes it for begun, but that was in a secure world that is gone */
};

/* A request to begin an operation that is longer is not remembered. */
#define REQUEST_LIMIT 192

struct last_operation {
    enum operation_state state;
    const struct operation_kind *kind;
    struct changes_mark mark; /* when it was begun */
    uint32_t size;            /* of what it will give; 0: not known */
    bool resumable;
    bool in_parts;
    size_t request_size;
    uint8_t request[REQUEST_LIMIT];
};

/* A place, while a call has it or is counted there. */
struct visit {
    struct last_operation *operation; /* NULL: the place is another session's */
    struct search *search;
    uint32_t session;
    uint32_t owner; /* whose the place was before */
    bool counted;
};

/*
 * Visit the place of a session, and wait until it is free if it is the session's. `takes`: where it is another's and
 * free, take it; `owner` says whose it was, and what is there is still that one's. A search is held for its session
 * alone.
 */
void visit_begin(struct visit *visit, uint32_t session, bool takes);
void visit_end(struct visit *visit);

/* The session has none any more. To be called in a visit. */
void visit_forget_session(const struct visit *visit);

/* At the beginning of a connection, and in a child process. */
void last_operations_forget(void);

/*
 * In another secure world than before: it has no operations. Those that have had nothing yet are lost, and may be begun
 * again; others are gone. What is held of a search is held. No call looks at its operation meanwhile.
 */
void last_operations_lose(void);

#endif
