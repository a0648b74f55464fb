// System calls that Swift cannot call itself: they are variadic, or macros.
#ifndef KEYROLL_CSYSTEM_H
#define KEYROLL_CSYSTEM_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static inline int keyroll_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// An open-file-description lock on one byte: it belongs to the descriptor, not to the process, so that two
// threads with a descriptor each exclude one another. type: F_RDLCK, F_WRLCK or F_UNLCK.
static inline int keyroll_lock_byte(int descriptor, long byte, short type, int wait) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    // F_OFD_SETLK and F_OFD_SETLKW, whose names need _GNU_SOURCE before the first system header.
    return fcntl(descriptor, wait ? 38 : 37, &lock);
}
#endif
