/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_dialect.c - what one datagram proves about its sender (PROTOCOL.md 4). */
#include "unit.h"

#include <q2p/wire.h>

#define HASH "000102030405060708090a0b0c0d0e0f"

static uint8_t bytes[4096];

static enum q2p_dialect dialect_of(const char *hex, size_t len)
{
    size_t total = unit_datagram(bytes, sizeof bytes, hex, len);
    return q2p_wire_dialect(bytes, total, total);
}

static enum q2p_likeness likeness_of(const char *hex, size_t len)
{
    size_t total = unit_datagram(bytes, sizeof bytes, hex, len);
    return q2p_wire_likeness(bytes, total, total);
}

static void lengths_tell_the_dialects_apart(void **state)
{
    (void)state;
    /* event 8: OPTIONS, or a classic fragment */
    assert_int_equal(dialect_of("0000 0800 " HASH " e8030000", 0), Q2P_DIALECT_OPTIONS);
    assert_int_equal(dialect_of("0000 0800 " HASH " e8030000 00000000", 512), Q2P_DIALECT_CLASSIC);
    assert_int_equal(dialect_of("0000 0800 " HASH " e8030000 02000000", 60), Q2P_DIALECT_CLASSIC);
    /* event 10: classic TEST, or an options fragment */
    assert_int_equal(dialect_of("0000 0a00", 0), Q2P_DIALECT_CLASSIC);
    assert_int_equal(dialect_of("0000 0a00 " HASH " 00000000", 25), Q2P_DIALECT_OPTIONS);
    assert_int_equal(dialect_of("0000 0a00 " HASH " 00000000", 508), Q2P_DIALECT_OPTIONS);
    /* lists */
    assert_int_equal(dialect_of("0000 0900 " HASH " 05000000", 0), Q2P_DIALECT_CLASSIC);
    assert_int_equal(dialect_of("0000 0b00 " HASH, 0), Q2P_DIALECT_OPTIONS);
    assert_int_equal(dialect_of("0000 0b00 " HASH, 4000), Q2P_DIALECT_OPTIONS);
    assert_int_equal(dialect_of("0000 0c00", 0), Q2P_DIALECT_OPTIONS);
    /* event 7: early fragment, or CONNECT_FAILED */
    assert_int_equal(dialect_of("0000 0700 " HASH " e4010000 00000000", 512), Q2P_DIALECT_EARLY);
    assert_int_equal(dialect_of("0000 0800 " HASH, 0), Q2P_DIALECT_EARLY);
}

static void what_several_dialects_say_proves_nothing(void **state)
{
    (void)state;
    static const char *const shared[] = {
        "",
        "0000",
        "0000 0000",
        "0000 0100 31302e302e302e313a39",
        "0000 0600",
        "0000 0900 " HASH, /* OPTIONSFEEDBACK, or an empty list */
        "0000 0700 4469736d61746368206e6574776f726b696e672076657273696f6e",
        "0000 0800 " HASH " 00000000 07000000 61616161", /* classic resend, or early list */
        "0000 0800 " HASH " 00000000",                   /* OPTIONS of length 0: see below */
        "0000 0a00 " HASH " 00000000",
        "0000 ff00",
        "0000 0b00 0001",
    };
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        if (i != 8)
            assert_int_equal(dialect_of(shared[i], 0), Q2P_DIALECT_UNKNOWN);
    assert_int_equal(dialect_of(shared[8], 0), Q2P_DIALECT_OPTIONS);
    /* a classic resend whose body is no whole number of words is no list */
    assert_int_equal(dialect_of("0000 0800 " HASH " 00000000 07000000 616161", 0),
                     Q2P_DIALECT_CLASSIC);
    /* fields that contradict each other */
    assert_int_equal(dialect_of("0000 0800 " HASH " e8030000 03000000", 512), Q2P_DIALECT_UNKNOWN);
    assert_int_equal(dialect_of("0000 0800 " HASH " e8030000 00000000", 511), Q2P_DIALECT_UNKNOWN);
}

static void a_cut_capture_proves_as_much(void **state)
{
    (void)state;
    size_t total = unit_datagram(bytes, sizeof bytes, "0000 0800 " HASH " e8030000 00000000", 512);

    assert_int_equal(q2p_wire_dialect(bytes, 60, total), Q2P_DIALECT_CLASSIC);
    assert_int_equal(q2p_wire_dialect(bytes, 26, total), Q2P_DIALECT_UNKNOWN);
    total = unit_datagram(bytes, sizeof bytes, "0000 0a00 " HASH " 00000000", 508);
    assert_int_equal(q2p_wire_dialect(bytes, 60, total), Q2P_DIALECT_OPTIONS);
}

static void fields_that_confirm_each_other_are_strong(void **state)
{
    (void)state;
    assert_int_equal(likeness_of("0000 0100 31302e302e302e313a39", 0), Q2P_LIKENESS_STRONG);
    assert_int_equal(likeness_of("0000 0800 " HASH " e8030000 00000000", 512), Q2P_LIKENESS_STRONG);
    assert_int_equal(likeness_of("0000 0700 4469736d61746368206e6574776f726b696e6720"
                                 "76657273696f6e",
                                 0),
                     Q2P_LIKENESS_STRONG);
    assert_int_equal(likeness_of("0000 0b00 " HASH " 01000000 02000000 03000000", 0),
                     Q2P_LIKENESS_STRONG);
}

static void what_is_only_possible_is_weak(void **state)
{
    (void)state;
    assert_int_equal(likeness_of("0000 0000", 0), Q2P_LIKENESS_WEAK);
    assert_int_equal(likeness_of("0000 0900 " HASH, 0), Q2P_LIKENESS_WEAK);
    assert_int_equal(likeness_of("0000 0a00 " HASH " 00000000", 508), Q2P_LIKENESS_WEAK);
    assert_int_equal(likeness_of("0000 0800 " HASH " 00000000 07000000", 512), Q2P_LIKENESS_WEAK);
    assert_int_equal(likeness_of("0000 0700 6e6f", 0), Q2P_LIKENESS_WEAK);
    assert_int_equal(likeness_of("0000 0b00 " HASH " 01000000", 0), Q2P_LIKENESS_WEAK);
}

static void what_no_node_sends_is_not_q2p(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "000000",
        "0000 0000 00",
        "0000 0100 3c6e696c3e",
        "0000 0100",
        "0000 0d00",
        "0000 ffff",
        "0000 0700 00ff",
        "0000 0a00 " HASH " ffffffff 61",
        "0000 0b00 " HASH " ffffffff",
        "0000 0b00 " HASH " 010000",
        "0000 0800 " HASH " 8813000000",
        "8000 0001 0203 0405 0607", /* RTP with sequence number 1 */
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (likeness_of(others[i], 0) != Q2P_LIKENESS_NONE)
            fail_msg("taken for Q2P: %s", others[i]);
    assert_int_equal(likeness_of("0000 0a00 " HASH " 00000000", 600), Q2P_LIKENESS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_tell_the_dialects_apart),
        cmocka_unit_test(what_several_dialects_say_proves_nothing),
        cmocka_unit_test(a_cut_capture_proves_as_much),
        cmocka_unit_test(fields_that_confirm_each_other_are_strong),
        cmocka_unit_test(what_is_only_possible_is_weak),
        cmocka_unit_test(what_no_node_sends_is_not_q2p),
    };
    return cmocka_run_group_tests_name("q2p_dialect", tests, NULL, NULL);
}
