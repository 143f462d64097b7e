/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OP-TEE's own libckteec imports besides the API, for its trace. A line is cut rather than allocated, and buffers,
 * in which there may be PINs, are never shown.
 */
#include "teec_trace.h"

#include "export.h"
#include "standard_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const LEVELS[] = {"", "ERR", "INF", "DBG", "FLW"};

static const char *level_name(int level)
{
    return level > 0 && (size_t)level < sizeof(LEVELS) / sizeof(LEVELS[0]) ? LEVELS[level] : LEVELS[0];
}

/* A line longer than the buffer is cut. */
EXPORT void _dprintf(const char *function, int line, int level, const char *prefix, const char *format, ...)
{
    char place[128] = "";
    char text[256];
    char all[sizeof(place) + sizeof(text)] = "";
    va_list arguments;

    if (function != NULL) /* gettid() is younger than the C libraries that we run with */
        snprintf(place, sizeof(place), "%s [%d] %s:%s:%d: ", level_name(level), (int)syscall(SYS_gettid),
                 prefix != NULL ? prefix : "", function, line);
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(all, sizeof(all), "%s%s", place, text);
    standard_error_write(all, strlen(all));
}

EXPORT void dump_buffer(const char *name, const uint8_t *buffer, size_t size)
{
    (void)name;
    (void)buffer;
    (void)size;
}
