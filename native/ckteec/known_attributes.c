/* SPDX-License-Identifier: Apache-2.0 */
/* Shelves for what was told, in a table that sessions' numbers lead into; one lock, held for moments. */
#include "known_attributes.h"

#include <pthread.h>
#include <string.h>

#include "reader.h"
#include "reading_plan.h"
#include "template.h"

#define SHELVES 16

/* {u32 size, u32 count} before the attributes of a template. */
#define TEMPLATE_HEAD_SIZE (2 * sizeof(uint32_t))

struct shelf {
    uint32_t session; /* 0: nobody's, as no session has that number */
    struct changes_mark mark;
    struct reading_plan plan;
    size_t told_size;
    uint8_t told[TOLD_LIMIT];
};

/* An attribute's value; its size is WIRE_UNAVAILABLE where the object has none. */
struct value {
    uint32_t size;
    const uint8_t *bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shelf shelves[SHELVES];

static void wipe(struct shelf *shelf)
{
    explicit_bzero(shelf->told, shelf->told_size);
    shelf->told_size = 0;
}

/* The session's shelf, as long as the lock is held. */
static struct shelf *shelf_of(uint32_t session)
{
    struct shelf *shelf = &shelves[session % SHELVES];

    if (shelf->session != session) {
        wipe(shelf);
        shelf->plan = (struct reading_plan){0};
        shelf->session = session;
    }
    return shelf;
}

/* What was told of an object. */
static bool find_object(const struct shelf *shelf, uint32_t handle, struct reader *attributes)
{
    struct reader told = reader_of(shelf->told, shelf->told_size);

    while (told.left > 0) {
        const uint32_t one = read_u32(&told);
        const uint32_t size = read_u32(&told);
        const uint8_t *bytes = read_span(&told, size);

        if (bytes == NULL)
            return false;
        if (one == handle) {
            *attributes = reader_of(bytes, size);
            return true;
        }
    }
    return false;
}

static bool find_value(struct reader attributes, uint32_t type, struct value *value)
{
    while (attributes.left > 0) {
        const uint32_t one = read_u32(&attributes);

        value->size = read_u32(&attributes);
        value->bytes = read_span(&attributes, value->size == WIRE_UNAVAILABLE ? 0 : value->size);
        if (value->bytes == NULL)
            return false;
        if (one == type)
            return true;
    }
    return false;
}

/* Of several reasons OP-TEE gives the one that is last in its order. */
static CK_RV worse(CK_RV one, CK_RV other)
{
    return one == CKR_OK || other == CKR_BUFFER_TOO_SMALL ? other : one;
}

static CK_RV put_value(uint8_t *place, uint32_t room, const struct value *value)
{
    if (value->size == WIRE_UNAVAILABLE)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (room == 0)
        return CKR_OK;
    if (value->size > room)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(place, value->bytes, value->size);
    return CKR_OK;
}

/* Answer for the next attribute, in the place that it has in the reply. */
static enum knowledge answer_next(const struct shelf *shelf, struct reader attributes, struct reader *wanted,
                                  struct writer *reply, CK_RV *rv)
{
    const uint32_t type = read_u32(wanted);
    const uint32_t room = read_u32(wanted);
    struct value value;
    CK_RV one;

    if (read_span(wanted, room) == NULL)
        return KNOWLEDGE_NONE;
    if (!find_value(attributes, type, &value))
        return reading_plan_names(&shelf->plan, type) ? KNOWLEDGE_WITHHELD : KNOWLEDGE_NONE;
    write_u32(reply, type);
    write_u32(reply, value.size);
    one = put_value(write_room(reply, room), room, &value);
    if (one != CKR_OK)
        *rv = worse(*rv, one);
    return KNOWLEDGE_FULL;
}

static enum knowledge answer_all(const struct shelf *shelf, const struct attributes_wanted *wanted, CK_RV *rv)
{
    struct reader request = reader_of(wanted->request + sizeof(uint32_t), wanted->size - sizeof(uint32_t));
    struct writer reply = writer_of(wanted->reply, wanted->size - WANTED_HEAD_SIZE);
    enum knowledge known = KNOWLEDGE_FULL;
    struct reader attributes;

    *rv = CKR_OK;
    if (!find_object(shelf, read_u32(&request), &attributes))
        return KNOWLEDGE_NONE;
    write_u32(&reply, read_u32(&request));
    write_u32(&reply, read_u32(&request));
    while (request.left > 0 && known == KNOWLEDGE_FULL)
        known = answer_next(shelf, attributes, &request, &reply, rv);
    return known;
}

enum knowledge known_attributes_answer(const struct attributes_wanted *wanted, CK_RV *rv)
{
    enum knowledge known;
    struct shelf *shelf;

    pthread_mutex_lock(&lock);
    shelf = shelf_of(wanted->session);
    if (!changes_none(&shelf->mark))
        wipe(shelf);
    known = answer_all(shelf, wanted, rv);
    pthread_mutex_unlock(&lock);
    return known;
}

void known_attributes_put_plan(const struct attributes_wanted *wanted, struct buffer *buffer)
{
    struct reader request = reader_of(wanted->request + sizeof(uint32_t), wanted->size - sizeof(uint32_t));
    const uint32_t handle = read_u32(&request);

    read_span(&request, TEMPLATE_HEAD_SIZE);
    pthread_mutex_lock(&lock);
    reading_plan_put(&shelf_of(wanted->session)->plan, handle, request, buffer);
    pthread_mutex_unlock(&lock);
}

void known_attributes_keep(uint32_t session, const struct changes_mark *mark, const uint8_t *told, size_t size)
{
    struct shelf *shelf;

    pthread_mutex_lock(&lock);
    shelf = shelf_of(session);
    wipe(shelf);
    if (size <= sizeof(shelf->told) && changes_none(mark)) {
        memcpy(shelf->told, told, size);
        shelf->told_size = size;
        shelf->mark = *mark;
    }
    pthread_mutex_unlock(&lock);
}

void known_attributes_found(uint32_t session, const uint8_t *handles, size_t count)
{
    pthread_mutex_lock(&lock);
    reading_plan_found(&shelf_of(session)->plan, handles, count);
    pthread_mutex_unlock(&lock);
}

void known_attributes_wipe(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < SHELVES; i++)
        wipe(&shelves[i]);
    pthread_mutex_unlock(&lock);
}

void known_attributes_forget(void)
{
    pthread_mutex_init(&lock, NULL);
    for (size_t i = 0; i < SHELVES; i++) {
        wipe(&shelves[i]);
        shelves[i].session = 0;
    }
}
