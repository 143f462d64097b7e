/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of a line. The scripts come from the test itself: what makes no sense ends the program. */
#include "arguments.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES 64
#define MEMORY_SIZE (4u << 20)
#define PARAMETER_SIZE 512

static struct variable variables[VARIABLES];

/* What the arguments of the current line point to. */
static _Alignas(16) CK_BYTE memory[MEMORY_SIZE];
static size_t memory_used;

_Noreturn static void give_up(const char *what, const char *text)
{
    fprintf(stderr, "calls: %s: %s\n", what, text);
    exit(2);
}

static void *memory_of(size_t size)
{
    void *place = memory + memory_used;

    size = (size + 15) & ~(size_t)15;
    if (size > MEMORY_SIZE - memory_used)
        give_up("no memory for", "this line");
    memory_used += size;
    return place;
}

struct variable *variable_named(const char *name)
{
    for (struct variable *v = variables; v < variables + VARIABLES; v++) {
        if (v->name[0] == '\0')
            snprintf(v->name, sizeof(v->name), "%s", name);
        if (strcmp(v->name, name) == 0)
            return v;
    }
    give_up("too many variables", name);
}

static CK_ULONG number(const char *text)
{
    char *end;
    CK_ULONG value = text[0] == '~' ? ~0UL : strtoul(text, &end, 0);

    if (text[0] != '~' && (end == text || *end != '\0'))
        give_up("no number", text);
    return value;
}

/* The number that a value has after its letter; none is 0. */
static size_t size_of(const char *text)
{
    return *text != '\0' ? number(text) : 0;
}

static int digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The bytes that the hexadecimal digits say; an address also where there are none. */
static CK_BYTE *bytes_of(const char *hex, size_t *size)
{
    CK_BYTE *bytes = memory_of(strlen(hex) / 2 + 1);

    *size = strlen(hex) / 2;
    for (size_t i = 0; i < *size; i++)
        bytes[i] = (CK_BYTE)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return bytes;
}

static CK_BYTE *filled(size_t size)
{
    CK_BYTE *bytes = memory_of(size + 1);

    memset(bytes, FILLER, size);
    return bytes;
}

/* Cut off the text up to the separator, and move on; NULL at the end. Separators within brackets do not count. */
static char *next_part(char **rest, char separator)
{
    char *part = *rest;
    unsigned int depth = 0;

    if (part == NULL || *part == '\0')
        return NULL;
    for (char *c = part; *c != '\0'; c++) {
        depth += *c == '[';
        depth -= *c == ']';
        if (*c != separator || depth > 0)
            continue;
        *c = '\0';
        *rest = c + 1;
        return part;
    }
    *rest = NULL;
    return part;
}

/* Append to a parameter; `alignment` is as in a structure. */
static void append(CK_MECHANISM *mechanism, const void *data, size_t size, size_t alignment)
{
    CK_ULONG at = (mechanism->ulParameterLen + alignment - 1) & ~(alignment - 1);

    memcpy((CK_BYTE *)mechanism->pParameter + at, data, size);
    mechanism->ulParameterLen = at + size;
}

static void append_fields(CK_MECHANISM *mechanism, char *fields, char separator);

/* A structure that a parameter points to. */
static void append_structure(CK_MECHANISM *mechanism, char *fields)
{
    CK_MECHANISM inside = {0, memory_of(PARAMETER_SIZE), 0};

    fields[strlen(fields) - 1] = '\0';
    append_fields(&inside, fields + 1, ';');
    append(mechanism, &inside.pParameter, sizeof(inside.pParameter), sizeof(inside.pParameter));
}

static void append_field(CK_MECHANISM *mechanism, char *field)
{
    CK_ULONG value = 0;
    CK_BYTE *bytes;
    size_t size;

    switch (field[0]) {
    case 'u':
        value = number(field + 1);
        append(mechanism, &value, sizeof(value), sizeof(value));
        break;
    case 'p':
        bytes = bytes_of(field + 1, &size);
        append(mechanism, &bytes, sizeof(bytes), sizeof(bytes));
        break;
    case 'b':
        bytes = bytes_of(field + 1, &size);
        append(mechanism, bytes, size, 1);
        break;
    case 's':
        append_structure(mechanism, field + 1);
        break;
    case 'n':
        mechanism->pParameter = NULL;
        mechanism->ulParameterLen = number(field + 1);
        break;
    case 'l':
        mechanism->ulParameterLen = number(field + 1);
        break;
    default:
        give_up("no field", field);
    }
}

static void append_fields(CK_MECHANISM *mechanism, char *fields, char separator)
{
    for (char *field = next_part(&fields, separator); field != NULL; field = next_part(&fields, separator))
        append_field(mechanism, field);
}

static CK_MECHANISM *mechanism_of(char *text)
{
    CK_MECHANISM *mechanism = memory_of(sizeof(*mechanism));
    char *fields = strchr(text, ':');

    if (fields != NULL)
        *fields++ = '\0';
    *mechanism = (CK_MECHANISM){number(text), fields != NULL ? memory_of(PARAMETER_SIZE) : NULL, 0};
    append_fields(mechanism, fields, ',');
    return mechanism;
}

static CK_ATTRIBUTE *template_of(char *text, char separator, CK_ULONG *count);

static void set_value(CK_ATTRIBUTE *attribute, char *value)
{
    size_t size = sizeof(CK_ULONG);
    CK_ULONG *ulong;

    switch (value[0]) {
    case 'u':
        ulong = memory_of(size);
        *ulong = number(value + 1);
        attribute->pValue = ulong;
        break;
    case 'x':
        attribute->pValue = bytes_of(value + 1, &size);
        break;
    case 'r':
        size = size_of(value + 1);
        attribute->pValue = filled(size);
        break;
    case 'n':
        size = size_of(value + 1);
        break;
    case '[':
        value[strlen(value) - 1] = '\0';
        attribute->pValue = template_of(value + 1, ';', &attribute->ulValueLen);
        size = attribute->ulValueLen * sizeof(CK_ATTRIBUTE);
        break;
    default:
        give_up("no value", value);
    }
    attribute->ulValueLen = size;
}

static CK_ATTRIBUTE *template_of(char *text, char separator, CK_ULONG *count)
{
    CK_ATTRIBUTE *attributes = memory_of(64 * sizeof(*attributes));

    *count = 0;
    for (char *part = next_part(&text, separator); part != NULL; part = next_part(&text, separator)) {
        char *value = strchr(part, '=');

        if (value == NULL || *count == 64)
            give_up("no attribute", part);
        *value++ = '\0';
        attributes[*count] = (CK_ATTRIBUTE){number(part), NULL, 0};
        set_value(&attributes[(*count)++], value);
    }
    return attributes;
}

static void add(struct arguments *arguments, CK_ULONG word)
{
    if (arguments->count == ARGUMENTS_MAX)
        give_up("too many", "arguments");
    arguments->words[arguments->count++] = word;
}

static void add_output(struct arguments *arguments, struct output output)
{
    arguments->outputs[arguments->output_count++] = output;
}

static void add_bytes(struct arguments *arguments, size_t size)
{
    const CK_BYTE *bytes = filled(size);

    add_output(arguments, (struct output){NULL, bytes, size});
    add(arguments, (CK_ULONG)bytes);
}

static void add_template(struct arguments *arguments, char *text)
{
    arguments->attributes = template_of(text, ',', &arguments->attribute_count);
    add(arguments, (CK_ULONG)arguments->attributes);
    add(arguments, arguments->attribute_count);
}

static void add_pointed(struct arguments *arguments, char *text)
{
    size_t size;

    switch (text[0]) {
    case 'x':
        add(arguments, (CK_ULONG)bytes_of(text + 2, &size));
        break;
    case 'o':
        add_bytes(arguments, number(text + 2));
        break;
    case 'm':
        add(arguments, (CK_ULONG)mechanism_of(text + 2));
        break;
    case 't':
        add_template(arguments, text + 2);
        break;
    default:
        give_up("no argument", text);
    }
}

static void parse_one(struct arguments *arguments, char *text)
{
    struct variable *variable;

    if (text[0] == '&') {
        variable = variable_named(text + 1);
        add_output(arguments, (struct output){variable, NULL, 0});
        add(arguments, (CK_ULONG)&variable->value);
    } else if (text[0] == '$') {
        add(arguments, variable_named(text + 1)->value);
    } else if (text[0] == '-') {
        add(arguments, 0);
    } else if (text[0] != '\0' && text[1] == ':') {
        add_pointed(arguments, text);
    } else {
        add(arguments, number(text));
    }
}

void arguments_parse(struct arguments *arguments, char *line)
{
    *arguments = (struct arguments){.count = 0};
    memory_used = 0;
    for (char *text = next_part(&line, ' '); text != NULL; text = next_part(&line, ' '))
        parse_one(arguments, text);
}
