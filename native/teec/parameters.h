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
#include "descriptor.h"
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
    struct descriptor file; /* the memory file, if one is needed */
    uint64_t file_size;
};

/*
 * Take the caller's parameters (NULL: none). TEEC_ERROR_BAD_PARAMETERS: an unknown type, a reference that leaves its
 * block or goes the wrong way, NULL with a size. TEEC_ERROR_EXCESS_DATA: 4 GiB or more.
 */
TEEC_Result parameters_take(struct parameters *parameters, TEEC_Operation *operation);

/*
 * Choose what travels in a memory file, and make it: buffers of 64 KiB and more, where `with_file`, except parameter 0.
 * Where no file is to be had all is inline. TEEC_ERROR_EXCESS_DATA: more than 64 MiB.
 */
TEEC_Result parameters_place(struct parameters *parameters, bool with_file);

/* Bytes of the parameters in a request, and at most in its reply. */
uint64_t parameters_request_size(const struct parameters *parameters);
uint64_t parameters_reply_size(const struct parameters *parameters);

void parameters_write(const struct parameters *parameters, struct writer *writer);

/* Read a reply's parameters, all that is left in `reader`, into the caller's. False: the reply breaks the protocol. */
bool parameters_read(const struct parameters *parameters, struct reader *reader);

/* Close the memory file. */
void parameters_release(struct parameters *parameters);

#endif
