/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_twin.c - the first event in which two runs differ. */
#define _GNU_SOURCE /* mkstemp */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "twin.h"

#define TWO_PEERS(step)                                                                            \
    "until: 10s\n"                                                                                 \
    "nodes:\n"                                                                                     \
    "  a: {at: 192.0.2.1:1}\n"                                                                     \
    "  b: {at: 192.0.2.2:1, joins: a}\n"                                                           \
    "default: {delay: 10ms..30ms, loss: 10%}\n"                                                    \
    "script: [{at: 1s, send: {from: b, to: a, size: 20KiB, as: x}}" step "]\n"

static bool compare(const char *one, const char *other, uint64_t other_seed, char *out, size_t room)
{
    struct scenario scenarios[2];
    struct scn_run runs[2];
    load(&scenarios[0], one);
    load(&scenarios[1], other);
    assert_null(scn_run_init(&runs[0], &scenarios[0], 1));
    assert_null(scn_run_init(&runs[1], &scenarios[1], other_seed));
    bool same = twin_compare(runs, out, room);
    for (int i = 0; i < 2; i++) {
        scn_run_free(&runs[i]);
        scn_free(&scenarios[i]);
    }
    return same;
}

static void twins_are_the_same(void **state)
{
    (void)state;
    char text[600] = "";
    assert_true(compare(TWO_PEERS(""), TWO_PEERS(""), 1, text, sizeof text));
}

static void the_first_difference_has_its_time_and_its_datagram(void **state)
{
    (void)state;
    char text[600] = "";
    const char *changed = TWO_PEERS(", {at: 4s, send: {from: b, to: a, size: 5B, as: y}}");
    assert_false(compare(TWO_PEERS(""), changed, 1, text, sizeof text));
    const char *second = strstr(text, "\nsecond at 4.000000000s: b sends ");
    if (!second || strncmp(text, "first  ", 7) != 0 ||
        !strstr(second, " from 192.0.2.2:1 to 192.0.2.1:1"))
        fail_msg("%s", text);
}

static void another_seed_differs_in_the_first_draw(void **state)
{
    (void)state;
    char text[600] = "";
    assert_false(compare(TWO_PEERS(""), TWO_PEERS(""), 2, text, sizeof text));
    if (!strstr(text, "JOIN") && !strstr(text, "link b>a"))
        fail_msg("%s", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_are_the_same),
        cmocka_unit_test(the_first_difference_has_its_time_and_its_datagram),
        cmocka_unit_test(another_seed_differs_in_the_first_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
