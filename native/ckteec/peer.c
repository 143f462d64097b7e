/* SPDX-License-Identifier: Apache-2.0 */
/* The application at the other end: what it said of itself, and which of our commands it turned out not to have. */
#include "peer.h"

#include <stdatomic.h>

#include "bytes.h"
#include "commands.gen.h"
#include "connection.h"

/* The latest version that this library knows. OP-TEE's application says 0.1 in old releases and 1.0 in new ones. */
#define KNOWN_MAJOR 1

#define OUR_FIRST_COMMAND 0x1000U
#define OUR_COMMANDS 256 /* of any that come after these nothing is remembered */

static struct peer_version version;
static atomic_bool lacks[OUR_COMMANDS];

static bool ping(struct peer_version *answer)
{
    uint8_t status[sizeof(uint32_t)] = {0};
    uint8_t told[TA_PING_BYTES] = {0};
    uint32_t origin = 0;
    TEEC_Operation operation = {
        .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INOUT, TEEC_NONE, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE),
        .params = {{.tmpref = {status, sizeof(status)}}, {{0}}, {.tmpref = {told, sizeof(told)}}, {{0}}},
    };

    if (connection_invoke(TA_PING, &operation, &origin) != TEEC_SUCCESS ||
        operation.params[0].tmpref.size != sizeof(status) || operation.params[2].tmpref.size != sizeof(told))
        return false;
    *answer = (struct peer_version){u32_at(told), u32_at(told + 4), u32_at(told + 8)};
    return u32_at(status) == CKR_OK;
}

CK_RV peer_meet(void)
{
    for (size_t i = 0; i < OUR_COMMANDS; i++)
        atomic_store(&lacks[i], false);
    return ping(&version) && version.major <= KNOWN_MAJOR ? CKR_OK : CKR_DEVICE_ERROR;
}

struct peer_version peer_version(void)
{
    return version;
}

/* Where it is remembered that the peer lacks a command. NULL: OP-TEE's, which every peer has. */
static atomic_bool *lack_of(uint32_t command)
{
    const uint32_t ours = command - OUR_FIRST_COMMAND;

    return command >= OUR_FIRST_COMMAND && ours < OUR_COMMANDS ? &lacks[ours] : NULL;
}

bool peer_lacks(uint32_t command)
{
    const atomic_bool *lack = lack_of(command);

    return lack != NULL && atomic_load(lack);
}

TEEC_Result peer_invoke(uint32_t command, TEEC_Operation *operation, uint32_t *origin)
{
    atomic_bool *lack = lack_of(command);
    TEEC_Result result;

    if (lack != NULL && atomic_load(lack)) {
        *origin = TEEC_ORIGIN_TRUSTED_APP;
        return TEEC_ERROR_NOT_SUPPORTED;
    }
    result = connection_invoke(command, operation, origin);
    /* Whoever else is on the way may refuse for reasons of its own. */
    if (lack != NULL && result == TEEC_ERROR_NOT_SUPPORTED && *origin == TEEC_ORIGIN_TRUSTED_APP)
        atomic_store(lack, true);
    return result;
}
