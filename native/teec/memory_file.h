/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed memory files, in which large buffers travel (docs/wire-protocol.md, "Large buffers").
 *
 * A channel keeps a small one from call to call: to have the kernel make, clear and free its pages takes several times
 * as long as to fill them. What was in it stays there until the next call, or until the channel is closed.
 */
#ifndef TEEC_MEMORY_FILE_H
#define TEEC_MEMORY_FILE_H

#include "descriptor.h"

#include <stddef.h>
#include <stdint.h>

struct memory_file {
    struct descriptor descriptor; /* none: there is no file */
    size_t size;
};

#define NO_MEMORY_FILE ((struct memory_file){.descriptor = NO_DESCRIPTOR})

/*
 * Have a file of at least `size` bytes that can neither shrink nor grow: the one that is there, if it has as many, or a
 * new one. False, and no file, where the system has none to give, or where the process may not make one as large:
 * trying would raise SIGXFSZ.
 */
bool memory_file_prepare(struct memory_file *file, size_t size);

/* After a call: close it, unless it is small enough to be kept for the next. */
void memory_file_settle(struct memory_file *file);

void memory_file_close(struct memory_file *file);

/* Both move all of `size` bytes at `offset`, or answer false. */
bool memory_file_write(const struct memory_file *file, uint64_t offset, const void *data, size_t size);
bool memory_file_read(const struct memory_file *file, uint64_t offset, void *data, size_t size);

#endif
