/* SPDX-License-Identifier: Apache-2.0 */
/* The module in a process, its token, and what each caller has there. A call that fails is noted on the stage. */
#ifndef BENCH_TOKEN_H
#define BENCH_TOKEN_H

#include "row.h"
#include "stage.h"

#include <stdlib.h>

/* Objects that were made and are to be destroyed. */
struct handles {
    CK_OBJECT_HANDLE *list;
    size_t count, room;
};

/* What the callers of one process have in common. */
struct process {
    struct stage *stage;
    const char *module;
    const char *pin;
    bool fills; /* of all processes, the one that makes token objects */
    CK_FUNCTION_LIST *functions;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session; /* logs in, and owns the row's objects */
    struct row row;
    CK_OBJECT_HANDLE key;
    struct handles made;
    struct handles fillers;
};

struct caller {
    struct process *process;
    unsigned number;
    bool first; /* of its process */
    CK_SESSION_HANDLE session;
    CK_BYTE *output;
    CK_ULONG room;
    struct handles made;
};

/* Whether a call went well. */
#define CALLED(process, name, ...) noted((process)->stage, #name, (process)->functions->name(__VA_ARGS__))

static inline bool noted(struct stage *stage, const char *function, CK_RV rv)
{
    if (rv != CKR_OK)
        stage_fail(stage, function, rv);
    return rv == CKR_OK;
}

/* Load the module, and log in at the first token that has a PIN. */
void token_load(struct process *process);

bool token_open_session(const struct process *process, CK_SESSION_HANDLE *session);

/* What one search finds, of at most one object; CK_INVALID_HANDLE where that is not exactly one. */
CK_OBJECT_HANDLE token_find(const struct process *process, CK_SESSION_HANDLE session, struct template *wanted);

/* False where there is no memory. */
bool handles_add(struct handles *handles, CK_OBJECT_HANDLE handle);

void token_destroy(const struct process *process, struct handles *handles);

/* Make objects until there are as many as the row wants. */
void token_fill(struct process *process);

#endif
