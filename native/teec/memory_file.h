/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed memory files, in which large buffers travel (docs/wire-protocol.md, "Large buffers"). */
#ifndef TEEC_MEMORY_FILE_H
#define TEEC_MEMORY_FILE_H

#include "descriptor.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Make a file of `size` zero bytes that can neither shrink nor grow. False where the system has none to give, or where
 * the process may not make one as large: trying would raise SIGXFSZ.
 */
bool memory_file_create(struct descriptor *file, size_t size);

/* Both move all of `size` bytes at `offset`, or answer false. */
bool memory_file_write(const struct descriptor *file, uint64_t offset, const void *data, size_t size);
bool memory_file_read(const struct descriptor *file, uint64_t offset, void *data, size_t size);

#endif
