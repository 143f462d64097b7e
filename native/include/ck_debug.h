/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of PKCS#11's numbers, by the functions that OP-TEE's libckteec has for traces; its own xtest links to them.
 *
 * Each gives the standard's name of exactly one number or one flag, prefix included, or a word for what has none. The
 * strings are constant.
 */
#ifndef CK_DEBUG_H
#define CK_DEBUG_H

#include "pkcs11.h"

#ifdef __cplusplus
extern "C" {
#endif

const char *ckr2str(CK_RV id);
const char *ckm2str(CK_MECHANISM_TYPE id);
const char *cka2str(CK_ATTRIBUTE_TYPE id);
const char *cko2str(CK_OBJECT_CLASS id);
const char *ckk2str(CK_KEY_TYPE id);

/* CKF_* of a slot, a token, a mechanism, a session. */
const char *slot_ckf2str(CK_ULONG flag);
const char *token_ckf2str(CK_ULONG flag);
const char *mecha_ckf2str(CK_ULONG flag);
const char *session_ckf2str(CK_ULONG flag);

/* CKS_*, a session's state. */
const char *session_cks2str(CK_ULONG state);

#ifdef __cplusplus
}
#endif

#endif
