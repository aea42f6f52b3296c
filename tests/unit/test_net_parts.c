/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_net_parts.c - the parts of a link against what can be calculated of them: Gilbert and
 * Elliott, overtaking, distributions, messages. Bands are two-sided 1e-5; seeds are fixed.
 */
#include "one_link.h"

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

static void messages_are_lost_by_what_they_say(void **state)
{
    (void)state;
    struct net_link_config config = {.lose_events = 1u << Q2P_EV_CONNECT | 1u << Q2P_EV_TOUCH,
                                     .lose_events_first = 3};
    enum q2p_event events[] = {Q2P_EV_JOIN,  Q2P_EV_CONNECT, Q2P_EV_TOUCH, Q2P_EV_CONNECTED,
                               Q2P_EV_TOUCH, Q2P_EV_CONNECT, Q2P_EV_TOUCH};
    struct fixture *f = make(&config, 7);
    for (uint32_t i = 0; i < 7; i++) {
        uint8_t bytes[Q2P_DATAGRAM_MAX];
        struct q2p_message message = {.event = events[i]};
        int len = q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_CLASSIC, &message);
        assert_true(len > 0);
        send_bytes(f, i, bytes, (uint32_t)len);
    }
    assert_memory_equal(f->lost, "\0\1\1\0\1\0\0", 7);
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

/* Congestion: what gets through in the bad state comes late. */
static void bad_times_delay_as_well_as_lose(void **state)
{
    (void)state;
    const uint32_t count = 400000;
    struct net_link_config config = {.to_bad_ppb = 20000000,
                                     .to_good_ppb = 250000000,
                                     .bad_loss_ppb = 400000000,
                                     .delay_min_ns = Q2P_MILLISECOND,
                                     .delay_max_ns = Q2P_MILLISECOND,
                                     .bad_delay_ns = 30 * Q2P_MILLISECOND};
    struct fixture *f = pour(&config, count, 1000);
    double late = 0, loss = share_lost(f), bad = .02 / .27, rho = .73;
    for (uint32_t i = 0; i < count; i++) {
        q2p_time took = f->arrived_ns[i] - f->sent_ns[i];
        late += !f->lost[i] && took == 31 * Q2P_MILLISECOND;
        assert_true(f->lost[i] || took == Q2P_MILLISECOND || took == 31 * Q2P_MILLISECOND);
    }
    double wide = SIGMAS * sqrt(bad * (1 - bad) / count * (1 + rho) / (1 - rho));
    assert_near(loss, .4 * bad, wide);
    assert_near(late / count, .6 * bad, wide);
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

/* Delays keep their distribution, and two that are k apart have the correlation c^k. */
static void correlated_delays_are_drawn_as_others_and_stay(void **state)
{
    (void)state;
    const uint32_t count = 400000;
    const double c = .75;
    struct net_link_config config = {.delay_min_ns = 15 * Q2P_MILLISECOND,
                                     .delay_max_ns = 25 * Q2P_MILLISECOND,
                                     .correlation_ppb = 750000000};
    struct fixture *f = pour(&config, count, Q2P_MICROSECOND);
    double sum = 0, squares = 0, products[4] = {0}, same = 0;
    double *x = test_malloc(count * sizeof *x);
    for (uint32_t i = 0; i < count; i++) {
        x[i] = (double)(f->arrived_ns[i] - f->sent_ns[i]) / 1e7 - 2; /* uniform in +-.5 */
        sum += x[i];
        squares += x[i] * x[i];
        same += i > 0 && x[i] == x[i - 1];
        for (uint32_t k = 1; k < 4 && k <= i; k++)
            products[k] += x[i] * x[i - k];
    }
    double effective = count * (1 - c) / (1 + c); /* as many as if they were independent */
    assert_near(sum / count, 0, SIGMAS * sqrt(1 / 12. / effective));
    assert_near(squares / count, 1 / 12., SIGMAS * sqrt(1 / 180. / effective));
    assert_near(same / count, c, SIGMAS * sqrt(c * (1 - c) / count));
    for (int k = 1; k < 4; k++)
        assert_near(products[k] / squares, pow(c, k), SIGMAS * 2 / sqrt(effective));
    test_free(x);
    drain(f);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bursts_are_those_of_gilbert_and_elliott),
        cmocka_unit_test(patterns_lose_by_number),
        cmocka_unit_test(messages_are_lost_by_what_they_say),
        cmocka_unit_test(bad_times_delay_as_well_as_lose),
        cmocka_unit_test(what_is_too_long_or_on_a_cut_link_does_not_get_through),
        cmocka_unit_test(a_share_is_duplicated_corrupted_truncated),
        cmocka_unit_test(twins_have_luck_of_their_own),
        cmocka_unit_test(uniform_jitter_overtakes_as_calculated),
        cmocka_unit_test(exponential_jitter_overtakes_as_calculated),
        cmocka_unit_test(every_shape_is_its_distribution),
        cmocka_unit_test(correlated_delays_are_drawn_as_others_and_stay),
        cmocka_unit_test(a_table_is_drawn_from_evenly_and_reordering_comes_on_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
