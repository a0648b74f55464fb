// kill -9 at a chosen step: a library to preload that ends the process just before its KILL_AT-th call that makes
// something durable or visible (sync, rename, link, unlink, truncate, mkdir). Without KILL_AT it writes how many there
// were into the file KILL_COUNT, at the end.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static void step(void) {
    const char *at = getenv("KILL_AT");
    if (atomic_fetch_add(&calls, 1) + 1 == (at ? atol(at) : -1)) raise(SIGKILL);
}

__attribute__((destructor)) static void report(void) {
    const char *name = getenv("KILL_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld", (long)atomic_load(&calls));
    fclose(file);
}

#define NEXT(name, ...) ((int (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

int fsync(int file) { step(); return NEXT("fsync", int)(file); }
int fdatasync(int file) { step(); return NEXT("fdatasync", int)(file); }
int rename(const char *from, const char *to) { step(); return NEXT("rename", const char *, const char *)(from, to); }
int link(const char *from, const char *to) { step(); return NEXT("link", const char *, const char *)(from, to); }
int unlink(const char *path) { step(); return NEXT("unlink", const char *)(path); }
int ftruncate(int file, off_t size) { step(); return NEXT("ftruncate", int, off_t)(file, size); }
int ftruncate64(int file, off64_t size) { step(); return NEXT("ftruncate64", int, off64_t)(file, size); }
int mkdir(const char *path, mode_t mode) { step(); return NEXT("mkdir", const char *, mode_t)(path, mode); }
