/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

struct stage *stage_new(unsigned callers)
{
    struct stage *stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t shared;
    pthread_mutexattr_t shared_turn;

    if (stage == MAP_FAILED)
        return NULL;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&stage->begin, &shared, callers + 1);
    pthread_barrier_init(&stage->middle, &shared, callers + 1);
    pthread_barrier_init(&stage->end, &shared, callers + 1);
    pthread_barrierattr_destroy(&shared);
    pthread_mutexattr_init(&shared_turn);
    pthread_mutexattr_setpshared(&shared_turn, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&stage->turn, &shared_turn);
    pthread_mutexattr_destroy(&shared_turn);
    return stage;
}

void stage_fail(struct stage *stage, const char *function, CK_RV rv)
{
    if (atomic_exchange(&stage->fails, true))
        return;
    snprintf(stage->function, sizeof(stage->function), "%s", function);
    stage->rv = rv;
}

int64_t clock_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
