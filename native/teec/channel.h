/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the secure world: a frame goes out, its reply comes in, within deadlines.
 *
 * Whatever goes wrong on the way closes the channel, so that a late reply is never read. The functions are called by
 * one thread at a time for each channel.
 */
#ifndef TEEC_CHANNEL_H
#define TEEC_CHANNEL_H

#include "parameters.h"
#include "protocol.gen.h"
#include "socket.h"

struct channel {
    struct descriptor socket;  /* none: the channel is closed */
    struct memory_file file;   /* for large buffers */
    struct descriptor *passed; /* where a file goes that comes with a reply; NULL: none may come */
    uint32_t serial;
    uint32_t max_length;          /* of a frame that the peer takes */
    bool peer_gone;               /* the channel was closed because the other end was */
    unsigned int spin_pause;      /* for how many replies looking without sleeping is not worth it */
    unsigned int long_spin_pause; /* for how many looking for long is not */
    uint8_t *buffer;              /* the request, then its reply; wiped after each exchange */
    size_t capacity;
};

/* One request and its reply. */
struct exchange {
    enum frame_type type;
    uint8_t request[28]; /* the payload's fixed part */
    size_t request_size;
    uint8_t reply[32]; /* likewise, filled in */
    size_t reply_size;
    struct parameters *parameters; /* what follows in both; NULL: nothing */
};

/* Make `channel` one that is closed. What it was is not looked at. */
void channel_init(struct channel *channel);

/* Take over a socket that has just been connected. */
void channel_open(struct channel *channel, const struct descriptor *socket);

/* Close it with its file, and wipe its buffer. Nothing is sent. */
void channel_close(struct channel *channel);

bool channel_is_open(const struct channel *channel);

/*
 * Learn what exchanges want to know of the machine. Applications may forbid themselves all system calls but those of
 * sockets afterwards, so it is asked for when a context is made.
 */
void channel_look_around(void);

/*
 * Send the request and wait for its reply; the caller's parameters are filled in. TEEC_ERROR_EXCESS_DATA and
 * TEEC_ERROR_OUT_OF_MEMORY: nothing was sent, the channel is as it was. TEEC_ERROR_TARGET_DEAD: it was closed at one of
 * its ends before all was sent, so that nobody acts on it. TEEC_ERROR_COMMUNICATION: it is closed.
 */
TEEC_Result channel_exchange(struct channel *channel, struct exchange *exchange);

#endif
