/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include <string.h>

struct named {
    const char *name;
    operation *once;
    bool has_key;
};

bool operation_sign(struct caller *caller)
{
    struct process *process = caller->process;
    struct row *row = &process->row;
    CK_ULONG size = caller->room;

    return CALLED(process, C_SignInit, caller->session, &row->mechanism, process->key) &&
           CALLED(process, C_Sign, caller->session, row->data.start, row->data.size, caller->output, &size);
}

static bool verify(struct caller *caller)
{
    struct process *process = caller->process;
    struct row *row = &process->row;

    return CALLED(process, C_VerifyInit, caller->session, &row->mechanism, process->key) &&
           CALLED(process, C_Verify, caller->session, row->data.start, row->data.size, row->signature.start,
                  row->signature.size);
}

static bool encrypt(struct caller *caller)
{
    struct process *process = caller->process;
    struct row *row = &process->row;
    CK_ULONG size = caller->room;

    return CALLED(process, C_EncryptInit, caller->session, &row->mechanism, process->key) &&
           CALLED(process, C_Encrypt, caller->session, row->data.start, row->data.size, caller->output, &size);
}

static bool digest(struct caller *caller)
{
    struct process *process = caller->process;
    struct row *row = &process->row;
    CK_ULONG size = caller->room;

    return CALLED(process, C_DigestInit, caller->session, &row->mechanism) &&
           CALLED(process, C_Digest, caller->session, row->data.start, row->data.size, caller->output, &size);
}

static bool random_bytes(struct caller *caller)
{
    struct process *process = caller->process;

    return CALLED(process, C_GenerateRandom, caller->session, caller->output, process->row.data.size);
}

static bool session(struct caller *caller)
{
    struct process *process = caller->process;
    CK_SESSION_HANDLE opened;

    return token_open_session(process, &opened) && CALLED(process, C_CloseSession, opened);
}

static bool info(struct caller *caller)
{
    struct process *process = caller->process;
    CK_SESSION_INFO told;

    return CALLED(process, C_GetSessionInfo, caller->session, &told);
}

static bool find(struct caller *caller)
{
    struct process *process = caller->process;

    return token_find(process, caller->session, &process->row.wanted) != CK_INVALID_HANDLE;
}

static bool generate(struct caller *caller)
{
    struct process *process = caller->process;
    struct row *row = &process->row;
    CK_OBJECT_HANDLE public, private;

    return CALLED(process, C_GenerateKeyPair, caller->session, &row->mechanism, row->object.attributes,
                  row->object.count, row->private.attributes, row->private.count, &public, &private) &&
           handles_add(&caller->made, public) && handles_add(&caller->made, private);
}

static const struct named operations[] = {
    {"digest", digest, false},       {"encrypt", encrypt, true},  {"find", find, false},
    {"generate", generate, false},   {"info", info, false},       {"load", operation_sign, true},
    {"random", random_bytes, false}, {"session", session, false}, {"sign", operation_sign, true},
    {"verify", verify, true},
};

static const struct named *named(const char *name)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (strcmp(name, operations[i].name) == 0)
            return &operations[i];
    return NULL;
}

operation *operation_named(const char *name)
{
    return named(name) != NULL ? named(name)->once : NULL;
}

bool operation_has_key(const char *name)
{
    return named(name) != NULL && named(name)->has_key;
}
