/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base_addr.c - endpoints as text, both ways (PROTOCOL.md 3.2). */
#include "unit.h"

#include <q2p/status.h>
#include <q2p/types.h>

static int parse(struct q2p_addr *out, const char *text)
{
    return q2p_addr_parse(out, text, strlen(text));
}

static void assert_round_trip(const char *text, const char *printed)
{
    char out[Q2P_ADDR_TEXT_MAX];
    struct q2p_addr addr;

    assert_int_equal(parse(&addr, text), Q2P_OK);
    assert_int_equal(q2p_addr_print(&addr, out, sizeof out), strlen(printed));
    assert_string_equal(out, printed);
}

static void what_the_original_prints_comes_back_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "10.77.0.3:10003", "[fd77::2]:10002",   "[::1]:10002",         "[::]:1",
        "0.0.0.0:65535",   "255.255.255.255:1", "[1:2:3:4:5:6:7:8]:9", "[1:0:0:2::3]:9",
        "[fe80::3]:10003", "[2001:db8::]:80",   "[::2:3:4:5:6:7:8]:9", "[1:2:3:4:5:6:7::]:9",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i], "[::2:3:4:5:6:7:8]:9") == 0)
            assert_round_trip(texts[i], "[0:2:3:4:5:6:7:8]:9"); /* RFC 5952 4.2.2 */
        else if (strcmp(texts[i], "[1:2:3:4:5:6:7::]:9") == 0)
            assert_round_trip(texts[i], "[1:2:3:4:5:6:7:0]:9");
        else
            assert_round_trip(texts[i], texts[i]);
    }
}

static void ipv6_prints_in_its_shortest_form(void **state)
{
    (void)state;
    assert_round_trip("[2001:0DB8:0:0:1:0:0:1]:7", "[2001:db8::1:0:0:1]:7"); /* first of equals */
    assert_round_trip("[2001:0:0:1:0:0:0:1]:7", "[2001:0:0:1::1]:7");        /* longest run */
    assert_round_trip("[64:ff9b::192.0.2.33]:7", "[64:ff9b::c000:221]:7");
}

static void mapped_ipv4_becomes_ipv4(void **state)
{
    (void)state;
    assert_round_trip("[::ffff:10.1.2.3]:7", "10.1.2.3:7");
    assert_round_trip("[::ffff:a01:203]:7", "10.1.2.3:7");
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "garbage",
        "<nil>",
        ":20555",
        "10.0.0.1",
        "10.0.0.1:",
        "10.0.0.1:0",
        "10.0.0.1:65536",
        "10.0.0.1:99999",
        "10.0.0.1:domain",
        "::1:9",
        " 10.0.0.1:9",
        "10.0.0.1:9 ",
        "10.0.0.1:9\n",
        "localhost:9",
        "10.0.0:9",
        "10.0.0.256:9",
        "10.0.0.01:9",
        "10.0.0.1.2:9",
        "10..0.1:9",
        "[::1]",
        "[::1:9",
        "[::1]9",
        "[fe80::1%eth0]:9",
        "[1:2:3:4:5:6:7]:9",
        "[1::2::3]:9",
        "[:1]:9",
        "[1:]:9",
        "[12345::]:9",
        "[g::]:9",
        "[1:2:3:4:5:6:7:8:9]:9",
        "[1:2:3:4:5:6:7::8]:9",
        "[]:9",
        "[::1.2.3]:9",
        "[:::]:9",
        "10.0.0.1:000009",
        "+10.0.0.1:9",
        "10.0.0.1:-9",
        "[1:2:3:4:5:6:7:1.2.3.4]:9",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct q2p_addr addr = {.port = 7, .ip_len = 4};
        if (parse(&addr, texts[i]) != Q2P_ERR_ADDRESS)
            fail_msg("'%s' was taken", texts[i]);
        assert_int_equal(addr.ip_len, 0);
    }
}

static void text_with_nul_or_without_end_is_refused(void **state)
{
    (void)state;
    struct q2p_addr addr;
    char digits[500];

    memset(digits, '1', sizeof digits);
    assert_int_equal(q2p_addr_parse(&addr, digits, sizeof digits), Q2P_ERR_ADDRESS);
    assert_int_equal(q2p_addr_parse(&addr, "1.2.3.4:5\0", 10), Q2P_ERR_ADDRESS);
    assert_int_equal(q2p_addr_parse(&addr, "1.2.3.4:56", 9), Q2P_OK); /* not terminated */
    assert_int_equal(addr.port, 5);
}

static void a_room_too_small_is_said(void **state)
{
    (void)state;
    struct q2p_addr addr;
    char out[8];

    assert_int_equal(parse(&addr, "1.2.3.4:5"), Q2P_OK);
    assert_int_equal(q2p_addr_print(&addr, out, sizeof out), Q2P_ERR_ROOM);
    addr = (struct q2p_addr){.ip_len = 0};
    assert_int_equal(q2p_addr_print(&addr, out, sizeof out), 1);
    assert_string_equal(out, "-");
}

static void only_places_a_peer_can_be_at_are_usable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool usable;
    } rows[] = {
        {"10.0.0.1:9", true},         {"127.0.0.1:9", true}, {"[::1]:9", true},
        {"0.0.0.0:9", false},         {"0.1.2.3:9", false},  {"224.0.0.1:9", false},
        {"255.255.255.255:9", false}, {"[::]:9", false},     {"[ff02::1]:9", false},
    };
    struct q2p_addr addr;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(&addr, rows[i].text), Q2P_OK);
        if (q2p_addr_usable(&addr) != rows[i].usable)
            fail_msg("%s", rows[i].text);
    }
    assert_int_equal(parse(&addr, "10.0.0.1:9"), Q2P_OK);
    addr.port = 0;
    assert_false(q2p_addr_usable(&addr));
    assert_false(q2p_addr_usable(&(struct q2p_addr){.port = 9}));
}

static void equal_means_every_part_is(void **state)
{
    (void)state;
    struct q2p_addr a, b;

    parse(&a, "[fe80::1]:9");
    b = a;
    assert_true(q2p_addr_equal(&a, &b));
    b.scope_id = 2;
    assert_false(q2p_addr_equal(&a, &b));
    parse(&b, "[fe80::1]:8");
    assert_false(q2p_addr_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_original_prints_comes_back_the_same),
        cmocka_unit_test(ipv6_prints_in_its_shortest_form),
        cmocka_unit_test(mapped_ipv4_becomes_ipv4),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(text_with_nul_or_without_end_is_refused),
        cmocka_unit_test(a_room_too_small_is_said),
        cmocka_unit_test(only_places_a_peer_can_be_at_are_usable),
        cmocka_unit_test(equal_means_every_part_is),
    };
    return cmocka_run_group_tests_name("base_addr", tests, NULL, NULL);
}
