/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a line without a signal, a wait or a lock, whatever standard error is. */
#include "standard_error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool is_wanted(void)
{
    const char *value = secure_getenv("SOFTEE_VERBOSE");

    return value != NULL && strcmp(value, "1") == 0;
}

/* A pipe that has room has some for a line (PIPE_BUF). */
static bool has_room(void)
{
    struct pollfd wanted = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

/* A SIGPIPE is for the thread that writes: there it is held back, and taken away if it was not there before. */
void standard_error_write(const char *text, size_t size)
{
    const struct timespec at_once = {0};
    sigset_t broken_pipe;
    sigset_t pending;
    sigset_t before;
    ssize_t count;

    if (!is_wanted())
        return;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    sigpending(&pending);
    if (!has_room() || pthread_sigmask(SIG_BLOCK, &broken_pipe, &before) != 0)
        return;
    do
        count = write(STDERR_FILENO, text, size);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&broken_pipe, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
