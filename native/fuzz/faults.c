/* SPDX-License-Identifier: Apache-2.0 */
/* Faults by chance, from a seed alone, so that an input that does harm does it again. */
#include "faults.h"

#include "input.h"

/* A run makes some 10 or 30 calls: with these odds many see a fault or two, and few fail before they have begun. */
#define ODDS 16

static uint32_t odds; /* one call in so many fails; 0: none */
static uint32_t state;

void faults_begin(uint16_t seed)
{
    odds = seed != 0 ? ODDS : 0;
    state = seed * UINT32_C(2654435761); /* seeds that are near each other begin far apart */
}

void faults_begin_always(void)
{
    odds = 1;
    state = 1;
}

void faults_end(void)
{
    odds = 0;
}

static bool by_chance(void)
{
    return odds != 0 && next_random(&state) % odds == 0;
}

bool fault(void)
{
    static const int errors[] = {EINTR, EAGAIN, EIO, EINVAL, ENOMEM, EMFILE, EPIPE, ECONNRESET};

    if (!by_chance())
        return false;
    errno = errors[next_random(&state) % (sizeof(errors) / sizeof(errors[0]))];
    return true;
}

size_t some_of(size_t size)
{
    return size > 1 && by_chance() ? 1 + next_random(&state) % (size - 1) : size;
}

static int64_t waited_ms;

int faulty_poll(struct pollfd *list, nfds_t count, int timeout_ms)
{
    const int found = fault() ? -1 : poll(list, count, 0);

    if (found == 0)
        waited_ms += timeout_ms;
    return found;
}

int clock_that_was_waited_for(clockid_t clock, struct timespec *now)
{
    const int result = clock_gettime(clock, now);

    now->tv_sec += waited_ms / 1000;
    now->tv_nsec += waited_ms % 1000 * 1000000;
    if (now->tv_nsec >= 1000000000) {
        now->tv_nsec -= 1000000000;
        now->tv_sec++;
    }
    return result;
}

/* Nothing but a descriptor that the application has closed makes this fail. */
int faulty_fstat(int fd, struct stat *status)
{
    if (by_chance())
        close(fd);
    return fstat(fd, status);
}

ssize_t faulty_preadv(int fd, const struct iovec *pieces, int count, off_t offset)
{
    const struct iovec piece = {pieces->iov_base, some_of(pieces->iov_len)};

    return fault() ? -1 : preadv(fd, &piece, count, offset);
}

ssize_t faulty_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    const struct iovec piece = {pieces->iov_base, some_of(pieces->iov_len)};

    return fault() ? -1 : pwritev(fd, &piece, count, offset);
}
