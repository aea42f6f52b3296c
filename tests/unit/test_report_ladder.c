/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report_ladder.c - the ladder as it stands on the terminal. */
#define _GNU_SOURCE /* open_memstream */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "report_ladder.h"

static void messages_are_arrows_in_the_order_of_sending(void **state)
{
    (void)state;
    struct net_place places[4] = {{.name = "nat"},
                                  {.name = "alice", .inner = NET_NOWHERE},
                                  {.name = "seed", .inner = NET_NOWHERE},
                                  {.name = "bob", .inner = NET_NOWHERE}};
    struct net_place *list[4] = {&places[0], &places[1], &places[2], &places[3]};
    struct net net = {.places = list, .places_count = 4};
    struct report_ladder ladder = {0};
    struct report_row rows[] = {
        {.sent_ns = 20 * Q2P_MILLISECOND,
         .id = 5,
         .from = 1,
         .to = 3,
         .event = Q2P_EV_TOUCH,
         .fate = NET_FATE_FILTERED,
         .where = "nat"},
        {.sent_ns = 1500, .from = 1, .to = 2, .event = Q2P_EV_JOIN, .fate = NET_FATE_DELIVERED},
        {.sent_ns = 20 * Q2P_MILLISECOND,
         .id = 4,
         .from = 3,
         .to = 1,
         .event = Q2P_EV_CONNECT,
         .fate = NET_FATE_DELIVERED},
        {.sent_ns = Q2P_SECOND,
         .from = 2,
         .to = NET_NOWHERE,
         .event = Q2P_EV_TEST,
         .fate = NET_FATE_NO_ROUTE,
         .where = "seed"},
        {.sent_ns = 2 * Q2P_SECOND,
         .from = 2,
         .to = 1,
         .event = Q2P_EV_TEST,
         .fate = NET_FATE_DELIVERED},
    };
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        report_ladder_add(&ladder, &rows[i]);
    report_ladder_print(&ladder, &net, 4, out);
    fclose(out);
    assert_string_equal(
        text, "                       alice                seed                bob         \n"
              "        0.001 ms           |-------JOIN------->|                   |         \n"
              "       20.000 ms           |<---------------CONNECT----------------|         \n"
              "       20.000 ms           |----------------TOUCH-------------x    |           "
              "filtered by nat\n"
              "     1000.000 ms           |                   |                   |           "
              "TEST: seed to nobody  no such address seen from seed\n"
              "                ... and 1 more\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_arrows_in_the_order_of_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
