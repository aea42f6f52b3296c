/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab_ports.c - how often the ports of our NATs can be guessed: prediction, birthdays, many
 * probes, against the formulas. Seeds are fixed; LAB_TRIALS in the environment makes the samples
 * larger.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "lab_theory.h"

static unsigned trials_of(unsigned usual)
{
    const char *wanted = getenv("LAB_TRIALS");
    return wanted ? (unsigned)strtoul(wanted, NULL, 10) : usual;
}

static void assert_fair(const char *what, unsigned at, unsigned hits, unsigned trials, double p)
{
    if (!lab_is_fair(hits, trials, p))
        fail_msg("%s %u: %.6f of %u instead of %.6f", what, at, (double)hits / trials, trials, p);
}

/* Mappings per remote endpoint, out of `count` ports from `first` on. */
static void make(struct net_nat_table *nat, enum net_nat_ports ports, uint32_t first,
                 uint32_t count)
{
    struct net_nat_config config = {.mapping = NET_NAT_PORT,
                                    .filtering = NET_NAT_INDEPENDENT,
                                    .ports = ports,
                                    .port_first = first,
                                    .port_last = first + count - 1,
                                    .forget_ns = Q2P_SECOND};
    net_nat_init(nat, &config, 1, "nat:ports");
    nat->outsides[nat->outsides_count++] = (struct q2p_addr){.ip = {198, 51, 100, 1}, .ip_len = 4};
}

/* The outside port of a mapping of inside host `host` towards remote number `remote`. */
static uint16_t take_port(struct net_nat_table *nat, uint32_t host, uint32_t remote)
{
    struct q2p_addr inside = {.ip = {10, 0, (uint8_t)(host >> 8), (uint8_t)host}, .ip_len = 4};
    struct q2p_addr outside, to = {.ip = {192, 0, 2, 1}, .ip_len = 4, .port = (uint16_t)remote};
    inside.port = 5000;
    to.ip[1] = (uint8_t)(remote >> 16);
    assert_int_equal(net_nat_out(nat, 0, &inside, &to, &outside), Q2P_OK);
    return outside.port;
}

static unsigned poisson(struct sim_rng *rng, double mean)
{
    double limit = exp(-mean), product = 1;
    for (unsigned count = 0;; count++) {
        product *= ((double)(sim_rng_next(rng) >> 11) + .5) / 9007199254740992.;
        if (product < limit)
            return count;
    }
}

static void a_port_that_is_counted_up_can_be_predicted(void **state)
{
    (void)state;
    static const double others[] = {.1, 1, 5};
    static const unsigned windows[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        unsigned trials = trials_of(50000), within[4] = {0};
        struct sim_rng rng;
        struct net_nat_table nat;
        make(&nat, NET_NAT_SEQUENTIAL, 1024, 64512);
        sim_rng_init(&rng, i, "others");
        for (unsigned trial = 0; trial < trials; trial++) {
            net_nat_forget(&nat, false);
            uint16_t seen = take_port(&nat, 0, 1);
            for (unsigned left = poisson(&rng, others[i]); left > 0; left--)
                take_port(&nat, left, 2);
            unsigned after = (take_port(&nat, 0, 3) - seen + 64512u) % 64512; /* from 1 on */
            for (int j = 0; j < 4; j++)
                within[j] += after <= windows[j];
        }
        for (int j = 0; j < 4; j++)
            assert_fair("window", windows[j], within[j], trials,
                        lab_theory_window(others[i], windows[j]));
        net_nat_free(&nat);
    }
}

/* One side holds mappings towards many remotes; the other tries ports until one is mapped. */
static void many_probes_find_one_of_many_ports(void **state)
{
    (void)state;
    static const unsigned probes[] = {174, 256, 512, 1024, 2048};
    for (unsigned ports = 64512; ports <= 65535; ports += 65535 - 64512) {
        unsigned trials = trials_of(2000), found[5] = {0};
        struct sim_rng rng;
        struct net_nat_table nat;
        make(&nat, NET_NAT_RANDOM, 65536 - ports, ports);
        uint8_t *tried = test_calloc(65536, 1);
        sim_rng_init(&rng, ports, "probes");
        for (unsigned trial = 0; trial < trials; trial++) {
            struct q2p_addr to = nat.outsides[0], inside;
            unsigned count = 0;
            bool hit = false;
            net_nat_forget(&nat, false);
            for (uint32_t i = 0; i < 256; i++)
                take_port(&nat, 0, i);
            memset(tried, 0, 65536);
            while (count < 2048 && !hit) {
                to.port = (uint16_t)(65536 - ports + sim_rng_below(&rng, ports));
                if (tried[to.port]++)
                    continue;
                count++;
                hit = net_nat_owner(&nat, 0, &to, NULL, &inside) == Q2P_OK;
            }
            for (int i = 0; i < 5; i++)
                found[i] += hit && count <= probes[i];
        }
        for (int i = 0; i < 5; i++)
            assert_fair("probes", probes[i], found[i], trials,
                        lab_theory_probes(ports, 256, probes[i]));
        test_free(tried);
        net_nat_free(&nat);
    }
}

/* Both draw: a pair of mine (my port, yours) must be one of yours (your port, mine). A NAT that
 * overloads its ports draws each for itself; few ports make the sample cheap. */
static void both_sides_have_to_guess_pairs(void **state)
{
    (void)state;
    enum { PORTS = 64 };
    static const unsigned pairs[] = {16, 53, 98};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        unsigned trials = trials_of(10000), met = 0;
        struct sim_rng rng;
        struct net_nat_table nats[2];
        for (int side = 0; side < 2; side++) {
            make(&nats[side], NET_NAT_RANDOM, 1024, PORTS);
            nats[side].config.overload = true;
        }
        sim_rng_init(&nats[1].rng, 2, "nat:other");
        sim_rng_init(&rng, i, "pairs");
        for (unsigned trial = 0; trial < trials; trial++) {
            uint8_t mine[PORTS][PORTS] = {{0}}, yours[PORTS][PORTS] = {{0}};
            bool hit = false;
            for (int side = 0; side < 2; side++) {
                net_nat_forget(&nats[side], false);
                for (uint32_t count = 0, at = 0; count < pairs[i]; at++) { /* different ones */
                    uint32_t to = (uint32_t)sim_rng_below(&rng, PORTS);
                    uint32_t port = take_port(&nats[side], 0, at << 16 | to) - 1024u;
                    uint8_t *pair = side ? &yours[port][to] : &mine[to][port];
                    count += !*pair;
                    *pair = 1;
                }
            }
            for (int a = 0; a < PORTS; a++)
                for (int b = 0; b < PORTS; b++)
                    hit |= mine[a][b] && yours[a][b];
            met += hit;
        }
        assert_fair("pairs", pairs[i], met, trials, lab_theory_pairs(PORTS, pairs[i]));
        net_nat_free(&nats[0]);
        net_nat_free(&nats[1]);
    }
}

static void ports_drawn_apart_fall_together(void **state)
{
    (void)state;
    static const struct {
        unsigned ports, draws;
    } rows[] = {{64512, 256}, {64512, 300}, {16384, 128}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned trials = trials_of(3000), same = 0;
        struct net_nat_table nat;
        make(&nat, NET_NAT_RANDOM, 1024, rows[i].ports);
        nat.config.overload = true;
        uint8_t *taken = test_calloc(65536, 1);
        for (unsigned trial = 0; trial < trials; trial++) {
            bool hit = false;
            net_nat_forget(&nat, false);
            memset(taken, 0, 65536);
            for (uint32_t j = 0; j < rows[i].draws; j++)
                hit |= taken[take_port(&nat, 0, j)]++;
            same += hit;
        }
        assert_fair("draws", rows[i].draws, same, trials,
                    lab_theory_same(rows[i].ports, rows[i].draws));
        test_free(taken);
        net_nat_free(&nat);
    }
}

/* All ports are drawn alike: chi-square over 256 bins, 1e-5. */
static void drawn_ports_are_even(void **state)
{
    (void)state;
    struct net_nat_table nat;
    double bins[256] = {0}, chi = 0, expected = trials_of(200000) / 256.;
    make(&nat, NET_NAT_RANDOM, 1024, 64512);
    for (unsigned trial = 0; trial < trials_of(200000); trial++) {
        net_nat_forget(&nat, false);
        bins[(take_port(&nat, 0, 1) - 1024) / 252]++;
    }
    for (int i = 0; i < 256; i++)
        chi += (bins[i] - expected) * (bins[i] - expected) / expected;
    if (chi > 362.989)
        fail_msg("chi-square %.3f", chi);
    net_nat_free(&nat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_is_counted_up_can_be_predicted),
        cmocka_unit_test(many_probes_find_one_of_many_ports),
        cmocka_unit_test(both_sides_have_to_guess_pairs),
        cmocka_unit_test(drawn_ports_are_even),
        cmocka_unit_test(ports_drawn_apart_fall_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
