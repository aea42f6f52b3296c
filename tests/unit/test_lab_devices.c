/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab_devices.c - punching where it is odd: both peers behind one NAT, NATs of Linux that a
 * datagram from outside can poison, a NAT that soon forgets whom nobody answers.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "lab_devices.h"

static enum lab_mark punch(struct lab_trial *trial)
{
    struct lab_outcome outcome = lab_punch(trial);
    return outcome.full ? LAB_FULL : outcome.half ? LAB_HALF : LAB_NONE;
}

static void assert_theory(enum net_nat_hairpin hairpin, const char *is)
{
    for (unsigned type = 0; type < LAB_NATS; type++) {
        struct net_nat_config nat = lab_nat_config(type, NET_NAT_SCOPE_MAPPING);
        nat.hairpin = hairpin;
        assert_int_equal(lab_theory_together(&nat) == LAB_FULL, is[type] == 'o');
    }
}

/* Only outside addresses are known. With a hairpin that leaves sources outside, it is as with two
 * NATs of one type. With inside sources peers find each other on their LAN. Where one of two is an
 * original, it is as where both are. */
static void peers_behind_one_nat_need_its_hairpin(void **state)
{
    (void)state;
    static const char *const wanted[] = {[NET_NAT_HAIRPIN_NONE] = ".........",
                                         [NET_NAT_HAIRPIN_EXTERNAL] = "oooo..o..",
                                         [NET_NAT_HAIRPIN_UNFILTERED] = "ooooooooo",
                                         [NET_NAT_HAIRPIN_INTERNAL] = "oooo..o.."};
    static const struct {
        enum lab_way newcomer_is, known_is, seeds_are;
    } ways[] = {{LAB_CLASSIC, LAB_CLASSIC, LAB_CLASSIC},
                {LAB_ORIGINAL, LAB_ORIGINAL, LAB_ORIGINAL},
                {LAB_OURS, LAB_OURS, LAB_OURS},
                {LAB_OURS, LAB_ORIGINAL, LAB_ORIGINAL},
                {LAB_ORIGINAL, LAB_OURS, LAB_OURS}};
    for (int hairpin = NET_NAT_HAIRPIN_NONE; hairpin <= NET_NAT_HAIRPIN_INTERNAL; hairpin++) {
        for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
            char is[LAB_NATS + 1] = "";
            for (unsigned type = 0; type < LAB_NATS; type++) {
                struct lab_trial trial;
                lab_trial_init(&trial, ways[i].seeds_are, type, type, NET_NAT_SCOPE_MAPPING);
                trial.newcomer_is = ways[i].newcomer_is;
                trial.known_is = ways[i].known_is;
                trial.known.hairpin = (enum net_nat_hairpin)hairpin;
                trial.together = true;
                is[type] = punch(&trial) == LAB_FULL ? 'o' : '.';
            }
            assert_string_equal(is, wanted[hairpin]);
        }
        assert_theory((enum net_nat_hairpin)hairpin, wanted[hairpin]);
    }
}

/* ---- NATs of a real kernel --------------------------------------------------------------- */

/* Seen with the original's program in network namespaces: newcomer in rows, known in columns. */
static void a_real_kernel_gave_these_49_cells(void **state)
{
    (void)state;
    static const char wanted[LAB_DEVICES][LAB_DEVICES + 1] = {
        "oooooo.", "oooooo.", "oooooo.", "oooooo.", "ooo....", "oooooo.", "ooo....",
    };
    for (int newcomer = 0; newcomer < LAB_DEVICES; newcomer++) {
        for (int known = 0; known < LAB_DEVICES; known++) {
            struct lab_trial trial;
            lab_trial_init(&trial, LAB_ORIGINAL, 0, 0, NET_NAT_SCOPE_MAPPING);
            trial.newcomer = lab_device_config((enum lab_device)newcomer);
            trial.known = lab_device_config((enum lab_device)known);
            char is = punch(&trial) == LAB_FULL ? 'o' : '.';
            if (is != wanted[newcomer][known])
                fail_msg("newcomer %d, known %d: %c", newcomer, known, is);
            enum lab_mark theory =
                lab_theory_devices((enum lab_device)newcomer, (enum lab_device)known);
            assert_int_equal(theory == LAB_FULL, is == 'o');
        }
    }
}

/* The known one's TOUCH comes too early and takes the port towards it: the newcomer's CONNECT has
 * to leave from another. Only a lost TOUCH does no harm. */
static void a_touch_that_comes_too_early_poisons_the_nat(void **state)
{
    (void)state;
    struct lab_trial trial;
    unsigned trials = 20000, full = 0;
    double wanted = lab_theory_poison(.1);
    assert_true(fabs(wanted - .053144) < 1e-6);
    lab_trial_init(&trial, LAB_ORIGINAL, 0, 2, NET_NAT_SCOPE_MAPPING);
    trial.newcomer = lab_device_config(LAB_DEVICE_MASQ);
    trial.wan_ppb = 100000000;
    trial.after_ns = 100 * Q2P_MILLISECOND;
    trial.until_ns = Q2P_SECOND;
    for (unsigned i = 0; i < trials; i++) {
        trial.seed = i;
        full += lab_punch(&trial).full;
    }
    if (!lab_is_fair(full, trials, wanted))
        fail_msg("%.5f instead of %.5f", (double)full / trials, wanted);
}

/* Seeds of the original never answer JOIN: to such a NAT the way to the seed stays new. */
static void a_nat_forgets_after_30_s_whom_nobody_answers(void **state)
{
    (void)state;
    static const struct {
        enum lab_way way;
        q2p_time after_ns;
        enum lab_mark wanted;
    } rows[] = {{LAB_ORIGINAL, 25 * Q2P_SECOND, LAB_FULL},
                {LAB_ORIGINAL, 33 * Q2P_SECOND, LAB_NONE},
                {LAB_OURS, 25 * Q2P_SECOND, LAB_FULL},
                {LAB_OURS, 33 * Q2P_SECOND, LAB_FULL},
                {LAB_OURS, 120 * Q2P_SECOND, LAB_FULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lab_trial trial;
        lab_trial_init(&trial, rows[i].way, 0, 0, NET_NAT_SCOPE_MAPPING);
        trial.newcomer = trial.known = lab_device_config(LAB_DEVICE_MASQ_DROP);
        trial.after_ns = rows[i].after_ns;
        assert_int_equal(punch(&trial), rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_behind_one_nat_need_its_hairpin),
        cmocka_unit_test(a_real_kernel_gave_these_49_cells),
        cmocka_unit_test(a_touch_that_comes_too_early_poisons_the_nat),
        cmocka_unit_test(a_nat_forgets_after_30_s_whom_nobody_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
