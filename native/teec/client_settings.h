/* SPDX-License-Identifier: Apache-2.0 */
/* What root has told all clients of this machine: services clean their environments, files stay. */
#ifndef TEEC_CLIENT_SETTINGS_H
#define TEEC_CLIENT_SETTINGS_H

#include "socket.h"

/* The values as they stand in the file; empty where it does not name them. */
struct client_settings {
    struct socket_path socket; /* an absolute path */
    char server_uid[11];       /* decimal digits */
};

/*
 * Read CLIENT_SETTINGS, a file of lines "name = value". It counts where it is a regular file of root's that nobody else
 * can write to, of at most CLIENT_SETTINGS_MAX bytes; and in it each line that is understood, the last one of a name.
 */
void client_settings_read(struct client_settings *settings);

#endif
