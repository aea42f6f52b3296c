/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_queue.c - what comes first: time, then the element's order, then its counter. */
#include "unit.h"

#include "sim_queue.h"
#include "sim_rng.h"

static void push(struct sim_queue *queue, q2p_time at, uint64_t order, uint32_t counter)
{
    sim_queue_push(queue, &(struct sim_event){.at = at, .order = order, .counter = counter});
}

static void assert_next(struct sim_queue *queue, q2p_time at, uint64_t order, uint32_t counter)
{
    const struct sim_event *first = sim_queue_first(queue);
    assert_non_null(first);
    assert_int_equal(first->at, at);
    assert_int_equal(first->order, order);
    assert_int_equal(first->counter, counter);
    sim_queue_pop(queue);
}

static void an_empty_queue_has_no_first(void **state)
{
    (void)state;
    struct sim_queue queue = {0};
    assert_null(sim_queue_first(&queue));
    push(&queue, 1, 0, 0);
    sim_queue_pop(&queue);
    assert_null(sim_queue_first(&queue));
    sim_queue_free(&queue);
}

static void ties_go_to_the_lower_order_and_then_to_the_earlier_of_one_element(void **state)
{
    (void)state;
    struct sim_queue queue = {0};
    push(&queue, 5, 2, 0);
    push(&queue, 5, 1, 9);
    push(&queue, 5, 1, 8);
    push(&queue, 4, 3, 1);
    push(&queue, 5, UINT64_MAX, 0);
    assert_next(&queue, 4, 3, 1);
    assert_next(&queue, 5, 1, 8);
    assert_next(&queue, 5, 1, 9);
    assert_next(&queue, 5, 2, 0);
    assert_next(&queue, 5, UINT64_MAX, 0);
    sim_queue_free(&queue);
}

static void the_order_of_pushing_is_no_matter(void **state)
{
    (void)state;
    struct sim_queue queue = {0};
    struct sim_rng rng;
    sim_rng_init(&rng, 1, "queue");
    for (int round = 0; round < 20; round++) {
        uint32_t numbers[300];
        for (uint32_t i = 0; i < 300; i++) { /* a shuffle */
            uint32_t j = (uint32_t)sim_rng_below(&rng, i + 1);
            numbers[i] = numbers[j];
            numbers[j] = i;
        }
        for (int i = 0; i < 300; i++)
            push(&queue, numbers[i] / 30, numbers[i] / 5 % 6, numbers[i] % 5);
        for (uint32_t i = 0; i < 300; i++)
            assert_next(&queue, i / 30, i / 5 % 6, i % 5);
    }
    sim_queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_has_no_first),
        cmocka_unit_test(ties_go_to_the_lower_order_and_then_to_the_earlier_of_one_element),
        cmocka_unit_test(the_order_of_pushing_is_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
