/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients' settings file. It is read where it is needed, into the caller's stack: nothing is allocated or kept, and
 * what is not understood is passed over, since a library has nobody to tell.
 */
#include "client_settings.h"

#include "protocol.gen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS " \t"
#define DIGITS "0123456789"

/* Opened without waiting: a pipe in its place must not hold anybody up. */
static int open_trusted(void)
{
    const int fd = open(CLIENT_SETTINGS, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 &&
        (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The number of bytes; one more than the limit says that there are too many, 0 that there are none to be had. */
static size_t read_all(int fd, char *text, size_t limit)
{
    size_t size = 0;
    ssize_t count;

    do {
        count = read(fd, text + size, limit + 1 - size);
        if (count > 0)
            size += (size_t)count;
    } while (size <= limit && (count > 0 || (count < 0 && errno == EINTR)));
    return count < 0 ? 0 : size;
}

/* Cut blanks off both ends. */
static char *trimmed(char *text)
{
    size_t size;

    text += strspn(text, BLANKS);
    size = strlen(text);
    while (size > 0 && strchr(BLANKS, text[size - 1]) != NULL)
        size--;
    text[size] = '\0';
    return text;
}

static void keep(char *place, size_t room, const char *value, bool understood)
{
    if (understood && strlen(value) < room)
        strcpy(place, value);
}

static void read_line(char *line, struct client_settings *settings)
{
    char *value = strchr(line, '=');
    const char *name;

    if (value == NULL)
        return;
    *value++ = '\0';
    name = trimmed(line);
    value = trimmed(value);
    if (strcmp(name, "socket") == 0)
        keep(settings->socket.text, sizeof(settings->socket.text), value, *value == '/');
    else if (strcmp(name, "server_uid") == 0)
        keep(settings->server_uid, sizeof(settings->server_uid), value,
             *value != '\0' && value[strspn(value, DIGITS)] == '\0');
}

static void read_lines(char *text, struct client_settings *settings)
{
    char *end;

    for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        *end = '\0';
        read_line(text, settings);
    }
    read_line(text, settings);
}

void client_settings_read(struct client_settings *settings)
{
    char text[CLIENT_SETTINGS_MAX + 1];
    const int fd = open_trusted();
    size_t size;

    *settings = (struct client_settings){.server_uid = ""};
    if (fd < 0)
        return;
    size = read_all(fd, text, CLIENT_SETTINGS_MAX);
    close(fd);
    if (size > CLIENT_SETTINGS_MAX || memchr(text, '\0', size) != NULL)
        return;
    text[size] = '\0';
    read_lines(text, settings);
}
