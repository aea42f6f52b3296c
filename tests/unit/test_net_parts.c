/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_net_parts.c - the parts of a link against what can be calculated of them: Gilbert and
 * Elliott, queues, overtaking, distributions. Bands are two-sided 1e-5; seeds are fixed.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "net_link.h"

#define SIGMAS 4.4172 /* two-sided 1e-5 */

struct fixture {
    struct net_element end;
    struct sim_world world;
    struct net_tap tap;
    struct net_link link;
    struct net_turn turn;
    uint32_t count;
    uint8_t *lost, *fates;
    q2p_time *sent_ns, *arrived_ns;
    uint64_t arrivals, spoilt, shorter, together; /* together: with its twin */
};

static void note_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                      q2p_time now)
{
    struct fixture *f = ctx;
    (void)now;
    assert_string_equal(where, "a>b");
    f->lost[packet->id] = 1;
    f->fates[packet->id] = (uint8_t)fate;
}

static void end_forward(struct net_element *self, struct sim_world *world,
                        struct sim_packet *packet)
{
    static const uint8_t sent[Q2P_DATAGRAM_MAX];
    struct fixture *f = (struct fixture *)self;
    f->together += f->arrived_ns[packet->id] == world->now;
    f->arrived_ns[packet->id] = world->now;
    f->arrivals++;
    f->shorter += packet->len < 100;
    f->spoilt += memcmp(packet->bytes, sent, packet->len) != 0;
    assert_true(packet->digest == sim_mix_bytes(0, packet->bytes, packet->len) ||
                packet->digest == packet->id);
    sim_packet_drop(world, packet);
}

static const char *name(void *ctx, const struct sim_packet *packet)
{
    (void)ctx;
    (void)packet;
    return "a>b";
}

static const struct net_ops end_ops = {.forward = end_forward};

static struct fixture *make(const struct net_link_config *config, uint32_t count)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->end = (struct net_element){.ops = &end_ops};
    f->tap = (struct net_tap){.ctx = f, .fate = note_fate};
    f->count = count;
    f->lost = test_calloc(count, 1);
    f->fates = test_calloc(count, 1);
    f->sent_ns = test_calloc(count, sizeof *f->sent_ns);
    f->arrived_ns = test_calloc(count, sizeof *f->arrived_ns);
    sim_world_init(&f->world, 1);
    f->link = (struct net_link){.tap = &f->tap, .name_of = name};
    net_link_set(&f->link, config);
    return f;
}

static void send(struct fixture *f, uint32_t id, uint32_t len)
{
    struct sim_packet *packet = sim_packet_take(&f->world);
    memset(packet->bytes, 0, sizeof packet->bytes);
    packet->len = len;
    packet->dst.ip_len = 4;
    packet->id = packet->digest = id;
    packet->way_end = &f->end;
    packet->order = 7;
    f->sent_ns[id] = f->world.now;
    net_link_enter(&f->link, &f->world, packet, 99, &f->turn);
}

/* One packet of 100 bytes every `gap`. */
static struct fixture *pour(const struct net_link_config *config, uint32_t count, q2p_time gap)
{
    struct fixture *f = make(config, count);
    for (uint32_t i = 0; i < count; i++) {
        send(f, i, 100);
        sim_world_run(&f->world, f->world.now + gap);
    }
    sim_world_run(&f->world, f->world.now + 1000 * Q2P_SECOND);
    return f;
}

static void drain(struct fixture *f)
{
    sim_world_free(&f->world);
    net_link_free(&f->link);
    test_free(f->lost);
    test_free(f->fates);
    test_free(f->sent_ns);
    test_free(f->arrived_ns);
    test_free(f);
}

static void assert_near(double value, double wanted, double band)
{
    if (fabs(value - wanted) > band)
        print_error("%.8f instead of %.8f +- %.8f\n", value, wanted, band);
    assert_true(fabs(value - wanted) <= band);
}

static double share_lost(const struct fixture *f)
{
    double lost = 0;
    for (uint32_t i = 0; i < f->count; i++)
        lost += f->lost[i];
    return lost / f->count;
}

/* ---- loss -------------------------------------------------------------------------------- */

static void bursts_are_those_of_gilbert_and_elliott(void **state)
{
    (void)state;
    static const struct {
        uint32_t to_bad, to_good, bad, good; /* per million */
        double loss, again;                  /* P(loss), P(loss | loss before) */
    } rows[] = {{10000, 300000, 1000000, 0, .03225806, .7},
                {5000, 100000, 1000000, 0, .04761905, .9},
                {20000, 250000, 800000, 1000, .06018519, .59127662},
                {1000, 50000, 1000000, 0, .01960784, .95}};
    const uint32_t count = 1000000;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_link_config config = {.to_bad_ppb = rows[i].to_bad * 1000,
                                         .to_good_ppb = rows[i].to_good * 1000,
                                         .bad_loss_ppb = rows[i].bad * 1000,
                                         .loss_ppb = rows[i].good * 1000};
        struct fixture *f = pour(&config, count, 1000);
        double lost = 0, both = 0, loss = rows[i].loss, again = rows[i].again;
        for (uint32_t j = 0; j + 1 < count; j++) {
            lost += f->lost[j];
            both += f->lost[j] && f->lost[j + 1];
        }
        /* neighbours depend on each other: the variance grows by (1 + rho) / (1 - rho) */
        double rho = 1 - (rows[i].to_bad + rows[i].to_good) / 1e6;
        assert_near(share_lost(f), loss,
                    SIGMAS * sqrt(loss * (1 - loss) / count * (1 + rho) / (1 - rho)));
        assert_near(both / lost, again, SIGMAS * sqrt(again * (1 - again) / lost));
        drain(f);
    }
}

static void patterns_lose_by_number(void **state)
{
    (void)state;
    struct fixture *f = pour(&(struct net_link_config){.lose_every = 3}, 9, 1000);
    assert_memory_equal(f->lost, "\0\0\1\0\0\1\0\0\1", 9);
    drain(f);
    f = pour(&(struct net_link_config){.lose_mask = "0110"}, 9, 1000);
    assert_memory_equal(f->lost, "\0\1\1\0\0\1\1\0\0", 9);
    drain(f);
    f = pour(&(struct net_link_config){.lose_trace = "101"}, 9, 1000);
    assert_memory_equal(f->lost, "\1\0\1\0\0\0\0\0\0", 9);
    drain(f);
}

static void what_is_too_long_or_on_a_cut_link_does_not_get_through(void **state)
{
    (void)state;
    struct fixture *f = make(&(struct net_link_config){.mtu = 128}, 3);
    send(f, 0, 100); /* 28 bytes of headers come on top */
    send(f, 1, 101);
    net_link_set(&f->link, &(struct net_link_config){.cut = true});
    send(f, 2, 1);
    assert_memory_equal(f->lost, "\0\1\1", 3);
    assert_int_equal(f->fates[1], NET_FATE_TOO_LONG);
    assert_int_equal(f->fates[2], NET_FATE_CUT);
    drain(f);
}

/* ---- spoiling ---------------------------------------------------------------------------- */

static void a_share_is_duplicated_corrupted_truncated(void **state)
{
    (void)state;
    const uint32_t count = 100000;
    const double p = .05, band = SIGMAS * sqrt(p * (1 - p) / count);
    struct fixture *f = pour(&(struct net_link_config){.duplicate_ppb = 50000000}, count, 1000);
    assert_near((double)f->arrivals / count, 1 + p, band);
    drain(f);
    f = pour(&(struct net_link_config){.corrupt_ppb = 50000000}, count, 1000);
    assert_near((double)f->spoilt / count, p, band);
    assert_int_equal(f->shorter, 0);
    drain(f);
    f = pour(&(struct net_link_config){.truncate_ppb = 50000000}, count, 1000);
    assert_near((double)f->shorter / count, p, band);
    assert_int_equal(f->spoilt, 0);
    drain(f);
}

static void twins_have_luck_of_their_own(void **state)
{
    (void)state;
    struct net_link_config config = {
        .duplicate_ppb = NET_LOSS_ALWAYS, .delay_min_ns = 1, .delay_max_ns = Q2P_MILLISECOND};
    struct fixture *f = pour(&config, 1000, Q2P_MILLISECOND);
    assert_int_equal(f->arrivals, 2000);
    assert_in_range(f->together, 0, 5);
    drain(f);
}

/* ---- delay ------------------------------------------------------------------------------- */

/* How many are overtaken by the one `gap` behind them. */
static double share_overtaken(const struct net_link_config *config, q2p_time gap)
{
    const uint32_t pairs = 100000;
    struct fixture *f = make(config, 2 * pairs);
    uint32_t overtaken = 0;
    for (uint32_t i = 0; i < pairs; i++) {
        send(f, 2 * i, 1);
        sim_world_run(&f->world, f->world.now + gap);
        send(f, 2 * i + 1, 1);
        sim_world_run(&f->world, f->world.now + 10 * Q2P_SECOND);
        overtaken += f->arrived_ns[2 * i + 1] < f->arrived_ns[2 * i];
    }
    drain(f);
    return overtaken / (double)pairs;
}

static void uniform_jitter_overtakes_as_calculated(void **state)
{
    (void)state;
    static const struct {
        int gap_ms;
        double p;
    } rows[] = {{1, .405}, {2, .32}, {5, .125}, {9, .005}}; /* (J-g)^2 / 2J^2, J = 10 ms */
    struct net_link_config range = {.delay_min_ns = 15 * Q2P_MILLISECOND,
                                    .delay_max_ns = 25 * Q2P_MILLISECOND};
    struct net_link_config jitter = {.jitter_ns = 10 * Q2P_MILLISECOND};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double band = SIGMAS * sqrt(rows[i].p * (1 - rows[i].p) / 1e5);
        assert_near(share_overtaken(&range, rows[i].gap_ms * Q2P_MILLISECOND), rows[i].p, band);
        assert_near(share_overtaken(&jitter, rows[i].gap_ms * Q2P_MILLISECOND), rows[i].p, band);
    }
}

static void exponential_jitter_overtakes_as_calculated(void **state)
{
    (void)state;
    struct net_link_config config = {.shape = NET_SHAPE_EXPONENTIAL,
                                     .jitter_ns = 10 * Q2P_MILLISECOND};
    for (int gap = 1; gap <= 20; gap += 6) {
        double p = exp(-gap / 10.) / 2;
        assert_near(share_overtaken(&config, gap * Q2P_MILLISECOND), p,
                    SIGMAS * sqrt(p * (1 - p) / 1e5));
    }
}

static double uniform_cdf(double x)
{
    return x;
}

static double normal_cdf(double x) /* around 0: the delay has been taken off */
{
    return erfc(-x / sqrt(2)) / 2;
}

static double exponential_cdf(double x)
{
    return 1 - exp(-x);
}

static double pareto_cdf(double x) /* shape 4, mean 1 */
{
    return 1 - pow(1 + x / 3, -4);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: D < 2.4706 / sqrt(n). */
static void every_shape_is_its_distribution(void **state)
{
    (void)state;
    static double (*const cdfs[])(double) = {uniform_cdf, normal_cdf, exponential_cdf, pareto_cdf};
    const uint32_t count = 100000;
    double *x = test_malloc(count * sizeof *x);
    for (int shape = NET_SHAPE_UNIFORM; shape <= NET_SHAPE_PARETO; shape++) {
        struct net_link_config config = {.delay_min_ns = Q2P_SECOND,
                                         .delay_max_ns = Q2P_SECOND,
                                         .shape = (enum net_shape)shape,
                                         .jitter_ns = 10 * Q2P_MILLISECOND};
        struct fixture *f = pour(&config, count, Q2P_MICROSECOND);
        double worst = 0;
        for (uint32_t i = 0; i < count; i++)
            x[i] = (double)(f->arrived_ns[i] - f->sent_ns[i] - Q2P_SECOND) / 1e7;
        qsort(x, count, sizeof *x, compare);
        for (uint32_t i = 0; i < count; i++) {
            double off = fabs(cdfs[shape](x[i]) - (i + .5) / count);
            worst = off > worst ? off : worst;
        }
        assert_near(worst, 0, 2.4706 / sqrt(count));
        drain(f);
    }
    test_free(x);
}

static void a_table_is_drawn_from_evenly_and_reordering_comes_on_top(void **state)
{
    (void)state;
    static const struct net_table table = {3, {1000, 5000, 9000}};
    const uint32_t count = 100000;
    struct fixture *f = pour(&(struct net_link_config){.table = &table}, count, 1);
    int seen[10] = {0};
    for (uint32_t i = 0; i < count; i++)
        seen[(f->arrived_ns[i] - f->sent_ns[i]) / 1000]++;
    for (int i = 1; i < 10; i += 4)
        assert_near(seen[i] / (double)count, 1 / 3., SIGMAS * sqrt(2 / 9. / count));
    assert_int_equal(seen[1] + seen[5] + seen[9], count);
    drain(f);
    f = pour(&(struct net_link_config){.reorder_ppb = 100000000, .reorder_ns = 500}, count, 1);
    uint32_t late = 0;
    for (uint32_t i = 0; i < count; i++)
        late += f->arrived_ns[i] - f->sent_ns[i] == 500;
    assert_near(late / (double)count, .1, SIGMAS * sqrt(.09 / count));
    drain(f);
}

/* ---- queues ------------------------------------------------------------------------------ */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bursts_are_those_of_gilbert_and_elliott),
        cmocka_unit_test(patterns_lose_by_number),
        cmocka_unit_test(what_is_too_long_or_on_a_cut_link_does_not_get_through),
        cmocka_unit_test(a_share_is_duplicated_corrupted_truncated),
        cmocka_unit_test(twins_have_luck_of_their_own),
        cmocka_unit_test(uniform_jitter_overtakes_as_calculated),
        cmocka_unit_test(exponential_jitter_overtakes_as_calculated),
        cmocka_unit_test(every_shape_is_its_distribution),
        cmocka_unit_test(a_table_is_drawn_from_evenly_and_reordering_comes_on_top),
        cmocka_unit_test(a_queue_waits_as_calculated),
        cmocka_unit_test(a_full_queue_drops_the_tail_and_the_wire_keeps_its_rate),
        cmocka_unit_test(codel_keeps_a_standing_queue_short),
        cmocka_unit_test(a_wire_that_is_taken_away_delivers_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
