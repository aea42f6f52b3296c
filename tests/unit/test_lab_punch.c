/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab_punch.c - real nodes punch through all pairs of NATs, and as often under loss as the
 * formulas say. Seeds are fixed; LAB_TRIALS in the environment makes the samples larger.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab_matrix.h"

#define P_PPB(p) ((uint32_t)lround((p)*1e9))

/* Trials of a sample; `usual` unless more are wanted. */
static unsigned trials_of(unsigned usual)
{
    const char *wanted = getenv("LAB_TRIALS");
    return wanted ? (unsigned)strtoul(wanted, NULL, 10) : usual;
}

static void assert_table(enum lab_table table, enum net_nat_scope scope, unsigned full,
                         unsigned half)
{
    struct lab_matrix matrix;
    struct lab_matrix_plan plan = {.table = table,
                                   .scope = scope,
                                   .trials = 1,
                                   .after_ns = Q2P_SECOND,
                                   .forget_ns = 120 * Q2P_SECOND,
                                   .seed = 1};
    lab_matrix_run(&matrix, &plan);
    assert_int_equal(matrix.wrong, 0);
    assert_int_equal(matrix.full, full);
    assert_int_equal(matrix.half, half);
}

/* Worked out by enumeration elsewhere: newcomer (or either) in rows, known node in columns. */
static const char *const classic_cells[LAB_NATS] = {"ooooooooo", "ooooooooo", "ooo------",
                                                    "oo-oo-oo-", "oo-o--o--", "oo-------",
                                                    "oo-oo-oo-", "oo-o--o--", "oo-------"};
static const char *const original_cells[LAB_NATS] = {"oooo--o--", "oooo--o--", "oooh--h--",
                                                     "oo-o--o--", "oo-o--o--", "oo-h--h--",
                                                     "oo-o--o--", "oo-o--o--", "oo-h--h--"};

static void assert_cells(enum lab_table table, const char *const cells[LAB_NATS])
{
    struct lab_matrix matrix;
    struct lab_matrix_plan plan = {
        .table = table, .trials = 1, .after_ns = Q2P_SECOND, .forget_ns = 120 * Q2P_SECOND};
    lab_matrix_run(&matrix, &plan);
    for (unsigned row = 0; row < LAB_NATS; row++) {
        char is[LAB_NATS + 1] = "";
        for (unsigned column = 0; column < LAB_NATS; column++)
            is[column] = "-ho"[matrix.cells[row][column].state];
        assert_string_equal(is, cells[row]);
    }
}

static void every_cell_is_that_of_the_known_tables(void **state)
{
    (void)state;
    assert_cells(LAB_TABLE_CLASSIC, classic_cells);
    assert_cells(LAB_TABLE_ORIGINAL, original_cells);
}

static void every_pair_of_nats_does_what_theory_says(void **state)
{
    (void)state;
    assert_table(LAB_TABLE_CLASSIC, NET_NAT_SCOPE_MAPPING, 45, 0);
    assert_table(LAB_TABLE_CLASSIC, NET_NAT_SCOPE_ENDPOINT, 49, 0);
    assert_table(LAB_TABLE_ORIGINAL, NET_NAT_SCOPE_MAPPING, 33, 6);
    assert_table(LAB_TABLE_ORIGINAL, NET_NAT_SCOPE_ENDPOINT, 49, 14);
    assert_table(LAB_TABLE_OURS, NET_NAT_SCOPE_MAPPING, 45, 6);
    assert_table(LAB_TABLE_OURS, NET_NAT_SCOPE_ENDPOINT, 49, 14);
}

static void ours_meets_the_original_no_less_than_the_original_does(void **state)
{
    (void)state;
    assert_table(LAB_TABLE_OURS_JOINS, NET_NAT_SCOPE_MAPPING, 41, 6);
    assert_table(LAB_TABLE_ORIGINAL_JOINS, NET_NAT_SCOPE_MAPPING, 33, 6);
    assert_table(LAB_TABLE_OURS_JOINS, NET_NAT_SCOPE_ENDPOINT, 49, 14);
    assert_table(LAB_TABLE_ORIGINAL_JOINS, NET_NAT_SCOPE_ENDPOINT, 49, 14);
}

/* A NAT that forgets after 30 s, and a newcomer that comes later than that. */
static void assert_late(enum lab_table table, q2p_time after_ns, unsigned full)
{
    struct lab_matrix matrix;
    struct lab_matrix_plan plan = {
        .table = table, .trials = 1, .after_ns = after_ns, .forget_ns = 30 * Q2P_SECOND};
    lab_matrix_run(&matrix, &plan);
    assert_int_equal(matrix.wrong, 0);
    assert_int_equal(matrix.full, full);
}

static void a_nat_that_forgets_stops_the_original_and_not_ours(void **state)
{
    (void)state;
    assert_late(LAB_TABLE_ORIGINAL, 25 * Q2P_SECOND, 33);
    assert_late(LAB_TABLE_ORIGINAL, 33 * Q2P_SECOND, 0);
    assert_late(LAB_TABLE_OURS, 33 * Q2P_SECOND, 45);
    assert_late(LAB_TABLE_OURS, 120 * Q2P_SECOND, 45);
}

static void assert_fair(const char *what, uint64_t hits, uint64_t trials, double p)
{
    if (!lab_is_fair(hits, trials, p))
        fail_msg("%s: %.6f of %llu instead of %.6f", what, (double)hits / (double)trials,
                 (unsigned long long)trials, p);
}

struct sample {
    unsigned trials, full, half, none;
    double powers[5]; /* sums of the number of known nodes met, to the 0th ... 4th */
};

static struct sample take_sample(struct lab_trial trial, unsigned trials)
{
    struct sample out = {.trials = trials};
    uint64_t seed = trial.seed;
    trial.after_ns = 100 * Q2P_MILLISECOND;
    trial.until_ns = Q2P_SECOND;
    for (unsigned i = 0; i < trials; i++) {
        trial.seed = sim_mix(seed, i);
        struct lab_outcome outcome = lab_punch(&trial);
        out.full += outcome.full > 0;
        out.half += outcome.full == 0 && outcome.half > 0;
        out.none += outcome.full + outcome.half == 0;
        for (int j = 0; j < 5; j++)
            out.powers[j] += pow(outcome.full, j);
    }
    return out;
}

static struct lab_trial original(unsigned newcomer, unsigned known, double wan, double access)
{
    struct lab_trial trial;
    lab_trial_init(&trial, LAB_ORIGINAL, newcomer, known, NET_NAT_SCOPE_MAPPING);
    trial.wan_ppb = P_PPB(wan);
    trial.access_ppb = P_PPB(access);
    return trial;
}

static void assert_chances(struct lab_trial trial, unsigned trials, struct lab_chances chances)
{
    struct sample sample = take_sample(trial, trials);
    assert_fair("full", sample.full, trials, chances.full);
    assert_fair("half", sample.half, trials, chances.half);
    assert_fair("none", sample.none, trials, chances.none);
}

static void loss_leaves_what_the_formula_leaves(void **state)
{
    (void)state;
    static const double losses[] = {.01, .05, .1, .2, .3};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct lab_trial trial = original(2, 1, losses[i], 0); /* EIM/APDF joins EIM/ADF */
        trial.seed = i;
        assert_chances(trial, trials_of(5000), lab_theory_loss(losses[i], 0, true));
    }
    struct lab_chances half = lab_theory_loss(.1, 0, true); /* a cell that is half-open at best */
    half = (struct lab_chances){0, half.full + half.half, half.none};
    assert_chances(original(2, 3, .1, 0), trials_of(5000), half);
}

static void loss_between_host_and_nat_counts_each_crossing(void **state)
{
    (void)state;
    assert_chances(original(2, 1, 0, .1), trials_of(5000), lab_theory_loss(0, .1, true));
    assert_chances(original(2, 0, 0, .1), trials_of(5000), lab_theory_loss(0, .1, false));
    assert_chances(original(0, 2, .05, .1), trials_of(5000), lab_theory_loss(.05, .1, true));
}

static void seeds_fail_independently(void **state)
{
    (void)state;
    for (unsigned seeds = 1; seeds <= 8; seeds += seeds < 4 ? 1 : 4) {
        struct lab_trial trial = original(2, 1, .1, 0);
        trial.seeds = seeds;
        struct sample sample = take_sample(trial, trials_of(3000));
        assert_fair("connected", sample.full, sample.trials, lab_theory_seeds(.1, seeds));
    }
}

static void assert_mean(double sum, double n, double mean, double variance)
{
    if (fabs(sum / n - mean) > LAB_BAND * sqrt(variance / n))
        fail_msg("mean of %.0f: %.5f instead of %.5f", n, sum / n, mean);
}

/* The variance of a sample has one of its own, from the fourth moment. */
static void assert_variance(const struct sample *sample, double wanted)
{
    double n = sample->trials, m[5];
    for (int i = 0; i < 5; i++)
        m[i] = sample->powers[i] / n;
    double variance = m[2] - m[1] * m[1];
    double fourth = m[4] - 4 * m[3] * m[1] + 6 * m[2] * m[1] * m[1] - 3 * pow(m[1], 4);
    if (fabs(variance - wanted) > LAB_BAND * sqrt((fourth - variance * variance) / n))
        fail_msg("variance of %.0f: %.5f instead of %.5f", n, variance, wanted);
}

static void a_newcomer_meets_so_many_of_n(void **state)
{
    (void)state;
    static const struct {
        unsigned n, trials;
        double p;
    } rows[] = {{10, 2000, .1}, {31, 400, .05}};
    for (size_t i = 0; i < 2; i++) {
        struct lab_trial trial = original(2, 1, rows[i].p, 0);
        trial.knowns = rows[i].n;
        struct sample sample = take_sample(trial, trials_of(rows[i].trials));
        struct lab_moments moments = lab_theory_known(rows[i].p, rows[i].n);
        assert_fair("meets nobody", sample.none, sample.trials, moments.none);
        assert_mean(sample.powers[1], sample.trials, moments.mean, moments.variance);
        assert_variance(&sample, moments.variance);
    }
}

/* n nodes join one after the other; how many pairs are there? */
static unsigned pairs_after(unsigned n, double p, uint64_t seed)
{
    struct lab lab;
    struct net_nat_config nat = lab_nat_config(1, NET_NAT_SCOPE_MAPPING);
    unsigned pairs = 0;
    lab_init(&lab, seed, 1, n, LAB_ORIGINAL);
    lab_lose(&lab, P_PPB(p), 0);
    for (unsigned i = 0; i < n; i++) {
        lab_join(&lab, LAB_ORIGINAL, &nat);
        lab_wait(&lab, Q2P_SECOND);
    }
    for (unsigned i = 1; i <= n; i++)
        for (unsigned j = 1; j < i; j++)
            pairs += lab_knows(&lab, i, j) && lab_knows(&lab, j, i);
    lab_free(&lab);
    return pairs;
}

static void joiners_in_a_row_make_so_many_pairs(void **state)
{
    (void)state;
    static const struct {
        unsigned n, trials;
        double p;
    } rows[] = {{8, 500, .1}, {32, 30, .1}, {32, 30, .01}};
    for (size_t i = 0; i < 3; i++) {
        double sum = 0, squares = 0, trials = trials_of(rows[i].trials);
        for (unsigned j = 0; j < trials; j++) {
            double pairs = pairs_after(rows[i].n, rows[i].p, sim_mix(i, j));
            sum += pairs;
            squares += pairs * pairs;
        }
        double variance = squares / trials - sum / trials * (sum / trials);
        assert_mean(sum, trials, lab_theory_joiners(rows[i].p, rows[i].n), variance);
    }
}

static void ours_connects_under_heavy_loss_wherever_it_can(void **state)
{
    (void)state;
    struct lab_matrix matrix;
    struct lab_matrix_plan plan = {.table = LAB_TABLE_OURS,
                                   .wan_ppb = P_PPB(.2),
                                   .trials = trials_of(150),
                                   .after_ns = Q2P_SECOND,
                                   .forget_ns = 120 * Q2P_SECOND,
                                   .seed = 1};
    lab_matrix_run(&matrix, &plan);
    printf("%.4f%% of %llu trials\n", 100.0 * (double)matrix.successes / (double)matrix.trials,
           (unsigned long long)matrix.trials);
    assert_int_equal(matrix.wrong, 0);
    assert_true(matrix.fits_all);
    assert_true((double)matrix.successes >= .999 * (double)matrix.trials);
}

static void a_trial_is_a_function_of_its_seed(void **state)
{
    (void)state;
    struct lab_trial trial = original(2, 1, .3, .1);
    bool differs = false;
    for (trial.seed = 0; trial.seed < 50; trial.seed++) {
        struct lab_outcome once = lab_punch(&trial), again = lab_punch(&trial);
        assert_memory_equal(&once, &again, sizeof once);
        struct lab_trial other = trial;
        other.seed += 1000;
        struct lab_outcome another = lab_punch(&other);
        differs |= another.sent != once.sent;
    }
    assert_true(differs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_that_of_the_known_tables),
        cmocka_unit_test(every_pair_of_nats_does_what_theory_says),
        cmocka_unit_test(ours_meets_the_original_no_less_than_the_original_does),
        cmocka_unit_test(a_nat_that_forgets_stops_the_original_and_not_ours),
        cmocka_unit_test(loss_leaves_what_the_formula_leaves),
        cmocka_unit_test(loss_between_host_and_nat_counts_each_crossing),
        cmocka_unit_test(seeds_fail_independently),
        cmocka_unit_test(a_newcomer_meets_so_many_of_n),
        cmocka_unit_test(joiners_in_a_row_make_so_many_pairs),
        cmocka_unit_test(ours_connects_under_heavy_loss_wherever_it_can),
        cmocka_unit_test(a_trial_is_a_function_of_its_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
