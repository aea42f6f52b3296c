/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_lab_theory.c - formulas against figures that were worked out elsewhere. */
#include "unit.h"

#include <math.h>

#include "lab_theory.h"

static void assert_near(double is, double wanted, double by)
{
    if (!(fabs(is - wanted) <= by))
        fail_msg("%.7f instead of %.7f", is, wanted);
}

static void count(enum net_nat_scope scope, unsigned *classic, unsigned *full, unsigned *half)
{
    *classic = *full = *half = 0;
    for (unsigned i = 0; i < LAB_NATS; i++) {
        for (unsigned j = 0; j < LAB_NATS; j++) {
            struct net_nat_config a = lab_nat_config(i, scope), b = lab_nat_config(j, scope);
            enum lab_mark there = lab_theory_original(&a, &b), back = lab_theory_original(&b, &a);
            *classic += lab_theory_classic(&a, &b) == LAB_FULL;
            *full += there == LAB_FULL;
            *half += there == LAB_HALF;
            if (scope == NET_NAT_SCOPE_MAPPING) /* one of both orders is enough */
                assert_int_equal(lab_theory_classic(&a, &b) == LAB_FULL,
                                 there == LAB_FULL || back == LAB_FULL);
        }
    }
}

static void predicates_fill_the_known_tables(void **state)
{
    (void)state;
    unsigned classic, full, half;
    count(NET_NAT_SCOPE_MAPPING, &classic, &full, &half);
    assert_int_equal(classic, 45);
    assert_int_equal(full, 33);
    assert_int_equal(half, 6);
    count(NET_NAT_SCOPE_ENDPOINT, &classic, &full, &half);
    assert_int_equal(classic, 49);
    assert_int_equal(full, 49);
    assert_int_equal(half, 14);
}

static void loss_formulas_give_the_known_figures(void **state)
{
    (void)state;
    static const double rows[][4] = {{.01, .941480, .009510, .049010},
                                     {.05, .735092, .038689, .226219},
                                     {.1, .531441, .059049, .409510},
                                     {.2, .262144, .065536, .672320},
                                     {.3, .117649, .050421, .831930}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lab_chances chances = lab_theory_loss(rows[i][0], 0, true);
        assert_near(chances.full, rows[i][1], 1e-6);
        assert_near(chances.half, rows[i][2], 1e-6);
        assert_near(chances.none, rows[i][3], 1e-6);
    }
    assert_near(lab_theory_loss(0, .1, true).full, .387420, 1e-6);
    assert_near(lab_theory_loss(0, .1, false).full, .430467, 1e-6);
    assert_near(lab_theory_seeds(.1, 1), .531441, 1e-6);
    assert_near(lab_theory_seeds(.1, 2), .780452, 1e-6);
    assert_near(lab_theory_seeds(.1, 3), .897129, 1e-6);
    assert_near(lab_theory_seeds(.1, 4), .951799, 1e-6);
    assert_near(lab_theory_seeds(.1, 8), .997677, 1e-6);
    struct lab_moments known = lab_theory_known(.1, 10);
    assert_near(known.none, .100119, 1e-6);
    assert_near(known.mean, 5.314410, 1e-6);
    assert_near(known.variance, 5.314410, 1e-6);
    known = lab_theory_known(.05, 31);
    assert_near(known.none, .05, 1e-6);
    assert_near(known.mean, 22.787849, 1e-6);
    assert_near(known.variance, 32.485890, 1e-6);
    assert_near(lab_theory_joiners(.01, 32), 462.3044, 1e-4);
    assert_near(lab_theory_joiners(.1, 32), 237.2353, 1e-4);
}

static void port_formulas_give_the_known_figures(void **state)
{
    (void)state;
    static const struct {
        double others;
        unsigned window;
        double p;
    } windows[] = {{.1, 1, .904837}, {.1, 2, .995321}, {1, 1, .367879}, {1, 2, .735759},
                   {1, 5, .996340},  {5, 5, .440493},  {5, 10, .968172}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        assert_near(lab_theory_window(windows[i].others, windows[i].window), windows[i].p, 1e-6);
    static const struct {
        unsigned ports, probes;
        double p;
    } probes[] = {{64512, 174, .499817},  {64512, 256, .639374},  {64512, 512, .870479},
                  {64512, 1024, .983498}, {64512, 2048, .999745}, {65535, 174, .494360},
                  {65535, 256, .633564},  {65535, 512, .866254},  {65535, 1024, .982395},
                  {65535, 2048, .999709}};
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        assert_near(lab_theory_probes(probes[i].ports, 256, probes[i].probes), probes[i].p, 1e-6);
    assert_true(lab_theory_probes(65535, 256, 176) < .5 && lab_theory_probes(65535, 256, 177) > .5);
    assert_near(lab_theory_pairs(65535, 54000), .492853, 2e-5); /* 1 - exp(-k^2 / P^2), nearly */
    assert_near(lab_theory_pairs(65535, 100000), .902546, 2e-5);
    assert_near(lab_theory_pairs(65535, 170000), .998804, 2e-5);
    assert_near(lab_theory_same(64512, 256), .397472, 1e-6);
    assert_near(lab_theory_same(64512, 300), .501573, 1e-6);
    assert_near(lab_theory_same(16384, 128), .391882, 1e-6);
}

static const double losses[] = {.01, .05, .1, .2, .3};

static void rounds_are_those_of_the_known_table(void **state)
{
    (void)state;
    static const struct {
        unsigned n;
        double rounds[5];
    } rows[] = {{1, {1.010101, 1.052632, 1.111111, 1.250000, 1.428571}},
                {16, {1.150157, 1.601235, 1.980897, 2.603731, 3.306963}},
                {64, {1.480848, 2.118892, 2.542340, 3.451385, 4.439605}},
                {123, {1.721861, 2.279248, 2.838891, 3.848250, 4.980199}},
                {1024, {2.098336, 3.049813, 3.749656, 5.164872, 6.737279}},
                {10000, {2.642190, 3.777389, 4.738318, 6.583786, 8.629380}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int j = 0; j < 5; j++)
            assert_near(lab_theory_rounds(losses[j], rows[i].n), rows[i].rounds[j], 1e-6);
}

static void transfer_formulas_give_the_known_figures(void **state)
{
    (void)state;
    static const struct {
        unsigned n, rounds;
        double p[4]; /* .01, .05, .1, .2 */
    } rows[] = {{16, 0, {.834514, .397214, .150095, .018014}},
                {16, 1, {.977093, .843576, .635722, .270049}},
                {16, 3, {.980099, .901863, .802022, .567630}},
                {64, 0, {.515137, .033866, .000955, .0000004}},
                {64, 3, {.980095, .900157, .782840, .447248}},
                {123, 3, {.980091, .898225, .763663, .361010}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int j = 0; j < 4; j++)
            assert_near(lab_theory_transfer(losses[j], rows[i].n, rows[i].rounds, 123),
                        rows[i].p[j], 1e-6);
    static const struct {
        unsigned n, rounds, listed;
        double loss, p;
    } capped[] = {{1024, 3, 123, .1, .603118}, {1024, 3, 1024, .1, .603671},
                  {1024, 3, 123, .2, .004858}, {1024, 3, 1024, .2, .063648},
                  {2048, 3, 123, .1, .230508}, {2048, 3, 2048, .1, .506496},
                  {512, 6, 123, .3, .161512},  {512, 6, 512, .3, .200700}};
    for (size_t i = 0; i < sizeof capped / sizeof *capped; i++)
        assert_near(
            lab_theory_transfer(capped[i].loss, capped[i].n, capped[i].rounds, capped[i].listed),
            capped[i].p, 1e-6);
    assert_near(lab_theory_mended(.1, 16, 0, 123), lab_theory_transfer(.1, 16, 0, 123), 1e-12);
    /* one fragment, one round: nothing lost; either fragment or feedback lost and made good */
    assert_near(lab_theory_mended(.1, 1, 1, 123), .9 * (.81 + .0729 + .081), 1e-12);
    assert_int_equal(lab_theory_rounds_left(6 * Q2P_SECOND, 5 * Q2P_SECOND), 0);
    assert_int_equal(lab_theory_rounds_left(3 * Q2P_SECOND, 10 * Q2P_SECOND), 3);
}

static void a_band_takes_the_fair_and_refuses_the_biased(void **state)
{
    (void)state;
    assert_true(lab_is_fair(53144, 100000, .531441));
    assert_true(lab_is_fair(53144 + 696, 100000, .531441)); /* +-.006970 */
    assert_false(lab_is_fair(53144 + 698, 100000, .531441));
    assert_false(lab_is_fair(53144 - 698, 100000, .531441));
    assert_true(lab_is_fair(0, 1000, 0));
    assert_false(lab_is_fair(1, 1000, 0));
    assert_true(lab_is_fair(1000, 1000, 1));
    assert_false(lab_is_fair(999, 1000, 1));
    double low, high;
    lab_wilson(10, 10, &low, &high);
    assert_near(low, .722467, 1e-6);
    assert_near(high, 1, 1e-9);
    lab_wilson(50, 100, &low, &high);
    assert_near(low, .403832, 1e-6);
    assert_near(high, .596168, 1e-6);
}

/* Sums of the terms themselves, in exact arithmetic. */
static void tails_are_exact_where_a_normal_band_is_not(void **state)
{
    (void)state;
    assert_near(lab_tail(29, 200, .059049), 7.750053e-06, 1e-11); /* 5.2 standard deviations */
    assert_near(lab_tail(28, 200, .059049), 2.126823e-05, 1e-11);
    assert_near(lab_tail(195, 200, .999), 2.156016e-06, 1e-11);
    assert_near(lab_tail(90, 200, .531441), 0.012708498, 1e-9);
    assert_near(lab_tail(533649, 1000000, .531441), 4.841099e-06, 1e-11);
    assert_near(lab_tail(0, 10, .1), pow(.9, 10), 1e-12);
    assert_near(lab_tail(10, 10, .5), pow(.5, 10), 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predicates_fill_the_known_tables),
        cmocka_unit_test(loss_formulas_give_the_known_figures),
        cmocka_unit_test(port_formulas_give_the_known_figures),
        cmocka_unit_test(rounds_are_those_of_the_known_table),
        cmocka_unit_test(transfer_formulas_give_the_known_figures),
        cmocka_unit_test(tails_are_exact_where_a_normal_band_is_not),
        cmocka_unit_test(a_band_takes_the_fair_and_refuses_the_biased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
