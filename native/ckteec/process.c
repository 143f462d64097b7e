/* SPDX-License-Identifier: Apache-2.0 */
/* Initialization, and what happens to it in a child process. */
#include "process.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "changes.h"
#include "connection.h"
#include "fork_notice.h"
#include "known_attributes.h"
#include "last_operation.h"
#include "peer.h"
#include "remembered.h"

#define NAP_MS 10 /* between two tries to connect */

/* Calls hold the lock for reading; C_Initialize and C_Finalize, for writing. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static bool initialized;
static unsigned long lives; /* how often it was */

/* The process was forked from one that was connected; and it has not waited in vain yet to be so, too. */
static bool parents_place;
static atomic_bool waits_for_peer;

/* A thread connects anew; the others wait for it. */
static atomic_bool renewing;

/* Set while C_Finalize waits for the lock, so that new calls do not keep it waiting. */
static atomic_bool finalizing;

/* For those who wait for C_Finalize: how often it was called. */
static pthread_mutex_t end_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t end_came = PTHREAD_COND_INITIALIZER;
static unsigned long ends;

static void forget_changes(void)
{
    changes_watch(NULL, 0);
    last_operations_forget();
    known_attributes_forget();
    remembered_forget();
}

static void watch_changes(void)
{
    size_t count;
    const volatile uint64_t *counters = connection_counters(&count);

    changes_watch(counters, count);
}

/* In a child process. The parent's locks may be held by threads that are not here; its session is its own. */
static void forget_parent(void)
{
    pthread_rwlock_init(&lock, NULL);
    pthread_mutex_init(&end_lock, NULL);
    pthread_cond_init(&end_came, NULL);
    parents_place = parents_place || initialized;
    atomic_store(&waits_for_peer, parents_place);
    initialized = false;
    atomic_store(&finalizing, false);
    atomic_store(&renewing, false);
    connection_forget();
    forget_changes();
}

/* A connection to nobody whom this library knows is none. */
static CK_RV connect_to_peer(void)
{
    CK_RV rv = connection_open();

    if (rv != CKR_OK)
        return rv;
    rv = peer_meet();
    if (rv != CKR_OK)
        connection_close();
    return rv;
}

static CK_RV initialize_alone(void)
{
    CK_RV rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;

    if (pthread_rwlock_wrlock(&lock) != 0)
        return CKR_CANT_LOCK;
    if (!initialized) {
        rv = connect_to_peer();
        initialized = rv == CKR_OK;
        lives += initialized;
        if (initialized)
            watch_changes();
    }
    pthread_rwlock_unlock(&lock);
    return rv;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A server forks workers, which then call for the first time, whenever it likes: the secure world may be restarting. */
static CK_RV initialize_in_time(void)
{
    const int64_t deadline = now_ns() + connection_patience();
    CK_RV rv = initialize_alone();

    while (rv == CKR_DEVICE_ERROR && atomic_load(&waits_for_peer)) {
        atomic_store(&waits_for_peer, now_ns() < deadline);
        poll(NULL, 0, NAP_MS);
        rv = initialize_alone();
    }
    return rv;
}

CK_RV library_initialize(void)
{
    int cancel_state;
    CK_RV rv;

    if (!fork_notice(forget_parent))
        return CKR_HOST_MEMORY;
    /* Calls may run for long, and others follow them: whoever only has to be told does not wait for them to end. */
    if (library_is_initialized())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    rv = initialize_in_time();
    pthread_setcancelstate(cancel_state, NULL);
    return rv;
}

static void tell_the_end(void)
{
    pthread_mutex_lock(&end_lock);
    ends++;
    pthread_cond_broadcast(&end_came);
    pthread_mutex_unlock(&end_lock);
}

static CK_RV finalize_alone(void)
{
    CK_RV rv = CKR_CRYPTOKI_NOT_INITIALIZED;

    atomic_store(&finalizing, true);
    if (pthread_rwlock_wrlock(&lock) != 0) {
        atomic_store(&finalizing, false);
        return CKR_CANT_LOCK;
    }
    if (initialized) {
        forget_changes();
        connection_close();
        initialized = false;
        parents_place = false;
        atomic_store(&waits_for_peer, false);
        tell_the_end();
        rv = CKR_OK;
    }
    atomic_store(&finalizing, false);
    pthread_rwlock_unlock(&lock);
    return rv;
}

CK_RV library_finalize(void)
{
    int cancel_state;
    CK_RV rv;

    if (!fork_notice(forget_parent))
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    rv = finalize_alone();
    pthread_setcancelstate(cancel_state, NULL);
    return rv;
}

bool library_is_initialized(void)
{
    int cancel_state;

    if (!library_enter(&cancel_state))
        return false;
    library_leave(cancel_state);
    return true;
}

bool library_has_parents_place(void)
{
    return parents_place;
}

bool library_enter(int *cancel_state)
{
    if (!fork_notice(forget_parent) || atomic_load(&finalizing))
        return false;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel_state);
    if (pthread_rwlock_rdlock(&lock) == 0) {
        if (initialized)
            return true;
        pthread_rwlock_unlock(&lock);
    }
    pthread_setcancelstate(*cancel_state, NULL);
    return false;
}

void library_leave(int cancel_state)
{
    pthread_rwlock_unlock(&lock);
    pthread_setcancelstate(cancel_state, NULL);
}

/* A call has to get back what it has let go; only more readers than there can be keep it away. */
static void lock_for_reading(void)
{
    while (pthread_rwlock_rdlock(&lock) != 0)
        poll(NULL, 0, NAP_MS);
}

/* Have another secure world take the place of the one that is lost: all of that one's, or nothing. */
static bool take_over(const struct connection *renewed)
{
    const struct connection lost = connection_now();
    struct connection ended = lost;
    size_t count;
    const volatile uint64_t *counters;

    connection_use(renewed);
    if (peer_meet() != CKR_OK || remembered_restore() != CKR_OK) {
        connection_use(&lost);
        return false;
    }
    connection_end(&ended);
    counters = connection_counters(&count);
    changes_watch_others(counters, count);
    last_operations_lose();
    known_attributes_wipe();
    return true;
}

/* Whether the library is in the life that a call has begun in; `lost`: and its connection is. */
static bool lives_on(unsigned long life, bool *lost)
{
    const bool same = initialized && lives == life;

    *lost = same && connection_is_lost();
    return same;
}

/* To connect takes its time, in which nobody else has to wait. */
static bool renew(unsigned long life)
{
    struct connection renewed = {0};
    struct connection old;
    bool lost;
    bool done = false;

    lock_for_reading();
    lives_on(life, &lost);
    old = connection_now();
    pthread_rwlock_unlock(&lock);
    if (!lost || connection_renew(&old, &renewed) != CKR_OK)
        return false;
    if (pthread_rwlock_wrlock(&lock) == 0) {
        lives_on(life, &lost);
        done = lost && take_over(&renewed);
        pthread_rwlock_unlock(&lock);
    }
    if (!done)
        connection_end(&renewed);
    return done;
}

static bool is_there(unsigned long life)
{
    bool lost;
    bool same;

    lock_for_reading();
    same = lives_on(life, &lost);
    pthread_rwlock_unlock(&lock);
    return same && !lost;
}

/* C_Finalize does not wait for a secure world to come back. */
static bool renew_until(unsigned long life, int64_t deadline)
{
    for (;;) {
        bool renewed = false;

        if (is_there(life))
            return true;
        if (!atomic_exchange(&renewing, true)) {
            renewed = renew(life);
            atomic_store(&renewing, false);
        }
        if (renewed)
            return true;
        if (atomic_load(&finalizing) || now_ns() >= deadline)
            return false;
        poll(NULL, 0, NAP_MS);
    }
}

bool library_reconnect(int64_t *deadline)
{
    const unsigned long life = lives;
    const bool again = *deadline != 0;
    bool there;
    bool lost;

    if (!again)
        *deadline = now_ns() + connection_patience();
    else if (now_ns() >= *deadline)
        return false;
    pthread_rwlock_unlock(&lock);
    there = renew_until(life, *deadline);
    lock_for_reading();
    return there && lives_on(life, &lost);
}

static void unlock(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

/* Who comes in sees the end that ends this life of the library, and no earlier one: C_Finalize waits for its lock. */
void library_wait_for_end(void)
{
    int cancel_state;
    unsigned long seen;

    if (!library_enter(&cancel_state))
        return;
    pthread_mutex_lock(&end_lock);
    seen = ends;
    pthread_cleanup_push(unlock, &end_lock);
    library_leave(cancel_state);
    while (ends == seen)
        pthread_cond_wait(&end_came, &end_lock);
    pthread_cleanup_pop(1);
}
