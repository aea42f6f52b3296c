/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base_heap.c - the heap always knows which timer is due first; lists cannot fail. */
#include "base_heap.h"

#include <stdlib.h>

#include <q2p/status.h>

#include "base_list.h"
#include "scarce.h"
#include "unit.h"

#define COUNT 200

static q2p_time next_random(uint32_t *x)
{
    *x = *x * 1664525 + 1013904223;
    return *x >> 8;
}

static void the_earliest_timer_comes_first(void **state)
{
    struct q2p__timer timers[COUNT];
    struct q2p__heap heap;
    uint32_t x = 1;
    q2p_time last = -1;

    (void)state;
    allocations_left = 100;
    q2p__heap_init(&heap, &alloc);
    assert_null(q2p__heap_first(&heap));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(q2p__heap_claim(&heap, &timers[i], 7), Q2P_OK);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < COUNT; i++) /* set, move, unset */
            q2p__heap_set(&heap, &timers[i], next_random(&x) % 5 ? next_random(&x) : Q2P_NEVER);
    for (int i = 0; i < COUNT; i++)
        if (timers[i].at == Q2P_NEVER)
            q2p__heap_set(&heap, &timers[i], next_random(&x));
    for (int i = 0; i < COUNT; i++) {
        struct q2p__timer *first = q2p__heap_first(&heap);

        assert_true(first->at >= last);
        assert_int_equal(first->kind, 7);
        last = first->at;
        q2p__heap_release(&heap, first);
    }
    assert_null(q2p__heap_first(&heap));
    assert_null(heap.timers); /* an empty heap holds no memory */
}

static void a_claimed_timer_can_always_be_set(void **state)
{
    struct q2p__timer timers[5];
    struct q2p__heap heap;

    (void)state;
    allocations_left = 1;
    q2p__heap_init(&heap, &alloc);
    for (int i = 0; i < 4; i++)
        assert_int_equal(q2p__heap_claim(&heap, &timers[i], 0), Q2P_OK);
    assert_int_equal(q2p__heap_claim(&heap, &timers[4], 0), Q2P_ERR_MEMORY);
    for (int i = 0; i < 4; i++)
        q2p__heap_set(&heap, &timers[i], 10 - i);
    assert_ptr_equal(q2p__heap_first(&heap), &timers[3]);
    q2p__heap_set(&heap, &timers[3], 100);
    assert_ptr_equal(q2p__heap_first(&heap), &timers[2]);
    q2p__heap_clear(&heap);
}

static void a_list_keeps_its_order(void **state)
{
    struct q2p__link head, links[3];

    (void)state;
    q2p__list_init(&head);
    assert_true(q2p__list_empty(&head));
    for (int i = 0; i < 3; i++) {
        q2p__list_init(&links[i]);
        q2p__list_append(&head, &links[i]);
    }
    q2p__list_append(&head, &links[0]); /* moves to the end */
    assert_ptr_equal(head.next, &links[1]);
    assert_ptr_equal(head.prev, &links[0]);
    for (int i = 0; i < 3; i++) {
        q2p__list_drop(&links[i]);
        q2p__list_drop(&links[i]); /* twice does no harm */
    }
    assert_true(q2p__list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_timer_comes_first),
        cmocka_unit_test(a_claimed_timer_can_always_be_set),
        cmocka_unit_test(a_list_keeps_its_order),
    };
    return cmocka_run_group_tests_name("base_heap", tests, NULL, NULL);
}
