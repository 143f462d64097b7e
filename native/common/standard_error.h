/* SPDX-License-Identifier: Apache-2.0 */
/* Standard error of a process that is not ours. */
#ifndef STANDARD_ERROR_H
#define STANDARD_ERROR_H

#include <stddef.h>

/*
 * Write a line, of at most PIPE_BUF bytes, to it, where the variable SOFTEE_VERBOSE is 1: descriptor 2 may be a
 * network connection. Where nobody reads or there is no room, nothing is written: the application neither gets SIGPIPE
 * nor waits.
 */
void standard_error_write(const char *text, size_t size);

#endif
