/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and logins, in tables; one lock, held for moments. */
#include "remembered.h"

#include <pthread.h>
#include <string.h>

#include "connection.h"
#include "reader.h"

#define SESSIONS 4096 /* as many as a secure world lets a client have, if nobody says otherwise */
#define SLOTS 64      /* as many as a secure world has at most */
#define TICKET_LIMIT 128
#define PRIVATE_BASE_SIZE sizeof(uint32_t)

struct session {
    uint32_t handle;
    uint32_t slot;
    uint32_t flags;
};

struct login {
    bool known; /* there was one */
    uint32_t user;
    uint32_t private_base;
    uint32_t ticket_size;
    uint8_t ticket[TICKET_LIMIT];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct session sessions[SESSIONS];
static size_t session_count;
static struct login logins[SLOTS];
static uint32_t last_session;
static uint32_t last_object = TA_FIRST_SESSION_OBJECT - 1;

static struct session *find_session(uint32_t handle)
{
    for (size_t i = 0; i < session_count; i++)
        if (sessions[i].handle == handle)
            return &sessions[i];
    return NULL;
}

static struct login *login_of_slot(uint32_t slot)
{
    return slot < SLOTS ? &logins[slot] : NULL;
}

static struct login *login_of_session(uint32_t handle)
{
    const struct session *session = find_session(handle);

    return session != NULL ? login_of_slot(session->slot) : NULL;
}

/* The ticket goes too: where the secure world was told. */
static void forget_login(struct login *login)
{
    if (login == NULL)
        return;
    login->user = TA_NOBODY;
    login->ticket_size = 0;
    explicit_bzero(login->ticket, sizeof(login->ticket));
}

static bool has_sessions(uint32_t slot)
{
    for (size_t i = 0; i < session_count; i++)
        if (sessions[i].slot == slot)
            return true;
    return false;
}

/* A session that there is no room for is gone with its secure world. */
static void add_session(uint32_t handle, uint32_t slot, uint32_t flags)
{
    last_session = handle > last_session ? handle : last_session;
    if (session_count < SESSIONS)
        sessions[session_count++] = (struct session){handle, slot, flags};
}

/* The last session with a slot takes the login along. */
static void remove_session(struct session *session)
{
    const uint32_t slot = session->slot;

    *session = sessions[--session_count];
    if (!has_sessions(slot))
        forget_login(login_of_slot(slot));
}

static void remove_sessions_with(uint32_t slot)
{
    for (size_t i = session_count; i > 0; i--)
        if (sessions[i - 1].slot == slot)
            remove_session(&sessions[i - 1]);
}

static void note_handles(const struct command *command)
{
    const uint8_t *output = command->operation.params[2].tmpref.buffer;

    for (uint32_t i = 0; i < command->handles && command_output_size(command) >= (i + 1) * sizeof(uint32_t); i++) {
        const uint32_t handle = u32_at(output + i * sizeof(uint32_t));

        if (handle > last_object)
            last_object = handle;
    }
}

/* What brings a login back. */
struct kept {
    size_t size; /* 0: nothing does */
    uint8_t bytes[PRIVATE_BASE_SIZE + TICKET_LIMIT];
};

static void ask(uint32_t session, struct kept *kept)
{
    uint8_t request[sizeof(session)];

    store_u32(request, session);
    kept->size = sizeof(kept->bytes);
    if (command_fetch(TA_KEEP_LOGIN, request, sizeof(request), kept->bytes, &kept->size) != CKR_OK)
        kept->size = 0;
}

/* Where nothing brings the login back, it is known at least that there was one. */
static void keep_login(struct login *login, uint32_t user, const struct kept *kept)
{
    forget_login(login);
    login->known = true;
    login->user = user;
    if (kept->size < PRIVATE_BASE_SIZE)
        return;
    login->private_base = u32_at(kept->bytes);
    login->ticket_size = (uint32_t)(kept->size - PRIVATE_BASE_SIZE);
    memcpy(login->ticket, kept->bytes + PRIVATE_BASE_SIZE, login->ticket_size);
}

static void see(const struct command *command, const struct kept *kept)
{
    struct login *login = login_of_session(command->session);
    struct session *session = find_session(command->session);

    note_handles(command);
    switch (command->number) {
    case TA_OPEN_SESSION:
        add_session(u32_at(command->operation.params[2].tmpref.buffer), command->slot, command->flags);
        break;
    case TA_CLOSE_SESSION:
        if (session != NULL)
            remove_session(session);
        break;
    case TA_CLOSE_ALL_SESSIONS:
        remove_sessions_with(command->slot);
        break;
    case TA_LOGIN:
        if (login != NULL && command->user != CKU_CONTEXT_SPECIFIC)
            keep_login(login, command->user, kept);
        break;
    case TA_INIT_PIN:
    case TA_SET_PIN: /* tickets of the PIN that was are worth nothing any more */
        if (login != NULL && login->known && login->user != TA_NOBODY)
            keep_login(login, login->user, kept);
        break;
    case TA_LOGOUT:
        forget_login(login);
        break;
    default:
        break;
    }
}

static bool is_followed(const struct command *command)
{
    switch (command->number) {
    case TA_OPEN_SESSION:
    case TA_CLOSE_SESSION:
    case TA_CLOSE_ALL_SESSIONS:
    case TA_LOGIN:
    case TA_INIT_PIN:
    case TA_SET_PIN:
    case TA_LOGOUT:
        return true;
    default:
        return command->handles > 0;
    }
}

static bool changes_login(const struct command *command)
{
    return (command->number == TA_LOGIN && command->user != CKU_CONTEXT_SPECIFIC) || command->number == TA_INIT_PIN ||
           command->number == TA_SET_PIN;
}

bool remember(const struct command *command)
{
    struct kept kept = {.size = 0};

    if (!is_followed(command) || !connection_can_come_back())
        return true;
    if (changes_login(command)) {
        ask(command->session, &kept);
        if (command->number == TA_LOGIN && kept.size == 0 && connection_is_lost())
            return false;
    }
    pthread_mutex_lock(&lock);
    see(command, &kept);
    pthread_mutex_unlock(&lock);
    explicit_bzero(&kept, sizeof(kept));
    return true;
}

/* The ticket stays for the next secure world, which shall end the login. */
static CK_RV log_out(struct login *login)
{
    if (login == NULL || !login->known || login->user == TA_NOBODY)
        return CKR_USER_NOT_LOGGED_IN;
    login->user = TA_NOBODY;
    return CKR_OK;
}

static CK_RV end(const struct command *command)
{
    struct session *session = find_session(command->session);

    if (command->number == TA_CLOSE_ALL_SESSIONS) {
        remove_sessions_with(command->slot);
        return CKR_OK;
    }
    if (session == NULL)
        return CKR_SESSION_HANDLE_INVALID;
    if (command->number == TA_LOGOUT)
        return log_out(login_of_slot(session->slot));
    if (command->number == TA_CLOSE_SESSION)
        remove_session(session);
    return CKR_OK;
}

CK_RV remembered_end(const struct command *command)
{
    CK_RV rv;

    pthread_mutex_lock(&lock);
    rv = end(command);
    pthread_mutex_unlock(&lock);
    return rv;
}

static void put_sessions(struct buffer *request)
{
    put_u32(request, last_session + 1);
    put_u32(request, last_object + 1);
    put_u32(request, (uint32_t)session_count);
    for (size_t i = 0; i < session_count; i++) {
        put_u32(request, sessions[i].handle);
        put_u32(request, sessions[i].slot);
        put_u32(request, sessions[i].flags);
    }
}

static void put_logins(struct buffer *request)
{
    const size_t count_at = put_u32_later(request);
    size_t count = 0;

    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        const struct login *login = &logins[slot];

        if (!login->known)
            continue;
        put_u32(request, slot);
        put_u32(request, login->private_base);
        put_u32(request, login->user);
        put_u32(request, login->ticket_size);
        put_bytes(request, login->ticket, login->ticket_size);
        count++;
    }
    put_u32_at(request, count_at, count);
}

static bool is_among(uint32_t handle, const uint8_t *handles, size_t size)
{
    for (size_t at = 0; at + sizeof(handle) <= size; at += sizeof(handle))
        if (u32_at(handles + at) == handle)
            return true;
    return false;
}

/* Logins that have ended meanwhile, or whose sessions were not restored, are not asked for again. */
static void keep_restored(const uint8_t *handles, size_t size)
{
    for (size_t i = session_count; i > 0; i--)
        if (!is_among(sessions[i - 1].handle, handles, size))
            remove_session(&sessions[i - 1]);
    for (size_t slot = 0; slot < SLOTS; slot++)
        if (logins[slot].user == TA_NOBODY)
            forget_login(&logins[slot]);
}

static CK_RV restore(void)
{
    struct command command;
    struct buffer handles;
    CK_RV rv;

    buffer_init(&handles);
    buffer_extend(&handles, session_count * sizeof(uint32_t));
    command_prepare(&command, TA_RESTORE_SESSIONS);
    buffer_refuse(&command.control, handles.error);
    put_sessions(&command.control);
    put_logins(&command.control);
    command_output_up_to(&command, handles.bytes, handles.size);
    rv = command_send(&command);
    if (rv == CKR_OK)
        keep_restored(handles.bytes, command_output_size(&command));
    buffer_release(&handles);
    return rv;
}

CK_RV remembered_restore(void)
{
    CK_RV rv;

    pthread_mutex_lock(&lock);
    rv = restore();
    pthread_mutex_unlock(&lock);
    return rv;
}

void remembered_forget(void)
{
    pthread_mutex_init(&lock, NULL);
    session_count = 0;
    explicit_bzero(logins, sizeof(logins));
    last_session = 0;
    last_object = TA_FIRST_SESSION_OBJECT - 1;
}
