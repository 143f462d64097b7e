/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange over one connection, bounded in size and time. Secrets in requests and replies are wiped from the buffer
 * as soon as they have been sent or read.
 */
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SPIN_NS 100000       /* how long a reply is awaited without sleeping */
#define LONG_SPIN_NS 250000  /* the same where those before it have come within this time */
#define SPIN_PAUSE 8u        /* how many replies are not awaited so after one for which it was in vain */
#define LONG_SPIN_PAUSE 128u /* how many are not awaited so long */
#define BUFFER_SIZE 4096u    /* most requests and replies are far smaller */
#define NS_PER_MS 1000000
#define NAP_MS 1 /* between two looks, where the kernel does not wait for a descriptor */

/* A busy wait of some microseconds takes nothing from the secure world: more than one CPU is ours to use. */
static atomic_bool has_spare_cpu;

void channel_init(struct channel *channel)
{
    *channel = (struct channel){.socket = NO_DESCRIPTOR, .file = NO_MEMORY_FILE, .max_length = FRAME_LENGTH_MAX};
}

void channel_open(struct channel *channel, const struct descriptor *socket)
{
    channel_init(channel);
    channel->socket = *socket;
}

void channel_close(struct channel *channel)
{
    descriptor_close(&channel->socket);
    memory_file_close(&channel->file);
    if (channel->buffer != NULL)
        explicit_bzero(channel->buffer, channel->capacity);
    free(channel->buffer);
    channel->buffer = NULL;
    channel->capacity = 0;
}

bool channel_is_open(const struct channel *channel)
{
    return channel->socket.fd >= 0;
}

/* The buffer is empty between exchanges, so that nothing has to be copied. */
static bool make_room(struct channel *channel, size_t size)
{
    uint8_t *buffer;

    if (size <= channel->capacity)
        return true;
    size = size < BUFFER_SIZE ? BUFFER_SIZE : size;
    buffer = malloc(size);
    if (buffer == NULL)
        return false;
    free(channel->buffer);
    channel->buffer = buffer;
    channel->capacity = size;
    return true;
}

/* What has come while the process was stopped is there, however late it is: it is looked for at least once. */
static int poll_until(struct pollfd *wanted, int64_t deadline)
{
    const int64_t left = deadline - monotonic_ns();

    return poll(wanted, 1, left > 0 ? (int)(left / NS_PER_MS) + 1 : 0);
}

/* Wait for `events` until `deadline`. Where no descriptor may be open, poll() takes none: then true after a nap. */
static bool wait_for(const struct channel *channel, short events, int64_t deadline)
{
    struct pollfd wanted = {.fd = channel->socket.fd, .events = events};

    for (;;) {
        const int rc = poll_until(&wanted, deadline);

        if (rc > 0)
            return (wanted.revents & POLLNVAL) == 0;
        if (rc < 0 && errno == EINVAL)
            poll(NULL, 0, NAP_MS);
        if ((rc < 0 && errno != EINTR && errno != EINVAL) || monotonic_ns() >= deadline)
            return false;
        if (rc < 0 && errno == EINVAL)
            return true;
    }
}

void channel_look_around(void)
{
    cpu_set_t cpus;

    atomic_store(&has_spare_cpu, sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1);
}

static void count_down(unsigned int *count)
{
    if (*count > 0)
        (*count)--;
}

/*
 * Look for a reply without sleeping for a moment: to rouse a sleeping CPU takes longer than most replies do. Where they
 * take long, or many clients keep the CPUs busy, that moment would be taken from others, who may be who makes the
 * reply.
 */
static void spin(struct channel *channel)
{
    struct pollfd wanted = {.fd = channel->socket.fd, .events = POLLIN};
    int64_t end;

    count_down(&channel->spin_pause);
    count_down(&channel->long_spin_pause);
    if (channel->spin_pause > 0 || !atomic_load_explicit(&has_spare_cpu, memory_order_relaxed))
        return;
    end = monotonic_ns() + (channel->long_spin_pause > 0 ? SPIN_NS : LONG_SPIN_NS);
    while (poll(&wanted, 1, 0) == 0) {
        if (monotonic_ns() > end) {
            channel->spin_pause = SPIN_PAUSE;
            if (channel->long_spin_pause == 0)
                channel->long_spin_pause = LONG_SPIN_PAUSE;
            return;
        }
    }
}

static void note_error(struct channel *channel, int error)
{
    if (error == EPIPE || error == ECONNRESET || error == ENOTCONN)
        channel->peer_gone = true;
}

/* Send some of the data, with the file if there is one. */
static ssize_t send_some(const struct channel *channel, const uint8_t *data, size_t size, const struct descriptor *file)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {.iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *rights;

    memcpy(&piece.iov_base, &data, sizeof(data)); /* iov_base is not const, sendmsg only reads it */
    if (file != NULL) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &file->fd, sizeof(file->fd));
    }
    return sendmsg(channel->socket.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The file goes with the first byte. The peer has ten seconds to take all. Results as of channel_exchange. */
static TEEC_Result send_all(struct channel *channel, const uint8_t *data, size_t size, const struct descriptor *file)
{
    const int64_t deadline = monotonic_ns() + SILENCE_NS;

    while (size > 0) {
        ssize_t count;

        if (!descriptor_is_ours(&channel->socket))
            return TEEC_ERROR_TARGET_DEAD;
        if (file != NULL && !descriptor_is_ours(file))
            return TEEC_ERROR_COMMUNICATION;
        count = send_some(channel, data, size, file);

        if (count > 0) {
            data += count;
            size -= (size_t)count;
            file = NULL;
        } else if (errno == EAGAIN) {
            if (!wait_for(channel, POLLOUT, deadline))
                return TEEC_ERROR_COMMUNICATION;
        } else if (errno != EINTR) {
            note_error(channel, errno);
            return channel->peer_gone ? TEEC_ERROR_TARGET_DEAD : TEEC_ERROR_COMMUNICATION;
        }
    }
    return TEEC_SUCCESS;
}

/* Receive into the rest of the buffer; a file that comes with it is adopted, and any other refused by the kernel. */
static ssize_t receive_with_file(const struct channel *channel, size_t have, size_t limit)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {channel->buffer + have, limit - have};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = CMSG_LEN(sizeof(int))};
    const ssize_t count = recvmsg(channel->socket.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *rights = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    int fd;

    if (rights == NULL || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
        rights->cmsg_len != CMSG_LEN(sizeof(int)))
        return count;
    memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
    descriptor_close(channel->passed);
    descriptor_adopt(channel->passed, fd);
    return count;
}

static ssize_t receive_now(const struct channel *channel, size_t have, size_t limit)
{
    if (channel->passed != NULL)
        return receive_with_file(channel, have, limit);
    return recv(channel->socket.fd, channel->buffer + have, limit - have, MSG_DONTWAIT);
}

/* Receive what has come, at least a byte. False: the peer has gone or is silent, or the descriptor is not ours. */
static bool receive_some(struct channel *channel, size_t *have, size_t limit, int64_t deadline)
{
    while (descriptor_is_ours(&channel->socket)) {
        ssize_t count = receive_now(channel, *have, limit);

        if (count > 0) {
            *have += (size_t)count;
            return true;
        }
        if (count == 0) {
            channel->peer_gone = true;
            return false;
        }
        if (errno == EAGAIN) {
            if (!wait_for(channel, POLLIN, deadline))
                return false;
        } else if (errno != EINTR) {
            note_error(channel, errno);
            return false;
        }
    }
    return false;
}

/* A keep-alive of our request at the buffer's start; more may follow it. */
static bool is_keep_alive(const struct channel *channel, size_t have)
{
    return have >= FRAME_HEADER_SIZE && u32_at(channel->buffer) == FRAME_LENGTH_MIN &&
           u32_at(channel->buffer + 4) == FRAME_KEEP_ALIVE && u32_at(channel->buffer + 8) == channel->serial;
}

/* Receive one frame of at most `limit` bytes besides keep-alives; its size, or 0 where something was wrong. */
static size_t receive_frame(struct channel *channel, size_t limit)
{
    int64_t deadline = monotonic_ns() + SILENCE_NS;
    size_t have = 0;

    for (;;) {
        size_t whole = have >= 4 ? (size_t)u32_at(channel->buffer) + 4 : FRAME_HEADER_SIZE;

        if (is_keep_alive(channel, have)) {
            have -= FRAME_HEADER_SIZE;
            memmove(channel->buffer, channel->buffer + FRAME_HEADER_SIZE, have);
            explicit_bzero(channel->buffer + have, FRAME_HEADER_SIZE); /* may be of a reply */
            deadline = monotonic_ns() + SILENCE_NS;
            continue;
        }
        if (whole < FRAME_HEADER_SIZE || whole > limit || have > whole)
            return 0;
        if (have == whole)
            return whole;
        if (!receive_some(channel, &have, limit, deadline))
            return 0;
    }
}

static uint64_t parameters_size(const struct exchange *exchange, uint64_t (*size)(const struct parameters *))
{
    return exchange->parameters != NULL ? size(exchange->parameters) : 0;
}

static void write_request(struct channel *channel, const struct exchange *exchange, size_t size)
{
    struct writer writer = writer_of(channel->buffer, size);

    write_u32(&writer, (uint32_t)(size - 4));
    write_u32(&writer, (uint32_t)exchange->type);
    write_u32(&writer, ++channel->serial);
    write_bytes(&writer, exchange->request, exchange->request_size);
    if (exchange->parameters != NULL)
        parameters_write(exchange->parameters, &writer);
}

static bool read_reply(const struct channel *channel, struct exchange *exchange, size_t size)
{
    struct reader reader = reader_of(channel->buffer + 4, size - 4);
    const uint32_t type = read_u32(&reader);
    const uint32_t serial = read_u32(&reader);
    const uint8_t *fixed = read_span(&reader, exchange->reply_size);

    if (fixed == NULL || type != ((uint32_t)exchange->type | FRAME_IS_REPLY) || serial != channel->serial)
        return false;
    memcpy(exchange->reply, fixed, exchange->reply_size);
    return exchange->parameters != NULL ? parameters_read(exchange->parameters, &reader) : reader_at_end(&reader);
}

static TEEC_Result send_and_receive(struct channel *channel, struct exchange *exchange, size_t request_size,
                                    size_t limit)
{
    const struct parameters *parameters = exchange->parameters;
    const struct descriptor *file =
        parameters != NULL && parameters->file != NULL ? &parameters->file->descriptor : NULL;
    TEEC_Result result;
    size_t size;
    bool good;

    write_request(channel, exchange, request_size);
    result = send_all(channel, channel->buffer, request_size, file);
    explicit_bzero(channel->buffer, request_size);
    if (result != TEEC_SUCCESS)
        return result;
    spin(channel);
    size = receive_frame(channel, limit);
    good = size > 0 && read_reply(channel, exchange, size);
    explicit_bzero(channel->buffer, size);
    return good ? TEEC_SUCCESS : TEEC_ERROR_COMMUNICATION;
}

TEEC_Result channel_exchange(struct channel *channel, struct exchange *exchange)
{
    const uint64_t request =
        FRAME_HEADER_SIZE + exchange->request_size + parameters_size(exchange, parameters_request_size);
    const uint64_t reply = FRAME_HEADER_SIZE + exchange->reply_size + parameters_size(exchange, parameters_reply_size);
    TEEC_Result result;

    if (request - 4 > channel->max_length || reply - 4 > FRAME_LENGTH_MAX)
        return TEEC_ERROR_EXCESS_DATA;
    if (!make_room(channel, (size_t)(request > reply ? request : reply)))
        return TEEC_ERROR_OUT_OF_MEMORY;
    result = send_and_receive(channel, exchange, (size_t)request, (size_t)reply);
    if (result != TEEC_SUCCESS)
        channel_close(channel);
    return result;
}
