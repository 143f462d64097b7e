/* SPDX-License-Identifier: Apache-2.0 */
/* What applications do to a library, for teec_shell.c: threads, forks, signals, descriptors closed and replaced. */
#include "teec_shell.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct load {
    uint32_t command;
    unsigned int count;
    unsigned int succeeded;
};

/* A counting value, and a text that has to come back. */
static bool call_once(uint32_t command, unsigned int i)
{
    struct call call = {.command = command};
    TEEC_Parameter *params = call.operation.params;
    char text[64] = "";
    char answer[sizeof(text)] = "";

    snprintf(text, sizeof(text), "call %u", i);
    call.operation.paramTypes =
        TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE);
    params[0].value.a = i;
    params[1].tmpref = (TEEC_TempMemoryReference){text, sizeof(text)};
    params[2].tmpref = (TEEC_TempMemoryReference){answer, sizeof(answer)};
    call_run(&call);
    if (call.result != TEEC_SUCCESS || command != 1)
        return call.result == TEEC_SUCCESS;
    return params[0].value.a == i + 1 && memcmp(text, answer, sizeof(text)) == 0;
}

static void *run_load(void *argument)
{
    struct load *load = argument;

    for (unsigned int i = 0; i < load->count; i++)
        load->succeeded += call_once(load->command, i);
    return NULL;
}

#define THREADS_MAX 64

static pthread_t threads[THREADS_MAX];
static struct load loads[THREADS_MAX];
static unsigned int running;

void parallel_start(unsigned int count, unsigned int calls, uint32_t command)
{
    for (running = 0; running < count && running < THREADS_MAX; running++) {
        loads[running] = (struct load){.command = command, .count = calls};
        pthread_create(&threads[running], NULL, run_load, &loads[running]);
    }
}

unsigned int parallel_end(void)
{
    unsigned int succeeded = 0;

    for (unsigned int i = 0; i < running; i++) {
        pthread_join(threads[i], NULL);
        succeeded += loads[i].succeeded;
    }
    return succeeded;
}

static atomic_bool stop;

static void *call_until_stopped(void *argument)
{
    struct load load = {.command = 1, .count = 1};

    (void)argument;
    while (!stop)
        run_load(&load);
    return NULL;
}

/* In a child: with what it inherited nothing works and nothing hangs, with a context of its own everything works. */
static bool child_is_well(void)
{
    struct load load = {.command = 1, .count = 2};

    alarm(30);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    if (TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS ||
        TEEC_OpenSession(&context, &session, &UUID, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL) != TEEC_SUCCESS)
        return false;
    run_load(&load);
    TEEC_FinalizeContext(&context);
    return load.succeeded == load.count;
}

unsigned int fork_among_threads(unsigned int count)
{
    pthread_t thread[4];
    unsigned int well = 0;

    stop = false;
    for (size_t i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, call_until_stopped, NULL);
    for (unsigned int i = 0; i < count; i++) {
        pid_t child = fork();
        int status = 1;

        if (child == 0)
            _exit(child_is_well() ? 0 : 1);
        waitpid(child, &status, 0);
        well += status == 0;
    }
    stop = true;
    for (size_t i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    return well;
}

#define STOLEN_LIMIT 64

static const char BELONGINGS[] = "the application's";
static bool stolen[STOLEN_LIMIT];
static int application[2]; /* a socket of the application's with bytes to read, and its other end */

int steal_descriptors(void)
{
    int pair[2];
    int count = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return -1;
    for (size_t i = 0; i < 2; i++) {
        application[i] = fcntl(pair[i], F_DUPFD, STOLEN_LIMIT);
        close(pair[i]);
    }
    if (write(application[1], BELONGINGS, sizeof(BELONGINGS)) != sizeof(BELONGINGS))
        return -1;
    for (int fd = 3; fd < STOLEN_LIMIT; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            stolen[fd] = dup2(application[0], fd) == fd;
            count++;
        }
    }
    return count;
}

static bool is_untouched(int fd)
{
    struct stat status;
    struct stat own;

    return fstat(fd, &status) == 0 && fstat(application[0], &own) == 0 && status.st_ino == own.st_ino;
}

int count_stolen(void)
{
    char bytes[sizeof(BELONGINGS) + 1];
    int count = 0;

    if (recv(application[0], bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT) != sizeof(BELONGINGS) ||
        recv(application[1], bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT) >= 0)
        return -1;
    for (int fd = 3; fd < STOLEN_LIMIT; fd++)
        count += stolen[fd] && is_untouched(fd);
    return count;
}

static void on_alarm(int number)
{
    (void)number;
}

void start_alarms(uint32_t microseconds)
{
    const struct itimerval every = {{0, (suseconds_t)microseconds}, {0, (suseconds_t)microseconds}};
    const struct sigaction action = {.sa_handler = on_alarm};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

/*
 * What a program that talks over sockets it has cannot do without; `poll` and `fstat` have other numbers elsewhere, and
 * musl's standard streams read and write vectors.
 */
static const int ALLOWED[] = {
    SYS_read,       SYS_write,  SYS_sendmsg,    SYS_recvfrom, SYS_recvmsg,         SYS_ppoll,
    SYS_newfstatat, SYS_fstat,  SYS_readv,      SYS_writev,   SYS_futex,           SYS_brk,
    SYS_mmap,       SYS_munmap, SYS_exit_group, SYS_exit,     SYS_restart_syscall,
#ifdef SYS_poll
    SYS_poll,
#endif
};

#define ALLOWED_COUNT (sizeof(ALLOWED) / sizeof(ALLOWED[0]))

void confine(void)
{
    struct sock_filter rules[2 * ALLOWED_COUNT + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog filter = {sizeof(rules) / sizeof(rules[0]), rules};

    for (size_t i = 0; i < ALLOWED_COUNT; i++) {
        rules[2 * i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ALLOWED[i], 0, 1);
        rules[2 * i + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    rules[2 * ALLOWED_COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(1);
}
