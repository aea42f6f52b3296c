/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pcapng.c - the writer's bytes; the frames are what Scapy makes of the same addresses. */
#define _GNU_SOURCE /* open_memstream */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "pcapng.h"

struct written {
    char *bytes;
    size_t len;
    FILE *file;
    struct pcapng out;
};

static void start(struct written *written)
{
    written->file = open_memstream(&written->bytes, &written->len);
    pcapng_begin(&written->out, written->file, "q2p", NULL);
}

static void assert_bytes(struct written *written, size_t at, const char *hex)
{
    uint8_t wanted[2048];
    size_t len = unit_hex(wanted, sizeof wanted, hex);
    pcapng_flush(&written->out);
    fflush(written->file);
    assert_true(at + len <= written->len);
    assert_memory_equal(written->bytes + at, wanted, len);
}

static void stop(struct written *written)
{
    fclose(written->file);
    free(written->bytes);
}

struct bytes {
    const uint8_t *bytes;
    uint32_t len;
};

static void prepare(struct pcapng_payload *payload, struct bytes bytes, const char *comment)
{
    struct pcapng_note note = {0};
    if (comment)
        pcapng_note(&note, comment);
    pcapng_keep(payload, 0x0a0b0c, bytes.bytes, bytes.len);
    pcapng_prepare(payload, &note);
}

/* One sighting of a datagram of its own. */
static void put(struct written *written, struct pcapng_datagram datagram, struct bytes bytes,
                const char *comment)
{
    struct pcapng_payload payload;
    prepare(&payload, bytes, comment);
    pcapng_datagram(&written->out, &datagram, &payload, NULL);
}

static struct q2p_addr addr(const char *text)
{
    struct q2p_addr out;
    assert_int_equal(q2p_addr_parse(&out, text, strlen(text)), 0);
    return out;
}

static void a_file_starts_with_section_and_interfaces(void **state)
{
    (void)state;
    struct written w;
    start(&w);
    assert_int_equal(pcapng_interface(&w.out, "alice", "host"), 0);
    assert_int_equal(pcapng_interface(&w.out, "", NULL), 1);
    assert_bytes(&w, 0,
                 "0a0d0d0a 28000000 4d3c2b1a 0100 0000 ffffffffffffffff"
                 "0400 0300 71327000"
                 "00000000 28000000");
    assert_bytes(&w, 40,
                 "01000000 34000000 0100 0000 00000000"
                 "0200 0500 616c696365000000"
                 "0300 0400 686f7374"
                 "0900 0100 09000000"
                 "00000000 34000000"
                 "01000000 20000000 0100 0000 00000000 0900 0100 09000000 00000000 20000000");
    assert_int_equal(w.len, 40 + 52 + 32);
    stop(&w);
}

static void a_datagram_over_ipv4_is_a_valid_frame(void **state)
{
    (void)state;
    struct written w;
    struct q2p_addr alice = addr("10.0.0.2:10001"), seed = addr("203.0.113.1:10000");
    start(&w);
    pcapng_interface(&w.out, NULL, NULL);
    struct pcapng_datagram join = {.out = true, .t_ns = 0x0102030405, .src = alice, .dst = seed};
    put(&w, join, (struct bytes){(const uint8_t *)"\0\0\0\0", 4}, "lost");
    size_t at = 40 + 32; /* section, interface */
    assert_bytes(&w, at,
                 "06000000 70000000 00000000 01000000 05040302 2e000000 2e000000"
                 "0271cb00710102710a000002080045000020000040004011f4c90a000002cb00710127112710000c"
                 "6bb100000000 0000"
                 "0100 0400 6c6f7374"
                 "0200 0400 02000000"
                 "0500 0800 0c0b0a0000000000"
                 "00000000 70000000");
    assert_int_equal(w.len, at + 0x70);
    stop(&w);
}

static void one_interface_may_say_more_of_a_datagram(void **state)
{
    (void)state;
    struct written w;
    struct pcapng_note note;
    struct pcapng_payload payload;
    struct q2p_addr alice = addr("10.0.0.2:10001"), seed = addr("203.0.113.1:10000");
    start(&w);
    pcapng_interface(&w.out, NULL, NULL);
    struct pcapng_datagram join = {.src = alice, .dst = seed};
    prepare(&payload, (struct bytes){(const uint8_t *)"\0\0\0\0", 4}, "lost");
    pcapng_note(&note, "mapped");
    pcapng_datagram(&w.out, &join, &payload, &note);
    size_t at = 40 + 32 + 28 + 46 + 2; /* section, interface, head, frame, padding */
    const char *options = "0100 0400 6c6f7374 0200 0400 01000000 0500 0800 0c0b0a0000000000"
                          "0100 0600 6d61707065640000 00000000 7c000000";
    assert_bytes(&w, at, options);
    assert_int_equal(w.len, 40 + 32 + 0x7c);
    stop(&w);
}

/* Texts of every length, copied in steps of a line of memory. */
static void notes_are_whole_or_cut(void **state)
{
    (void)state;
    char text[PCAPNG_NOTE_MAX + 20] = {0};
    for (uint32_t len = 1; len < sizeof text; len++) {
        struct written w;
        struct pcapng_note note;
        struct pcapng_payload payload;
        struct q2p_addr alice = addr("10.0.0.2:10001");
        uint32_t kept = len < PCAPNG_NOTE_MAX ? len : PCAPNG_NOTE_MAX;
        uint32_t option_len = 4 + (kept + 3) / 4 * 4, total = 0x64 + 2 * option_len;
        text[len - 1] = (char)('a' + len % 26);
        start(&w);
        pcapng_interface(&w.out, NULL, NULL);
        pcapng_note(&note, text);
        assert_int_equal(note.len, option_len);
        prepare(&payload, (struct bytes){(const uint8_t *)"\0\0", 2}, text);
        pcapng_datagram(&w.out, &(struct pcapng_datagram){.src = alice, .dst = alice}, &payload,
                        &note);
        const uint8_t *end = w.out.buffer + w.out.used;
        assert_int_equal(w.out.used, 40 + 32 + total);
        assert_int_equal(end[-4] | end[-3] << 8, total);
        assert_memory_equal(end - 8, "\0\0\0\0", 4);
        assert_memory_equal(end - 8 - option_len + 4, text, kept);
        assert_memory_equal(end - 8 - 2 * option_len - 20 + 4, text, kept);
        assert_memory_equal(end - 8 - option_len - 20, "\2\0\4\0\1\0\0\0\5\0\10\0", 12);
        stop(&w);
    }
}

static void a_datagram_over_ipv6_is_a_valid_frame(void **state)
{
    (void)state;
    struct written w;
    struct q2p_addr one = addr("[fd77::1]:1"), two = addr("[fd77::2]:2");
    start(&w);
    pcapng_interface(&w.out, NULL, NULL);
    put(&w, (struct pcapng_datagram){.src = one, .dst = two},
        (struct bytes){(const uint8_t *)"odd", 3}, NULL);
    assert_bytes(&w, 40 + 32 + 28,
                 "02710000000202710000000186dd60000000000b1140fd770000000000000000000000000001fd77"
                 "000000000000000000000000000200010002000b317e6f6464 000000"
                 "0200 0400 01000000");
    stop(&w);
}

static void mixed_families_become_mapped_ipv6(void **state)
{
    (void)state;
    struct written w;
    struct q2p_addr four = addr("10.0.0.2:1"), six = addr("[fd77::2]:2");
    start(&w);
    pcapng_interface(&w.out, NULL, NULL);
    put(&w, (struct pcapng_datagram){.src = four, .dst = six},
        (struct bytes){(const uint8_t *)"odd", 3}, NULL);
    assert_bytes(&w, 40 + 32 + 28 + 14 + 8,
                 "00000000000000000000ffff0a000002 fd770000000000000000000000000002");
    stop(&w);
}

/* The same block as of a datagram that was never anywhere else. */
static void the_head_moves_with_the_datagram(void **state)
{
    (void)state;
    static const char *const ways[][2] = {
        {"10.0.0.2:10001", "203.0.113.1:10000"},   {"198.51.100.1:7", "203.0.113.1:10000"},
        {"198.51.100.1:7", "203.0.113.1:10000"},   {"198.51.100.1:7", "10.0.0.9:10000"},
        {"[fd77::2]:2", "10.0.0.9:10000"},         {"[fd77::2]:2", "[fd77::3]:2"},
        {"198.51.100.1:7", "255.255.255.254:9999"}};
    struct written moved, fresh;
    struct pcapng_payload payload;
    uint8_t ones[73];
    memset(ones, 0xFF, sizeof ones);
    start(&moved);
    start(&fresh);
    pcapng_interface(&moved.out, NULL, NULL);
    pcapng_interface(&fresh.out, NULL, NULL);
    prepare(&payload, (struct bytes){ones, sizeof ones}, "lost");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct pcapng_datagram seen = {.out = i % 2,
                                       .t_ns = (q2p_time)i << 31,
                                       .src = addr(ways[i][0]),
                                       .dst = addr(ways[i][1])};
        pcapng_datagram(&moved.out, &seen, &payload, NULL);
        put(&fresh, seen, (struct bytes){ones, sizeof ones}, "lost");
    }
    assert_int_equal(moved.out.used, fresh.out.used);
    assert_memory_equal(moved.out.buffer, fresh.out.buffer, fresh.out.used);
    stop(&moved);
    stop(&fresh);
}

/* Word by word, as RFC 768 has it: with the checksum in it the sum is all ones. */
static void checksums_carry_as_often_as_it_takes(void **state)
{
    (void)state;
    uint8_t bytes[PCAPNG_PAYLOAD_MAX];
    for (uint32_t len = 0; len <= sizeof bytes; len++) {
        struct written w;
        struct pcapng_datagram seen = {.src = addr("10.0.0.2:10001"), .dst = addr("10.0.0.3:1")};
        memset(bytes, 0xFF, sizeof bytes);
        if (len == 24)
            memcpy(bytes + 16, "\1\0\0\0\0\0\0", 8);
        start(&w);
        pcapng_interface(&w.out, NULL, NULL);
        put(&w, seen, (struct bytes){bytes, len}, NULL);
        const uint8_t *ip = w.out.buffer + 40 + 32 + 28 + 14;
        uint32_t total = 17 + 8 + len;
        for (uint32_t at = 12; at < 28 + len; at++)
            total += at % 2 ? ip[at] : (uint32_t)ip[at] << 8;
        while (total >> 16)
            total = (total & 0xFFFF) + (total >> 16);
        assert_int_equal(total, 0xFFFF);
        stop(&w);
    }
}

static void long_texts_are_cut_and_full_datagrams_fit(void **state)
{
    (void)state;
    struct written w;
    struct q2p_addr six = addr("[fd77::2]:2");
    static char text[5000];
    static uint8_t payload[PCAPNG_PAYLOAD_MAX];
    memset(text, 'x', sizeof text - 1);
    start(&w);
    pcapng_interface(&w.out, text, text);
    put(&w, (struct pcapng_datagram){.src = six, .dst = six},
        (struct bytes){payload, sizeof payload}, text);
    pcapng_flush(&w.out);
    fflush(w.file);
    assert_int_equal(w.len % 4, 0);
    assert_in_range(w.len, 40 + 500 + sizeof payload, 40 + 1200 + sizeof payload);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_starts_with_section_and_interfaces),
        cmocka_unit_test(a_datagram_over_ipv4_is_a_valid_frame),
        cmocka_unit_test(one_interface_may_say_more_of_a_datagram),
        cmocka_unit_test(notes_are_whole_or_cut),
        cmocka_unit_test(a_datagram_over_ipv6_is_a_valid_frame),
        cmocka_unit_test(mixed_families_become_mapped_ipv6),
        cmocka_unit_test(the_head_moves_with_the_datagram),
        cmocka_unit_test(checksums_carry_as_often_as_it_takes),
        cmocka_unit_test(long_texts_are_cut_and_full_datagrams_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
