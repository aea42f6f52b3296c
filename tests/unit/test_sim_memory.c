/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_memory.c - the heap of machines: what is in it stays, what was freed comes back. */
#include "sim_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim_rng.h"
#include "unit.h"

#define THINGS 200
#define LEN_MAX 600000 /* beyond what the heap keeps for itself */

struct thing {
    unsigned char *bytes;
    size_t len;
    unsigned char mark;
};

static void assert_marked(const struct thing *thing, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(thing->bytes[i], thing->mark);
}

/* Small ones often, large ones now and then. */
static size_t some_len(struct sim_rng *rng)
{
    uint64_t bits = 1 + sim_rng_below(rng, 19);
    size_t len = (size_t)sim_rng_below(rng, (uint64_t)1 << bits);
    return len < LEN_MAX ? len : LEN_MAX;
}

static void what_is_in_the_heap_stays(void **state)
{
    struct thing things[THINGS] = {{0}};
    struct sim_heap heap = {0};
    struct sim_rng rng;
    (void)state;
    sim_rng_init(&rng, 1, "heap");
    for (int i = 0; i < 20000; i++) {
        struct thing *thing = &things[sim_rng_below(&rng, THINGS)];
        size_t len = some_len(&rng), kept = len < thing->len ? len : thing->len;
        thing->bytes = sim_heap_resize(&heap, thing->bytes, thing->len, len);
        assert_int_equal(thing->bytes == NULL, len == 0);
        assert_int_equal((uintptr_t)thing->bytes % 16, 0);
        assert_marked(thing, kept);
        thing->len = len;
        thing->mark = (unsigned char)i;
        if (len > 0)
            memset(thing->bytes, thing->mark, len);
    }
    for (int i = 0; i < THINGS; i++) {
        assert_marked(&things[i], things[i].len);
        sim_heap_resize(&heap, things[i].bytes, things[i].len, 0);
    }
    sim_heap_free(&heap);
}

static void what_was_freed_comes_back(void **state)
{
    static const size_t lens[] = {1, 16, 17, 1024, 2048, 2049, 50336, 262144};
    struct sim_heap heap = {0};
    void *things[64];
    const char *before = NULL;
    (void)state;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
            for (int j = 0; j < 64; j++)
                things[j] = sim_heap_resize(&heap, NULL, 0, lens[i]);
            for (int j = 0; j < 64; j++)
                sim_heap_resize(&heap, things[j], lens[i], 0);
        }
        if (round == 0)
            before = heap.at;
        assert_ptr_equal(heap.at, before);
    }
    sim_heap_free(&heap);
}

static void a_size_that_rounds_alike_stays_where_it_is(void **state)
{
    struct sim_heap heap = {0};
    void *thing = sim_heap_resize(&heap, NULL, 0, 2049);
    (void)state;
#if !defined(__SANITIZE_ADDRESS__) /* which uses libc's */
    assert_ptr_equal(sim_heap_resize(&heap, thing, 2049, 2304), thing);
#endif
    sim_heap_resize(&heap, thing, 2304, 0);
    sim_heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_the_heap_stays),
        cmocka_unit_test(what_was_freed_comes_back),
        cmocka_unit_test(a_size_that_rounds_alike_stays_where_it_is),
    };
    return cmocka_run_group_tests_name("sim_memory", tests, NULL, NULL);
}
