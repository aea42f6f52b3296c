/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base_buf.c - bounds of the one reader and the one writer. */
#include "unit.h"

#include "base_buf.h"

static const uint8_t bytes[] = {0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0xaa, 0xbb};

static void fields_are_little_endian_and_know_their_place(void **state)
{
    (void)state;
    struct q2p__reader reader;
    struct q2p_span span;

    q2p__reader_init(&reader, bytes, sizeof bytes, sizeof bytes);
    assert_int_equal(q2p__read_u16(&reader, &span), 0x1234);
    assert_int_equal(span.at, 0);
    assert_int_equal(span.len, 2);
    assert_int_equal(q2p__read_u32(&reader, &span), 0x12345678);
    assert_int_equal(span.at, 2);
    assert_int_equal(q2p__read_rest(&reader, &span), 2);
    assert_int_equal(span.at, 6);
    assert_int_equal(span.len, 2);
    assert_int_equal(reader.status, Q2P_OK);
}

static void a_field_past_the_end_is_short_and_stays_so(void **state)
{
    (void)state;
    struct q2p__reader reader;
    struct q2p_span span;

    q2p__reader_init(&reader, bytes, 3, 3);
    q2p__read_skip(&reader, 2, &span);
    assert_int_equal(q2p__read_u32(&reader, &span), 0);
    assert_int_equal(span.len, 0);
    assert_int_equal(reader.status, Q2P_ERR_SHORT);
    assert_int_equal(q2p__read_u16(&reader, &span), 0); /* would fit nowhere either */
    assert_int_equal(q2p__read_rest(&reader, &span), 0);
    assert_int_equal(span.len, 0);
    assert_int_equal(reader.status, Q2P_ERR_SHORT);
}

static void a_field_past_the_capture_is_cut(void **state)
{
    (void)state;
    struct q2p__reader reader;
    struct q2p_span span;

    q2p__reader_init(&reader, bytes, 3, 6);
    assert_int_equal(q2p__read_u32(&reader, &span), 0);
    assert_int_equal(reader.status, Q2P_ERR_CUT);

    q2p__reader_init(&reader, bytes, 3, 6);
    q2p__read_u16(&reader, &span);
    assert_int_equal(q2p__read_rest(&reader, &span), 4); /* on the wire */
    assert_int_equal(span.len, 1);                       /* at hand */
    assert_int_equal(reader.status, Q2P_ERR_CUT);
}

static void an_empty_rest_is_fine(void **state)
{
    (void)state;
    struct q2p__reader reader;
    struct q2p_span span;

    q2p__reader_init(&reader, bytes, 2, 2);
    q2p__read_u16(&reader, &span);
    assert_int_equal(q2p__read_rest(&reader, &span), 0);
    assert_int_equal(reader.status, Q2P_OK);
}

static void the_writer_counts_past_its_room_but_does_not_write_there(void **state)
{
    (void)state;
    uint8_t out[8] = {0, 0, 0, 0, 0, 0, 0xee, 0xee};
    struct q2p__writer writer;

    q2p__writer_init(&writer, out, 6);
    q2p__write_u16(&writer, 0x1234);
    q2p__write_u32(&writer, 0x12345678);
    assert_memory_equal(out, bytes, 6);
    q2p__write_bytes(&writer, bytes, 5);
    assert_int_equal(writer.at, 11);
    assert_int_equal(out[6], 0xee);

    q2p__writer_init(&writer, NULL, 0);
    q2p__write_u32(&writer, 1);
    assert_int_equal(writer.at, 4);

    memset(out, 0, sizeof out);
    q2p__writer_init(&writer, out, 3); /* half a field fits */
    q2p__write_u16(&writer, 0x1234);
    q2p__write_u16(&writer, 0x5678);
    assert_memory_equal(out, "\x34\x12\x78\0", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_little_endian_and_know_their_place),
        cmocka_unit_test(a_field_past_the_end_is_short_and_stays_so),
        cmocka_unit_test(a_field_past_the_capture_is_cut),
        cmocka_unit_test(an_empty_rest_is_fine),
        cmocka_unit_test(the_writer_counts_past_its_room_but_does_not_write_there),
    };
    return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
