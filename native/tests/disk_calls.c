/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: tells an observer in the same process what is done to the files of one directory, before each call
 * and after it, so that it can write it down, or end the process at that point.
 */
#undef _FILE_OFFSET_BITS /* else pwrite and pwrite64 are one name in glibc */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* tests/support/crashes/observer.py has the same. */
enum moment { BEFORE, AFTER };
enum deed { WRITE, TRUNCATE, SYNC, CREATE, UNLINK, RENAME };

/* Says, before a write, whether only half of it is to be done. */
typedef int (*observer)(int moment, int deed, const char *path, const void *data, size_t size, int64_t offset);

static observer observe;
static char directory[PATH_MAX];
static size_t directory_length;

EXPORT void disk_observe(const char *path, observer by);

EXPORT void disk_observe(const char *path, observer by)
{
    directory_length = (size_t)snprintf(directory, sizeof(directory), "%s", path);
    observe = by;
}

static bool is_observed(const char *path)
{
    return observe != NULL && strncmp(path, directory, directory_length) == 0 &&
           (path[directory_length] == '/' || path[directory_length] == '\0');
}

static bool find_path(int file, char path[PATH_MAX])
{
    char link[64];
    ssize_t length;

    if (observe == NULL)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    return is_observed(path);
}

static int told(enum moment moment, enum deed deed, const char *path, int64_t number)
{
    return observe((int)moment, (int)deed, path, NULL, 0, number);
}

/* A call that answers 0 or -1. */
static int watched(int file, enum deed deed, int64_t number, long call)
{
    char path[PATH_MAX];
    bool is_told = find_path(file, path);
    int result;

    if (is_told)
        told(BEFORE, deed, path, number);
    result = (int)syscall(call, file, number);
    if (is_told && result == 0)
        told(AFTER, deed, path, number);
    return result;
}

static ssize_t plain_write(int file, const void *data, size_t size, int64_t offset)
{
    return offset < 0 ? syscall(SYS_write, file, data, size) : syscall(SYS_pwrite64, file, data, size, offset);
}

static ssize_t watched_write(int file, const void *data, size_t size, int64_t offset)
{
    char path[PATH_MAX];
    int64_t at = offset;
    ssize_t result;

    if (!find_path(file, path))
        return plain_write(file, data, size, offset);
    if (offset < 0)
        at = lseek(file, 0, SEEK_CUR);
    if (observe(BEFORE, WRITE, path, data, size, at) != 0)
        size /= 2;
    result = plain_write(file, data, size, offset);
    if (result > 0)
        observe(AFTER, WRITE, path, data, (size_t)result, at);
    return result;
}

EXPORT ssize_t write(int file, const void *data, size_t size)
{
    return watched_write(file, data, size, -1);
}

EXPORT ssize_t pwrite(int file, const void *data, size_t size, off_t offset)
{
    return watched_write(file, data, size, offset);
}

EXPORT int ftruncate(int file, off_t size)
{
    return watched(file, TRUNCATE, size, SYS_ftruncate);
}

EXPORT int fsync(int file)
{
    return watched(file, SYNC, 0, SYS_fsync);
}

EXPORT int fdatasync(int file)
{
    return watched(file, SYNC, 0, SYS_fdatasync);
}

static int watched_open(int at, const char *path, int flags, mode_t mode)
{
    bool makes = is_observed(path) && (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    int file;

    if (makes)
        told(BEFORE, CREATE, path, 0);
    file = (int)syscall(SYS_openat, at, path, flags, mode);
    if (makes && file >= 0)
        told(AFTER, CREATE, path, 0);
    return file;
}

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = mode_of(flags, rest);
    va_end(rest);
    return watched_open(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int at, const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = mode_of(flags, rest);
    va_end(rest);
    return watched_open(at, path, flags, mode);
}

EXPORT int unlink(const char *path)
{
    bool is_told = is_observed(path);
    int result;

    if (is_told)
        told(BEFORE, UNLINK, path, 0);
    result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (is_told && result == 0)
        told(AFTER, UNLINK, path, 0);
    return result;
}

EXPORT int rename(const char *from, const char *to)
{
    bool is_told = is_observed(from);
    int result;

    if (is_told)
        observe(BEFORE, RENAME, from, to, strlen(to), 0);
    result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (is_told && result == 0)
        observe(AFTER, RENAME, from, to, strlen(to), 0);
    return result;
}

#ifdef __GLIBC__ /* has these under two names */
#define SAME_AS(name) __attribute__((visibility("default"), alias(name)))

SAME_AS("pwrite") ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset);
SAME_AS("ftruncate") int ftruncate64(int file, off64_t size);
SAME_AS("open") int open64(const char *path, int flags, ...);
SAME_AS("openat") int openat64(int at, const char *path, int flags, ...);
#endif
