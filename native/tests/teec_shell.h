/* SPDX-License-Identifier: Apache-2.0 */
/* What teec_shell.c is made of. */
#ifndef TEEC_SHELL_H
#define TEEC_SHELL_H

#include <tee_client_api.h>

/* The one context and session of the shell. */
extern TEEC_Context context;
extern TEEC_Session session;
extern const TEEC_UUID UUID;

struct call {
    uint32_t command;
    TEEC_Operation operation;
    TEEC_SharedMemory memory[4];
    uint8_t *buffer[4];
    size_t size[4];
    char kind[4]; /* v, t, w, p, n or - */
    TEEC_Result result;
    uint32_t origin;
};

/* Take "COMMAND PARAM..." apart, which is changed. */
void call_prepare(struct call *call, char *arguments);

/* A thread's function that invokes; `argument` is a struct call. */
void *call_run(void *argument);

/* Print the result and what became of the parameters, and free these. */
void call_finish(struct call *call);

/* Start `count` threads with `calls` calls each; at their end, how many calls succeeded, and answered right. */
void parallel_start(unsigned int count, unsigned int calls, uint32_t command);
unsigned int parallel_end(void);

/* Fork while threads call; answers how many children could disconnect, connect and call. */
unsigned int fork_among_threads(unsigned int count);

/*
 * Put a socket of the application's, with bytes to be read, in the place of every descriptor above 2: how many there
 * were. How many of them still are that socket; -1 where it was read from or written to.
 */
int steal_descriptors(void);
int count_stolen(void);

/* Forbid the process all system calls but those of open sockets and of memory: with another one it is killed. */
void confine(void);

/* Interrupt the process by signals from now on. */
void start_alarms(uint32_t microseconds);

#endif
