/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the secure world's socket, and making sure whose it is. */
#ifndef TEEC_SOCKET_H
#define TEEC_SOCKET_H

#include "descriptor.h"
#include "tee_client_api.h"

#include <stdint.h>
#include <sys/un.h>

/* How long a peer may be silent, in every phase of a call. */
#define SILENCE_NS (10 * INT64_C(1000000000))

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t monotonic_ns(void);

/* A socket's path, of at most 107 bytes. */
struct socket_path {
    char text[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/*
 * Connect to `SOFTEE_SOCKET`, else to `$XDG_RUNTIME_DIR/softee/tee.sock` or the system's, which is /run/softee/tee.sock
 * where root's file for clients (client_settings.h) names no other, and say in `path` which it was. The socket is
 * non-blocking; its file and the process behind it belong to root, the caller, or the user that `SOFTEE_SERVER_UID`
 * or, where that is not set, the file names. Where that fails, a line on standard error tells those who ask for it why,
 * once per process. TEEC_ERROR_COMMUNICATION: nothing answers. TEEC_ERROR_SECURITY: it is somebody else's.
 */
TEEC_Result socket_find(struct socket_path *path, struct descriptor *socket);

/* Connect to the same socket once more, in silence. */
TEEC_Result socket_connect(const struct socket_path *path, struct descriptor *socket);

#endif
