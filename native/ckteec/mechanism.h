/* SPDX-License-Identifier: Apache-2.0 */
/* Mechanisms on the wire: {u32 type, u32 size, parameter}. */
#ifndef MECHANISM_H
#define MECHANISM_H

#include "buffer.h"
#include "library.h"

/*
 * CKR_ARGUMENTS_BAD: NULL. CKR_MECHANISM_INVALID: a type that cannot be sent. CKR_MECHANISM_PARAM_INVALID: a parameter
 * of the wrong size, with a NULL pointer for bytes, with a number above 32 bits; or any parameter at all of a mechanism
 * that is not known to take one, for its bytes may be pointers, which mean nothing in another process.
 */
void put_mechanism(struct buffer *buffer, const CK_MECHANISM *mechanism);

#endif
