/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TEE Client API by hand: one command a line on standard input, one line of answer each. tests/native/test_teec*.py
 * drives it, with a scripted secure world at the other end.
 *
 *   init                    TEEC_InitializeContext      -> result
 *   open METHOD [GID]       TEEC_OpenSession            -> result origin
 *   invoke COMMAND PARAM... TEEC_InvokeCommand          -> result origin PARAM...
 *   start COMMAND PARAM...  the same in a thread; then
 *   cancel                  TEEC_RequestCancellation    -> ok
 *   abandon                 pthread_cancel of the thread -> ok
 *   wait                                                -> result origin PARAM...
 *   parallel THREADS CALLS COMMAND                      -> how many of all the calls succeeded
 *   launch THREADS CALLS COMMAND, landed                -> ok, and the same
 *   close, final            TEEC_CloseSession, TEEC_FinalizeContext -> ok
 *   steal                   put a socket of the application's in the place of all descriptors above 2 -> how many
 *   stolen                                              -> how many of these still are that socket; -1: it was used
 *   shut FIRST LAST         close descriptors, in the middle of things -> ok
 *   alarms MICROSECONDS     be interrupted by signals from now on -> ok
 *   forks COUNT             while threads call, children connect, call and disconnect -> how many could
 *   fork                    go on in a child; the parent waits for its end and goes on then -> child, parent
 *   exit                    end a child                 -> nothing
 *
 * A PARAM is `-`, a value `v` + i, o or x (in-out) + `:A,B`, or a buffer `t` (temporary), `w` (whole), `p` (part, at
 * offset 3) or `n` (NULL) + i, o or x + `:SIZE`. Buffers hold a pattern; what comes back is told as SIZE:CRC-32.
 */
#include "teec_shell.h"

#include <sys/syscall.h>
#include <tee_client_api_extensions.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* All commands have one shape; not every one needs all of it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

const TEEC_UUID UUID = {0xfd02c9da, 0x306c, 0x48c7, {0xa4, 0x9c, 0xbb, 0xd8, 0x27, 0xae, 0x86, 0xee}};

TEEC_Context context;
TEEC_Session session;

static struct call background;
static pthread_t background_thread;

static void init(char *arguments, const uint32_t *number)
{
    printf("%08" PRIx32 "\n", TEEC_InitializeContext(NULL, &context));
}

static void open_session(char *arguments, const uint32_t *number)
{
    uint32_t origin = 0;
    const uint32_t *gid = strchr(arguments, ' ') != NULL ? &number[1] : NULL;
    TEEC_Result result = TEEC_OpenSession(&context, &session, &UUID, number[0], gid, NULL, &origin);

    printf("%08" PRIx32 " %" PRIu32 "\n", result, origin);
}

static void invoke(char *arguments, const uint32_t *number)
{
    struct call call;

    call_prepare(&call, arguments);
    call_run(&call);
    call_finish(&call);
}

static void start(char *arguments, const uint32_t *number)
{
    call_prepare(&background, arguments);
    pthread_create(&background_thread, NULL, call_run, &background);
    puts("ok");
}

static void cancel(char *arguments, const uint32_t *number)
{
    TEEC_RequestCancellation(&background.operation);
    puts("ok");
}

static void abandon(char *arguments, const uint32_t *number)
{
    pthread_cancel(background_thread);
    puts("ok");
}

static void wait_for_call(char *arguments, const uint32_t *number)
{
    pthread_join(background_thread, NULL);
    call_finish(&background);
}

static void landed(char *arguments, const uint32_t *number)
{
    printf("%u\n", parallel_end());
}

static void launch(char *arguments, const uint32_t *number)
{
    parallel_start(number[0], number[1], number[2]);
    puts("ok");
}

static void parallel(char *arguments, const uint32_t *number)
{
    parallel_start(number[0], number[1], number[2]);
    landed(arguments, number);
}

static void close_session(char *arguments, const uint32_t *number)
{
    TEEC_CloseSession(&session);
    puts("ok");
}

static void final(char *arguments, const uint32_t *number)
{
    TEEC_FinalizeContext(&context);
    puts("ok");
}

static void steal(char *arguments, const uint32_t *number)
{
    printf("%d\n", steal_descriptors());
}

static void stolen(char *arguments, const uint32_t *number)
{
    printf("%d\n", count_stolen());
}

static void shut(char *arguments, const uint32_t *number)
{
    syscall(SYS_close_range, number[0], number[1], 0); /* musl has no function for it */
    puts("ok");
}

static void alarms(char *arguments, const uint32_t *number)
{
    start_alarms(number[0]);
    puts("ok");
}

static void confine_process(char *arguments, const uint32_t *number)
{
    confine();
    puts("ok");
}

static void renew(char *arguments, const uint32_t *number)
{
    TEEC_Context fresh;
    const TEEC_Result result = softee_reconnect(&context, &fresh);

    TEEC_FinalizeContext(&context);
    context = fresh;
    printf("%08" PRIx32 "\n", result);
}

static void lost(char *arguments, const uint32_t *number)
{
    puts(softee_is_lost(&context) ? "yes" : "no");
}

static void forks(char *arguments, const uint32_t *number)
{
    printf("%u\n", fork_among_threads(number[0]));
}

static void go_on_in_child(char *arguments, const uint32_t *number)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        puts("child");
        return;
    }
    waitpid(child, &status, 0);
    printf("parent %d\n", status);
}

static void end_child(char *arguments, const uint32_t *number)
{
    _exit(0);
}

static const struct {
    const char *name;
    void (*run)(char *arguments, const uint32_t *number);
} COMMANDS[] = {
    {"init", init},     {"open", open_session},   {"invoke", invoke},       {"start", start},
    {"cancel", cancel}, {"abandon", abandon},     {"wait", wait_for_call},  {"parallel", parallel},
    {"launch", launch}, {"landed", landed},       {"close", close_session}, {"final", final},
    {"steal", steal},   {"stolen", stolen},       {"shut", shut},           {"alarms", alarms},
    {"forks", forks},   {"fork", go_on_in_child}, {"exit", end_child},      {"confine", confine_process},
    {"renew", renew},   {"lost", lost},
};

static void execute(char *line)
{
    uint32_t number[3] = {0, 0, 0};
    char none[] = "";
    char *arguments = strchr(line, ' ');

    sscanf(line, "%*s %" SCNu32 " %" SCNu32 " %" SCNu32, &number[0], &number[1], &number[2]);
    if (arguments != NULL)
        *arguments++ = '\0';
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        if (strcmp(line, COMMANDS[i].name) == 0) {
            COMMANDS[i].run(arguments != NULL ? arguments : none, number);
            return;
        }
    }
    puts("what?");
}

/* Lines are read byte by byte, so that a forked child leaves its parent what it has not read. */
static bool read_line(char *line, size_t size)
{
    size_t length = 0;

    while (length < size - 1) {
        ssize_t count = read(STDIN_FILENO, line + length, 1);

        if (count < 0 && errno == EINTR)
            continue;
        if (count != 1)
            return false;
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
        length++;
    }
    return false;
}

int main(void)
{
    char line[256];

    setvbuf(stdout, NULL, _IOLBF, 0);
    while (read_line(line, sizeof(line)))
        execute(line);
    return 0;
}
