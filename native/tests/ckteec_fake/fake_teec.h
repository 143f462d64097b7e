/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A libteec whose secure world is a function of the test's: it sees every command with its parameters and answers.
 * PING is answered by itself. The test also sees which sessions were opened, and how, and may let opening fail.
 */
#ifndef FAKE_TEEC_H
#define FAKE_TEEC_H

#include <tee_client_api.h>

typedef TEEC_Result fake_handler(uint32_t command, TEEC_Operation *operation, uint32_t *origin);

struct fake_state {
    uint32_t contexts_opened;
    uint32_t contexts_closed;
    uint32_t sessions_opened;
    uint32_t sessions_closed;
    uint32_t login_method;
    uint32_t login_group;
    uint32_t invokes;
    uint32_t version_major;
    uint32_t initialize_result;
    uint32_t open_result;
    uint8_t uuid[sizeof(TEEC_UUID)];
    const volatile uint64_t *counters; /* that it shows; NULL: none, like a board's libteec */
    size_t counter_count;
};

extern struct fake_state fake_teec;
extern void fake_teec_set_handler(fake_handler *function);

#endif
