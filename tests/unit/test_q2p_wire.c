/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_wire.c - messages of PROTOCOL.md 3, read and written; more of them in tests/vectors. */
#include "unit.h"

#include <q2p/status.h>
#include <q2p/wire.h>

#define HASH "000102030405060708090a0b0c0d0e0f"

static uint8_t bytes[4096];

static int read_as(enum q2p_dialect dialect, struct q2p_packet *packet, const char *hex, size_t len)
{
    size_t total = unit_datagram(bytes, sizeof bytes, hex, len);
    return q2p_wire_read(packet, dialect, bytes, total, total);
}

static void assert_span(struct q2p_span span, uint32_t at, uint32_t len)
{
    assert_int_equal(span.len, len);
    if (len > 0)
        assert_int_equal(span.at, at);
}

static void a_header_is_id_and_event(void **state)
{
    (void)state;
    struct q2p_packet packet;

    assert_int_equal(read_as(Q2P_DIALECT_CLASSIC, &packet, "3412 0500", 0), Q2P_OK);
    assert_int_equal(packet.network_id, 0x1234);
    assert_int_equal(packet.event, Q2P_EV_CONNECT);
    assert_span(packet.network_id_at, 0, 2);
    assert_span(packet.event_at, 2, 2);
    for (size_t len = 0; len < 4; len++)
        assert_int_equal(q2p_wire_read(&packet, Q2P_DIALECT_CLASSIC, bytes, len, len),
                         Q2P_ERR_SHORT);
}

static void what_follows_a_bare_event_is_trailing(void **state)
{
    (void)state;
    struct q2p_packet packet;

    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0000 aabbcc", 0), Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_JOIN);
    assert_span(packet.trailing_at, 4, 3);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0000", 513), Q2P_ERR_OVERSIZE);
}

static void an_address_is_text_to_the_end(void **state)
{
    (void)state;
    struct q2p_packet packet;
    char text[Q2P_ADDR_TEXT_MAX];

    /* 10.77.0.3:10003 */
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0100 31302e37372e302e333a3130303033", 0),
        Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_TOUCHREQUEST);
    assert_span(packet.address_at, 4, 15);
    q2p_addr_print(&packet.address, text, sizeof text);
    assert_string_equal(text, "10.77.0.3:10003");
    assert_int_equal(read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0300 3c6e696c3e", 0),
                     Q2P_ERR_ADDRESS); /* <nil> */
    assert_span(packet.address_at, 4, 5);
    assert_int_equal(packet.address.ip_len, 0);
    assert_int_equal(read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0400", 0), Q2P_ERR_ADDRESS);
}

static void a_classic_fragment_carries_its_length(void **state)
{
    (void)state;
    struct q2p_packet packet;

    /* length 1000 = 484 + 484 + 32 */
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000 01000000", 512), Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_TRANSPORT);
    assert_int_equal(packet.length, 1000);
    assert_int_equal(packet.syn, 1);
    assert_span(packet.hash_at, 4, 16);
    assert_span(packet.length_at, 20, 4);
    assert_span(packet.syn_at, 24, 4);
    assert_span(packet.body_at, 28, 484);
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000 02000000", 28 + 32),
        Q2P_OK);
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000 02000000", 28 + 33),
        Q2P_ERR_SHARE);
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000 01000000", 511),
        Q2P_ERR_SHARE);
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000 03000000", 512),
        Q2P_ERR_SYN);
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000 00000000", 0),
        Q2P_ERR_EMPTY);
    assert_int_equal(read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " e8030000", 27),
                     Q2P_ERR_SHORT);
    /* a resend says 0 */
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " 00000000 07000000", 512), Q2P_OK);
    assert_int_equal(
        read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0800 " HASH " 00000000 07000000", 513),
        Q2P_ERR_SHARE);
}

static void an_options_fragment_has_no_length(void **state)
{
    (void)state;
    struct q2p_packet packet;

    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0a00 " HASH " 05000000", 508),
                     Q2P_OK);
    assert_int_equal(packet.syn, 5);
    assert_span(packet.length_at, 0, 0);
    assert_span(packet.syn_at, 20, 4);
    assert_span(packet.body_at, 24, 484);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0a00 " HASH " 05000000", 509),
                     Q2P_ERR_SHARE);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0a00 " HASH " 05000000", 0),
                     Q2P_ERR_EMPTY);
}

static void options_and_feedback_have_one_length_each(void **state)
{
    (void)state;
    struct q2p_packet packet;

    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0800 " HASH " 88130000", 0),
                     Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_OPTIONS);
    assert_int_equal(packet.length, 5000);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0800 " HASH " 881300", 0),
                     Q2P_ERR_SHORT);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0800 " HASH " 8813000000", 0),
                     Q2P_ERR_LENGTH);
    assert_span(packet.trailing_at, 24, 1);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0900 " HASH, 0), Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_OPTIONSFEEDBACK);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0900 " HASH "00", 0),
                     Q2P_ERR_LENGTH);
    assert_int_equal(read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0900 " HASH, 0), Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_TRANSPORT_FAILED);
    assert_int_equal(packet.lost_count, 0);
}

static void a_list_holds_whole_numbers(void **state)
{
    (void)state;
    struct q2p_packet packet;

    assert_int_equal(
        read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0b00 " HASH " 03000000 ffffffff", 0), Q2P_OK);
    assert_int_equal(packet.lost_count, 2);
    assert_span(packet.lost_at, 20, 8);
    assert_int_equal(q2p_wire_lost(&packet, bytes, 0), 3);
    assert_int_equal(q2p_wire_lost(&packet, bytes, 1), 0xffffffff);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0b00 " HASH " 03000000 ff", 0),
                     Q2P_ERR_LIST);
    assert_int_equal(packet.lost_count, 1);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0b00 " HASH, 19), Q2P_OK);
    for (size_t len = 4; len < 20; len++)
        assert_int_equal(q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, bytes, len, len),
                         Q2P_ERR_SHORT);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0b00 " HASH, 512), Q2P_OK);
    assert_int_equal(packet.lost_count, Q2P_SYNS_MAX);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 0b00 " HASH, 516),
                     Q2P_ERR_OVERSIZE);
    assert_int_equal(packet.lost_count, Q2P_SYNS_MAX + 1);
}

static void a_cut_capture_is_not_a_bad_message(void **state)
{
    (void)state;
    struct q2p_packet packet;
    size_t total = unit_datagram(bytes, sizeof bytes, "0000 0800 " HASH " e8030000 01000000", 512);

    for (size_t have = 0; have < total; have++) {
        assert_int_equal(q2p_wire_read(&packet, Q2P_DIALECT_CLASSIC, bytes, have, total),
                         Q2P_ERR_CUT);
        assert_true(packet.body_at.at + packet.body_at.len <= have);
    }
    assert_int_equal(q2p_wire_read(&packet, Q2P_DIALECT_CLASSIC, bytes, 100, 511), Q2P_ERR_SHARE);
}

static void a_number_without_meaning_is_unknown(void **state)
{
    (void)state;
    struct q2p_packet packet;

    assert_int_equal(read_as(Q2P_DIALECT_CLASSIC, &packet, "0000 0b00", 0), Q2P_ERR_UNKNOWN);
    assert_int_equal(packet.event, Q2P_EV_UNKNOWN);
    assert_int_equal(packet.number, 11);
    assert_int_equal(read_as(Q2P_DIALECT_OPTIONS, &packet, "0000 ffff", 0), Q2P_ERR_UNKNOWN);
    /* of no dialect in particular: what all agree on is known, the rest is not */
    assert_int_equal(read_as(Q2P_DIALECT_UNKNOWN, &packet, "0000 0600", 0), Q2P_OK);
    assert_int_equal(packet.event, Q2P_EV_CONNECTED);
    assert_int_equal(read_as(Q2P_DIALECT_UNKNOWN, &packet, "0000 0700", 0), Q2P_ERR_UNKNOWN);
}

static void what_is_written_reads_the_same(void **state)
{
    (void)state;
    uint32_t lost[] = {1, 0x01020304};
    struct q2p_message message = {.network_id = 0xabcd,
                                  .length = 1000,
                                  .syn = 2,
                                  .body = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                                  .body_len = 32,
                                  .lost = lost,
                                  .lost_count = 2};
    struct q2p_packet packet;

    memset(message.hash.bytes, 7, Q2P_HASH_LEN);
    assert_int_equal(q2p_addr_parse(&message.address, "[fd77::2]:10002", 15), Q2P_OK);
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++)
        for (int event = 0; event < Q2P_EV_UNKNOWN; event++) {
            message.event = (enum q2p_event)event;
            int len = q2p_wire_write(bytes, sizeof bytes, (enum q2p_dialect)dialect, &message);
            if (q2p_event_number((enum q2p_dialect)dialect, message.event) < 0) {
                assert_int_equal(len, Q2P_ERR_UNKNOWN);
                continue;
            }
            assert_int_equal(
                q2p_wire_read(&packet, (enum q2p_dialect)dialect, bytes, (size_t)len, (size_t)len),
                Q2P_OK);
            assert_int_equal(packet.event, event);
            assert_int_equal(packet.network_id, 0xabcd);
            if (packet.hash_at.len > 0)
                assert_memory_equal(bytes + packet.hash_at.at, message.hash.bytes, Q2P_HASH_LEN);
            if (packet.address_at.len > 0)
                assert_true(q2p_addr_equal(&packet.address, &message.address));
            if (packet.lost_count > 0)
                assert_int_equal(q2p_wire_lost(&packet, bytes, 1), lost[1]);
            /* too little room: the size is still told, and not a byte behind it written */
            memset(bytes, 0xee, sizeof bytes);
            assert_int_equal(q2p_wire_write(bytes, 3, (enum q2p_dialect)dialect, &message), len);
            assert_int_equal(bytes[3], 0xee);
        }
    assert_int_equal(q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_EARLY, &message),
                     Q2P_ERR_UNKNOWN);
}

static void fragments_share_the_length(void **state)
{
    (void)state;
    static const struct {
        uint32_t length, fragments, last;
    } rows[] = {{0, 0, 0},   {1, 1, 1},     {483, 1, 483}, {484, 1, 484},
                {485, 2, 1}, {968, 2, 484}, {969, 3, 1},   {UINT32_MAX, 8873900, 179}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(q2p_wire_fragments(rows[i].length), rows[i].fragments);
        if (rows[i].fragments > 0)
            assert_int_equal(q2p_wire_share(rows[i].length, rows[i].fragments - 1), rows[i].last);
        assert_int_equal(q2p_wire_share(rows[i].length, rows[i].fragments), 0);
    }
    assert_int_equal(q2p_wire_share(485, 0), 484);
}

/* Fragments of one key behind one another, as UDP_SEGMENT leaves them in a recording. */
static void what_a_kernel_joined_is_seen(void **state)
{
    (void)state;
    enum { OPTIONS = 508, CLASSIC = 512, COUNT = 3 };
    uint8_t joined[COUNT * CLASSIC];

    for (size_t len = OPTIONS; len <= CLASSIC; len += CLASSIC - OPTIONS) {
        memset(joined, 0xa5, sizeof joined);
        for (size_t i = 0; i < COUNT; i++)
            for (size_t k = 0; k < 20; k++)
                joined[i * len + k] = (uint8_t)(7 * k + 1);
        assert_int_equal(q2p_wire_joined(joined, COUNT * len, COUNT * len), 3);
        assert_int_equal(q2p_wire_joined(joined, 2 * len + 24, 2 * len + 24), 3); /* a short end */
        assert_int_equal(q2p_wire_joined(joined, len + 20, COUNT * len), 3);      /* a cut one */
        assert_int_equal(q2p_wire_joined(joined, len + 19, COUNT * len), 1);
        assert_int_equal(q2p_wire_joined(joined, len, len), 1);
        joined[len + 4] ^= 1; /* another key */
        assert_int_equal(q2p_wire_joined(joined, COUNT * len, COUNT * len), 1);
    }
}

static void names_come_from_the_map(void **state)
{
    (void)state;
    assert_string_equal(q2p_event_name(Q2P_EV_TOUCHREQUEST), "TOUCHREQUEST");
    assert_string_equal(q2p_event_title(Q2P_EV_TOUCHREQUEST), "Touch Request");
    assert_string_equal(q2p_event_section(Q2P_EV_TRANSPORT), "3.6");
    assert_string_equal(q2p_event_name((enum q2p_event)99), "UNKNOWN");
    assert_string_equal(q2p_dialect_name(Q2P_DIALECT_OPTIONS), "options");
    assert_string_equal(q2p_dialect_name((enum q2p_dialect)99), "unknown");
    assert_int_equal(q2p_event_number(Q2P_DIALECT_EARLY, Q2P_EV_OPTIONS), -1);
    assert_int_equal(q2p_event_number((enum q2p_dialect)99, Q2P_EV_JOIN), -1);
    assert_int_equal(q2p_event_of(Q2P_DIALECT_EARLY, 7), Q2P_EV_TRANSPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_id_and_event),
        cmocka_unit_test(what_follows_a_bare_event_is_trailing),
        cmocka_unit_test(an_address_is_text_to_the_end),
        cmocka_unit_test(a_classic_fragment_carries_its_length),
        cmocka_unit_test(an_options_fragment_has_no_length),
        cmocka_unit_test(options_and_feedback_have_one_length_each),
        cmocka_unit_test(a_list_holds_whole_numbers),
        cmocka_unit_test(a_cut_capture_is_not_a_bad_message),
        cmocka_unit_test(a_number_without_meaning_is_unknown),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(fragments_share_the_length),
        cmocka_unit_test(what_a_kernel_joined_is_seen),
        cmocka_unit_test(names_come_from_the_map),
    };
    return cmocka_run_group_tests_name("q2p_wire", tests, NULL, NULL);
}
