// System calls that Swift cannot call itself: they are variadic, or macros.
#ifndef KEYROLL_CSYSTEM_H
#define KEYROLL_CSYSTEM_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

// Who is at the other end of a Unix socket, as the kernel noted when it was connected. 0 on success.
static inline int keyroll_peer(int descriptor, int *pid, unsigned *uid, unsigned *gid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

// Its supplementary groups (SO_PEERGROUPS, Linux 4.13). Returns how many, or -1; ERANGE where there are more.
static inline int keyroll_peer_groups(int descriptor, unsigned *groups, int room) {
    socklen_t length = (socklen_t)room * sizeof *groups;
    if (getsockopt(descriptor, SOL_SOCKET, 59, groups, &length) != 0) return -1;
    return (int)(length / sizeof *groups);
}

// epoll, whose constants are enumerators and whose event is packed.
static const unsigned keyroll_readable = EPOLLIN, keyroll_writable = EPOLLOUT;
static inline int keyroll_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

// Watches a descriptor for one event (EPOLLONESHOT), so that one thread at a time has a connection.
static inline int keyroll_epoll_once(int epoll, int isNew, int descriptor, unsigned events, unsigned long long data) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events | EPOLLONESHOT | EPOLLRDHUP;
    event.data.u64 = data;
    return epoll_ctl(epoll, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

static inline int keyroll_epoll_forget(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0);
}

// Waits for one event; its data, 0 after the time, all ones after an error.
static inline unsigned long long keyroll_epoll_wait(int epoll, int milliseconds, unsigned *events) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, milliseconds);
    if (count < 0) return ~0ULL;
    if (count == 0) return 0;
    *events = event.events;
    return event.data.u64;
}
#endif
