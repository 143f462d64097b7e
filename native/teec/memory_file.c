/* SPDX-License-Identifier: Apache-2.0 */
/* Memory files: sealed before anybody else sees them. What moves, moves whole, and no signal is raised for it. */
#include "memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for an input and an output of 2 MiB. No file is made smaller: pages that nobody touches take no memory. */
#define KEPT_SIZE ((size_t)4 << 20)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

static int create(void)
{
    const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("softee", flags | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("softee", flags);
    return fd;
}

static bool is_allowed(size_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur);
}

static bool has_room(const struct memory_file *file, size_t size)
{
    return size <= file->size && descriptor_is_ours(&file->descriptor);
}

bool memory_file_prepare(struct memory_file *file, size_t size)
{
    int fd;

    if (has_room(file, size))
        return true;
    memory_file_close(file);
    size = size < KEPT_SIZE ? KEPT_SIZE : size;
    if (!is_allowed(size) || !descriptor_adopt(&file->descriptor, create()))
        return false;
    fd = file->descriptor.fd;
    if (ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0) {
        file->size = size;
        return true;
    }
    memory_file_close(file);
    return false;
}

void memory_file_settle(struct memory_file *file)
{
    if (file->size > KEPT_SIZE)
        memory_file_close(file);
}

void memory_file_close(struct memory_file *file)
{
    descriptor_close(&file->descriptor);
    file->size = 0;
}

/* preadv or pwritev. */
typedef ssize_t move_some(int fd, const struct iovec *pieces, int count, off_t offset);

static bool move_all(const struct memory_file *file, uint64_t offset, struct iovec piece, move_some *move)
{
    if (!descriptor_is_ours(&file->descriptor))
        return false;
    while (piece.iov_len > 0) {
        ssize_t count = move(file->descriptor.fd, &piece, 1, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        offset += (uint64_t)count;
        piece.iov_base = (char *)piece.iov_base + count;
        piece.iov_len -= (size_t)count;
    }
    return true;
}

bool memory_file_write(const struct memory_file *file, uint64_t offset, const void *data, size_t size)
{
    struct iovec piece = {.iov_len = size};

    memcpy(&piece.iov_base, &data, sizeof(data)); /* iov_base is not const, pwritev only reads it */
    return move_all(file, offset, piece, pwritev);
}

bool memory_file_read(const struct memory_file *file, uint64_t offset, void *data, size_t size)
{
    return move_all(file, offset, (struct iovec){data, size}, preadv);
}
