/* SPDX-License-Identifier: Apache-2.0 */
#include "acts.h"

#include <time.h>

#define SPARE 4096         /* bytes that an output may have more than the input */
#define MOST_OBJECTS 4000u /* that a caller makes in a round: session objects are counted */

/* Each act has a part that the first caller of a process does, and then one that all do. */
struct parts {
    void (*of_process)(struct process *process);
    void (*of_caller)(struct caller *caller);
};

/* In turn: SoftHSM2's login writes the token's file, which another process must not read then. */
static void start_process(struct process *process)
{
    pthread_mutex_lock(&process->stage->turn);
    token_load(process);
    pthread_mutex_unlock(&process->stage->turn);
    if (!process->stage->fails && process->fills)
        CALLED(process, C_GetInfo, &process->stage->info);
}

static void start_caller(struct caller *caller)
{
    token_open_session(caller->process, &caller->session);
}

static void import_key(struct process *process)
{
    struct template *object = &process->row.object;

    if (CALLED(process, C_CreateObject, process->session, object->attributes, object->count, &process->key))
        handles_add(&process->made, process->key);
}

static void prepare_process(struct process *process)
{
    struct row *row = &process->row;

    if (!row_read(row, process->stage->line) || operation_named(row->operation) == NULL) {
        stage_fail(process->stage, "a row, which was not understood,", CKR_ARGUMENTS_BAD);
        return;
    }
    if (operation_has_key(row->operation))
        import_key(process);
    if (process->fills)
        token_fill(process);
}

static void prepare_caller(struct caller *caller)
{
    caller->room = caller->process->row.data.size + SPARE;
    caller->output = malloc(caller->room);
    if (caller->output == NULL)
        stage_fail(caller->process->stage, "malloc", CKR_HOST_MEMORY);
}

__attribute__((noinline)) void bench_round(struct caller *caller, operation *once, struct result *result)
{
    const struct stage *stage = caller->process->stage;
    const int64_t start = clock_ns(CLOCK_MONOTONIC);

    while (!stage->fails && once(caller)) {
        result->calls++;
        if (stage->ns > 0 ? clock_ns(CLOCK_MONOTONIC) - start >= stage->ns : result->calls >= stage->times)
            break;
        if (caller->made.count >= MOST_OBJECTS)
            break;
    }
}

static void call(struct caller *caller)
{
    struct process *process = caller->process;
    struct result *result = &process->stage->results[caller->number];
    const int64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID), start = clock_ns(CLOCK_MONOTONIC);

    *result = (struct result){.calls = 0};
    bench_round(caller, operation_named(process->row.operation), result);
    result->ns = clock_ns(CLOCK_MONOTONIC) - start;
    result->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

static void clean(struct caller *caller)
{
    token_destroy(caller->process, &caller->made);
}

static void finish_process(struct process *process)
{
    token_destroy(process, &process->made);
    row_free(&process->row);
}

static void finish_caller(struct caller *caller)
{
    free(caller->output);
    caller->output = NULL;
}

static void leave_process(struct process *process)
{
    token_destroy(process, &process->fillers);
}

static const struct parts acts[ACTS] = {
    [START] = {start_process, start_caller},
    [PREPARE] = {prepare_process, prepare_caller},
    [CALL] = {NULL, call},
    [CLEAN] = {NULL, clean},
    [FINISH] = {finish_process, finish_caller},
    [LEAVE] = {leave_process, NULL},
};

/* What cleans up is done after a failure, too. */
static bool is_wanted(const struct stage *stage, enum act act)
{
    return !stage->fails || act >= CLEAN;
}

void follow(struct caller *caller)
{
    struct stage *stage = caller->process->stage;
    enum act act;

    do {
        pthread_barrier_wait(&stage->begin);
        act = stage->act; /* which the conductor changes after the end */
        if (caller->first && acts[act].of_process != NULL && is_wanted(stage, act))
            acts[act].of_process(caller->process);
        pthread_barrier_wait(&stage->middle);
        if (acts[act].of_caller != NULL && is_wanted(stage, act))
            acts[act].of_caller(caller);
        pthread_barrier_wait(&stage->end);
    } while (act != LEAVE);
}
