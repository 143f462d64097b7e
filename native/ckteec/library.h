/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 as this library offers it: the C_* functions of 2.40 and those that find function lists are exported, and
 * each has a hidden second name C_*_local. The others of 3.x are hidden.
 *
 * The function lists hold hidden names alone: another PKCS#11 module that the process has loaded with RTLD_GLOBAL may
 * take the exported ones over, but never a call through our lists.
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#pragma GCC visibility push(default)
#include "pkcs11.h"
#pragma GCC visibility pop

#define DECLARE_LOCAL(name, parameters) extern __typeof__(name) name##_local;
CK_FUNCTIONS(DECLARE_LOCAL)
CK_INTERFACE_FUNCTIONS(DECLARE_LOCAL)
#undef DECLARE_LOCAL

#define DECLARE_HIDDEN(name, parameters) extern CK_RV name parameters;
CK_FUNCTIONS_3_0(DECLARE_HIDDEN)
CK_FUNCTIONS_3_2(DECLARE_HIDDEN)
#undef DECLARE_HIDDEN

/* Stands above the definition of each exported function and gives it its hidden name. */
#define CK_ENTRY(name) extern __typeof__(name) name##_local __attribute__((alias(#name), visibility("hidden")))

/* C_GetInfo of a function list that has this version. */
CK_RV get_info_of(CK_INFO_PTR pInfo, CK_VERSION version);

#endif
