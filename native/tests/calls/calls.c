/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls a PKCS#11 module as a script on standard input says, and prints what each call answers:
 *
 *   calls MODULE < SCRIPT
 *
 * A line is a function's name and its arguments (arguments.h), or:
 *
 *   @set NAME NUMBER   give a variable a value
 *   @setup ... @end    lines that open the session that all cases have, $base
 *   @case              begin with a new session, $s, and none of the objects and operations of the one before
 *   @fresh             the same where the last call may have begun something, or have ended everything
 *
 * The answer to a call is the number of its line, its return value, and what it wrote: variables, bytes up to the last
 * that was written, attributes. A call that crashes says so, and the script goes on.
 */
#include "arguments.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE (1u << 20)
#define SETUP_LINES 32
#define FLAGS (CKF_SERIAL_SESSION | CKF_RW_SESSION)

/* Every C_* function: all take words, no more than eight. */
typedef CK_RV function(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

static void *module;
static char *setup[SETUP_LINES];
static size_t setup_count;
static bool in_setup;
static CK_RV last_rv;
static sigjmp_buf crashed;

static void on_crash(int signal_number)
{
    siglongjmp(crashed, signal_number);
}

static function *function_named(const char *name)
{
    union {
        void *object;
        function *code;
    } found = {.object = dlsym(module, name)};

    if (found.object == NULL) {
        fprintf(stderr, "calls: there is no %s\n", name);
        exit(2);
    }
    return found.code;
}

static CK_RV call(const char *name, const struct arguments *arguments)
{
    const CK_ULONG *word = arguments->words;

    return function_named(name)(word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7]);
}

static void print_bytes(const CK_BYTE *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == FILLER)
        size--;
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

static void print_output(const struct output *output)
{
    if (output->variable != NULL) {
        printf(" %s=%lx", output->variable->name, output->variable->value);
        return;
    }
    printf(" o=");
    print_bytes(output->bytes, output->size);
}

static void print_attribute(const CK_ATTRIBUTE *attribute, size_t room)
{
    printf(" %lx=%lx", attribute->type, attribute->ulValueLen);
    if (attribute->pValue == NULL || attribute->ulValueLen > room)
        return;
    putchar(':');
    print_bytes(attribute->pValue, attribute->ulValueLen);
}

/* How large the buffers were before the call, which sets the lengths. */
static void note_rooms(const struct arguments *arguments, CK_ULONG *rooms)
{
    for (CK_ULONG i = 0; i < arguments->attribute_count; i++)
        rooms[i] = arguments->attributes[i].ulValueLen;
}

static void call_and_print(unsigned long line_number, const char *name, char *rest)
{
    struct arguments arguments;
    CK_ULONG rooms[64];
    int signal_number;

    arguments_parse(&arguments, rest);
    note_rooms(&arguments, rooms);
    signal_number = sigsetjmp(crashed, 1);
    if (signal_number != 0) {
        printf("%lu crash\n", line_number);
        return;
    }
    last_rv = call(name, &arguments);
    printf("%lu %lx", line_number, last_rv);
    for (size_t i = 0; i < arguments.output_count; i++)
        print_output(&arguments.outputs[i]);
    for (CK_ULONG i = 0; strcmp(name, "C_GetAttributeValue") == 0 && i < arguments.attribute_count; i++)
        print_attribute(&arguments.attributes[i], rooms[i]);
    putchar('\n');
}

static CK_RV call_quietly(const char *line)
{
    static char copy[LINE_SIZE];
    struct arguments arguments;
    char *rest;

    snprintf(copy, sizeof(copy), "%s", line);
    rest = strchr(copy, ' ');
    if (rest != NULL)
        *rest++ = '\0';
    arguments_parse(&arguments, rest);
    return call(copy, &arguments);
}

/* The application may have died of the call before. */
static void set_up_again(void)
{
    call_quietly("C_Finalize -");
    for (size_t i = 0; i < setup_count; i++)
        call_quietly(setup[i]);
}

static void begin_case(void)
{
    call_quietly("C_CloseSession $s");
    for (int tries = 0; tries < 2; tries++) {
        if (call_quietly("C_GetSessionInfo $base o:32") == CKR_OK && call_quietly("C_OpenSession 0 6 - - &s") == CKR_OK)
            return;
        set_up_again();
    }
}

static void keep(const char *line)
{
    if (setup_count < SETUP_LINES)
        setup[setup_count++] = strdup(line);
}

static bool is_grave(CK_RV rv)
{
    return rv == CKR_OK || rv == CKR_GENERAL_ERROR;
}

/* A line that begins with @. */
static void direct(const char *line)
{
    char name[16];
    unsigned long value;

    if (strcmp(line, "@setup") == 0) {
        in_setup = true;
    } else if (strcmp(line, "@end") == 0) {
        in_setup = false;
        set_up_again();
    } else if (strcmp(line, "@case") == 0 || (strcmp(line, "@fresh") == 0 && is_grave(last_rv))) {
        begin_case();
    } else if (sscanf(line, "@set %15s %lu", name, &value) == 2) {
        variable_named(name)->value = value;
    }
}

static void run(unsigned long line_number, char *line)
{
    char *rest = strchr(line, ' ');

    if (line[0] == '@') {
        direct(line);
        return;
    }
    if (line[0] == '\0' || line[0] == '#')
        return;
    if (in_setup) {
        keep(line);
        return;
    }
    if (rest != NULL)
        *rest++ = '\0';
    call_and_print(line_number, line, rest);
}

int main(int argc, char **argv)
{
    static char line[LINE_SIZE];

    if (argc != 2 || (module = dlopen(argv[1], RTLD_NOW)) == NULL) {
        fprintf(stderr, "calls: %s\n", argc == 2 ? dlerror() : "usage: calls MODULE < SCRIPT");
        return 2;
    }
    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGABRT, on_crash);
    for (unsigned long number = 1; fgets(line, sizeof(line), stdin) != NULL; number++) {
        line[strcspn(line, "\n")] = '\0';
        run(number, line);
    }
    return 0;
}
