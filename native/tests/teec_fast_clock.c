/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded: a world in which time passes so many times faster, so that the library as it is shipped waits less.
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SPEED 5 /* tests/native/test_teec_silence.py has it too */
#define NS_PER_MS 1000000
#define NS_PER_SECOND 1000000000

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    const long rc = syscall(SYS_clock_gettime, clock, now);
    const long ns = now->tv_nsec * SPEED;

    now->tv_sec = now->tv_sec * SPEED + ns / NS_PER_SECOND;
    now->tv_nsec = ns % NS_PER_SECOND;
    return (int)rc;
}

__attribute__((visibility("default"))) int poll(struct pollfd *descriptors, nfds_t count, int milliseconds)
{
    const struct timespec limit = {
        .tv_sec = milliseconds / 1000 / SPEED,
        .tv_nsec = (long)(milliseconds % (1000 * SPEED)) * NS_PER_MS / SPEED,
    };

    return ppoll(descriptors, count, milliseconds < 0 ? NULL : &limit, NULL);
}

/* libteec sets the time limit of connect() alone. */
__attribute__((visibility("default"))) int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    const struct timeval *limit = value;
    const long microseconds = limit->tv_sec * (1000000 / SPEED) + limit->tv_usec / SPEED;
    const struct timeval sooner = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};

    return (int)syscall(SYS_setsockopt, fd, level, option, &sooner, size);
}
