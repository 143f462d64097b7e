/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Noticing that the process is a forked child, without a lock, a system call or a fork handler.
 *
 * A page that the kernel wipes in children holds a mark. Whoever finds it wiped forgets, before any lock is taken, what
 * was the parent's. Each library that compiles this has a page of its own.
 */
#ifndef FORK_NOTICE_H
#define FORK_NOTICE_H

#include <stdbool.h>

/*
 * To be called first by every function of an API, before it takes a lock. In a new child, one thread calls `forget`,
 * and the others wait for it. False: there is no memory for the page.
 */
bool fork_notice(void (*forget)(void));

#endif
