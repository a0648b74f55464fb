/* Counts allocations of a process: preloaded into it (LD_PRELOAD), in front of the C library's own functions.
 *
 * Only calls are counted, of all threads, reallocations that move or not included; what is freed is not. The program
 * reads the count with keyroll_allocations(), or it is written to the file that KEYROLL_ALLOCATIONS names at exit. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long count;

static void one(void) { atomic_fetch_add_explicit(&count, 1, memory_order_relaxed); }

long keyroll_allocations(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

void *malloc(size_t size) { one(); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { one(); return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { one(); return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { one(); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { one(); return __libc_memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    one();
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL && size > 0 ? ENOMEM : 0;
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("KEYROLL_ALLOCATIONS");
    long total = keyroll_allocations();
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", total);
        fclose(file);
    }
}
