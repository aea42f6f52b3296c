/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report_page.c - how numbers read, and that nothing on a page comes from elsewhere. */
#define _GNU_SOURCE /* open_memstream */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "report_page.h"

static void times_have_the_unit_that_fits(void **state)
{
    (void)state;
    assert_string_equal(page_time(0).s, "0 s");
    assert_string_equal(page_time(1500).s, "1.5 µs");
    assert_string_equal(page_time(20 * Q2P_MILLISECOND).s, "20 ms");
    assert_string_equal(page_time(20 * Q2P_MILLISECOND + 60000).s, "20.1 ms");
    assert_string_equal(page_time(4 * Q2P_SECOND + 57 * Q2P_MILLISECOND).s, "4.057 s");
    assert_string_equal(page_time(3600 * Q2P_SECOND).s, "3600 s");
}

static void sizes_read_as_the_scenario_has_them(void **state)
{
    (void)state;
    assert_string_equal(page_size(100 << 10).s, "100 KiB");
    assert_string_equal(page_size(64u << 20).s, "64 MiB");
    assert_string_equal(page_size(5000).s, "5 kB");
    assert_string_equal(page_size(0).s, "0 B");
    assert_string_equal(page_bytes(102400).s, "102.4 kB");
    assert_string_equal(page_bytes(999).s, "999 B");
    assert_string_equal(page_bytes(1234567).s, "1.2 MB");
}

static void shares_and_rates_survive_zero(void **state)
{
    (void)state;
    assert_string_equal(page_share(1, 20).s, "5 %");
    assert_string_equal(page_share(1, 0).s, "–");
    assert_string_equal(page_rate(125000, Q2P_SECOND).s, "1000 kbit/s");
    assert_string_equal(page_rate(125000000, Q2P_SECOND / 10).s, "10 Gbit/s");
    assert_string_equal(page_rate(1, 0).s, "–");
}

static void a_page_needs_nothing_from_elsewhere(void **state)
{
    (void)state;
    char *got;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    page_begin(out, "</title><script>");
    page_card(out, "<b>", "\"&\"");
    page_table(out, "a|>b");
    page_put(out, "td", "r", "<%d>", 7);
    page_table_end(out);
    page_card_end(out);
    page_end(out, "<foot>");
    fclose(out);
    assert_null(strstr(got, "<script"));
    assert_null(strstr(got, "src="));
    assert_null(strstr(got, "url("));
    assert_null(strstr(got, "@import"));
    assert_non_null(strstr(got, "<title>&lt;/title&gt;&lt;script&gt;</title>"));
    assert_non_null(strstr(got, "<h2>&lt;b&gt;</h2>"));
    assert_non_null(strstr(got, "<th>a</th><th class=\"r\">b</th>"));
    assert_non_null(strstr(got, "<td class=\"r\">&lt;7&gt;</td>"));
    assert_non_null(strstr(got, "prefers-color-scheme:dark"));
    assert_non_null(strstr(got, "default-src 'none'"));
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_have_the_unit_that_fits),
        cmocka_unit_test(sizes_read_as_the_scenario_has_them),
        cmocka_unit_test(shares_and_rates_survive_zero),
        cmocka_unit_test(a_page_needs_nothing_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
