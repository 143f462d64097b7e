/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a script, as the arguments of a C_* function.
 *
 *   5, 0x5, ~     a number; ~ has all its bits set
 *   -             NULL
 *   $name, &name  a variable's value, and its address
 *   x:HEX         the address of these bytes
 *   o:SIZE        the address of so many bytes to be filled
 *   m:TYPE        the address of a CK_MECHANISM; with :PARAMETER, of fields with commas between them: u5 is a CK_ULONG,
 *                 bHEX are bytes as they are, pHEX is the address of bytes, s[FIELD;...] that of a structure, lSIZE is
 *                 another length than the fields', and nSIZE is NULL with that length
 *   t:TEMPLATE    two arguments, CK_ATTRIBUTEs and their number, TYPE=VALUE with commas between them: u5 is a CK_ULONG,
 *                 xHEX are bytes, rSIZE are bytes to be filled, nSIZE is NULL with that length, and [TYPE=VALUE;...]
 *                 is a template inside
 */
#ifndef CALLS_ARGUMENTS_H
#define CALLS_ARGUMENTS_H

#include <pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

#define ARGUMENTS_MAX 16
#define FILLER 0xEE /* what buffers to be filled hold before */

struct variable {
    char name[16];
    CK_ULONG value;
};

/* An argument that the function may write to: a variable, or bytes. */
struct output {
    const struct variable *variable; /* or NULL */
    const CK_BYTE *bytes;
    size_t size;
};

struct arguments {
    CK_ULONG words[ARGUMENTS_MAX];
    size_t count;
    struct output outputs[ARGUMENTS_MAX];
    size_t output_count;
    const CK_ATTRIBUTE *attributes; /* of the last template */
    CK_ULONG attribute_count;
};

/* Make the arguments of a line, which is taken apart. What they point to lives until the next line. */
void arguments_parse(struct arguments *arguments, char *line);

/* The variable of that name; one that is new is 0. */
struct variable *variable_named(const char *name);

#endif
