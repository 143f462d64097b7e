/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for the socket: a connect ends in time, and nothing is ever sent to one whose owner is not trusted. Paths
 * come from the environment only where the process has not gained privileges by it (secure_getenv), else from root's
 * file for clients.
 */
#include "socket.h"

#include "client_settings.h"
#include "protocol.gen.h"
#include "standard_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HOW_TO_START "start softee with \"softee run -- COMMAND\" or \"softee serve\""

int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One line for the people in front of the terminal, once per process: a library has no business to say more. */
__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    static atomic_flag complained = ATOMIC_FLAG_INIT;
    char text[480];
    char line[512]; /* holds all of it */
    va_list arguments;
    int length;

    if (atomic_flag_test_and_set(&complained))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    length = snprintf(line, sizeof(line), "softee: %s\n", text);
    if (length > 0)
        standard_error_write(line, (size_t)length);
}

static const char *variable(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

static bool names_uid(const char *text, uid_t uid)
{
    char *end;
    unsigned long long number;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && number == uid;
}

static bool uid_is_trusted(uid_t uid)
{
    const char *named = variable("SOFTEE_SERVER_UID");
    struct client_settings settings;

    if (uid == 0 || uid == geteuid())
        return true;
    if (named != NULL)
        return names_uid(named, uid);
    client_settings_read(&settings);
    return names_uid(settings.server_uid, uid);
}

enum trust { TRUSTED, UNKNOWN, SOMEBODY_ELSE };

static enum trust judge_owner(int fd, const char *path)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    struct stat file;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof(peer) || stat(path, &file) != 0)
        return UNKNOWN;
    return uid_is_trusted(peer.uid) && uid_is_trusted(file.st_uid) ? TRUSTED : SOMEBODY_ELSE;
}

/* A blocking connect honours SO_SNDTIMEO; a non-blocking one fails at once where the backlog is full. */
static bool connect_in_time(int fd, const struct sockaddr_un *address)
{
    const struct timeval limit = {.tv_sec = SILENCE_NS / 1000000000};
    const int64_t deadline = monotonic_ns() + SILENCE_NS;
    int rc;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0)
        return false;
    do
        rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    while (rc != 0 && errno == EINTR && monotonic_ns() < deadline);
    return rc == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Connect and judge; on UNKNOWN, errno says why nothing answers. */
static enum trust connect_and_judge(const struct socket_path *path, struct descriptor *descriptor)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    enum trust trust = UNKNOWN;
    int error;

    memcpy(address.sun_path, path->text, sizeof(address.sun_path));
    if (!descriptor_adopt(descriptor, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)))
        return UNKNOWN;
    if (connect_in_time(descriptor->fd, &address))
        trust = judge_owner(descriptor->fd, path->text);
    if (trust != TRUSTED) {
        error = errno;
        descriptor_close(descriptor);
        errno = error;
    }
    return trust;
}

TEEC_Result socket_connect(const struct socket_path *path, struct descriptor *descriptor)
{
    static const TEEC_Result results[] = {
        [TRUSTED] = TEEC_SUCCESS,
        [UNKNOWN] = TEEC_ERROR_COMMUNICATION,
        [SOMEBODY_ELSE] = TEEC_ERROR_SECURITY,
    };

    return results[connect_and_judge(path, descriptor)];
}

static TEEC_Result try_path(struct socket_path *path, struct descriptor *descriptor, const char *directory,
                            const char *name)
{
    const int length = snprintf(path->text, sizeof(path->text), "%s%s", directory, name);
    TEEC_Result result;

    *descriptor = NO_DESCRIPTOR;
    if (length < 0 || (size_t)length >= sizeof(path->text)) {
        complain("the socket's path is longer than %zu bytes: %s%s", sizeof(path->text) - 1, directory, name);
        errno = ENAMETOOLONG;
        return TEEC_ERROR_COMMUNICATION;
    }
    result = socket_connect(path, descriptor);
    if (result == TEEC_ERROR_SECURITY)
        complain("%s belongs to neither root, nor you, nor the user that SOFTEE_SERVER_UID or " CLIENT_SETTINGS
                 " names",
                 path->text);
    return result;
}

/* What the user runs comes first; one that may not be trusted does not keep the system's from being used. */
static TEEC_Result find_default(struct socket_path *path, struct descriptor *descriptor)
{
    const char *runtime = variable("XDG_RUNTIME_DIR");
    struct client_settings settings;
    const char *systems;
    TEEC_Result users = TEEC_ERROR_COMMUNICATION;
    TEEC_Result result;

    if (runtime != NULL && *runtime == '/')
        users = try_path(path, descriptor, runtime, USER_SOCKET);
    if (users == TEEC_SUCCESS)
        return users;
    client_settings_read(&settings);
    systems = *settings.socket.text != '\0' ? settings.socket.text : SYSTEM_SOCKET;
    result = try_path(path, descriptor, systems, "");
    if (result == TEEC_ERROR_COMMUNICATION)
        complain("nothing answers at $XDG_RUNTIME_DIR" USER_SOCKET " or %s; " HOW_TO_START, systems);
    return result == TEEC_ERROR_COMMUNICATION ? users : result;
}

TEEC_Result socket_find(struct socket_path *path, struct descriptor *descriptor)
{
    const char *named = variable("SOFTEE_SOCKET");
    TEEC_Result result;

    if (named == NULL)
        return find_default(path, descriptor);
    result = try_path(path, descriptor, named, "");
    if (result == TEEC_ERROR_COMMUNICATION)
        complain("nothing answers at %s (%s); " HOW_TO_START, named, strerror(errno));
    return result;
}
