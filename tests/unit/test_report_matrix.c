/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report_matrix.c - heat maps: what a cell says, what is framed, what is counted. */
#define _GNU_SOURCE /* open_memstream */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "report_matrix.h"

static const char *const labels[] = {"EIM/EIF", "<odd>"};

static char *print(const struct report_matrix_table *table)
{
    const struct report_matrix matrix = {.title = "a <b>",
                                         .verdict = "fine & good",
                                         .again = "q2p-sim matrix",
                                         .axes = {"newcomer", "known", labels, labels, 2, 2},
                                         .tables = table,
                                         .tables_count = 1,
                                         .ok = true};
    char *got;
    size_t len;
    FILE *out = open_memstream(&got, &len);
    report_matrix_html(&matrix, out);
    fclose(out);
    return got;
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (; (text = strstr(text, what)); text++)
        found++;
    return found;
}

static void cells_show_their_state_and_what_differs(void **state)
{
    (void)state;
    const struct report_matrix_cell cells[] = {
        {.state = REPORT_CELL_FULL, .wanted = REPORT_CELL_FULL},
        {.state = REPORT_CELL_HALF, .wanted = REPORT_CELL_HALF},
        {.state = REPORT_CELL_NONE, .wanted = REPORT_CELL_FULL, .note = "\"odd\""},
        {.state = REPORT_CELL_FULL, .wanted = REPORT_CELL_NONE}};
    char *got = print(&(struct report_matrix_table){.title = "ours", .cells = cells});
    assert_int_equal(count(got, "<g class=\"cell is2\">"), 2);
    assert_int_equal(count(got, "<g class=\"cell is1\">"), 1);
    assert_int_equal(count(got, "<g class=\"cell is0\">"), 1);
    assert_int_equal(count(got, "<rect class=\"wrong\""), 2);
    assert_non_null(strstr(got, "2 of 4 connected"));
    assert_non_null(strstr(got, "1 half-open"));
    assert_non_null(strstr(got, "2 not as theory has it"));
    assert_non_null(strstr(got, "newcomer &lt;odd&gt;, known EIM/EIF\nnot connected; theory: "
                                "connected\n&quot;odd&quot;"));
    assert_non_null(strstr(got, "<h1>a &lt;b&gt;</h1>"));
    assert_null(strstr(got, "<odd>"));
    free(got);
}

static void trials_become_percent_and_who_calls_says_what_fits(void **state)
{
    (void)state;
    const struct report_matrix_cell cells[] = {
        {.wanted = REPORT_CELL_FULL, .trials = 200, .full = 150, .wanted_ppb = 735092000},
        {.wanted = REPORT_CELL_FULL, .trials = 200, .full = 200, .wanted_ppb = UINT32_MAX},
        {.trials = 200, .half = 3, .wanted_ppb = 0},
        {.trials = 200, .wanted_ppb = 0}};
    const bool fits[] = {true, true, false, true};
    const struct report_matrix_table table = {
        .title = "lossy", .loss_ppb = 50000000, .fits = fits, .cells = cells};
    char *got = print(&table);
    assert_int_equal(count(got, "<g class=\"cell hot is2\">"), 2);
    assert_non_null(strstr(got, ">75</text>"));
    assert_non_null(strstr(got, ">100</text>"));
    assert_int_equal(count(got, "<rect class=\"wrong\""), 1);
    assert_non_null(strstr(got, "150 connected, 0 half-open; theory: 73.5 % connected"));
    assert_non_null(strstr(got, "2 of 4 can connect"));
    assert_non_null(strstr(got, "5 % loss"));
    assert_non_null(strstr(got, "350 of 400 trials that can work did"));
    free(got);
}

static void a_table_may_have_axes_of_its_own(void **state)
{
    (void)state;
    static const char *const rows[] = {"none", "external", "internal"};
    static const char *const columns[] = {"EIM/EIF", "EIM/ADF"};
    const struct report_matrix_axes axes = {"hairpin", "both behind", rows, columns, 3, 2};
    const struct report_matrix_cell cells[6] = {
        [3] = {.state = REPORT_CELL_FULL, .wanted = REPORT_CELL_FULL}};
    char *got =
        print(&(struct report_matrix_table){.title = "together", .cells = cells, .axes = &axes});
    assert_int_equal(count(got, "<g class=\"cell "), 6);
    assert_non_null(strstr(got, "hairpin external, both behind EIM/ADF\nconnected"));
    assert_non_null(strstr(got, "1 of 6 connected"));
    assert_int_equal(count(got, ">internal</text>"), 1);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_show_their_state_and_what_differs),
        cmocka_unit_test(a_table_may_have_axes_of_its_own),
        cmocka_unit_test(trials_become_percent_and_who_calls_says_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
