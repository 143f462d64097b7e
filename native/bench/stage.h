/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the conductor and its callers share, threads and processes alike: what to do next, and how it went.
 *
 * The conductor never loads the module, so that processes that it forks begin without it.
 */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkcs11.h"

#define MOST_CALLERS 1024u
#define LONGEST_LINE (1u << 16)

enum act { START, PREPARE, CALL, CLEAN, FINISH, LEAVE, ACTS };

/* What one caller did in a round. */
struct result {
    uint64_t calls;
    int64_t ns;
    int64_t cpu_ns;
};

struct stage {
    pthread_barrier_t begin; /* of the conductor and all callers */
    pthread_barrier_t middle;
    pthread_barrier_t end;
    pthread_mutex_t turn; /* of processes that load the module one after the other */
    enum act act;
    int64_t ns;        /* how long a round is, or 0 */
    uint64_t times;    /* how many calls it has, where it has no length */
    atomic_bool fails; /* and then: */
    char function[32];
    CK_RV rv;
    CK_INFO info;
    char line[LONGEST_LINE]; /* the row that is prepared */
    struct result results[MOST_CALLERS];
};

/* Memory that forked processes share; NULL where there is none. */
struct stage *stage_new(unsigned callers);

/* Note a failure, if it is the first one of the row. */
void stage_fail(struct stage *stage, const char *function, CK_RV rv);

int64_t clock_ns(clockid_t id);

#endif
