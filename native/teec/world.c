/* SPDX-License-Identifier: Apache-2.0 */
/* Hellos: the first one of a context brings its secret, and further ones show it. */
#include "world.h"

static const uint8_t HELLO_MAGIC[] = PROTOCOL_MAGIC;

/* Say hello on a new channel and offer features; with a secret of zeros, the reply brings a new context's. */
static TEEC_Result greet(struct channel *channel, uint32_t features, const uint8_t *secret, struct exchange *hello)
{
    TEEC_Result result;

    *hello = (struct exchange){.type = FRAME_HELLO, .request_size = 28, .reply_size = 32};
    memcpy(hello->request, HELLO_MAGIC, sizeof(HELLO_MAGIC));
    store_u32(hello->request + 4, PROTOCOL_VERSION);
    store_u32(hello->request + 8, features);
    memcpy(hello->request + 12, secret, SECRET_SIZE);
    result = channel_exchange(channel, hello);
    if (result != TEEC_SUCCESS)
        return result == TEEC_ERROR_TARGET_DEAD ? TEEC_ERROR_COMMUNICATION : result;
    channel->max_length = u32_at(hello->reply + 12);
    if (u32_at(hello->reply) != TEEC_SUCCESS)
        return u32_at(hello->reply);
    if (u32_at(hello->reply + 4) != PROTOCOL_VERSION || (u32_at(hello->reply + 8) & ~features) != 0 ||
        channel->max_length < MAX_LENGTH_MIN)
        return TEEC_ERROR_COMMUNICATION;
    if (channel->max_length > FRAME_LENGTH_MAX)
        channel->max_length = FRAME_LENGTH_MAX;
    return TEEC_SUCCESS;
}

TEEC_Result world_meet(struct world *world, struct channel *channel)
{
    struct descriptor socket;
    struct descriptor page = NO_DESCRIPTOR;
    struct exchange hello;
    TEEC_Result result =
        world->path.text[0] != '\0' ? socket_connect(&world->path, &socket) : socket_find(&world->path, &socket);

    if (result != TEEC_SUCCESS)
        return result;
    channel_open(channel, &socket);
    channel->passed = &page;
    result = greet(channel, FEATURE_MEMORY_FILES | FEATURE_CHANGE_COUNTERS, world->secret, &hello);
    channel->passed = NULL;
    if (result == TEEC_SUCCESS) {
        world->features = u32_at(hello.reply + 8);
        memcpy(world->secret, hello.reply + 16, SECRET_SIZE);
        if ((world->features & FEATURE_CHANGE_COUNTERS) != 0)
            world->counters = counters_map(&page);
    } else {
        channel_close(channel);
    }
    descriptor_close(&page);
    explicit_bzero(&hello, sizeof(hello));
    return result;
}

TEEC_Result world_join(const struct world *world, struct channel *channel)
{
    struct descriptor socket;
    struct exchange hello;
    TEEC_Result result = socket_connect(&world->path, &socket);

    if (result != TEEC_SUCCESS)
        return result;
    channel_open(channel, &socket);
    result = greet(channel, FEATURE_MEMORY_FILES, world->secret, &hello);
    if (result != TEEC_SUCCESS)
        channel_close(channel);
    explicit_bzero(&hello, sizeof(hello));
    return result;
}
