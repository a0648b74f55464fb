// Another clock of the day: a library to preload. The kernel's own counts (CLOCK_MONOTONIC, CLOCK_BOOTTIME) go on, as
// they do when an operator sets the clock.
//   CLOCK_OFFSET=SECONDS                            so many seconds are added
//   CLOCK_JUMP=SECONDS CLOCK_JUMP_AFTER=CALLS       from this call on so many more
//   CLOCK_FROZEN=SECONDS                            it stands still there
//   CLOCK_LEAP=SECONDS                              it begins there, and every fourth second comes twice
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static atomic_long calls;
static atomic_long start;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(clock, now);
    if (failed || clock != CLOCK_REALTIME) return failed;
    long real = now->tv_sec, none = 0;
    atomic_compare_exchange_strong(&start, &none, real);
    if (getenv("CLOCK_LEAP")) {
        long passed = real - atomic_load(&start);
        now->tv_sec = number("CLOCK_LEAP") + passed - passed / 4;
    }
    if (getenv("CLOCK_FROZEN")) *now = (struct timespec){number("CLOCK_FROZEN"), 0};
    now->tv_sec += number("CLOCK_OFFSET");
    if (getenv("CLOCK_JUMP") && atomic_fetch_add(&calls, 1) >= number("CLOCK_JUMP_AFTER")) now->tv_sec += number("CLOCK_JUMP");
    return failed;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds) *seconds = now.tv_sec;
    return now.tv_sec;
}
