/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libckteec.so where it cannot be a symbolic link to libckteec.so.0, as in a wheel: a library with nothing in it that
 * needs the other. dlsym() finds the C_* functions through it, and a process that loads both names has one library.
 */
typedef int nothing; /* a translation unit may not be empty */
