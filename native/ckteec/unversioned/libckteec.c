/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libckteec.so where it cannot be a symbolic link to libckteec.so.0, as in a wheel: a library with nothing in it that
 * needs the other. dlsym() finds the C_* functions through it, and a process that loads both names has one library.
 *
 * OpenSSH reads the file before it loads it, and wants to find the names of functions there.
 */
#include "pkcs11_functions.gen.h"

#define NAME(name, parameters) #name "\0"

__attribute__((used)) static const char names[] = CK_FUNCTIONS(NAME) CK_INTERFACE_FUNCTIONS(NAME);
