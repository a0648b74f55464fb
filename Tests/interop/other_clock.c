// Another clock of the day: a library to preload that adds CLOCK_OFFSET seconds to it. The kernel's own counts
// (CLOCK_MONOTONIC, CLOCK_BOOTTIME) go on, as they do when an operator sets the clock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(clock, now);
    const char *offset = getenv("CLOCK_OFFSET");
    if (!failed && clock == CLOCK_REALTIME && offset) now->tv_sec += atol(offset);
    return failed;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds) *seconds = now.tv_sec;
    return now.tv_sec;
}
