/* SPDX-License-Identifier: Apache-2.0 */
/* Mechanisms on the wire: {u32 type, u32 size, parameter}. */
#ifndef MECHANISM_H
#define MECHANISM_H

#include "buffer.h"
#include "library.h"

/* Of a length that may be in bits or in bytes: the shortest nonce in bits, which is more than the longest has bytes. */
#define LEAST_BITS 64

/*
 * CKR_ARGUMENTS_BAD: NULL. CKR_MECHANISM_INVALID: a type that cannot be sent. CKR_MECHANISM_PARAM_INVALID: a parameter
 * of the wrong size, with a NULL pointer for bytes, with a number above 32 bits; or any parameter at all of a mechanism
 * that is not known to take one, for its bytes may be pointers, which mean nothing in another process.
 */
void put_mechanism(struct buffer *buffer, const CK_MECHANISM *mechanism);

/* A mechanism's type without a parameter. */
void put_bare_mechanism(struct buffer *buffer, const CK_MECHANISM *mechanism);

/* {u32 size, parameter} of a message of this mechanism. */
void put_message_parameter(struct buffer *buffer, CK_MECHANISM_TYPE type, const void *parameter, CK_ULONG size);

#endif
