/* SPDX-License-Identifier: Apache-2.0 */
/* Places for sessions' operations, in a table that their numbers lead into; one lock, held for moments. */
#include "last_operation.h"

#include <pthread.h>
#include <string.h>

#define PLACES 256

struct place {
    uint32_t session;      /* 0: nobody's, as no session has that number */
    bool taken;            /* by one of its session's calls */
    unsigned int visitors; /* calls of other sessions */
    struct last_operation operation;
    struct search search;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came_free = PTHREAD_COND_INITIALIZER;
static unsigned int waiting;
static struct place places[PLACES];

static struct place *place_of(uint32_t session)
{
    return &places[session % PLACES];
}

static void take(struct place *place, struct visit *visit, bool takes)
{
    while (place->session == visit->session && place->taken) {
        waiting++;
        pthread_cond_wait(&came_free, &lock);
        waiting--;
    }
    visit->owner = place->session;
    if (takes && !place->taken && place->visitors == 0 && place->search.state != SEARCH_HELD)
        place->session = visit->session;
    if (place->session == visit->session) {
        place->taken = true;
        visit->operation = &place->operation;
        visit->search = &place->search;
    } else {
        place->visitors++;
    }
    visit->counted = true;
}

void visit_begin(struct visit *visit, uint32_t session, bool takes)
{
    *visit = (struct visit){.session = session};
    if (session == 0)
        return;
    pthread_mutex_lock(&lock);
    take(place_of(session), visit, takes);
    pthread_mutex_unlock(&lock);
}

void visit_end(struct visit *visit)
{
    struct place *place = place_of(visit->session);

    if (!visit->counted)
        return;
    pthread_mutex_lock(&lock);
    if (visit->operation != NULL)
        place->taken = false;
    else if (place->visitors > 0) /* the library may have been finalized meanwhile */
        place->visitors--;
    if (waiting > 0)
        pthread_cond_broadcast(&came_free);
    pthread_mutex_unlock(&lock);
    *visit = (struct visit){0};
}

void visit_forget_session(const struct visit *visit)
{
    pthread_mutex_lock(&lock);
    if (visit->operation != NULL) {
        place_of(visit->session)->session = 0;
        visit->operation->state = OPERATION_UNKNOWN;
        visit->search->state = SEARCH_ELSEWHERE;
    }
    pthread_mutex_unlock(&lock);
}

void last_operations_forget(void)
{
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&came_free, NULL);
    waiting = 0;
    explicit_bzero(places, sizeof(places));
}

static void lose(struct place *place)
{
    struct last_operation *operation = &place->operation;
    const bool is_begun = operation->state == OPERATION_READY || operation->state == OPERATION_CLAIMED;

    if (operation->state != OPERATION_LOST)
        operation->state = is_begun && operation->resumable ? OPERATION_LOST : OPERATION_UNKNOWN;
    if (place->search.state == SEARCH_ENDED)
        place->search.state = SEARCH_ELSEWHERE;
}

void last_operations_lose(void)
{
    pthread_mutex_lock(&lock);
    for (struct place *place = places; place < places + PLACES; place++)
        lose(place);
    pthread_mutex_unlock(&lock);
}
