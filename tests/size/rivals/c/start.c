/* What does every C image need? Vectors, initial data, and a heap for those who want one. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;
int main(void);

/* Loops that stay loops: calls of memcpy and memset would make them part of the empty image. */
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void reset(void)
{
    uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    main();
    for (;;) {
    }
}

static void stuck(void)
{
    for (;;) {
    }
}

/* The library's own would bring its standard output along. */
void abort(void)
{
    stuck();
    __builtin_unreachable();
}

void __assert_func(const char *file, int line, const char *function, const char *expression)
{
    (void) file, (void) line, (void) function, (void) expression;
    abort();
}

/* As long as those of the Rust images, which have 240 vectors for interrupts besides. */
__attribute__((section(".vectors"), used)) static void (*const vectors[256])(void) = {
    (void (*)(void)) &stack_top, reset, [2 ... 255] = stuck,
};

/* malloc asks for room here: 8 KiB and no more. */
void *_sbrk(ptrdiff_t wanted)
{
    static char heap[8192];
    static size_t used;
    if (wanted < 0 || (size_t) wanted > sizeof heap - used)
        return (void *) -1;
    void *place = heap + used;
    used += (size_t) wanted;
    return place;
}
