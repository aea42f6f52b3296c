/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_drive_clock.c - the clock that q2p_drive_step passes on. */
#include "unit.h"

#include <q2p/drive.h>

static void the_clock_never_runs_backwards(void **state)
{
    (void)state;
    q2p_time before = q2p_drive_now();
    assert_true(before > 0);
    for (int i = 0; i < 1000; i++) {
        q2p_time now = q2p_drive_now();
        assert_true(now >= before);
        before = now;
    }
}

static void the_clock_counts_nanoseconds(void **state)
{
    (void)state;
    q2p_time begin = q2p_drive_now();
    while (q2p_drive_now() == begin)
        continue;                                             /* it moves on at all ... */
    assert_true(q2p_drive_now() - begin < 3600 * Q2P_SECOND); /* ... and not by years */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_never_runs_backwards),
        cmocka_unit_test(the_clock_counts_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
