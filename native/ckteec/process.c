/* SPDX-License-Identifier: Apache-2.0 */
/* Initialization, and what happens to it in a child process. */
#include "process.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "connection.h"

/* Calls hold the lock for reading; C_Initialize and C_Finalize, for writing. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static bool initialized;

/* Set while C_Finalize waits for the lock, so that new calls do not keep it waiting. */
static atomic_bool finalizing;

/* A mark in a page of its own that the kernel turns to zeros in a child process. */
enum { MARK_WIPED = 0, MARK_OURS, MARK_CLEANING };
static _Atomic(atomic_int *) fork_mark;

/* A kernel before 4.14, or a sandbox's, may be unable to wipe the page; then the process id stands in for it. */
static atomic_bool page_is_wiped;
static _Atomic(pid_t) owner;

static bool map_fork_mark(void)
{
    atomic_int *none = NULL;
    atomic_int *mark;

    if (atomic_load(&fork_mark) != NULL)
        return true;
    mark = mmap(NULL, sizeof(*mark), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED)
        return false;
    atomic_store(&page_is_wiped, madvise(mark, sizeof(*mark), MADV_WIPEONFORK) == 0);
    atomic_store(&owner, getpid());
    atomic_store(mark, MARK_OURS);
    if (!atomic_compare_exchange_strong(&fork_mark, &none, mark))
        munmap(mark, sizeof(*mark)); /* another thread was first */
    return true;
}

/* The parent's lock may be held by a thread that is not here; its session is the parent's alone. */
static void forget_parent(void)
{
    pthread_rwlock_init(&lock, NULL);
    initialized = false;
    atomic_store(&finalizing, false);
    connection_forget();
    atomic_store(&owner, getpid());
}

/* In a child process, once: forget the parent's state. Other threads wait until it is done. */
static void notice_fork(void)
{
    atomic_int *mark = atomic_load(&fork_mark);

    if (mark == NULL)
        return;
    if (!atomic_load(&page_is_wiped) && atomic_load(&owner) != getpid())
        atomic_store(mark, MARK_WIPED);
    while (atomic_load(mark) != MARK_OURS) {
        int seen = MARK_WIPED;

        if (atomic_compare_exchange_strong(mark, &seen, MARK_CLEANING)) {
            forget_parent();
            atomic_store(mark, MARK_OURS);
        } else {
            sched_yield();
        }
    }
}

CK_RV library_initialize(void)
{
    CK_RV rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;

    if (!map_fork_mark())
        return CKR_HOST_MEMORY;
    notice_fork();
    if (pthread_rwlock_wrlock(&lock) != 0)
        return CKR_CANT_LOCK;
    if (!initialized) {
        rv = connection_open();
        initialized = rv == CKR_OK;
    }
    pthread_rwlock_unlock(&lock);
    return rv;
}

CK_RV library_finalize(void)
{
    bool was_initialized;

    notice_fork();
    atomic_store(&finalizing, true);
    if (pthread_rwlock_wrlock(&lock) != 0)
        return CKR_CANT_LOCK;
    was_initialized = initialized;
    initialized = false;
    if (was_initialized)
        connection_close();
    atomic_store(&finalizing, false);
    pthread_rwlock_unlock(&lock);
    return was_initialized ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

bool library_enter(void)
{
    notice_fork();
    if (atomic_load(&finalizing) || pthread_rwlock_rdlock(&lock) != 0)
        return false;
    if (initialized)
        return true;
    pthread_rwlock_unlock(&lock);
    return false;
}

void library_leave(void)
{
    pthread_rwlock_unlock(&lock);
}
