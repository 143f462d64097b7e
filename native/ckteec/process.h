/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's life in its process: initialized or not, by many threads, across fork.
 *
 * A child process has nothing of its parent's: it is not initialized. The library notices it before it takes any lock.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "library.h"

/*
 * C_Initialize: connect to the secure world. A child of a process that was connected waits for it, as its parent's
 * calls do: in vain only once, so that one which is not let in does not wait at each try.
 */
CK_RV library_initialize(void);

/* C_Finalize: disconnect, when the calls that are running have returned. */
CK_RV library_finalize(void);

bool library_is_initialized(void);

/* Whether the process is a child of one that was connected, and goes on where that was: until C_Finalize. */
bool library_has_parents_place(void);

/* Return when the library is not initialized any more, also where it was initialized anew since. Can be cancelled. */
void library_wait_for_end(void);

/*
 * Begin a call: true where the library is initialized, which it then stays until library_leave(). In between, the
 * thread cannot be cancelled: it would keep the library from being finalized for ever.
 */
bool library_enter(int *cancel_state);
void library_leave(int cancel_state);

/*
 * In a call, where its connection was lost: connect anew, and have sessions and logins restored, or wait for another
 * thread that does. `deadline` is 0 the first time in a call; until then it is tried again. False: nobody answers, or
 * the library was finalized meanwhile. The call goes on as it has begun, and has to end as ever.
 */
bool library_reconnect(int64_t *deadline);

#endif
