// Faults on purpose: a library to preload that stands between a command and the system. It counts the calls that
// change files under FAULTS_ROOT, and at the k-th of them ends the process, fails the call, or cuts it short; it can
// also write down every change with its bytes, from which `power.py` builds what a power cut would leave.
//
//   FAULTS_ROOT=FOLDER      calls on other files pass by uncounted
//   FAULTS_CALLS=LIST       of open,write,sync,rename,link,unlink,truncate,mkdir,read; all but read without it
//   FAULTS_AT=K             the call that is struck, counted from 1
//   FAULTS_MODE=WHAT        before | after      kill -9 just before it, or just after it took effect
//                           fail:ERRNO          it fails, and is not carried out
//                           short               a write takes half of its bytes; another call is left alone
//                           garble              a write says that it is done, and one bit of it is not what was written
//   FAULTS_LASTING=1        every call from the k-th on; with EINTR every second one, since retrying is right there
//   FAULTS_COUNT=FILE       at a regular end: how many calls there were, were struck, whether an unlink was among those,
//                           and the file of the last of them
//   FAULTS_LOG=FILE         every change, as records (see `record`)
//
// One lock is held around each call, so that the order in the log is the order in which things happened.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, WRITE, SYNC, RENAME, LINK, UNLINK, TRUNCATE, MKDIR, READ, KINDS };
static const char *const kinds[KINDS] = {"open", "write", "sync", "rename", "link", "unlink", "truncate", "mkdir", "read"};

static struct {
    char root[PATH_MAX];
    size_t rootLength;
    unsigned counted;
    long at, calls, struck;
    unsigned struckKinds;
    enum { NOTHING, BEFORE, AFTER, FAIL, SHORT, GARBLE } mode;
    int error, lasting, log;
    const char *count;
    char struckPath[PATH_MAX];
} state = {.log = -1};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int errorOf(const char *name) {
    static const struct { const char *name; int number; } known[] = {
        {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR}, {"EROFS", EROFS}, {"EMFILE", EMFILE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) return known[i].number;
    abort();
}

static void begin(void) {
    const char *root = getenv("FAULTS_ROOT"), *calls = getenv("FAULTS_CALLS"), *mode = getenv("FAULTS_MODE");
    if (!root || !realpath(root, state.root)) return;
    state.rootLength = strlen(state.root);
    for (int kind = 0; kind < KINDS; kind++)
        if (calls ? strstr(calls, kinds[kind]) != NULL : kind != READ) state.counted |= 1u << kind;
    if (mode && !strcmp(mode, "before")) state.mode = BEFORE;
    if (mode && !strcmp(mode, "after")) state.mode = AFTER;
    if (mode && !strcmp(mode, "short")) state.mode = SHORT;
    if (mode && !strcmp(mode, "garble")) state.mode = GARBLE;
    if (mode && !strncmp(mode, "fail:", 5)) state.mode = FAIL, state.error = errorOf(mode + 5);
    state.at = getenv("FAULTS_AT") ? atol(getenv("FAULTS_AT")) : 0;
    state.lasting = getenv("FAULTS_LASTING") != NULL;
    state.count = getenv("FAULTS_COUNT");
    const char *log = getenv("FAULTS_LOG");
    if (log) state.log = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void report(void) {
    if (!state.count) return;
    char text[64 + PATH_MAX];
    int length = snprintf(
        text, sizeof text, "%ld %ld %u %s", state.calls, state.struck, state.struckKinds >> UNLINK & 1, state.struckPath);
    int file = (int)syscall(SYS_openat, AT_FDCWD, state.count, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || syscall(SYS_write, file, text, length) < 0) abort();
    syscall(SYS_close, file);
}

// MARK: which file it is

static int isInside(const char *path) {
    return state.rootLength && !strncmp(path, state.root, state.rootLength)
        && (path[state.rootLength] == '/' || path[state.rootLength] == 0);
}

static int pathOf(int file, char *path) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return isInside(path);
}

// The folder's real path and the name in it: the file itself need not exist.
static int resolve(int folder, const char *path, char *result) {
    char text[PATH_MAX], parent[PATH_MAX];
    if (path[0] != '/' && folder != AT_FDCWD) {
        char base[PATH_MAX];
        pathOf(folder, base);
        if (snprintf(text, sizeof text, "%s/%s", base, path) >= PATH_MAX) return 0;
    } else {
        snprintf(text, sizeof text, "%s", path);
    }
    size_t end = strlen(text);
    while (end > 1 && text[end - 1] == '/') text[--end] = 0;
    char *slash = strrchr(text, '/');
    const char *name = slash ? slash + 1 : text;
    const char *above = slash == text ? "/" : ".";
    if (slash && slash != text) *slash = 0, above = text;
    if (!realpath(above, parent)) return 0;
    if (snprintf(result, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return 0;
    return isInside(result);
}

// MARK: the log

// A record: kind letter, length of the text, inode, offset, length of the data (little-endian), text, data.
// w write, t truncate, s sync, c create, m mkdir, r rename (two paths, a zero byte between), l link, u unlink, d rmdir
static void record(char what, ino_t inode, off_t offset, const char *text, size_t textLength, const void *data, size_t count) {
    if (state.log < 0) return;
    struct { char what; char pad[3]; uint32_t text; uint64_t inode, offset, count; } head = {
        what, {0}, (uint32_t)textLength, inode, (uint64_t)offset, count};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)text, textLength}, {(void *)data, count}};
    if (syscall(SYS_writev, state.log, parts, 3) != (long)(sizeof head + textLength + count)) abort();
}

static void recordPath(char what, ino_t inode, const char *path) {
    record(what, inode, 0, path + state.rootLength, strlen(path) - state.rootLength, NULL, 0);
}

static ino_t inodeOf(int file) {
    struct stat status;
    return fstat(file, &status) ? 0 : status.st_ino;
}

static ino_t inodeAt(const char *path) {
    struct stat status;
    return lstat(path, &status) ? 0 : status.st_ino;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

// MARK: the blow

// Counts a call. -1: it has to fail with errno; 1: it has to be short; 2: one bit of it has to be wrong; 0: go on.
static int strike(int kind, const char *path) {
    if (!(state.counted >> kind & 1)) return 0;
    long call = ++state.calls;
    if (!state.at || (state.lasting ? call < state.at : call != state.at)) return 0;
    switch (state.mode) {
    case BEFORE:
        die();
        break;
    case FAIL:
        if (state.error == EINTR && ((call - state.at) & 1)) return 0;
        state.struck++;
        state.struckKinds |= 1u << kind;
        snprintf(state.struckPath, sizeof state.struckPath, "%s", path);
        errno = state.error;
        return -1;
    case SHORT:
    case GARBLE:
        if (kind != WRITE) return 0;
        state.struck++;
        return state.mode == SHORT ? 1 : 2;
    default:
        break;
    }
    return 0;
}

static void after(int kind) {
    if (state.mode == AFTER && state.calls == state.at && state.counted >> kind & 1) die();
}

#define NEXT(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

// The lock is for calls on files under the root; others (a pipe that is full) must not hold those up.
#define ENTER(test) \
    pthread_once(&once, begin); \
    const int mine = test; \
    if (mine) pthread_mutex_lock(&lock)
#define LEAVE(kind) \
    do { \
        int kept = errno; \
        if (mine) after(kind), pthread_mutex_unlock(&lock); \
        errno = kept; \
    } while (0)

// MARK: data

static ssize_t put(int file, const void *data, size_t count, off_t offset, int positioned) {
    char path[PATH_MAX];
    ENTER(pathOf(file, path));
    ssize_t result = -1;
    int verdict = mine ? strike(WRITE, path) : 0;
    if (verdict >= 0) {
        if (verdict == 1 && count > 1) count /= 2;
        char *garbled = NULL;
        if (verdict == 2 && count && (garbled = malloc(count))) {
            memcpy(garbled, data, count);
            garbled[count / 2] ^= 1;
            data = garbled;
        }
        if (mine && !positioned) offset = fcntl(file, F_GETFL) & O_APPEND ? lseek(file, 0, SEEK_END) : lseek(file, 0, SEEK_CUR);
        result = positioned ? syscall(SYS_pwrite64, file, data, count, offset) : syscall(SYS_write, file, data, count);
        if (mine && result > 0) record('w', inodeOf(file), offset, "", 0, data, (size_t)result);
        free(garbled);
    }
    LEAVE(WRITE);
    return result;
}

ssize_t write(int file, const void *data, size_t count) { return put(file, data, count, 0, 0); }
ssize_t pwrite(int file, const void *data, size_t count, off_t offset) { return put(file, data, count, offset, 1); }
ssize_t pwrite64(int file, const void *data, size_t count, off64_t offset) { return put(file, data, count, offset, 1); }

static ssize_t putAll(int file, const struct iovec *parts, int number, off_t offset, int positioned) {
    size_t total = 0, done = 0;
    for (int i = 0; i < number; i++) total += parts[i].iov_len;
    char *flat = malloc(total ? total : 1);
    for (int i = 0; i < number; done += parts[i++].iov_len) memcpy(flat + done, parts[i].iov_base, parts[i].iov_len);
    ssize_t result = put(file, flat, total, offset, positioned);
    memset(flat, 0, total);
    free(flat);
    return result;
}

ssize_t writev(int file, const struct iovec *parts, int number) { return putAll(file, parts, number, 0, 0); }
ssize_t pwritev(int file, const struct iovec *parts, int number, off_t offset) { return putAll(file, parts, number, offset, 1); }

static ssize_t get(int file, void *data, size_t count, off_t offset, int positioned) {
    // Most reads are not counted; then they are not held up either.
    char path[PATH_MAX];
    pthread_once(&once, begin);
    int verdict = 0;
    if (state.counted >> READ & 1 && pathOf(file, path)) {
        pthread_mutex_lock(&lock);
        verdict = strike(READ, path);
        int kept = errno;
        pthread_mutex_unlock(&lock);
        errno = kept;
    }
    if (verdict < 0) return -1;
    return positioned ? syscall(SYS_pread64, file, data, count, offset) : syscall(SYS_read, file, data, count);
}

ssize_t read(int file, void *data, size_t count) { return get(file, data, count, 0, 0); }
ssize_t pread(int file, void *data, size_t count, off_t offset) { return get(file, data, count, offset, 1); }
ssize_t pread64(int file, void *data, size_t count, off64_t offset) { return get(file, data, count, offset, 1); }

static int cut(int file, off_t size) {
    char path[PATH_MAX];
    ENTER(pathOf(file, path));
    int result = -1;
    if (!mine || strike(TRUNCATE, path) >= 0) {
        result = (int)syscall(SYS_ftruncate, file, size);
        if (mine && !result) record('t', inodeOf(file), size, "", 0, NULL, 0);
    }
    LEAVE(TRUNCATE);
    return result;
}

int ftruncate(int file, off_t size) { return cut(file, size); }
int ftruncate64(int file, off64_t size) { return cut(file, size); }

int posix_fallocate(int file, off_t offset, off_t count) {
    char path[PATH_MAX];
    ENTER(pathOf(file, path));
    int result;
    if (mine && strike(WRITE, path) < 0) {
        result = errno;
    } else {
        result = NEXT(int, posix_fallocate, int, off_t, off_t)(file, offset, count);
        struct stat status;
        if (mine && !result && !fstat(file, &status)) record('t', status.st_ino, status.st_size, "", 0, NULL, 0);
    }
    LEAVE(WRITE);
    return result;
}
int posix_fallocate64(int file, off64_t offset, off64_t count) { return posix_fallocate(file, offset, count); }

static int flush(int file, long number) {
    char path[PATH_MAX];
    ENTER(pathOf(file, path));
    int result = -1;
    if (!mine || strike(SYNC, path) >= 0) {
        // The replay cuts the power just before this record.
        result = (int)syscall(number, file);
        if (mine && !result) recordPath('s', inodeOf(file), path);
    }
    LEAVE(SYNC);
    return result;
}

int fsync(int file) { return flush(file, SYS_fsync); }
int fdatasync(int file) { return flush(file, SYS_fdatasync); }

// MARK: names

static int openFile(int folder, const char *path, int flags, mode_t mode) {
    char real[PATH_MAX];
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (!writes || (flags & O_TMPFILE) == O_TMPFILE) return (int)syscall(SYS_openat, folder, path, flags, mode);
    ENTER(resolve(folder, path, real));
    int result = -1;
    ino_t before = mine ? inodeAt(real) : 0;
    if (!mine || strike(OPEN, real) >= 0) {
        result = (int)syscall(SYS_openat, folder, path, flags, mode);
        if (mine && result >= 0) {
            if (!before) recordPath('c', inodeOf(result), real);
            else if (flags & O_TRUNC) record('t', inodeOf(result), 0, "", 0, NULL, 0);
        }
    }
    LEAVE(OPEN);
    return result;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { MODE return openFile(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return openFile(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return openFile(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return openFile(folder, path, flags | O_LARGEFILE, mode); }
int creat(const char *path, mode_t mode) { return openFile(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static int pair(int kind, char what, int folder1, const char *from, int folder2, const char *to, unsigned flags) {
    char first[PATH_MAX], second[PATH_MAX], both[2 * PATH_MAX];
    ENTER(resolve(folder1, from, first) & resolve(folder2, to, second));
    int result = -1;
    if (!mine || strike(kind, second) >= 0) {
        result = kind == RENAME ? (int)syscall(SYS_renameat2, folder1, from, folder2, to, flags)
                                : (int)syscall(SYS_linkat, folder1, from, folder2, to, flags);
        if (mine && !result) {
            int length = snprintf(both, sizeof both, "%s%c%s", first + state.rootLength, 0, second + state.rootLength);
            record(what, inodeAt(second), flags, both, (size_t)length, NULL, 0);
        }
    }
    LEAVE(kind);
    return result;
}

int rename(const char *from, const char *to) { return pair(RENAME, 'r', AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int f, const char *from, int t, const char *to) { return pair(RENAME, 'r', f, from, t, to, 0); }
int renameat2(int f, const char *from, int t, const char *to, unsigned flags) { return pair(RENAME, 'r', f, from, t, to, flags); }
int link(const char *from, const char *to) { return pair(LINK, 'l', AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int f, const char *from, int t, const char *to, int flags) { return pair(LINK, 'l', f, from, t, to, (unsigned)flags); }

static int take(int folder, const char *path, int flags) {
    char real[PATH_MAX];
    ENTER(resolve(folder, path, real));
    int result = -1;
    if (!mine || strike(UNLINK, real) >= 0) {
        result = (int)syscall(SYS_unlinkat, folder, path, flags);
        if (mine && !result) recordPath(flags & AT_REMOVEDIR ? 'd' : 'u', 0, real);
    }
    LEAVE(UNLINK);
    return result;
}

int unlink(const char *path) { return take(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return take(folder, path, flags); }
int rmdir(const char *path) { return take(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    struct stat status;
    if (lstat(path, &status)) return -1;
    return take(AT_FDCWD, path, S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0);
}

static int make(int folder, const char *path, mode_t mode) {
    char real[PATH_MAX];
    // A folder that is there already is no change.
    ENTER(resolve(folder, path, real) && !inodeAt(real));
    int result = -1;
    if (!mine || strike(MKDIR, real) >= 0) {
        result = (int)syscall(SYS_mkdirat, folder, path, mode);
        if (mine && !result) recordPath('m', inodeAt(real), real);
    }
    LEAVE(MKDIR);
    return result;
}

int mkdir(const char *path, mode_t mode) { return make(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return make(folder, path, mode); }
