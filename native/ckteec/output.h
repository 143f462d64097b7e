/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the standard says of functions that return bytes, or a list, in the application's buffer (section 5.2): with a
 * NULL buffer they answer CKR_OK and the size; with a small one, CKR_BUFFER_TOO_SMALL and the size.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "command.h"

/* Name the application's buffer; CKR_ARGUMENTS_BAD where `length` is NULL. */
void output_bytes(struct command *command, CK_BYTE_PTR buffer, CK_ULONG_PTR length);

/* End a command that output_bytes() was called for. */
CK_RV output_bytes_end(struct command *command, CK_BYTE_PTR buffer, CK_ULONG_PTR length);

/* The same for a list of up to `capacity` CK_ULONGs, 32 bits on the wire. Nothing is asked for where `list` is NULL. */
void output_list(struct command *command, CK_ULONG_PTR list, CK_ULONG capacity);
CK_RV output_list_end(struct command *command, CK_ULONG_PTR list, CK_ULONG_PTR count);

/* Name four bytes as output, end the command, and give the handle in them; CKR_ARGUMENTS_BAD where `handle` is NULL. */
CK_RV output_handle_end(struct command *command, CK_ULONG_PTR handle);

/* An output of `prefix` bytes that go elsewhere, and then those of the application's buffer. */
struct output_behind {
    size_t prefix;
    struct buffer bytes; /* the prefix is there where the command has succeeded with a buffer */
};

/* The convention above for what comes behind the prefix. The application's buffer may be the input's, too. */
void output_behind(struct command *command, struct output_behind *output, size_t prefix, CK_BYTE_PTR buffer,
                   CK_ULONG_PTR length);
CK_RV output_behind_end(struct command *command, struct output_behind *output, CK_BYTE_PTR buffer, CK_ULONG_PTR length);

/* Wipe. */
void output_behind_release(struct output_behind *output);

#endif
