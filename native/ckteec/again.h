/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a command when the secure world goes away before it has answered. */
#ifndef AGAIN_H
#define AGAIN_H

#include "commands.gen.h"

enum again {
    AGAIN_NEVER,          /* it may have been done: CKR_DEVICE_ERROR */
    AGAIN_DONE,           /* it is sent again */
    AGAIN_WITH_OPERATION, /* likewise, when the operation that it goes on with has been begun again */
    AGAIN_IN_CHILD,       /* it is sent again by a child of a process that was connected, and else never */
    AGAIN_ENDED,          /* what it ends has ended with the secure world */
};

enum again again_of(enum ta_command command);

#endif
