/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Noticing that the process is a forked child, without a lock, a system call or a fork handler.
 *
 * A page that the kernel wipes in children holds a mark. Whoever finds it wiped forgets, before any lock is taken, what
 * was the parent's.
 */
#ifndef TEEC_PROCESS_H
#define TEEC_PROCESS_H

#include <stdbool.h>

/*
 * To be called first by every function of the API. In a new child, one thread calls `forget`, and the others wait for
 * it. False: there is no memory for the page.
 */
bool process_enter(void (*forget)(void));

/* Whether a busy wait of some microseconds takes nothing from the secure world: more than one CPU is ours to use. */
bool process_has_spare_cpu(void);

#endif
