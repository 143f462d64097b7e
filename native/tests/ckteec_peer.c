/* SPDX-License-Identifier: Apache-2.0 */
/* What libckteec remembers of the application at the other end: its version, and which of our commands it lacks. */
#include "../ckteec/command.h"
#include "../ckteec/peer.h"
#include "../fuzz/input.h"
#include "ckteec_fake/fake_teec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTEES 0x0FFF /* the last number that is OP-TEE's */
/* Of our numbers those that are given last. */
#define LACKING 0x10F0
#define ALSO_LACKING 0x10F1
#define KNOWN 0x10FF
#define FAR_AWAY 0x2000

#define THREADS 8

static atomic_uint asked;
static uint32_t answering = TEEC_ORIGIN_TRUSTED_APP;

static TEEC_Result answer(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    atomic_fetch_add(&asked, 1);
    *origin = answering;
    if (command != KNOWN)
        return TEEC_ERROR_NOT_SUPPORTED;
    memset(operation->params[0].tmpref.buffer, 0, sizeof(uint32_t));
    return TEEC_SUCCESS;
}

static CK_RV call(unsigned int number)
{
    struct command command;

    command_begin(&command, (enum ta_command)number);
    return command_end(&command);
}

/* Call a command so many times; how often the other side was asked. */
static unsigned int times_asked(unsigned int number, unsigned int calls, CK_RV expected)
{
    const unsigned int before = atomic_load(&asked);

    while (calls-- > 0)
        require(call(number) == expected);
    return atomic_load(&asked) - before;
}

static void initialize(void)
{
    require(C_Initialize(NULL) == CKR_OK);
}

static void finalize(void)
{
    require(C_Finalize(NULL) == CKR_OK);
}

static void the_version_is_kept(void)
{
    initialize();
    require(peer_version().major == 1 && peer_version().minor == 2 && peer_version().patch == 3);
    finalize();
}

static void what_it_lacks_is_asked_for_once(void)
{
    initialize();
    require(times_asked(LACKING, 3, CKR_FUNCTION_NOT_SUPPORTED) == 1);
    require(times_asked(ALSO_LACKING, 3, CKR_FUNCTION_NOT_SUPPORTED) == 1);
    require(times_asked(LACKING, 3, CKR_FUNCTION_NOT_SUPPORTED) == 0);
    require(times_asked(KNOWN, 3, CKR_OK) == 3);
    finalize();
}

static void op_tee_s_commands_are_always_asked_for(void)
{
    initialize();
    require(times_asked(TA_LOGOUT, 3, CKR_FUNCTION_NOT_SUPPORTED) == 3);
    require(times_asked(OPTEES, 3, CKR_FUNCTION_NOT_SUPPORTED) == 3);
    require(times_asked(FAR_AWAY, 3, CKR_FUNCTION_NOT_SUPPORTED) == 3);
    finalize();
}

static void what_others_refuse_is_asked_for_again(void)
{
    initialize();
    answering = TEEC_ORIGIN_TEE;
    require(times_asked(LACKING, 3, CKR_FUNCTION_NOT_SUPPORTED) == 3);
    answering = TEEC_ORIGIN_TRUSTED_APP;
    finalize();
}

static void another_peer_is_asked_anew(void)
{
    for (int i = 0; i < 2; i++) {
        initialize();
        require(times_asked(LACKING, 3, CKR_FUNCTION_NOT_SUPPORTED) == 1);
        finalize();
    }
}

static void a_child_asks_anew(void)
{
    int status = 0;
    pid_t child;

    initialize();
    require(times_asked(LACKING, 1, CKR_FUNCTION_NOT_SUPPORTED) == 1);
    child = fork();
    if (child == 0) {
        initialize();
        _exit(times_asked(LACKING, 3, CKR_FUNCTION_NOT_SUPPORTED) == 1 ? 0 : 1);
    }
    require(waitpid(child, &status, 0) == child && status == 0);
    require(times_asked(LACKING, 1, CKR_FUNCTION_NOT_SUPPORTED) == 0);
    finalize();
}

static void *call_often(void *unused)
{
    for (int i = 0; i < 1000; i++)
        require(call(LACKING) == CKR_FUNCTION_NOT_SUPPORTED);
    return unused;
}

static void threads_learn_from_each_other(void)
{
    const unsigned int before = atomic_load(&asked);
    pthread_t threads[THREADS];

    initialize();
    for (size_t i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, call_often, NULL) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    require(atomic_load(&asked) - before <= THREADS);
    finalize();
}

int main(void)
{
    fake_teec_set_handler(answer);
    the_version_is_kept();
    what_it_lacks_is_asked_for_once();
    op_tee_s_commands_are_always_asked_for();
    what_others_refuse_is_asked_for_again();
    another_peer_is_asked_anew();
    a_child_asks_anew();
    threads_learn_from_each_other();
    puts("good");
    return 0;
}
