/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cli_capture.c - captures written here byte by byte, and the UDP datagrams found in them. */
#define _POSIX_C_SOURCE 200809L
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include <q2p/status.h>

#include "cli_capture.h"

enum { ETHERNET = 1, NULL_LOOPBACK = 0, RAW = 101, COOKED = 113, COOKED2 = 276, TOKEN_RING = 6 };

/* 10.0.0.1:10001 > 10.0.0.2:10000, "hello" */
#define UDP "2711 2710 000d 0000 68656c6c6f"
#define IPV4(protocol) "45 00 0021 0001 0000 40 " protocol " 0000 0a000001 0a000002"
#define MACS "020000000002 020000000001"

struct file {
    uint8_t bytes[8192];
    size_t len;
};

static void put32(struct file *file, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        file->bytes[file->len++] = (uint8_t)(value >> 8 * i);
}

/* A pcap header of microseconds. */
static void begin(struct file *file, uint32_t link)
{
    file->len = 0;
    put32(file, 0xa1b2c3d4);
    put32(file, 4u << 16 | 2); /* version 2.4 */
    put32(file, 0);
    put32(file, 0);
    put32(file, 65535);
    put32(file, link);
}

/* One frame, of which `cut` bytes are left out at the end. */
static void add_cut(struct file *file, const char *hex, uint32_t cut)
{
    uint8_t frame[2048];
    uint32_t len = (uint32_t)unit_hex(frame, sizeof frame, hex);
    put32(file, 1700000000);
    put32(file, 250000);
    put32(file, len - cut);
    put32(file, len);
    memcpy(file->bytes + file->len, frame, len - cut);
    file->len += len - cut;
}

static void add(struct file *file, const char *hex)
{
    add_cut(file, hex, 0);
}

static struct cli_capture *open_file(const struct file *file)
{
    static uint8_t copy[sizeof file->bytes]; /* fmemopen writes a NUL behind the end */
    struct cli_capture *capture;
    char why[CLI_WHY_MAX];
    memcpy(copy, file->bytes, file->len);
    assert_int_equal(cli_capture_open(&capture, fmemopen(copy, file->len, "rb"), why), Q2P_OK);
    return capture;
}

static void assert_hello(const struct cli_datagram *in)
{
    char src[Q2P_ADDR_TEXT_MAX], dst[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(&in->src, src, sizeof src);
    q2p_addr_print(&in->dst, dst, sizeof dst);
    assert_string_equal(src, in->src.ip_len == 4 ? "10.0.0.1:10001" : "[2001:db8::1]:10001");
    assert_string_equal(dst, in->dst.ip_len == 4 ? "10.0.0.2:10000" : "[2001:db8::2]:10000");
    assert_int_equal(in->have, 5);
    assert_int_equal(in->total, 5);
    assert_memory_equal(in->bytes, "hello", 5);
    assert_int_equal(in->t_ns, INT64_C(1700000000250000000));
}

/* Everything but the frame's last one is passed over. */
static void assert_last_is_hello(struct file *file, uint64_t frame)
{
    struct cli_capture *capture = open_file(file);
    struct cli_datagram in;
    char why[CLI_WHY_MAX];
    assert_int_equal(cli_capture_next(capture, &in, why), 1);
    assert_hello(&in);
    assert_int_equal(in.frame, frame);
    assert_int_equal(cli_capture_next(capture, &in, why), 0);
    assert_int_equal(cli_capture_frames(capture), frame);
    cli_capture_close(capture);
}

static void assert_none(struct file *file)
{
    struct cli_capture *capture = open_file(file);
    struct cli_datagram in;
    char why[CLI_WHY_MAX];
    assert_int_equal(cli_capture_next(capture, &in, why), 0);
    cli_capture_close(capture);
}

static void every_link_layer_is_taken_off(void **state)
{
    (void)state;
    static const struct {
        uint32_t link;
        const char *hex;
    } frames[] = {
        {ETHERNET, MACS "0800" IPV4("11") UDP},
        {ETHERNET, MACS "0800" IPV4("11") UDP "000000000000000000"}, /* padding is not ours */
        {ETHERNET, MACS "8100 0007 0800" IPV4("11") UDP},
        {ETHERNET, MACS "88a8 0007 8100 0008 0800" IPV4("11") UDP},
        {RAW, IPV4("11") UDP},
        {NULL_LOOPBACK, "02000000" IPV4("11") UDP},
        {COOKED, "0000 0001 0006 020000000001 0000 0800" IPV4("11") UDP},
        {COOKED2, "0800 0000 00000002 0001 00 06 0200000000010000" IPV4("11") UDP},
    };
    struct file file;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        begin(&file, frames[i].link);
        add(&file, frames[i].hex);
        assert_last_is_hello(&file, 1);
    }
}

/* Seconds and microseconds as a damaged file may say them: never a time before 1970. */
static void odd_times_are_no_time_before_the_first(void **state)
{
    (void)state;
    static const struct {
        uint32_t s, us;
        int64_t t_ns;
    } times[] = {
        {0, UINT32_MAX, 0}, {0, INT32_MAX, INT64_C(483647000)}, {7, UINT32_MAX, 7000000000}};
    struct file file;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct cli_datagram in;
        char why[CLI_WHY_MAX];
        begin(&file, RAW);
        add(&file, IPV4("11") UDP);
        for (int k = 0; k < 4; k++) {
            file.bytes[24 + k] = (uint8_t)(times[i].s >> 8 * k);
            file.bytes[28 + k] = (uint8_t)(times[i].us >> 8 * k);
        }
        struct cli_capture *capture = open_file(&file);
        assert_int_equal(cli_capture_next(capture, &in, why), 1);
        assert_true(in.t_ns >= 0);
        assert_int_equal(in.t_ns, times[i].t_ns);
        cli_capture_close(capture);
    }
}

#define IPV6_ADDRESSES "20010db8000000000000000000000001 20010db8000000000000000000000002"

static void headers_may_have_options_and_extensions(void **state)
{
    (void)state;
    struct file file;
    begin(&file, RAW);
    add(&file, "46 00 0025 0001 0000 40 11 0000 0a000001 0a000002 01010100" UDP);
    assert_last_is_hello(&file, 1);
    begin(&file, RAW);
    add(&file, "60000000 000d 11 40" IPV6_ADDRESSES UDP);
    assert_last_is_hello(&file, 1);
    begin(&file, RAW); /* hop by hop, then destination options of 16 bytes */
    add(&file, "60000000 0025 00 40" IPV6_ADDRESSES "3c00 010400000000"
               "1101 010c000000000000000000000000" UDP);
    assert_last_is_hello(&file, 1);
}

static void what_is_not_udp_is_passed_over(void **state)
{
    (void)state;
    static const char *const frames[] = {
        MACS "0806 0001080006040001", /* ARP */
        MACS "0800" IPV4("06") UDP,   /* TCP */
        MACS "0800"
             "55 00 0021", /* IP version 5 */
        MACS "0800"
             "44 00 0021 0001 0000 40 11 0000 0a000001 0a000002" UDP, /* header too short */
        MACS "0800"
             "4f 00 0021 0001 0000 40 11 0000 0a000001 0a000002" UDP, /* and too long */
        MACS "0800",
        MACS,
        "02",
        MACS "86dd 60000000 0008 3b 40" IPV6_ADDRESSES "0000000000000000", /* no next header */
        MACS "0800" IPV4("11") "2711 2710", /* UDP header cut by the frame itself */
    };
    struct file file;
    begin(&file, ETHERNET);
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        add(&file, frames[i]);
    assert_none(&file);
    add(&file, MACS "0800" IPV4("11") UDP);
    assert_last_is_hello(&file, 1 + sizeof frames / sizeof *frames);
}

static void a_cut_frame_says_how_much_is_missing(void **state)
{
    (void)state;
    struct file file;
    struct cli_datagram in;
    char why[CLI_WHY_MAX];
    begin(&file, ETHERNET);
    add_cut(&file, MACS "0800" IPV4("11") UDP, 3);
    struct cli_capture *capture = open_file(&file);
    assert_int_equal(cli_capture_next(capture, &in, why), 1);
    assert_int_equal(in.have, 2);
    assert_int_equal(in.total, 5);
    assert_memory_equal(in.bytes, "he", 2);
    cli_capture_close(capture);
}

/* "hello" behind its UDP header is 13 bytes: 8 in one fragment, 5 in the other. */
#define FRAGMENT_1(id) "45 00 001c " id " 2000 40 11 0000 0a000001 0a000002 2711 2710 000d 0000"
#define FRAGMENT_2(id) "45 00 0019 " id " 0001 40 11 0000 0a000001 0a000002 68656c6c6f"

static void ip_fragments_are_put_together_in_any_order(void **state)
{
    (void)state;
    struct file file;
    begin(&file, RAW);
    add(&file, FRAGMENT_1("0007"));
    add(&file, FRAGMENT_2("0007"));
    assert_last_is_hello(&file, 2);
    begin(&file, RAW);
    add(&file, FRAGMENT_2("0007"));
    add(&file, FRAGMENT_2("0007")); /* a duplicate does not count twice */
    add(&file, FRAGMENT_2("0008")); /* nor one of another packet */
    add(&file, FRAGMENT_1("0007"));
    assert_last_is_hello(&file, 4);
    begin(&file, RAW);
    add(&file, "60000000 0010 2c 40" IPV6_ADDRESSES "11 00 0001 00000007 2711 2710 000d 0000");
    add(&file, "60000000 000d 2c 40" IPV6_ADDRESSES "11 00 0008 00000007 68656c6c6f");
    assert_last_is_hello(&file, 2);
}

#define V6_FRAGMENT(len, at) "60000000 00" len " 2c 40" IPV6_ADDRESSES "11 00 00" at " 00000007 "

/* Bytes are missing though every fragment says that it ends there, or two say different things.
 */
static void ip_fragments_that_leave_holes_are_no_packet(void **state)
{
    (void)state;
    static const char *const wrong[][4] = {
        /* 7 bytes, no unit: the 8th never came */
        {"45 00 001b 0007 2000 40 11 0000 0a000001 0a000002 2711 2710 000d 00", FRAGMENT_2("0007")},
        /* 16 to 23 lies behind the end, and is no substitute for 0 to 7 */
        {"45 00 001c 0007 2002 40 11 0000 0a000001 0a000002 0000000000000000", FRAGMENT_2("0007"),
         FRAGMENT_1("0007")},
        {FRAGMENT_2("0007"), "45 00 001c 0007 2002 40 11 0000 0a000001 0a000002 0000000000000000",
         FRAGMENT_1("0007")},
        /* two ends */
        {FRAGMENT_2("0007"), "45 00 0018 0007 0001 40 11 0000 0a000001 0a000002 68656c6c",
         FRAGMENT_1("0007")},
        {FRAGMENT_2("0007"), "45 00 0018 0007 0002 40 11 0000 0a000001 0a000002 68656c6c",
         FRAGMENT_1("0007")},
        /* the same bytes twice, but others */
        {FRAGMENT_2("0007"), "45 00 0019 0007 0001 40 11 0000 0a000001 0a000002 68656c6c6e",
         FRAGMENT_1("0007")},
        /* IPv6: more than a copy overlaps, with the same bytes (RFC 5722) */
        {V6_FRAGMENT("18", "01") "2711 2710 000d 0000 68656c6c6f000000",
         V6_FRAGMENT("15", "08") "68656c6c6f000000 0000000000"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct file file;
        begin(&file, RAW);
        for (size_t k = 0; k < 4 && wrong[i][k]; k++)
            add(&file, wrong[i][k]);
        assert_none(&file);
    }
}

static void ip_fragments_may_come_twice_and_overlap_in_ipv4(void **state)
{
    (void)state;
    struct file file;
    begin(&file, RAW);
    add(&file, V6_FRAGMENT("10", "01") "2711 2710 000d 0000");
    add(&file, V6_FRAGMENT("10", "01") "2711 2710 000d 0000");
    add(&file, V6_FRAGMENT("0d", "08") "68656c6c6f");
    assert_last_is_hello(&file, 3);
    begin(&file, RAW);
    add(&file, "45 00 0024 0007 2000 40 11 0000 0a000001 0a000002 2711 2710 000d 0000 68656c6c6f"
               "000000");
    add(&file, "45 00 0021 0007 0001 40 11 0000 0a000001 0a000002 68656c6c6f 0000000000000000");
    assert_last_is_hello(&file, 2);
}

/* A block of pcapng: numbers, then a frame. */
static void block(struct file *file, uint32_t type, const uint32_t *words, size_t count,
                  const char *hex)
{
    uint8_t *frame = file->bytes + file->len + 8 + 4 * count;
    uint32_t room = (uint32_t)(sizeof file->bytes - (size_t)(frame - file->bytes));
    uint32_t len = (uint32_t)unit_hex(frame, room, hex), whole = (len + 3) / 4 * 4;
    put32(file, type);
    put32(file, (uint32_t)(12 + 4 * count) + whole);
    for (size_t i = 0; i < count; i++)
        put32(file, words[i]);
    file->len += whole;
    put32(file, (uint32_t)(12 + 4 * count) + whole);
}

static void each_interface_puts_its_own_fragments_together(void **state)
{
    static const char *const fragments[] = {FRAGMENT_1("0007"), FRAGMENT_2("0007")};
    static const uint32_t lens[] = {28, 25};
    const uint64_t t_us = UINT64_C(1700000000250000);
    const uint32_t high = (uint32_t)(t_us >> 32), low = (uint32_t)t_us;
    (void)state;
    struct file file = {.len = 0};
    struct cli_capture *capture;
    struct cli_datagram in;
    struct cli_flaws flaws;
    char why[CLI_WHY_MAX];
    block(&file, 0x0a0d0d0a, (uint32_t[]){0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX}, 4, "");
    for (int i = 0; i < 2; i++)
        block(&file, 1, (uint32_t[]){RAW, 0}, 2, "");
    for (uint32_t i = 0; i < 4; i++)
        block(&file, 6, (uint32_t[]){i % 2, high, low, lens[i / 2], lens[i / 2]}, 5,
              fragments[i / 2]);
    capture = open_file(&file);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(cli_capture_next(capture, &in, why), 1);
        assert_hello(&in);
        assert_int_equal(in.src.scope_id, i);
        assert_int_equal(in.dst.scope_id, i);
    }
    assert_int_equal(cli_capture_next(capture, &in, why), 0);
    cli_capture_flaws(capture, &flaws);
    assert_int_equal(flaws.torn, 0);
    cli_capture_close(capture);
}

static void unfinished_ip_packets_make_room_for_newer_ones(void **state)
{
    (void)state;
    struct file file;
    begin(&file, RAW);
    add(&file, FRAGMENT_1("1000"));
    for (unsigned id = 0; id < 20; id++) {
        char hex[128];
        snprintf(hex, sizeof hex, FRAGMENT_1("%04x"), id);
        add(&file, hex);
    }
    add(&file, FRAGMENT_2("1000")); /* too late */
    assert_none(&file);
    add(&file, FRAGMENT_2("0013"));
    assert_last_is_hello(&file, 23);
}

static void a_fragment_beyond_the_longest_packet_is_refused(void **state)
{
    (void)state;
    struct file file;
    begin(&file, RAW);
    add(&file, "45 00 001d 0007 1fff 40 11 0000 0a000001 0a000002 0000000000000000ff");
    assert_none(&file);
}

static void assert_refused(const struct file *file, const char *sentence)
{
    struct cli_capture *capture = (void *)&sentence;
    char why[CLI_WHY_MAX] = "";
    uint8_t copy[64];
    memcpy(copy, file->bytes, file->len);
    assert_int_equal(cli_capture_open(&capture, fmemopen(copy, file->len, "rb"), why),
                     Q2P_ERR_INVALID);
    assert_null(capture);
    assert_non_null(strstr(why, sentence));
}

static void what_is_no_capture_is_told(void **state)
{
    (void)state;
    struct file file = {.bytes = "q2p", .len = 3};
    assert_refused(&file, "expected pcap or pcapng");
    begin(&file, TOKEN_RING);
    assert_refused(&file, "link layer");
    cli_capture_close(NULL);
}

static void a_capture_that_breaks_off_is_told(void **state)
{
    (void)state;
    struct file file;
    struct cli_datagram in;
    char why[CLI_WHY_MAX] = "";
    begin(&file, ETHERNET);
    add(&file, MACS "0800" IPV4("11") UDP);
    add(&file, MACS "0800" IPV4("11") UDP);
    file.len -= 10;
    struct cli_capture *capture = open_file(&file);
    assert_int_equal(cli_capture_next(capture, &in, why), 1);
    assert_int_equal(cli_capture_next(capture, &in, why), Q2P_ERR_INVALID);
    assert_non_null(strstr(why, "breaks off behind frame 1"));
    cli_capture_close(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_layer_is_taken_off),
        cmocka_unit_test(odd_times_are_no_time_before_the_first),
        cmocka_unit_test(headers_may_have_options_and_extensions),
        cmocka_unit_test(what_is_not_udp_is_passed_over),
        cmocka_unit_test(a_cut_frame_says_how_much_is_missing),
        cmocka_unit_test(ip_fragments_are_put_together_in_any_order),
        cmocka_unit_test(ip_fragments_that_leave_holes_are_no_packet),
        cmocka_unit_test(ip_fragments_may_come_twice_and_overlap_in_ipv4),
        cmocka_unit_test(each_interface_puts_its_own_fragments_together),
        cmocka_unit_test(unfinished_ip_packets_make_room_for_newer_ones),
        cmocka_unit_test(a_fragment_beyond_the_longest_packet_is_refused),
        cmocka_unit_test(what_is_no_capture_is_told),
        cmocka_unit_test(a_capture_that_breaks_off_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
