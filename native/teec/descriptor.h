/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors in a process that is not ours.
 *
 * Applications close descriptors that they did not open, and the numbers come back with other files behind them. So a
 * descriptor is kept with the identity of its file, and is used or closed only while it still is that file.
 */
#ifndef TEEC_DESCRIPTOR_H
#define TEEC_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/types.h>

struct descriptor {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
};

#define NO_DESCRIPTOR ((struct descriptor){.fd = -1})

/*
 * Take over `fd`, moved above standard input, output and error, which the application may have closed. False, with
 * errno set and `fd` closed, where that is not possible; `fd` may be -1.
 */
bool descriptor_adopt(struct descriptor *descriptor, int fd);

/* Whether it is still the file that was adopted. */
bool descriptor_is_ours(const struct descriptor *descriptor);

/* Close it if it is still ours, and forget it. */
void descriptor_close(struct descriptor *descriptor);

#endif
