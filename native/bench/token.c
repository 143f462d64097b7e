/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define MOST_SLOTS 256
#define USABLE (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED)
#define LABEL_SIZE 14

static CK_FUNCTION_LIST *functions_of(struct process *process)
{
    void *module = dlopen(process->module, RTLD_NOW | RTLD_LOCAL);
    CK_FUNCTION_LIST *functions = NULL;
    union {
        void *object;
        CK_C_GetFunctionList code;
    } get = {NULL};

    if (module != NULL)
        get.object = dlsym(module, "C_GetFunctionList");
    if (get.object == NULL)
        stage_fail(process->stage, "dlopen", CKR_GENERAL_ERROR);
    else if (!noted(process->stage, "C_GetFunctionList", get.code(&functions)))
        return NULL;
    return functions;
}

static bool choose_slot(struct process *process)
{
    CK_SLOT_ID slots[MOST_SLOTS];
    CK_ULONG count = MOST_SLOTS;
    CK_TOKEN_INFO info;

    if (!CALLED(process, C_GetSlotList, CK_TRUE, slots, &count))
        return false;
    for (CK_ULONG i = 0; i < count; i++) {
        if (process->functions->C_GetTokenInfo(slots[i], &info) == CKR_OK && (info.flags & USABLE) == USABLE) {
            process->slot = slots[i];
            return true;
        }
    }
    stage_fail(process->stage, "C_GetTokenInfo", CKR_TOKEN_NOT_PRESENT);
    return false;
}

static bool log_in(struct process *process)
{
    CK_UTF8CHAR pin[128];
    const size_t size = strnlen(process->pin, sizeof(pin));

    memcpy(pin, process->pin, size);
    return CALLED(process, C_Login, process->session, CKU_USER, pin, size);
}

void token_load(struct process *process)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};

    process->functions = functions_of(process);
    if (process->functions != NULL && CALLED(process, C_Initialize, &arguments) && choose_slot(process) &&
        token_open_session(process, &process->session))
        log_in(process);
}

bool token_open_session(const struct process *process, CK_SESSION_HANDLE *session)
{
    return CALLED(process, C_OpenSession, process->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);
}

CK_OBJECT_HANDLE token_find(const struct process *process, CK_SESSION_HANDLE session, struct template *wanted)
{
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;

    if (!CALLED(process, C_FindObjectsInit, session, wanted->attributes, wanted->count) ||
        !CALLED(process, C_FindObjects, session, found, 2, &count) || !CALLED(process, C_FindObjectsFinal, session))
        return CK_INVALID_HANDLE;
    if (count != 1)
        stage_fail(process->stage, "C_FindObjects, which found another number,", CKR_OK);
    return count == 1 ? found[0] : CK_INVALID_HANDLE;
}

bool handles_add(struct handles *handles, CK_OBJECT_HANDLE handle)
{
    if (handles->count == handles->room) {
        const size_t room = handles->room * 2 + 64;
        CK_OBJECT_HANDLE *list = reallocarray(handles->list, room, sizeof(*list));

        if (list == NULL)
            return false;
        handles->list = list;
        handles->room = room;
    }
    handles->list[handles->count++] = handle;
    return true;
}

void token_destroy(const struct process *process, struct handles *handles)
{
    while (handles->count > 0)
        if (!CALLED(process, C_DestroyObject, process->session, handles->list[--handles->count]))
            return;
}

void token_fill(struct process *process)
{
    struct template template = process->row.filler;
    char label[32];

    template.attributes[template.count++] = (CK_ATTRIBUTE){CKA_LABEL, label, LABEL_SIZE};
    while (process->fillers.count < process->row.fill) {
        CK_OBJECT_HANDLE made;

        snprintf(label, sizeof(label), "bench-%08zu", process->fillers.count % 100000000);
        if (!CALLED(process, C_CreateObject, process->session, template.attributes, template.count, &made) ||
            !handles_add(&process->fillers, made))
            return;
    }
}
