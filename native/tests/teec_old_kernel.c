/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded: a kernel that neither wipes pages on fork nor makes memory files. */
#include <errno.h>
#include <stddef.h>

int madvise(void *address, size_t size, int advice);
int memfd_create(const char *name, unsigned int flags);

__attribute__((visibility("default"))) int madvise(void *address, size_t size, int advice)
{
    (void)address;
    (void)size;
    (void)advice;
    errno = EINVAL;
    return -1;
}

__attribute__((visibility("default"))) int memfd_create(const char *name, unsigned int flags)
{
    (void)name;
    (void)flags;
    errno = ENOSYS;
    return -1;
}
