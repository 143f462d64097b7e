/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target where there is no libFuzzer: `PROGRAM SECONDS DIRECTORY` feeds it every file of the corpus, as it
 * is and with other faults, and then changed ones for so long. The changes are the same in each run, only their number
 * depends on the machine.
 */
#include "input.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 4096
#define INPUTS_MAX 1024
#define SEED_SIZE 2 /* at the beginning of each input */
#define SEEDS 64
#define HANGING 5 /* seconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    uint8_t data[INPUT_MAX];
    size_t size;
} inputs[INPUTS_MAX];

static uint32_t chance(void)
{
    static uint32_t state = 20;

    return next_random(&state);
}

/* From a block of its own size, so that AddressSanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    alarm(HANGING);
    LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    free(copy);
}

static size_t read_corpus(const char *directory)
{
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    size_t count = 0;

    while (entries != NULL && count < INPUTS_MAX && (entry = readdir(entries)) != NULL) {
        char path[4096];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (file == NULL)
            continue;
        inputs[count].size = fread(inputs[count].data, 1, INPUT_MAX, file);
        count++;
        fclose(file);
    }
    if (entries != NULL)
        closedir(entries);
    return count;
}

static void run_with_faults(const uint8_t *input, size_t size)
{
    static uint8_t data[INPUT_MAX];

    if (size < SEED_SIZE)
        return;
    memcpy(data, input, size);
    for (uint8_t seed = 1; seed <= SEEDS; seed++) {
        data[0] = seed;
        run(data, size);
    }
}

static void run_changed(size_t count)
{
    static uint8_t data[INPUT_MAX];
    const size_t which = chance() % count;
    size_t size = inputs[which].size;

    memcpy(data, inputs[which].data, size);
    for (uint32_t changes = chance() % 6; size > 0 && changes > 0; changes--)
        data[chance() % size] = (uint8_t)(chance() % 3 ? chance() : chance() % 2 * 0xFF);
    if (size > 0 && chance() % 4 == 0)
        size = chance() % size;
    run(data, size);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const double end = seconds() + (argc > 1 ? atof(argv[1]) : 0);
    const size_t count = argc > 2 ? read_corpus(argv[2]) : 0;
    unsigned long runs = 0;

    for (size_t i = 0; i < count; i++) {
        run(inputs[i].data, inputs[i].size);
        run_with_faults(inputs[i].data, inputs[i].size);
    }
    for (; count > 0 && seconds() < end; runs++)
        run_changed(count);
    printf("%zu of the corpus, %lu changed\n", count, runs);
    return count == 0;
}
