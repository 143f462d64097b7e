/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GlobalPlatform TEE Client API 1.0, as libteec.so.2 offers it.
 *
 * Names and values are the standard's. The structures are laid out as OP-TEE's libteec has them, so that a program
 * that was compiled for a board's libteec runs on this one. What is called `imp` belongs to the library.
 */
#ifndef TEE_CLIENT_API_H
#define TEE_CLIENT_API_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Section 4.2: limits. Only memory bounds a shared memory block here. */
#define TEEC_CONFIG_PAYLOAD_REF_COUNT 4
#define TEEC_CONFIG_SHAREDMEM_MAX_SIZE ULONG_MAX

/* Section 4.4.2: results. */
typedef uint32_t TEEC_Result;

#define TEEC_SUCCESS 0x00000000
#define TEEC_ERROR_STORAGE_NOT_AVAILABLE 0xF0100003
#define TEEC_ERROR_GENERIC 0xFFFF0000
#define TEEC_ERROR_ACCESS_DENIED 0xFFFF0001
#define TEEC_ERROR_CANCEL 0xFFFF0002
#define TEEC_ERROR_ACCESS_CONFLICT 0xFFFF0003
#define TEEC_ERROR_EXCESS_DATA 0xFFFF0004
#define TEEC_ERROR_BAD_FORMAT 0xFFFF0005
#define TEEC_ERROR_BAD_PARAMETERS 0xFFFF0006
#define TEEC_ERROR_BAD_STATE 0xFFFF0007
#define TEEC_ERROR_ITEM_NOT_FOUND 0xFFFF0008
#define TEEC_ERROR_NOT_IMPLEMENTED 0xFFFF0009
#define TEEC_ERROR_NOT_SUPPORTED 0xFFFF000A
#define TEEC_ERROR_NO_DATA 0xFFFF000B
#define TEEC_ERROR_OUT_OF_MEMORY 0xFFFF000C
#define TEEC_ERROR_BUSY 0xFFFF000D
#define TEEC_ERROR_COMMUNICATION 0xFFFF000E
#define TEEC_ERROR_SECURITY 0xFFFF000F
#define TEEC_ERROR_SHORT_BUFFER 0xFFFF0010
#define TEEC_ERROR_EXTERNAL_CANCEL 0xFFFF0011
#define TEEC_ERROR_TARGET_DEAD 0xFFFF3024
#define TEEC_ERROR_STORAGE_NO_SPACE 0xFFFF3041

/* Errors of the Internal Core API that a trusted application may answer. */
#define TEE_ERROR_EXTERNAL_CANCEL 0xFFFF0011
#define TEE_ERROR_OVERFLOW 0xFFFF300F
#define TEE_ERROR_TARGET_DEAD 0xFFFF3024
#define TEE_ERROR_STORAGE_NO_SPACE 0xFFFF3041
#define TEE_ERROR_MAC_INVALID 0xFFFF3071
#define TEE_ERROR_SIGNATURE_INVALID 0xFFFF3072
#define TEE_ERROR_TIME_NOT_SET 0xFFFF5000
#define TEE_ERROR_TIME_NEEDS_RESET 0xFFFF5001

/* Section 4.4.3: the layer that a result comes from. */
#define TEEC_ORIGIN_API 0x00000001
#define TEEC_ORIGIN_COMMS 0x00000002
#define TEEC_ORIGIN_TEE 0x00000003
#define TEEC_ORIGIN_TRUSTED_APP 0x00000004

/* Section 4.4.4: which ways a shared memory block is used. */
#define TEEC_MEM_INPUT 0x00000001
#define TEEC_MEM_OUTPUT 0x00000002

/* Section 4.4.5: what a parameter of an operation is. */
#define TEEC_NONE 0x00000000
#define TEEC_VALUE_INPUT 0x00000001
#define TEEC_VALUE_OUTPUT 0x00000002
#define TEEC_VALUE_INOUT 0x00000003
#define TEEC_MEMREF_TEMP_INPUT 0x00000005
#define TEEC_MEMREF_TEMP_OUTPUT 0x00000006
#define TEEC_MEMREF_TEMP_INOUT 0x00000007
#define TEEC_MEMREF_WHOLE 0x0000000C
#define TEEC_MEMREF_PARTIAL_INPUT 0x0000000D
#define TEEC_MEMREF_PARTIAL_OUTPUT 0x0000000E
#define TEEC_MEMREF_PARTIAL_INOUT 0x0000000F

/* Section 4.4.6: how a client asks to be identified. */
#define TEEC_LOGIN_PUBLIC 0x00000000
#define TEEC_LOGIN_USER 0x00000001
#define TEEC_LOGIN_GROUP 0x00000002
#define TEEC_LOGIN_APPLICATION 0x00000004
#define TEEC_LOGIN_USER_APPLICATION 0x00000005
#define TEEC_LOGIN_GROUP_APPLICATION 0x00000006

/* Section 4.6.1: the four parameter types in one word, and one of them out of it. */
#define TEEC_PARAM_TYPES(p0, p1, p2, p3) ((p0) | ((p1) << 4) | ((p2) << 8) | ((p3) << 12))
#define TEEC_PARAM_TYPE_GET(p, i) (((p) >> ((i) * 4)) & 0xF)

/* The connection to a TEE. `imp.fd` is no descriptor of softee's, but the number of its context. */
typedef struct {
    struct {
        int fd;
        bool reg_mem;
        bool memref_null;
    } imp;
} TEEC_Context;

/* The name of a trusted application (RFC 9562), its fields in the machine's byte order. */
typedef struct {
    uint32_t timeLow;
    uint16_t timeMid;
    uint16_t timeHiAndVersion;
    uint8_t clockSeqAndNode[8];
} TEEC_UUID;

/* A block of memory, the caller's (registered) or the library's (allocated). */
typedef struct {
    void *buffer;
    size_t size;
    uint32_t flags; /* TEEC_MEM_* */
    struct {
        int id;
        size_t alloced_size;
        void *shadow_buffer;
        int registered_fd;
        uint32_t flags;
    } imp;
} TEEC_SharedMemory;

/* A buffer for the time of one operation. */
typedef struct {
    void *buffer;
    size_t size;
} TEEC_TempMemoryReference;

/* A part, or the whole, of a shared memory block. */
typedef struct {
    TEEC_SharedMemory *parent;
    size_t size;
    size_t offset;
} TEEC_RegisteredMemoryReference;

typedef struct {
    uint32_t a;
    uint32_t b;
} TEEC_Value;

typedef union {
    TEEC_TempMemoryReference tmpref;
    TEEC_RegisteredMemoryReference memref;
    TEEC_Value value;
} TEEC_Parameter;

/* A session with a trusted application. */
typedef struct {
    struct {
        TEEC_Context *ctx;
        uint32_t session_id;
    } imp;
} TEEC_Session;

/* The parameters of a command. `started` must be 0 when a call with it may have to be cancelled. */
typedef struct {
    uint32_t started;
    uint32_t paramTypes;
    TEEC_Parameter params[TEEC_CONFIG_PAYLOAD_REF_COUNT];
    struct {
        TEEC_Session *session;
    } imp;
} TEEC_Operation;

/*
 * Connect to the secure world (section 4.5.2). `name` is NULL or "softee"; another name is TEEC_ERROR_ITEM_NOT_FOUND.
 * TEEC_ERROR_COMMUNICATION: nothing answers; a line on standard error, once per process, says how to start softee.
 * TEEC_ERROR_SECURITY: what answers belongs to another user than root, the caller or SOFTEE_SERVER_UID (or, where
 * that is not set, server_uid in /etc/softee/client.conf).
 */
TEEC_Result TEEC_InitializeContext(const char *name, TEEC_Context *context);

/* Disconnect (section 4.5.3). Does nothing with a context of before a fork, or one that is finalized already. */
void TEEC_FinalizeContext(TEEC_Context *context);

/*
 * Open a session with the trusted application `destination` (section 4.5.7). `connectionMethod` is TEEC_LOGIN_PUBLIC,
 * _USER or _GROUP (then `connectionData` points to the group's number, 32 bits); others are TEEC_ERROR_NOT_SUPPORTED.
 */
TEEC_Result TEEC_OpenSession(TEEC_Context *context, TEEC_Session *session, const TEEC_UUID *destination,
                             uint32_t connectionMethod, const void *connectionData, TEEC_Operation *operation,
                             uint32_t *returnOrigin);

/* Close a session (section 4.5.8). Does nothing with a session of before a fork, or of a finalized context. */
void TEEC_CloseSession(TEEC_Session *session);

/*
 * Run a command of the trusted application (section 4.5.9). Calls from several threads run at the same time.
 * TEEC_ERROR_COMMUNICATION: the secure world has said nothing for ten seconds, has gone, or answered nonsense.
 * TEEC_ERROR_TARGET_DEAD: it was lost in an earlier call. TEEC_ERROR_BAD_STATE: not a context of this process.
 */
TEEC_Result TEEC_InvokeCommand(TEEC_Session *session, uint32_t commandID, TEEC_Operation *operation,
                               uint32_t *returnOrigin);

/* Name a block of the caller's memory, of which operations may use parts (section 4.5.4). */
TEEC_Result TEEC_RegisterSharedMemory(TEEC_Context *context, TEEC_SharedMemory *sharedMem);

/* The same with memory behind a descriptor (an extension of OP-TEE's): TEEC_ERROR_NOT_SUPPORTED. */
TEEC_Result TEEC_RegisterSharedMemoryFileDescriptor(TEEC_Context *context, TEEC_SharedMemory *sharedMem, int fd);

/* Allocate a block of `sharedMem->size` zero bytes (section 4.5.5). */
TEEC_Result TEEC_AllocateSharedMemory(TEEC_Context *context, TEEC_SharedMemory *sharedMem);

/* Forget a registered block; wipe and free an allocated one (section 4.5.6). */
void TEEC_ReleaseSharedMemory(TEEC_SharedMemory *sharedMemory);

/* Ask that an operation that runs in another thread be cancelled (section 4.5.10). */
void TEEC_RequestCancellation(TEEC_Operation *operation);

#ifdef __cplusplus
}
#endif

#endif
