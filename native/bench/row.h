/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row of the benchmark, as a line says it: NAME OPERATION and any of these words, bytes in hexadecimal digits.
 *
 *   mechanism=NUMBER  hexadecimal, as all numbers of PKCS#11
 *   parameter=BYTES   the mechanism's, as it is
 *   gcm=BYTES         the mechanism's is a CK_GCM_PARAMS with this initialization vector and a tag of 128 bits
 *   data=BYTES        what is signed, verified, encrypted, digested
 *   size=NUMBER       as many zero bytes instead; for `random`, how many are wanted (decimal)
 *   signature=BYTES   what is verified
 *   object=TEMPLATE   the key, which is imported; for `generate`, the public key's template
 *   private=TEMPLATE  the private key's, for `generate`
 *   wanted=TEMPLATE   what is looked for, for `find` and `load`
 *   fill=NUMBER       how many objects there are to be first (decimal), made by
 *   filler=TEMPLATE   and a label: "bench-" and the object's number with eight digits
 *
 * A template is TYPE:BYTES,TYPE:BYTES and so on.
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "pkcs11.h"

#define MOST_ATTRIBUTES 20
#define LONGEST_NAME 64

struct bytes {
    CK_BYTE *start;
    CK_ULONG size;
};

struct template
{
    CK_ATTRIBUTE attributes[MOST_ATTRIBUTES];
    CK_ULONG count;
};

struct row {
    char name[LONGEST_NAME];
    char operation[LONGEST_NAME];
    CK_MECHANISM mechanism;
    CK_GCM_PARAMS gcm;
    struct bytes data;
    struct bytes signature;
    struct template object, private, wanted, filler;
    CK_ULONG fill;
    CK_BYTE *memory; /* what the pointers above point into */
    CK_BYTE *zeros;  /* or this, for `size` */
};

/* Read a line. False where it is none of ours. */
bool row_read(struct row *row, const char *line);

void row_free(struct row *row);

#endif
