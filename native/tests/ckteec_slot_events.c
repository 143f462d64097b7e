/* SPDX-License-Identifier: Apache-2.0 */
/* C_WaitForSlotEvent: nothing ever happens to a slot, so whoever waits does so until C_Finalize. */
#include "../ckteec/library.h"
#include "../fuzz/input.h"
#include "ckteec_fake/fake_teec.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOO_LONG 20 /* seconds */
#define THREADS 4

typedef int wait_function(pthread_cond_t *condition, pthread_mutex_t *mutex);

static sem_t waiting;

/* In libc's place: who has come here waits before anybody else can have the mutex. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    union {
        void *object;
        wait_function *function;
    } real = {.object = dlsym(RTLD_NEXT, "pthread_cond_wait")};

    sem_post(&waiting);
    return real.function(condition, mutex);
}

static TEEC_Result answer(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    (void)command;
    (void)origin;
    memset(operation->params[0].tmpref.buffer, 0, sizeof(uint32_t));
    operation->params[0].tmpref.size = sizeof(uint32_t);
    return TEEC_SUCCESS;
}

static CK_RV wait_for_event(CK_FLAGS flags)
{
    CK_SLOT_ID slot;

    return C_WaitForSlotEvent(flags, &slot, NULL);
}

static void *wait_until_the_end(void *unused)
{
    require(wait_for_event(0) == CKR_CRYPTOKI_NOT_INITIALIZED);
    return unused;
}

static void begin_to_wait(pthread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        require(pthread_create(&threads[i], NULL, wait_until_the_end, NULL) == 0);
        sem_wait(&waiting);
    }
}

static void all_return(const pthread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        require(pthread_join(threads[i], NULL) == 0);
}

static void those_who_wait_are_told_of_the_end_and_others_call_meanwhile(void)
{
    pthread_t threads[THREADS];

    require(C_Initialize(NULL) == CKR_OK);
    begin_to_wait(threads, THREADS);
    require(C_Logout(1) == CKR_OK);
    require(wait_for_event(CKF_DONT_BLOCK) == CKR_NO_EVENT);
    require(C_Finalize(NULL) == CKR_OK);
    all_return(threads, THREADS);
}

/* NSS ends a wait so. */
static void they_are_told_also_where_a_new_beginning_follows_at_once(void)
{
    pthread_t threads[THREADS];

    require(C_Initialize(NULL) == CKR_OK);
    begin_to_wait(threads, THREADS);
    require(C_Finalize(NULL) == CKR_OK);
    require(C_Initialize(NULL) == CKR_OK);
    all_return(threads, THREADS);
    begin_to_wait(threads, 1);
    require(C_Finalize(NULL) == CKR_OK);
    all_return(threads, 1);
}

static void a_thread_that_is_cancelled_leaves_no_lock_behind(void)
{
    pthread_t threads[2];
    void *result = NULL;

    require(C_Initialize(NULL) == CKR_OK);
    begin_to_wait(threads, 2);
    require(pthread_cancel(threads[0]) == 0);
    require(pthread_join(threads[0], &result) == 0 && result == PTHREAD_CANCELED);
    require(C_Finalize(NULL) == CKR_OK);
    all_return(threads + 1, 1);
}

static void live(void)
{
    pthread_t thread;

    require(wait_for_event(0) == CKR_CRYPTOKI_NOT_INITIALIZED);
    require(C_Initialize(NULL) == CKR_OK);
    begin_to_wait(&thread, 1);
    require(C_Finalize(NULL) == CKR_OK);
    all_return(&thread, 1);
}

static void a_child_of_a_process_that_waits_has_a_life_of_its_own(void)
{
    pthread_t threads[THREADS];
    int status = 0;
    pid_t child;

    require(C_Initialize(NULL) == CKR_OK);
    begin_to_wait(threads, THREADS);
    child = fork();
    if (child == 0) {
        alarm(TOO_LONG);
        live();
        _exit(0);
    }
    require(waitpid(child, &status, 0) == child && status == 0);
    require(C_Finalize(NULL) == CKR_OK);
    all_return(threads, THREADS);
}

int main(void)
{
    alarm(TOO_LONG);
    sem_init(&waiting, 0, 0);
    fake_teec_set_handler(answer);
    those_who_wait_are_told_of_the_end_and_others_call_meanwhile();
    they_are_told_also_where_a_new_beginning_follows_at_once();
    a_thread_that_is_cancelled_leaves_no_lock_behind();
    a_child_of_a_process_that_waits_has_a_life_of_its_own();
    puts("good");
    return 0;
}
