/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_queue.c - what comes first: time, then order, then turn. */
#include "unit.h"

#include "sim_rng.h"
#include "sim_world.h"

static const struct net_ops no_ops = {.forward = NULL};
static struct net_element nobody = {.ops = &no_ops};

/* A queue, and packets that say who is first. */
struct fixture {
    struct sim_queue queue;
    struct sim_world world;
};

static void push(struct fixture *f, q2p_time at, uint64_t order, uint32_t turn)
{
    struct sim_packet *packet = sim_packet_take(&f->world);
    packet->order = order;
    packet->turn = turn;
    sim_queue_push(&f->queue, &(struct sim_event){at, &nobody, packet});
}

static void assert_next(struct fixture *f, q2p_time at, uint64_t order, uint32_t turn)
{
    struct sim_event first;
    assert_false(sim_queue_take(&f->queue, at - 1, &first));
    assert_true(sim_queue_take(&f->queue, at, &first));
    assert_int_equal(first.at, at);
    assert_int_equal(first.packet->order, order);
    assert_int_equal(first.packet->turn, turn);
    sim_packet_drop(&f->world, first.packet);
}

static void clean_up(struct fixture *f)
{
    sim_queue_free(&f->queue);
    sim_world_free(&f->world);
}

static void an_empty_queue_has_no_first(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct sim_event first;
    assert_false(sim_queue_take(&f.queue, Q2P_NEVER, &first));
    push(&f, 1, 0, 0);
    assert_next(&f, 1, 0, 0);
    assert_false(sim_queue_take(&f.queue, Q2P_NEVER, &first));
    clean_up(&f);
}

static void ties_go_to_the_lower_order_and_then_to_the_earlier_of_one_element(void **state)
{
    (void)state;
    struct fixture f = {0};
    push(&f, 5, 2, 0);
    push(&f, 5, 1, 9);
    push(&f, 5, 1, 8);
    push(&f, 4, 3, 1);
    push(&f, 5, UINT64_MAX, 0);
    assert_next(&f, 4, 3, 1);
    assert_next(&f, 5, 1, 8);
    assert_next(&f, 5, 1, 9);
    assert_next(&f, 5, 2, 0);
    assert_next(&f, 5, UINT64_MAX, 0);
    clean_up(&f);
}

static void the_order_of_pushing_is_no_matter(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct sim_rng rng;
    sim_rng_init(&rng, 1, "queue");
    for (int round = 0; round < 20; round++) {
        uint32_t numbers[300] = {0};
        for (uint32_t i = 0; i < 300; i++) { /* a shuffle */
            uint32_t j = (uint32_t)sim_rng_below(&rng, i + 1);
            numbers[i] = numbers[j];
            numbers[j] = i;
        }
        for (int i = 0; i < 300; i++)
            push(&f, numbers[i] / 30, numbers[i] / 5 % 6, numbers[i] % 5);
        for (uint32_t i = 0; i < 300; i++)
            assert_next(&f, i / 30, i / 5 % 6, i % 5);
    }
    clean_up(&f);
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
        struct sim_event first, wanted;
        struct sim_world world = {0};
        struct sim_rng rng;
        uint32_t pushed = 0;
        q2p_time now = 0;
        sim_rng_init(&rng, i, "calendar");
        for (int step = 0; step < 400000; step++) {
            int phase = step / 100000;
            bool grows = pushed - (uint32_t)step < populations[i];
            for (int pushes = grows ? 2 : 1; pushes > 0; pushes--) {
                struct sim_packet *packet = sim_packet_take(&world);
                packet->order = sim_rng_below(&rng, 5);
                packet->turn = pushed++;
                struct sim_event event = {now + draw_ahead(&rng, phase), &nobody, packet};
                sim_queue_push(&heap, &event);
                sim_queue_push(&calendar, &event);
            }
            assert_true(sim_queue_take(&heap, Q2P_NEVER, &wanted));
            assert_true(sim_queue_take(&calendar, Q2P_NEVER, &first));
            assert_ptr_equal(first.packet, wanted.packet);
            sim_packet_drop(&world, first.packet);
            now = first.at;
        }
        while (sim_queue_take(&heap, Q2P_NEVER, &wanted)) {
            assert_true(sim_queue_take(&calendar, Q2P_NEVER, &first));
            assert_ptr_equal(first.packet, wanted.packet);
        }
        assert_false(sim_queue_take(&calendar, Q2P_NEVER, &first));
        assert_true(heap.lanes_count == 0 && calendar.lanes_count == SIM_LANES);
        assert_true(heap.days_count == 0 && (populations[i] < 512 || calendar.days_count > 0));
        sim_queue_free(&heap);
        sim_queue_free(&calendar);
        sim_world_free(&world);
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
