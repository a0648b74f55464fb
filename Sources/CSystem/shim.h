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

// malloc gives memory of this size and more back to the kernel when it is freed (M_MMAP_THRESHOLD).
extern int mallopt(int, int);
static inline void keyroll_give_back_from(int bytes) { (void)mallopt(-3, bytes); }

// The headers of these would define types in another shape than Swift's Glibc has them (fd_set under _GNU_SOURCE), so
// what is needed of them stands here: it is the kernel's interface and does not change.
extern int getsockopt(int, int, int, void *__restrict, unsigned *__restrict);
extern int epoll_create1(int);
struct keyroll_epoll_event {
    unsigned events;
    unsigned long long data;
#ifdef __x86_64__
} __attribute__((packed));
#else
};
#endif
struct keyroll_ucred { int pid; unsigned uid; unsigned gid; };

// Who is at the other end of a Unix socket (SO_PEERCRED), as the kernel noted when it was connected. 0 on success.
static inline int keyroll_peer(int descriptor, int *pid, unsigned *uid, unsigned *gid) {
    struct keyroll_ucred peer;
    unsigned length = sizeof peer;
    if (getsockopt(descriptor, 1, 17, &peer, &length) != 0) return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

// Its supplementary groups (SO_PEERGROUPS, Linux 4.13). Returns how many, or -1; ERANGE where there are more.
static inline int keyroll_peer_groups(int descriptor, unsigned *groups, int room) {
    unsigned length = (unsigned)room * sizeof *groups;
    if (getsockopt(descriptor, 1, 59, groups, &length) != 0) return -1;
    return (int)(length / sizeof *groups);
}

extern int keyroll_accept4(int, void *, unsigned *, int) __asm__("accept4");
// A client of a listening socket: SOCK_NONBLOCK, SOCK_CLOEXEC.
static inline int keyroll_accept(int listening) { return keyroll_accept4(listening, 0, 0, 04000 | 02000000); }
extern int keyroll_pipe2(int *, int) __asm__("pipe2");
// A pipe that no child inherits by chance (O_CLOEXEC).
static inline int keyroll_pipe(int *ends) { return keyroll_pipe2(ends, 02000000); }

static const unsigned keyroll_readable = 0x001, keyroll_writable = 0x004;
extern int keyroll_epoll_ctl(int, int, int, struct keyroll_epoll_event *) __asm__("epoll_ctl");
extern int keyroll_epoll_wait_(int, struct keyroll_epoll_event *, int, int) __asm__("epoll_wait");
static inline int keyroll_epoll(void) { return epoll_create1(02000000 /* EPOLL_CLOEXEC */); }

// Watches a descriptor for one event (EPOLLONESHOT), so that one thread at a time has a connection. Not for EPOLLRDHUP: where a
// client has ended its sending side and its answer waits to be taken, that would be pending all the time.
static inline int keyroll_epoll_once(int epoll, int isNew, int descriptor, unsigned events, unsigned long long data) {
    struct keyroll_epoll_event event;
    event.events = events | (1u << 30);
    event.data = data;
    return keyroll_epoll_ctl(epoll, isNew ? 1 : 3, descriptor, &event);
}

// Watches a descriptor for all threads at once and for good.
static inline int keyroll_epoll_always(int epoll, int descriptor, unsigned events, unsigned long long data) {
    struct keyroll_epoll_event event;
    event.events = events;
    event.data = data;
    return keyroll_epoll_ctl(epoll, 1, descriptor, &event);
}

static inline int keyroll_epoll_forget(int epoll, int descriptor) { return keyroll_epoll_ctl(epoll, 2, descriptor, 0); }

// Waits for one event; its data, 0 after the time, all ones after an error.
static inline unsigned long long keyroll_epoll_wait(int epoll, int milliseconds, unsigned *events) {
    struct keyroll_epoll_event event;
    int count = keyroll_epoll_wait_(epoll, &event, 1, milliseconds);
    if (count < 0) return ~0ULL;
    if (count == 0) return 0;
    *events = event.events;
    return event.data;
}
#endif
