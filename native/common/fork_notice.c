/* SPDX-License-Identifier: Apache-2.0 */
/* One page, made by whichever thread comes first; in a child, its being wiped is noticed exactly once. */
#include "fork_notice.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* The mark is `ready` when there is nothing to forget, and its negative while a thread forgets. */
#define READY 1

struct page {
    atomic_int mark; /* zero in a child */
    bool by_id;      /* the kernel cannot wipe (before Linux 4.14): `ready` is the process' id, else READY */
};

static _Atomic(struct page *) the_page;

static int ready_mark(const struct page *page)
{
    return page->by_id ? getpid() : READY;
}

static struct page *new_page(size_t size)
{
    struct page *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return NULL;
    page->by_id = madvise(page, size, MADV_WIPEONFORK) != 0;
    atomic_store(&page->mark, ready_mark(page));
    return page;
}

static struct page *get_page(void)
{
    struct page *page = atomic_load_explicit(&the_page, memory_order_acquire);
    struct page *expected = NULL;
    size_t size;

    if (page != NULL)
        return page;
    size = (size_t)sysconf(_SC_PAGESIZE);
    page = new_page(size);
    if (page == NULL || atomic_compare_exchange_strong(&the_page, &expected, page))
        return page;
    munmap(page, size);
    return expected;
}

static void after_fork(struct page *page, int seen, int ready, void (*forget)(void))
{
    if (seen != -ready && atomic_compare_exchange_strong(&page->mark, &seen, -ready)) {
        forget();
        atomic_store(&page->mark, ready);
    }
    while (atomic_load(&page->mark) != ready)
        sched_yield();
}

bool fork_notice(void (*forget)(void))
{
    struct page *page = get_page();
    int ready;
    int seen;

    if (page == NULL)
        return false;
    ready = ready_mark(page);
    seen = atomic_load_explicit(&page->mark, memory_order_acquire);
    if (seen != ready)
        after_fork(page, seen, ready, forget);
    return true;
}
