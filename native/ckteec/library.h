/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 as this library offers it: the C_* functions are exported, and each has a hidden second name C_*_local.
 *
 * The function list holds the hidden names: another PKCS#11 module that the process has loaded with RTLD_GLOBAL may
 * take the exported ones over, but never a call through our list.
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#pragma GCC visibility push(default)
#include "pkcs11.h"
#pragma GCC visibility pop

#define DECLARE_LOCAL(name, parameters) extern __typeof__(name) name##_local;
CK_FUNCTIONS(DECLARE_LOCAL)
#undef DECLARE_LOCAL

/* Stands above the definition of each function of the list and gives it its hidden name. */
#define CK_ENTRY(name) extern __typeof__(name) name##_local __attribute__((alias(#name), visibility("hidden")))

#endif
