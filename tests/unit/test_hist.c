/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hist.c - quantiles are right to 1 %, for values of any size. */
#include "unit.h"

#include "hist.h"

static void small_values_are_exact(void **state)
{
    (void)state;
    struct hist hist = {0};
    for (uint64_t value = 1; value <= 100; value++)
        hist_add(&hist, value);
    assert_int_equal(hist.count, 100);
    assert_int_equal(hist.sum, 5050);
    assert_int_equal(hist.min, 1);
    assert_int_equal(hist.max, 100);
    assert_int_equal(hist_quantile(&hist, 0), 1);
    assert_int_equal(hist_quantile(&hist, 500), 50);
    assert_int_equal(hist_quantile(&hist, 950), 95);
    assert_int_equal(hist_quantile(&hist, 1000), 100);
}

static void large_values_are_right_to_one_percent(void **state)
{
    (void)state;
    struct hist hist = {0};
    for (uint64_t i = 0; i < 1000; i++)
        hist_add(&hist, 10000000 + i * 7919);
    uint64_t median = hist_quantile(&hist, 500), wanted = 10000000 + 499 * 7919;
    assert_in_range(median, wanted, wanted + wanted / 100);
    assert_int_equal(hist_quantile(&hist, 1000), hist.max);
}

static void the_largest_number_has_a_bucket(void **state)
{
    (void)state;
    struct hist hist = {0};
    hist_add(&hist, UINT64_MAX);
    hist_add(&hist, 0);
    assert_int_equal(hist.buckets[HIST_BUCKETS - 1], 1);
    assert_int_equal(hist_quantile(&hist, 1000), UINT64_MAX);
    assert_int_equal(hist_quantile(&hist, 500), 0);
}

static void no_values_have_no_quantile(void **state)
{
    (void)state;
    struct hist hist = {0};
    uint64_t bins[3] = {7, 7, 7};
    assert_int_equal(hist_quantile(&hist, 500), 0);
    hist_bins(&hist, 0, 1, bins, 3);
    assert_int_equal(bins[0] + bins[1] + bins[2], 0);
}

static void bins_keep_every_value(void **state)
{
    (void)state;
    struct hist hist = {0};
    const uint64_t values[] = {5, 10, 19, 20, 29, 1000};
    uint64_t bins[3];
    for (size_t i = 0; i < 6; i++)
        hist_add(&hist, values[i]);
    hist_bins(&hist, 10, 10, bins, 3);
    assert_int_equal(bins[0], 3); /* 5 lies before and goes into the first one */
    assert_int_equal(bins[1], 2);
    assert_int_equal(bins[2], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(large_values_are_right_to_one_percent),
        cmocka_unit_test(the_largest_number_has_a_bucket),
        cmocka_unit_test(no_values_have_no_quantile),
        cmocka_unit_test(bins_keep_every_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
