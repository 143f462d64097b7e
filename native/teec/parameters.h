/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four parameters of an operation, between the caller's structures and the wire.
 *
 * The caller's buffers are read when the request is written, and written to only after the whole reply has been found
 * good: never beyond the size that the caller gave.
 */
#ifndef TEEC_PARAMETERS_H
#define TEEC_PARAMETERS_H

#include "bytes.h"
#include "memory_file.h"
#include "protocol.gen.h"
#include "tee_client_api.h"

struct parameter {
    uint32_t type;     /* as it travels: TEEC_NONE, TEEC_VALUE_* or TEEC_MEMREF_TEMP_* */
    TEEC_Value *value; /* the caller's, of a VALUE */
    uint8_t *buffer;   /* the caller's, of a MEMREF */
    uint32_t size;     /* of the buffer, in bytes */
    size_t *reported;  /* where the caller reads the size of an output */
    enum where where;
    uint64_t offset; /* in the memory file */
};

struct parameters {
    struct parameter list[TEEC_CONFIG_PAYLOAD_REF_COUNT];
    const struct memory_file *file; /* NULL: none is needed */
};

/*
 * Take the caller's parameters (NULL: none). TEEC_ERROR_BAD_PARAMETERS: an unknown type, a reference that leaves its
 * block or goes the wrong way, NULL with a size. TEEC_ERROR_EXCESS_DATA: 4 GiB or more.
 */
TEEC_Result parameters_take(struct parameters *parameters, TEEC_Operation *operation);

/*
 * Choose what travels in a memory file, and prepare `file` for it: buffers of 64 KiB and more; parameter 0 above 1 MiB.
 * Where no file is to be had (NULL: the peer takes none) all is inline. TEEC_ERROR_EXCESS_DATA: more than a file holds.
 */
TEEC_Result parameters_place(struct parameters *parameters, struct memory_file *file);

/* Bytes of the parameters in a request, and at most in its reply. */
uint64_t parameters_request_size(const struct parameters *parameters);
uint64_t parameters_reply_size(const struct parameters *parameters);

void parameters_write(const struct parameters *parameters, struct writer *writer);

/* Read a reply's parameters, all that is left in `reader`, into the caller's. False: the reply breaks the protocol. */
bool parameters_read(const struct parameters *parameters, struct reader *reader);

#endif
