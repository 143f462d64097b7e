/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults: what a library asks the system for fails by chance. A fuzz target compiles the library's sources with this
 * header before each of them; its own calls, which stand outside, do not fail.
 *
 * The names become macros after the system's headers have declared what is behind them. Left alone are calls that
 * cannot fail, and close(), whose failure means nothing.
 */
#ifndef FUZZ_FAULTS_H
#define FUZZ_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* From here on, faults come as `seed` says: the same for the same calls. None for 0. */
void faults_begin(uint16_t seed);

/* From here on, every call fails. */
void faults_begin_always(void);

void faults_end(void);

/* Whether the next call shall fail; errno says how. */
bool fault(void);

/* The number of bytes that the next call shall move: mostly all of them, at least one. */
size_t some_of(size_t size);

/* What is not there will not come, for nobody else runs: it is not waited for, but the clock is put forward. */
int faulty_poll(struct pollfd *list, nfds_t count, int timeout_ms);
int clock_that_was_waited_for(clockid_t clock, struct timespec *now);

int faulty_fstat(int fd, struct stat *status);
ssize_t faulty_preadv(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t faulty_pwritev(int fd, const struct iovec *pieces, int count, off_t offset);

/* Given by a target that has a secure world: the way to it. */
int secure_world_socket(int domain, int type, int protocol);
int secure_world_connect(int fd, const struct sockaddr *address, socklen_t size);
ssize_t secure_world_sendmsg(int fd, const struct msghdr *message, int flags);

#ifdef WITH_FAULTS
#define UNLESS_FAULT(call) (fault() ? -1 : (call))

#define malloc(size) (fault() ? NULL : malloc(size))
#define calloc(count, size) (fault() ? NULL : calloc(count, size))
#define mmap(...) (fault() ? MAP_FAILED : mmap(__VA_ARGS__))
#define madvise(...) UNLESS_FAULT(madvise(__VA_ARGS__))

#define socket(...) UNLESS_FAULT(secure_world_socket(__VA_ARGS__))
#define connect(...) UNLESS_FAULT(secure_world_connect(__VA_ARGS__))
#define setsockopt(...) UNLESS_FAULT(setsockopt(__VA_ARGS__))
#define getsockopt(...) UNLESS_FAULT(getsockopt(__VA_ARGS__))
#define open(...) UNLESS_FAULT(open(__VA_ARGS__))
#define read(fd, data, size) UNLESS_FAULT(read(fd, data, some_of(size)))
#define fcntl(...) UNLESS_FAULT(fcntl(__VA_ARGS__))
#define stat(...) UNLESS_FAULT(stat(__VA_ARGS__))
#define fstat(...) faulty_fstat(__VA_ARGS__)
#define poll faulty_poll
#define clock_gettime clock_that_was_waited_for
#define sendmsg(...) UNLESS_FAULT(secure_world_sendmsg(__VA_ARGS__))
#define recv(fd, data, size, flags) UNLESS_FAULT(recv(fd, data, some_of(size), flags))
#define write(...) UNLESS_FAULT(write(__VA_ARGS__))

#define memfd_create(...) UNLESS_FAULT(memfd_create(__VA_ARGS__))
#define ftruncate(...) UNLESS_FAULT(ftruncate(__VA_ARGS__))
#define getrlimit(...) UNLESS_FAULT(getrlimit(__VA_ARGS__))
#define preadv faulty_preadv /* these two are handed on by their names */
#define pwritev faulty_pwritev

#define sched_getaffinity(...) UNLESS_FAULT(sched_getaffinity(__VA_ARGS__))
#define secure_getenv(name) (fault() ? NULL : secure_getenv(name))
#define pthread_rwlock_rdlock(lock) (fault() ? EAGAIN : pthread_rwlock_rdlock(lock))
#define pthread_rwlock_wrlock(lock) (fault() ? EDEADLK : pthread_rwlock_wrlock(lock))
#endif

#endif
