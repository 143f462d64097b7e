/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: whatever bytes the secure world says, and whatever the system refuses, every function of libteec returns,
 * writes nothing outside the caller's buffers, leaves no memory and no descriptor behind, never uses a channel again on
 * which nonsense was said, and gives no result that is neither the secure world's nor one of its own.
 *
 * The input begins with the seed of the faults (u16; 0: none) and bytes that choose the caller's parameters; the rest
 * is what the secure world says before it goes, in pieces: {kind, size, bytes}. Some kinds are frames whose head is
 * right, so that what follows it is read.
 */
#include "faults.h"
#include "input.h"

#include "../teec/channel.h"
#include "bytes.h"

#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPEECH_MAX 65536
#define LARGE 70000 /* travels in a memory file, where there are such; one of them fits a socket that nobody reads */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct input input;

/* Serials count the requests, in which the caller's order is the one of these. */
static const uint32_t requests[] = {FRAME_HELLO, FRAME_OPEN_SESSION, FRAME_INVOKE, FRAME_CLOSE_SESSION};

enum kind { REPLIES = COUNT(requests), ALIVE = REPLIES, RAW, KINDS };

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

static uint8_t speech[SPEECH_MAX];
static size_t speech_size;

static void compose_speech(void)
{
    struct writer writer = writer_of(speech, sizeof(speech));

    while (input.left > 0)
        say_piece(&writer);
    speech_size = writer.size;
}

/* The secure world's ends of the connections. */
static int ends[8];
static size_t end_count;

static TEEC_Operation *impatient; /* is cancelled when something is sent; NULL: none */

/* The secure world has said all it has to say when the caller connects. */
int secure_world_socket(int domain, int type, int protocol)
{
    int pair[2];

    require(end_count < COUNT(ends) && socketpair(domain, type, protocol, pair) == 0);
    require(write(pair[1], speech, speech_size) == (ssize_t)speech_size);
    require(shutdown(pair[1], SHUT_WR) == 0);
    ends[end_count++] = pair[1];
    return pair[0];
}

int secure_world_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)fd;
    (void)size;
    require(address->sa_family == AF_UNIX);
    return 0;
}

ssize_t secure_world_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec piece = {message->msg_iov->iov_base, some_of(message->msg_iov->iov_len)};
    struct msghdr part = *message;
    TEEC_Operation *operation = impatient;

    impatient = NULL;
    TEEC_RequestCancellation(operation);
    part.msg_iov = &piece;
    return sendmsg(fd, &part, flags);
}

static void end_connections(void)
{
    while (end_count > 0)
        close(ends[--end_count]);
}

/* What libteec says by itself. */
static const TEEC_Result own_results[] = {
    TEEC_SUCCESS,           TEEC_ERROR_BAD_PARAMETERS, TEEC_ERROR_BAD_STATE,   TEEC_ERROR_OUT_OF_MEMORY,
    TEEC_ERROR_EXCESS_DATA, TEEC_ERROR_COMMUNICATION,  TEEC_ERROR_TARGET_DEAD, TEEC_ERROR_SECURITY,
};

/* The result, if it is its own or the secure world has said it. */
static TEEC_Result require_sane(TEEC_Result result)
{
    uint8_t wire[sizeof(result)];
    bool own = false;

    store_u32(wire, result);
    for (size_t i = 0; i < COUNT(own_results); i++)
        own = own || result == own_results[i];
    require(own || memmem(speech, speech_size, wire, sizeof(wire)) != NULL);
    return result;
}

static const uint32_t kinds[] = {
    TEEC_NONE,
    TEEC_VALUE_OUTPUT,
    TEEC_VALUE_INOUT,
    TEEC_MEMREF_TEMP_INPUT,
    TEEC_MEMREF_TEMP_OUTPUT,
    TEEC_MEMREF_TEMP_INOUT,
};

/* What the caller does: a choice for each parameter, and bits that say what is otherwise than usual. */
struct choices {
    uint8_t parameter[4];
    uint8_t shared;    /* in-out parameters that are blocks of shared memory */
    uint8_t impatient; /* not 0: the operation is cancelled */
};

struct parameter_memory {
    void *block;
    TEEC_SharedMemory shared;
};

static void make_parameter(TEEC_Session *session, TEEC_Operation *operation, unsigned int i,
                           const struct choices *choices, struct parameter_memory *memory)
{
    const uint8_t choice = choices->parameter[i];
    const size_t size = choice >= 240 && i == 2 ? LARGE : choice;
    uint32_t kind = kinds[choice % COUNT(kinds)];
    TEEC_Result result;

    if (kind == TEEC_MEMREF_TEMP_INOUT && (choices->shared >> i & 1) != 0) {
        kind = TEEC_MEMREF_WHOLE;
        memory->shared = (TEEC_SharedMemory){.size = size, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT};
        result = require_sane(TEEC_AllocateSharedMemory(session->imp.ctx, &memory->shared));
        require((result == TEEC_SUCCESS) == (memory->shared.buffer != NULL));
        operation->params[i].memref.parent = &memory->shared;
    } else if (kind >= TEEC_MEMREF_TEMP_INPUT) {
        memory->block = exact_block(size);
        operation->params[i].tmpref = (TEEC_TempMemoryReference){memory->block, size};
    }
    operation->paramTypes |= kind << (4 * i);
}

static void invoke(TEEC_Session *session, const struct choices *choices)
{
    TEEC_Operation operation = {.started = 0};
    struct parameter_memory memory[4] = {{0}};
    uint32_t origin;

    for (unsigned int i = 0; i < 4; i++)
        make_parameter(session, &operation, i, choices, &memory[i]);
    impatient = choices->impatient != 0 ? &operation : NULL;
    require_sane(TEEC_InvokeCommand(session, 1, &operation, &origin));
    impatient = NULL;
    for (size_t i = 0; i < 4; i++) {
        TEEC_ReleaseSharedMemory(&memory[i].shared);
        free(memory[i].block);
    }
}

static void use(const struct choices *choices)
{
    static const TEEC_UUID uuid = {1, 2, 3, {4}};
    TEEC_Context context;
    TEEC_Session session;
    TEEC_Result result;

    if (require_sane(TEEC_InitializeContext(NULL, &context)) != TEEC_SUCCESS)
        return;
    result = TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
    if (require_sane(result) == TEEC_SUCCESS) {
        invoke(&session, choices);
        TEEC_CloseSession(&session);
    }
    TEEC_FinalizeContext(&context);
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

/* Once, before anything has been allowed: what the library has for the whole process cannot be had. */
static void begin_without_anything(void)
{
    static bool begun;
    TEEC_Context context;

    if (begun)
        return;
    begun = true;
    require(setenv("SOFTEE_SOCKET", "/proc/self", 1) == 0); /* whose owner may be trusted: it is us */
    faults_begin_always();
    require(TEEC_InitializeContext(NULL, &context) == TEEC_ERROR_OUT_OF_MEMORY);
    faults_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {.shared = 0};
    uint16_t seed;
    int before;

    begin_without_anything();
    before = count_descriptors();
    input = (struct input){data, size < SPEECH_MAX / 8 ? size : SPEECH_MAX / 8};
    seed = take_u16(&input);
    take_bytes(&input, &choices, sizeof(choices));
    compose_speech();
    faults_begin(seed);
    use(&choices);
    faults_end();
    end_connections();
    require(count_descriptors() == before);
    return 0;
}
