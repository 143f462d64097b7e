/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of messages: what of an application's structure goes with a message, and what comes back into it.
 *
 * The functions on messages are not told the mechanism: the size of the structure tells it.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

#include "command.h"
#include "mechanism.h"

struct message {
    CK_MECHANISM_TYPE type;
    CK_BYTE_PTR nonce;
    size_t nonce_size;
    bool makes_nonce; /* the token does */
    CK_BYTE_PTR tag;
    size_t tag_size;
};

/* Read a structure. CKR_MECHANISM_PARAM_INVALID in `buffer`: no such structure, or sizes that nobody takes. */
struct message message_of(struct buffer *buffer, const void *parameter, CK_ULONG size);

/* Put a mechanism whose parameter is a message's, and read that. */
struct message put_mechanism_on_message(struct buffer *buffer, const CK_MECHANISM *mechanism);

/* {u32 size, bytes}; CKR_ARGUMENTS_BAD for NULL with a size. */
void put_associated_data(struct buffer *buffer, const void *data, CK_ULONG size);

/* {u32 size, bytes}; none where the structure points to none, as it may before the last part. */
void put_tag(struct buffer *buffer, const struct message *message);

/* What a command gives into the parameter's pointers, before what goes into the application's buffer. */
enum given {
    NOTHING,
    NONCE,
    TAG,
    NONCE_AND_TAG,
};

/*
 * End a command on a message: `buffer` and `length` follow the standard's convention, which output.h tells. A nonce of
 * the application's own is not written over.
 */
CK_RV message_end(struct command *command, const struct message *message, enum given given, CK_BYTE_PTR buffer,
                  CK_ULONG_PTR length);

#endif
