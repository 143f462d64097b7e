/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors with the identity of their files: nothing is used, or closed, that has become something else. */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int above_standard(int fd)
{
    int moved;
    int error;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    error = errno;
    close(fd);
    errno = error;
    return moved;
}

bool descriptor_adopt(struct descriptor *descriptor, int fd)
{
    struct stat status;

    *descriptor = NO_DESCRIPTOR;
    fd = above_standard(fd);
    if (fd < 0)
        return false;
    if (fstat(fd, &status) != 0) {
        close(fd);
        return false;
    }
    *descriptor = (struct descriptor){.fd = fd, .device = status.st_dev, .inode = status.st_ino};
    return true;
}

bool descriptor_is_ours(const struct descriptor *descriptor)
{
    struct stat status;

    return descriptor->fd >= 0 && fstat(descriptor->fd, &status) == 0 && status.st_dev == descriptor->device &&
           status.st_ino == descriptor->inode;
}

void descriptor_close(struct descriptor *descriptor)
{
    if (descriptor_is_ours(descriptor))
        close(descriptor->fd);
    *descriptor = NO_DESCRIPTOR;
}
