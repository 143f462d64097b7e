/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts and their channels: a call has its channel alone, and is told where its context has ended, for whatever
 * reason, also while it waits. The lock is never held while anything is sent or awaited.
 */
#include "context.h"

#include "fork_notice.h"
#include "world.h"

#include <pthread.h>

#define CONTEXTS_LOG2 6
#define CONTEXTS (1u << CONTEXTS_LOG2)
#define GENERATION_MAX (UINT32_C(0x7FFFFFFF) >> CONTEXTS_LOG2)

#define CHANNELS 8u /* as many calls run at the same time */
#define URGENT_CHANNELS (CHANNELS + 1u)
#define JOIN_PAUSE_NS INT64_C(1000000000) /* until the next try, where no further channel could be had */

struct pooled {
    struct channel channel;
    bool busy;
};

struct context {
    uint32_t number; /* 0: the place is free */
    bool finalized;  /* its place is free when the last busy channel comes back */
    bool lost;       /* the secure world has ended it */
    int64_t join_at; /* when a further channel may be tried: the last one was refused, or could not be made */
    struct world world;
    struct pooled pool[URGENT_CHANNELS];
};

/*
 * `lock` guards the table, all but the channels that are marked busy: these are their users'. `changed` tells of every
 * channel that comes free and every context that ends; it belongs to no place, so that none takes it along.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct context contexts[CONTEXTS];
static uint32_t generation;

static void close_parents(struct channel *channel)
{
    descriptor_close(&channel->socket);
    memory_file_close(&channel->file);
}

/*
 * In a forked child. Sockets and files are closed here, which the parent does not feel. What the parent had on the
 * heap is left alone: another of its threads may have been changing it.
 */
static void forget_parents(void)
{
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&changed, NULL);
    for (struct context *context = contexts; context < contexts + CONTEXTS; context++) {
        for (size_t i = 0; context->number != 0 && i < URGENT_CHANNELS; i++)
            close_parents(&context->pool[i].channel);
        counters_unmap(&context->world.counters);
        explicit_bzero(context, sizeof(*context));
    }
}

static struct context *find(uint32_t number)
{
    struct context *context = &contexts[number % CONTEXTS];

    return number != 0 && context->number == number && !context->finalized ? context : NULL;
}

/* Take a free place for a context that nobody finds yet, its first channel busy; NULL where there is none. */
static struct context *claim_place(void)
{
    for (uint32_t i = 0; i < CONTEXTS; i++) {
        struct context *context = &contexts[i];

        if (context->number != 0)
            continue;
        *context = (struct context){.finalized = true};
        generation = generation % GENERATION_MAX + 1;
        context->number = generation << CONTEXTS_LOG2 | i;
        for (size_t c = 0; c < URGENT_CHANNELS; c++)
            channel_init(&context->pool[c].channel);
        context->pool[0].busy = true;
        return context;
    }
    return NULL;
}

static bool any_busy(const struct context *context)
{
    for (size_t i = 0; i < URGENT_CHANNELS; i++)
        if (context->pool[i].busy)
            return true;
    return false;
}

static bool any_open(const struct context *context)
{
    for (size_t i = 0; i < URGENT_CHANNELS; i++)
        if (context->pool[i].busy || channel_is_open(&context->pool[i].channel))
            return true;
    return false;
}

static void close_idle(struct context *context)
{
    for (size_t i = 0; i < URGENT_CHANNELS; i++)
        if (!context->pool[i].busy)
            channel_close(&context->pool[i].channel);
}

/* After every change: close what has no use, free the place of a context that has ended, wake those who wait. */
static void settle(struct context *context)
{
    if (!any_open(context))
        context->lost = true;
    if (context->lost || context->finalized)
        close_idle(context);
    if (context->finalized && !any_busy(context)) {
        explicit_bzero(context->world.secret, sizeof(context->world.secret));
        counters_unmap(&context->world.counters);
        context->number = 0;
    }
    pthread_cond_broadcast(&changed);
}

/* `path`: where to; NULL: to be looked for. */
static TEEC_Result create(const struct socket_path *path, uint32_t *number)
{
    struct context *context;
    TEEC_Result result;

    channel_look_around();
    pthread_mutex_lock(&lock);
    context = claim_place();
    pthread_mutex_unlock(&lock);
    if (context == NULL)
        return TEEC_ERROR_OUT_OF_MEMORY;
    if (path != NULL)
        context->world.path = *path;
    result = world_meet(&context->world, &context->pool[0].channel);
    pthread_mutex_lock(&lock);
    *number = context->number;
    context->finalized = result != TEEC_SUCCESS;
    context->pool[0].busy = false;
    settle(context);
    pthread_mutex_unlock(&lock);
    return result;
}

static TEEC_Result create_again(uint32_t old, uint32_t *number)
{
    const struct context *context;
    struct socket_path path = {""};

    pthread_mutex_lock(&lock);
    context = find(old);
    if (context != NULL)
        path = context->world.path;
    pthread_mutex_unlock(&lock);
    return context != NULL ? create(&path, number) : TEEC_ERROR_BAD_STATE;
}

static bool is_lost(uint32_t number)
{
    const struct context *context;
    bool lost;

    pthread_mutex_lock(&lock);
    context = find(number);
    lost = context == NULL || context->lost;
    pthread_mutex_unlock(&lock);
    return lost;
}

static void destroy(uint32_t number)
{
    struct context *context;

    pthread_mutex_lock(&lock);
    context = find(number);
    if (context != NULL) {
        context->finalized = true;
        settle(context);
    }
    pthread_mutex_unlock(&lock);
}

/* A channel that nobody uses, open if possible, else one that has to be joined; NULL: wait. */
static struct pooled *free_channel(struct context *context, bool urgent)
{
    const size_t limit = urgent ? URGENT_CHANNELS : CHANNELS;
    struct pooled *closed = NULL;

    for (struct pooled *p = context->pool; p < context->pool + limit; p++) {
        if (p->busy)
            continue;
        if (channel_is_open(&p->channel))
            return p;
        if (closed == NULL)
            closed = p;
    }
    return closed != NULL && (context->join_at == 0 || monotonic_ns() >= context->join_at) ? closed : NULL;
}

static TEEC_Result take_locked(uint32_t number, bool urgent, struct context **context, struct pooled **taken)
{
    while ((*context = find(number)) != NULL) {
        if ((*context)->lost)
            return TEEC_ERROR_TARGET_DEAD;
        *taken = free_channel(*context, urgent);
        if (*taken != NULL) {
            (*taken)->busy = true;
            return TEEC_SUCCESS;
        }
        if (urgent)
            return TEEC_ERROR_BUSY;
        pthread_cond_wait(&changed, &lock);
    }
    return TEEC_ERROR_BAD_STATE;
}

/* A channel that is the caller's alone until it is given back; it may have to be joined first. */
static TEEC_Result take(uint32_t number, bool urgent, struct context **context, struct pooled **taken)
{
    TEEC_Result result;

    pthread_mutex_lock(&lock);
    result = take_locked(number, urgent, context, taken);
    pthread_mutex_unlock(&lock);
    return result;
}

static void give_back(struct context *context, struct pooled *taken, TEEC_Result joined)
{
    pthread_mutex_lock(&lock);
    taken->busy = false;
    if (taken->channel.peer_gone)
        context->lost = true;
    if (joined != TEEC_SUCCESS)
        context->join_at = monotonic_ns() + JOIN_PAUSE_NS;
    settle(context);
    pthread_mutex_unlock(&lock);
}

static TEEC_Result place_and_exchange(const struct context *context, struct channel *channel, struct exchange *exchange)
{
    TEEC_Result result;

    if (exchange->parameters == NULL)
        return channel_exchange(channel, exchange);
    result = parameters_place(exchange->parameters,
                              (context->world.features & FEATURE_MEMORY_FILES) != 0 ? &channel->file : NULL);
    if (result == TEEC_SUCCESS)
        result = channel_exchange(channel, exchange);
    memory_file_settle(&channel->file);
    return result;
}

/*
 * Where no further channel can join, the call waits for one of those that have: the process may have become another
 * user's, or have no descriptors left. What a closed channel has not sent goes over the next one.
 */
static TEEC_Result exchange_over_any(uint32_t number, struct exchange *exchange, bool urgent)
{
    struct context *context;
    struct pooled *taken;

    for (;;) {
        TEEC_Result result = take(number, urgent, &context, &taken);
        TEEC_Result joined = TEEC_SUCCESS;

        if (result != TEEC_SUCCESS)
            return result;
        if (!channel_is_open(&taken->channel))
            joined = world_join(&context->world, &taken->channel);
        if (joined == TEEC_SUCCESS)
            result = place_and_exchange(context, &taken->channel, exchange);
        give_back(context, taken, joined);
        if (joined == TEEC_SUCCESS && result != TEEC_ERROR_TARGET_DEAD)
            return result;
    }
}

/* A thread that is cancelled in the middle would keep the lock or its channel for ever. */
static bool enter(int *cancel_state)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel_state);
    return fork_notice(forget_parents);
}

static void leave(int cancel_state)
{
    pthread_setcancelstate(cancel_state, NULL);
}

TEEC_Result context_create(uint32_t *number)
{
    int state;
    TEEC_Result result = enter(&state) ? create(NULL, number) : TEEC_ERROR_OUT_OF_MEMORY;

    leave(state);
    return result;
}

TEEC_Result context_create_again(uint32_t old, uint32_t *number)
{
    int state;
    TEEC_Result result = enter(&state) ? create_again(old, number) : TEEC_ERROR_OUT_OF_MEMORY;

    leave(state);
    return result;
}

bool context_is_lost(uint32_t number)
{
    int state;
    const bool lost = !enter(&state) || is_lost(number);

    leave(state);
    return lost;
}

void context_destroy(uint32_t number)
{
    int state;

    if (enter(&state))
        destroy(number);
    leave(state);
}

static struct counters counters_of(uint32_t number)
{
    const struct context *context;
    struct counters counters = {NULL, 0};

    pthread_mutex_lock(&lock);
    context = find(number);
    if (context != NULL)
        counters = context->world.counters;
    pthread_mutex_unlock(&lock);
    return counters;
}

struct counters context_counters(uint32_t number)
{
    int state;
    const struct counters counters = enter(&state) ? counters_of(number) : (struct counters){NULL, 0};

    leave(state);
    return counters;
}

TEEC_Result context_exchange(uint32_t number, struct exchange *exchange, bool urgent)
{
    int state;
    TEEC_Result result = enter(&state) ? exchange_over_any(number, exchange, urgent) : TEEC_ERROR_OUT_OF_MEMORY;

    leave(state);
    return result;
}
