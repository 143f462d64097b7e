/* SPDX-License-Identifier: Apache-2.0 */
/* Change counters: mapped to be read, and only as long as nobody can take the pages away. */
#include "counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SIZE_MAX_MAPPED ((off_t)1 << 20)

static struct counters map(int fd)
{
    const struct counters none = {NULL, 0};
    const int seals = fcntl(fd, F_GET_SEALS);
    struct stat status;
    void *page;

    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &status) != 0)
        return none;
    if (status.st_size < (off_t)sizeof(uint64_t) || status.st_size > SIZE_MAX_MAPPED)
        return none;
    page = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return none;
    return (struct counters){page, (size_t)status.st_size / sizeof(uint64_t)};
}

struct counters counters_map(struct descriptor *file)
{
    struct counters counters = {NULL, 0};

    if (descriptor_is_ours(file))
        counters = map(file->fd);
    descriptor_close(file);
    return counters;
}

void counters_unmap(struct counters *counters)
{
    union {
        const volatile uint64_t *values;
        void *page;
    } mapped = {.values = counters->values}; /* munmap wants no qualifiers */

    if (mapped.page != NULL)
        munmap(mapped.page, counters->count * sizeof(uint64_t));
    *counters = (struct counters){NULL, 0};
}
