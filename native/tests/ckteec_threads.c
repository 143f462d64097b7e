/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that is cancelled in a call, on a libteec in which it can be: the library can still be finalized. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "ckteec_fake/fake_teec.h"
#include "pkcs11.h"

#define TOO_LONG 20 /* seconds */

static sem_t inside;

static TEEC_Result answer(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    (void)command;
    (void)origin;
    sem_post(&inside);
    usleep(200000); /* a cancellation point */
    operation->params[0].tmpref.size = sizeof(uint32_t);
    *(uint32_t *)operation->params[0].tmpref.buffer = CKR_OK;
    return TEEC_SUCCESS;
}

static void *call(void *rv)
{
    *(CK_RV *)rv = C_Logout(1);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    CK_RV rv = CKR_GENERAL_ERROR;

    alarm(TOO_LONG);
    sem_init(&inside, 0, 0);
    fake_teec_set_handler(answer);
    if (C_Initialize(NULL) != CKR_OK || pthread_create(&thread, NULL, call, &rv) != 0)
        return 1;
    sem_wait(&inside);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    if (rv != CKR_OK)
        puts("the call was left in the middle");
    return rv == CKR_OK && C_Finalize(NULL) == CKR_OK ? 0 : 1;
}
