/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: the file that TEST_CLIENT_SETTINGS names stands in the place of the machine's settings for clients.
 * The C library's header is left out, which gives open() other names.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HERE (-100) /* AT_FDCWD */

int open(const char *path, int flags, ...);
__attribute__((visibility("default"), alias("open"))) int open64(const char *path, int flags, ...);

__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
    const char *instead = getenv("TEST_CLIENT_SETTINGS");
    va_list rest;
    int fd;

    if (instead != NULL && strcmp(path, "/etc/softee/client.conf") == 0)
        path = instead;
    va_start(rest, flags);
    fd = (int)syscall(SYS_openat, HERE, path, flags, va_arg(rest, int)); /* which is a mode, or nothing */
    va_end(rest);
    return fd;
}
