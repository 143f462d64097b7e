/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: whatever bytes the secure world says, every function of libteec returns, writes nothing outside the
 * caller's buffers, leaves no descriptor behind, and never uses a channel again on which nonsense was said.
 *
 * The input's first bytes choose the caller's parameters; the rest is what the secure world says before it goes, in
 * pieces: {kind, size, bytes}. Some kinds are frames whose head is right, so that what follows it is read.
 */
#include "input.h"

#include "../teec/channel.h"
#include "../teec/socket.h"
#include "bytes.h"

#include <dirent.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPEECH_MAX 65536
#define LARGE 70000 /* travels in a memory file, where there are such; one of them fits a socket that nobody reads */

static struct input input;
static int secure_world = -1;

/* Serials count the requests, in which the caller's order is the one of these. */
static const uint32_t requests[] = {FRAME_HELLO, FRAME_OPEN_SESSION, FRAME_INVOKE, FRAME_CLOSE_SESSION};

enum kind { REPLIES = sizeof(requests) / sizeof(requests[0]), ALIVE = REPLIES, RAW, KINDS };

static void write_head(struct writer *writer, size_t size, uint32_t type, uint32_t serial)
{
    write_u32(writer, FRAME_LENGTH_MIN + (uint32_t)size);
    write_u32(writer, type);
    write_u32(writer, serial);
}

static void say_piece(struct writer *writer)
{
    const uint32_t kind = take_u8(&input) % KINDS;
    const uint8_t wanted = take_u8(&input);
    uint8_t bytes[UINT8_MAX];
    const size_t size = take_bytes(&input, bytes, kind == ALIVE ? 0 : wanted);

    if (kind < REPLIES)
        write_head(writer, size, requests[kind] | FRAME_IS_REPLY, kind + 1);
    else if (kind == ALIVE)
        write_head(writer, 0, FRAME_KEEP_ALIVE, wanted % (REPLIES + 1));
    write_bytes(writer, bytes, size);
}

/* The secure world has said all it has to say when the caller connects. */
static struct descriptor connect_to_speech(void)
{
    static uint8_t speech[SPEECH_MAX];
    struct writer writer = writer_of(speech, sizeof(speech));
    struct descriptor socket;
    int pair[2];

    while (input.left > 0)
        say_piece(&writer);
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    require(write(pair[1], speech, writer.size) == (ssize_t)writer.size);
    require(shutdown(pair[1], SHUT_WR) == 0);
    secure_world = pair[1];
    require(descriptor_adopt(&socket, pair[0]));
    return socket;
}

int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

TEEC_Result socket_find(struct socket_path *path, struct descriptor *socket)
{
    path->text[0] = '\0';
    *socket = connect_to_speech();
    return TEEC_SUCCESS;
}

/* Calls come one after the other, so that one channel is enough. */
TEEC_Result socket_connect(const struct socket_path *path, struct descriptor *socket)
{
    (void)path;
    *socket = NO_DESCRIPTOR;
    return TEEC_ERROR_COMMUNICATION;
}

static const uint32_t kinds[] = {
    TEEC_NONE,
    TEEC_VALUE_OUTPUT,
    TEEC_VALUE_INOUT,
    TEEC_MEMREF_TEMP_INPUT,
    TEEC_MEMREF_TEMP_OUTPUT,
    TEEC_MEMREF_TEMP_INOUT,
};

static void make_parameter(TEEC_Operation *operation, unsigned int i, uint8_t choice, void **block)
{
    const uint32_t kind = kinds[choice % 6];
    const size_t size = choice >= 240 && i == 2 ? LARGE : choice;

    operation->paramTypes |= kind << (4 * i);
    if (kind >= TEEC_MEMREF_TEMP_INPUT) {
        *block = exact_block(size);
        operation->params[i].tmpref = (TEEC_TempMemoryReference){*block, size};
    }
}

static void invoke(TEEC_Session *session, const uint8_t *choices)
{
    TEEC_Operation operation = {.started = 0};
    void *blocks[4] = {NULL};
    uint32_t origin;

    for (unsigned int i = 0; i < 4; i++)
        make_parameter(&operation, i, choices[i], &blocks[i]);
    TEEC_InvokeCommand(session, 1, &operation, &origin);
    for (size_t i = 0; i < 4; i++)
        free(blocks[i]);
}

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    require(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const TEEC_UUID uuid = {1, 2, 3, {4}};
    const int before = count_descriptors();
    TEEC_Context context;
    TEEC_Session session;
    uint8_t choices[4] = {0};

    input = (struct input){data, size < SPEECH_MAX / 8 ? size : SPEECH_MAX / 8};
    take_bytes(&input, choices, sizeof(choices));
    if (TEEC_InitializeContext(NULL, &context) == TEEC_SUCCESS) {
        if (TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL) == TEEC_SUCCESS) {
            invoke(&session, choices);
            TEEC_CloseSession(&session);
        }
        TEEC_FinalizeContext(&context);
    }
    close(secure_world);
    require(count_descriptors() == before);
    return 0;
}
