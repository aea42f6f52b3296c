/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_net_queue.c - wires with a queue before them: waiting times, drop-tail, CoDel, RED. */
#include "one_link.h"

/* Poisson arrivals at a wire that takes 4.32 ms each, or a tenth (M/D/1): the mean wait before
 * service, and so (Little) the mean number of those that wait. */
static void a_queue_waits_as_calculated(void **state)
{
    (void)state;
    static const struct {
        double service_ms, rho, wait_ms, waiting;
    } rows[] = {{4.32, .5, 2.16, .25},
                {4.32, .8, 8.64, 1.6},
                {4.32, .9, 19.44, 4.05},
                {4.32, .95, 41.04, 9.025},
                {.432, .8, .864, 1.6}};
    const uint32_t count = 400000;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f =
            make(&(struct net_link_config){.rate = i < 4 ? 125000 : 1250000}, count);
        struct sim_rng rng;
        sim_rng_init(&rng, 1, "arrivals");
        double sum = 0, gap_ns = rows[i].service_ms * 1e6 / rows[i].rho;
        for (uint32_t j = 0; j < count; j++) {
            double u = ((double)(sim_rng_next(&rng) >> 11) + .5) / 9007199254740992.;
            send(f, j, 512);
            sim_world_run(&f->world, f->world.now + (q2p_time)(-log(u) * gap_ns));
        }
        double span_ms = (double)f->world.now / 1e6;
        sim_world_run(&f->world, f->world.now + 1000 * Q2P_SECOND);
        for (uint32_t j = 0; j < count; j++)
            sum += (double)(f->arrived_ns[j] - f->sent_ns[j]) / 1e6 - rows[i].service_ms;
        /* waits hang together over about 1 / (1 - rho)^2 arrivals */
        double band = SIGMAS * 2 / ((1 - rows[i].rho) * sqrt(count));
        assert_near(sum / count, rows[i].wait_ms, band * rows[i].wait_ms);
        assert_near(sum / span_ms, rows[i].waiting, band * rows[i].waiting);
        drain(f);
    }
}

static void a_full_queue_drops_the_tail_and_the_wire_keeps_its_rate(void **state)
{
    (void)state;
    struct fixture *f = make(&(struct net_link_config){.rate = 128000, .queue_len = 384}, 10);
    for (uint32_t i = 0; i < 10; i++)
        send(f, i, 100); /* 128 bytes: 1 ms each; the first one starts to wait at 0 bytes */
    sim_world_run(&f->world, Q2P_SECOND);
    assert_memory_equal(f->lost, "\0\0\0\1\1\1\1\1\1\1", 10);
    assert_int_equal(f->fates[3], NET_FATE_QUEUE);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(f->arrived_ns[i], (i + 1) * Q2P_MILLISECOND);
    drain(f);
}

/* 20 % more than the wire takes, and nobody slows down: drop-tail fills its queue of 781 ms; CoDel
 * swings around its target. */
static void codel_keeps_a_standing_queue_short(void **state)
{
    (void)state;
    double longest_ms[2];
    for (int kind = NET_QUEUE_DROP_TAIL; kind <= NET_QUEUE_CODEL; kind++) {
        struct net_link_config config = {
            .rate = 128000, .queue_len = 100000, .queue_kind = (enum net_queue_kind)kind};
        struct fixture *f = pour(&config, 60000, 833333);
        longest_ms[kind] = 0;
        for (uint32_t i = 40000; i < f->count; i++) {
            double took = (double)(f->arrived_ns[i] - f->sent_ns[i]) / 1e6;
            if (!f->lost[i] && took > longest_ms[kind])
                longest_ms[kind] = took;
        }
        assert_near(share_lost(f), 1 / 6., .04);
        drain(f);
    }
    /* cppcheck-suppress uninitvar ; the loop has two rounds */
    assert_true(longest_ms[NET_QUEUE_DROP_TAIL] > 700);
    assert_near(longest_ms[NET_QUEUE_CODEL], 0, 200);
}

/* A part that is taken out of the chain lets go of what it holds. */
static void a_wire_that_is_taken_away_delivers_what_it_has(void **state)
{
    (void)state;
    struct fixture *f = make(&(struct net_link_config){.rate = 128}, 2);
    send(f, 0, 100);
    net_link_set(&f->link, &(struct net_link_config){0});
    send(f, 1, 100);
    sim_world_run(&f->world, 10 * Q2P_SECOND);
    assert_int_equal(f->arrived_ns[0], Q2P_SECOND);
    assert_int_equal(f->arrived_ns[1], 0);
    assert_int_equal(f->arrivals, 2);
    drain(f);
}

/* A fifth more than the wire takes. Between two losses lie 1 to 1/p packets, any number as often,
 * so that a sixth is lost where p is 1/11: there the average settles. */
static void red_settles_where_it_loses_what_is_too_much(void **state)
{
    (void)state;
    struct net_link_config config = {.rate = 128000,
                                     .queue_len = 64000,
                                     .queue_kind = NET_QUEUE_RED,
                                     .red_min = 8000,
                                     .red_max = 32000,
                                     .red_ppb = 200000000};
    struct fixture *f = pour(&config, 100000, 833333);
    double sum = 0, count = 0, lost = 0;
    for (uint32_t i = 40000; i < f->count; i++) {
        lost += f->lost[i];
        if (f->lost[i])
            continue;
        sum += ((double)(f->arrived_ns[i] - f->sent_ns[i]) / 1e6 - 1) * 128; /* 1 ms is 128 bytes */
        count++;
    }
    assert_near(lost / 60000, 1 / 6., .002);
    assert_near(sum / count, 8000 + 24000 * (1 / 11.) / .2, 600);
    drain(f);
}

/* Early means before the queue is full, and not at all while it is short on average. */
static void red_leaves_a_short_queue_and_a_burst_alone(void **state)
{
    (void)state;
    struct net_link_config config = {.rate = 128000,
                                     .queue_len = 64000,
                                     .queue_kind = NET_QUEUE_RED,
                                     .red_ppb = NET_LOSS_ALWAYS};
    struct fixture *f = make(&config, 10000);
    for (uint32_t i = 0; i < 10000; i++) {
        send(f, i, 100);
        if (i % 200 == 199) /* a burst of 25,600 bytes, then time to send it */
            sim_world_run(&f->world, f->world.now + 400 * Q2P_MILLISECOND);
    }
    sim_world_run(&f->world, f->world.now + 1000 * Q2P_SECOND);
    assert_near(share_lost(f), 0, 0);
    drain(f);
    f = pour(&config, 10000, 900000); /* above 3/4 of the queue on average nothing gets in */
    double longest_ms = 0;
    for (uint32_t i = 0; i < f->count; i++)
        if (!f->lost[i] && (double)(f->arrived_ns[i] - f->sent_ns[i]) / 1e6 > longest_ms)
            longest_ms = (double)(f->arrived_ns[i] - f->sent_ns[i]) / 1e6;
    assert_true(share_lost(f) > .05 && longest_ms < 500);
    drain(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_waits_as_calculated),
        cmocka_unit_test(a_full_queue_drops_the_tail_and_the_wire_keeps_its_rate),
        cmocka_unit_test(codel_keeps_a_standing_queue_short),
        cmocka_unit_test(a_wire_that_is_taken_away_delivers_what_it_has),
        cmocka_unit_test(red_settles_where_it_loses_what_is_too_much),
        cmocka_unit_test(red_leaves_a_short_queue_and_a_burst_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
