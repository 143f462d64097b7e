/* SPDX-License-Identifier: Apache-2.0 */
/* What libteec.so.2 exports; every other symbol is hidden. */
#ifndef TEEC_EXPORT_H
#define TEEC_EXPORT_H

#include "tee_client_api.h"

#define EXPORT __attribute__((visibility("default")))

#endif
