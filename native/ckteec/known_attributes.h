/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes that the secure world has told before they were asked for, and what it may be asked to tell next.
 *
 * For each of some sessions: the types that were asked for, the objects that were found last, and what was told of some
 * of them. It is given only as long as nothing has changed. Any number of threads may ask and tell at the same time.
 */
#ifndef KNOWN_ATTRIBUTES_H
#define KNOWN_ATTRIBUTES_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "changes.h"

/* Bytes of what was told. */
#define TOLD_LIMIT 8192

/* A request for attributes as GET_ATTRIBUTE_VALUE has it, and its answer's place, which is zero. */
struct attributes_wanted {
    uint32_t session;
    const uint8_t *request;
    size_t size;
    uint8_t *reply;
};

/* What comes before the template in the request: the numbers of the session and the object. */
#define WANTED_HEAD_SIZE (2 * sizeof(uint32_t))

enum knowledge {
    KNOWLEDGE_NONE,
    KNOWLEDGE_WITHHELD, /* it was to be told, and was not: it is a secret, or large */
    KNOWLEDGE_FULL,
};

/* The answer, where all of it is known. */
enum knowledge known_attributes_answer(const struct attributes_wanted *wanted, CK_RV *rv);

/* Put what else shall be told: the handles of objects that follow, and types; a size and numbers, both. */
void known_attributes_put_plan(const struct attributes_wanted *wanted, struct buffer *buffer);

/* Keep what was told, if nothing has changed since `mark`. */
void known_attributes_keep(uint32_t session, const struct changes_mark *mark, const uint8_t *told, size_t size);

/* A search of the session has found objects, whose handles are here as they travel. */
void known_attributes_found(uint32_t session, const uint8_t *handles, size_t count);

/* Wipe what was told: something has changed. */
void known_attributes_wipe(void);

/* At the end of a connection, and in a child process. */
void known_attributes_forget(void);

#endif
