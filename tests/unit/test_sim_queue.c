/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_queue.c - what comes first: time, then the element's order, then its counter. */
#include "unit.h"

#include "sim_queue.h"
#include "sim_rng.h"

static void pop(struct sim_queue *queue)
{
    assert_non_null(sim_queue_first(queue));
    sim_queue_pop(queue);
}

static const struct net_ops no_ops = {NULL, NULL, NULL, NULL};
static struct net_element nobody = {.ops = &no_ops};

static void push(struct sim_queue *queue, q2p_time at, uint64_t order, uint32_t counter)
{
    sim_queue_push(
        queue, &(struct sim_event){.at = at, .order = order, .counter = counter, .to = &nobody});
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
    pop(&queue);
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

/* How far ahead events are pushed: half of them one of a few delays, which have lanes; of the
 * others mostly near, some far, some at once; the mix changes. */
static q2p_time draw_ahead(struct sim_rng *rng, int phase)
{
    static const q2p_time reaches[][3] = {{Q2P_MILLISECOND, 100 * Q2P_MILLISECOND, 1},
                                          {30 * Q2P_SECOND, Q2P_SECOND, 1000},
                                          {1, 50, 3600 * Q2P_SECOND},
                                          {20 * Q2P_MICROSECOND, Q2P_SECOND, 1}};
    uint64_t kind = sim_rng_below(rng, 40);
    if (kind >= 20) /* more delays than lanes */
        return (q2p_time)(kind % (SIM_LANES + 2)) * 3 * Q2P_MILLISECOND;
    q2p_time reach = reaches[phase][kind < 15 ? 0 : kind < 19 ? 1 : 2];
    return (q2p_time)sim_rng_below(rng, (uint64_t)reach);
}

/* A plain heap says what is right, for populations around each limit of the calendar. */
static void a_calendar_says_the_same_as_a_heap(void **state)
{
    (void)state;
    static const size_t populations[] = {100, 511, 600, 20000};
    for (size_t i = 0; i < sizeof populations / sizeof *populations; i++) {
        struct sim_queue heap = {.plain = true}, calendar = {0};
        struct sim_rng rng;
        uint32_t counter = 0;
        q2p_time now = 0;
        sim_rng_init(&rng, i, "calendar");
        for (int step = 0; step < 400000; step++) {
            int phase = step / 100000;
            bool grows = counter - (uint32_t)step < populations[i];
            for (int pushes = grows ? 2 : 1; pushes > 0; pushes--) {
                struct sim_event event = {.at = now + draw_ahead(&rng, phase),
                                          .order = sim_rng_below(&rng, 5),
                                          .counter = counter++,
                                          .to = &nobody};
                sim_queue_push(&heap, &event);
                sim_queue_push(&calendar, &event);
            }
            const struct sim_event *wanted = sim_queue_first(&heap);
            const struct sim_event *first = sim_queue_first(&calendar);
            assert_int_equal(first->counter, wanted->counter);
            now = first->at;
            sim_queue_pop(&heap);
            sim_queue_pop(&calendar);
        }
        for (const struct sim_event *wanted; (wanted = sim_queue_first(&heap));) {
            assert_int_equal(sim_queue_first(&calendar)->counter, wanted->counter);
            sim_queue_pop(&heap);
            sim_queue_pop(&calendar);
        }
        assert_null(sim_queue_first(&calendar));
        assert_true(heap.lanes_count == 0 && calendar.lanes_count == SIM_LANES);
        assert_true(heap.days_count == 0 && (populations[i] < 512 || calendar.days_count > 0));
        sim_queue_free(&heap);
        sim_queue_free(&calendar);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_has_no_first),
        cmocka_unit_test(ties_go_to_the_lower_order_and_then_to_the_earlier_of_one_element),
        cmocka_unit_test(the_order_of_pushing_is_no_matter),
        cmocka_unit_test(a_calendar_says_the_same_as_a_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
