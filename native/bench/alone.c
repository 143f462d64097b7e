/* SPDX-License-Identifier: Apache-2.0 */
#include "alone.h"
#include "operations.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64

/* Whether as much as was asked for came; the other end may be slow, but is looked at all the time. */
static bool receive(int socket, char *message)
{
    ssize_t count;

    while ((count = recv(socket, message, MESSAGE, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
        sched_yield();
    return count == MESSAGE;
}

static void send_back(int socket)
{
    char message[MESSAGE];

    while (receive(socket, message) && send(socket, message, MESSAGE, MSG_NOSIGNAL) == MESSAGE)
        ;
    _exit(0);
}

/* Whether a round goes on after what it has done. */
static bool goes_on(const struct stage *stage, const struct result *result, int64_t start)
{
    if (stage->ns > 0)
        return clock_ns(CLOCK_MONOTONIC) - start < stage->ns;
    return result->calls < stage->times;
}

static void echo(struct process *process, struct result *result)
{
    const int64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    char message[MESSAGE] = "echo";
    int sockets[2];
    int64_t start;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        stage_fail(process->stage, "socketpair", CKR_HOST_MEMORY);
        return;
    }
    if (fork() == 0) {
        close(sockets[0]);
        send_back(sockets[1]);
    }
    close(sockets[1]);
    start = clock_ns(CLOCK_MONOTONIC);
    do {
        if (send(sockets[0], message, MESSAGE, MSG_NOSIGNAL) != MESSAGE || !receive(sockets[0], message)) {
            stage_fail(process->stage, "recv", CKR_GENERAL_ERROR);
            break;
        }
        result->calls++;
    } while (goes_on(process->stage, result, start));
    result->ns = clock_ns(CLOCK_MONOTONIC) - start;
    result->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    close(sockets[0]);
}

/* In a process of its own: what it took, or all zero where it failed. */
static void load_and_sign(struct process *process, int answer)
{
    const int64_t start = clock_ns(CLOCK_MONOTONIC);
    CK_BYTE signature[1024];
    struct caller caller = {.process = process, .output = signature, .room = sizeof(signature)};
    struct result result = {0};

    token_load(process);
    if (!process->stage->fails) {
        caller.session = process->session;
        process->key = token_find(process, process->session, &process->row.wanted);
        if (process->key != CK_INVALID_HANDLE && operation_sign(&caller))
            result.calls = 1;
    }
    result.ns = clock_ns(CLOCK_MONOTONIC) - start;
    result.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    _exit(write(answer, &result, sizeof(result)) == sizeof(result) ? 0 : 1);
}

static struct result loaded_once(struct process *process)
{
    struct result result = {0};
    int answer[2];

    if (pipe(answer) != 0)
        return result;
    if (fork() == 0)
        load_and_sign(process, answer[1]);
    close(answer[1]);
    if (read(answer[0], &result, sizeof(result)) != sizeof(result))
        result.calls = 0;
    close(answer[0]);
    return result;
}

static void load(struct process *process, struct result *result)
{
    const int64_t start = clock_ns(CLOCK_MONOTONIC);

    do {
        const struct result once = loaded_once(process);

        if (once.calls == 0) {
            stage_fail(process->stage, "fork", CKR_GENERAL_ERROR);
            return;
        }
        result->calls += once.calls;
        result->ns += once.ns;
        result->cpu_ns += once.cpu_ns;
    } while (goes_on(process->stage, result, start));
}

bool alone(struct process *process, const struct row *row, struct result *result)
{
    process->row = *row;
    *result = (struct result){.calls = 0};
    if (strcmp(row->operation, "echo") == 0)
        echo(process, result);
    else if (strcmp(row->operation, "load") == 0)
        load(process, result);
    else
        return false;
    return true;
}
