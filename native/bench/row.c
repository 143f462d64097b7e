/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <stdlib.h>
#include <string.h>

#define LARGEST_SIZE (64u << 20)

/* Where the bytes of a line go: it has fewer of them than digits. */
struct line {
    struct row *row;
    CK_BYTE *next;
};

struct word {
    const char *name;
    bool (*read)(struct line *line, char *value);
};

static int digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = character != '\0' ? strchr(digits, character) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

static bool read_bytes(struct line *line, const char *value, struct bytes *bytes)
{
    bytes->start = line->next;
    for (; value[0] != '\0'; value += 2) {
        if (digit(value[0]) < 0 || digit(value[1]) < 0)
            return false;
        *line->next++ = (CK_BYTE)(digit(value[0]) * 16 + digit(value[1]));
    }
    bytes->size = (CK_ULONG)(line->next - bytes->start);
    return true;
}

static bool read_number(const char *value, int base, CK_ULONG *number)
{
    char *end;

    *number = strtoul(value, &end, base);
    return end != value && *end == '\0';
}

static bool read_template(struct line *line, char *value, struct template *template)
{
    char *rest = NULL;

    for (char *part = strtok_r(value, ",", &rest); part != NULL; part = strtok_r(NULL, ",", &rest)) {
        CK_ATTRIBUTE *attribute = &template->attributes[template->count];
        char *colon = strchr(part, ':');
        struct bytes bytes;

        if (colon == NULL || ++template->count == MOST_ATTRIBUTES) /* one more has room, for a label */
            return false;
        *colon = '\0';
        if (!read_number(part, 16, &attribute->type) || !read_bytes(line, colon + 1, &bytes))
            return false;
        attribute->pValue = bytes.start;
        attribute->ulValueLen = bytes.size;
    }
    return true;
}

static bool read_mechanism(struct line *line, char *value)
{
    return read_number(value, 16, &line->row->mechanism.mechanism);
}

static bool read_parameter(struct line *line, char *value)
{
    struct bytes bytes;

    if (!read_bytes(line, value, &bytes))
        return false;
    line->row->mechanism.pParameter = bytes.start;
    line->row->mechanism.ulParameterLen = bytes.size;
    return true;
}

static bool read_gcm(struct line *line, char *value)
{
    struct row *row = line->row;
    struct bytes bytes;

    if (!read_bytes(line, value, &bytes))
        return false;
    row->gcm = (CK_GCM_PARAMS){.pIv = bytes.start, .ulIvLen = bytes.size, .ulIvBits = bytes.size * 8, .ulTagBits = 128};
    row->mechanism.pParameter = &row->gcm;
    row->mechanism.ulParameterLen = sizeof(row->gcm);
    return true;
}

static bool read_data(struct line *line, char *value)
{
    return read_bytes(line, value, &line->row->data);
}

static bool read_size(struct line *line, char *value)
{
    struct row *row = line->row;

    if (!read_number(value, 10, &row->data.size) || row->data.size > LARGEST_SIZE)
        return false;
    row->zeros = row->data.start = calloc(1, row->data.size + 1);
    return row->zeros != NULL;
}

static bool read_signature(struct line *line, char *value)
{
    return read_bytes(line, value, &line->row->signature);
}

static bool read_object(struct line *line, char *value)
{
    return read_template(line, value, &line->row->object);
}

static bool read_private(struct line *line, char *value)
{
    return read_template(line, value, &line->row->private);
}

static bool read_wanted(struct line *line, char *value)
{
    return read_template(line, value, &line->row->wanted);
}

static bool read_filler(struct line *line, char *value)
{
    return read_template(line, value, &line->row->filler);
}

static bool read_fill(struct line *line, char *value)
{
    return read_number(value, 10, &line->row->fill);
}

static const struct word words[] = {
    {"data", read_data},           {"fill", read_fill},     {"filler", read_filler},       {"gcm", read_gcm},
    {"mechanism", read_mechanism}, {"object", read_object}, {"parameter", read_parameter}, {"private", read_private},
    {"signature", read_signature}, {"size", read_size},     {"wanted", read_wanted},
};

static bool read_word(struct line *line, char *word)
{
    char *equals = strchr(word, '=');

    if (equals == NULL)
        return false;
    *equals = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i].name) == 0)
            return words[i].read(line, equals + 1);
    return false;
}

static bool read_name(char *name, const char *word)
{
    if (word == NULL || strlen(word) >= LONGEST_NAME)
        return false;
    strcpy(name, word);
    return true;
}

static bool read_words(struct line *line, char *text)
{
    struct row *row = line->row;
    char *rest = NULL, *name = strtok_r(text, " ", &rest), *operation = strtok_r(NULL, " ", &rest);

    if (!read_name(row->name, name) || !read_name(row->operation, operation))
        return false;
    for (char *word = strtok_r(NULL, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        if (!read_word(line, word))
            return false;
    return true;
}

bool row_read(struct row *row, const char *line)
{
    struct line reading = {.row = row};
    char *text = strdup(line);
    bool good;

    *row = (struct row){.memory = malloc(strlen(line) + 1)};
    reading.next = row->memory;
    good = text != NULL && row->memory != NULL && read_words(&reading, text);
    free(text);
    return good;
}

void row_free(struct row *row)
{
    free(row->zeros);
    free(row->memory);
    *row = (struct row){.memory = NULL};
}
