/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab_transfer.c - transmissions of real nodes succeed as often as the formulas say, and take
 * as many rounds. Seeds are fixed; LAB_TRIALS in the environment makes the samples larger.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "lab_transfer.h"

static unsigned trials_of(unsigned usual)
{
    const char *wanted = getenv("LAB_TRIALS");
    return wanted ? (unsigned)strtoul(wanted, NULL, 10) : usual;
}

/* The original's timers; what is reported lost is resent. Our node mends one thing more than the
 * original, so a formula that knows that is used; without it, it is the original's. */
static void assert_success(unsigned fragments, unsigned rounds, double p)
{
    struct lab_transfer transfer = {.fragments = fragments};
    unsigned trials = trials_of(400), hits = 0;
    q2p_config_init(&transfer.config);
    q2p_config_original(&transfer.config);
    transfer.config.dialect = Q2P_DIALECT_OPTIONS;
    transfer.config.repair = true;
    if (rounds > 0) {
        transfer.config.lost_ns = 3 * Q2P_SECOND;
        transfer.config.timeout_ns = (3 * rounds + 1) * Q2P_SECOND;
    }
    assert_int_equal(lab_theory_rounds_left(transfer.config.lost_ns, transfer.config.timeout_ns),
                     rounds);
    transfer.forth_ppb = transfer.back_ppb = (uint32_t)lround(p * 1e9);
    for (unsigned i = 0; i < trials; i++) {
        transfer.seed = i;
        hits += lab_send(&transfer) != Q2P_NEVER;
    }
    double wanted = lab_theory_mended(p, fragments, rounds, 123);
    if (!lab_is_fair(hits, trials, wanted))
        fail_msg("%u fragments, %u rounds, loss %.2f: %.5f instead of %.5f", fragments, rounds, p,
                 (double)hits / trials, wanted);
}

static void the_original_has_as_many_rounds_as_its_timers_leave(void **state)
{
    (void)state;
    static const double losses[] = {.01, .05, .1, .2};
    for (size_t i = 0; i < 4; i++) {
        assert_success(16, 0, losses[i]); /* 6 s and 5 s: a lost fragment is lost for good */
        assert_success(16, 1, losses[i]);
        assert_success(16, 3, losses[i]);
        assert_success(64, 0, losses[i]);
        assert_success(64, 3, losses[i]);
        assert_success(123, 3, losses[i]);
    }
    assert_success(1024, 3, .1); /* a list names 123 at most */
}

/* Lists arrive, fragments get lost: rounds until the last one is there. */
static void assert_rounds(unsigned fragments, double p)
{
    struct lab_transfer transfer = {.fragments = fragments};
    double sum = 0, squares = 0, n = trials_of(250);
    q2p_config_init(&transfer.config);
    transfer.config.early = false; /* lists by the timer alone */
    transfer.forth_ppb = (uint32_t)lround(p * 1e9);
    for (unsigned i = 0; i < n; i++) {
        transfer.seed = i;
        q2p_time took_ns = lab_send(&transfer);
        assert_true(took_ns != Q2P_NEVER);
        double rounds = (double)(1 + took_ns / transfer.config.lost_ns);
        sum += rounds;
        squares += rounds * rounds;
    }
    double wanted = lab_theory_rounds(p, fragments), mean = sum / n;
    if (fabs(mean - wanted) > LAB_BAND * sqrt((squares / n - mean * mean) / n))
        fail_msg("%u fragments, loss %.2f: %.5f rounds instead of %.5f", fragments, p, mean,
                 wanted);
}

static void all_fragments_take_so_many_rounds(void **state)
{
    (void)state;
    static const double losses[] = {.01, .05, .1, .2, .3};
    for (size_t i = 0; i < 5; i++) {
        assert_rounds(16, losses[i]);
        assert_rounds(64, losses[i]);
        assert_rounds(123, losses[i]);
    }
    assert_rounds(1024, .01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_original_has_as_many_rounds_as_its_timers_leave),
        cmocka_unit_test(all_fragments_take_so_many_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
