/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cli_blocks.c - pcapng files written here block by block, in either byte order. Every packet
 * is the 4 bytes "ping".
 */
#define _DEFAULT_SOURCE /* u_char, for pcap.h; fmemopen */
#include "unit.h"

#include <stdio.h>

#include <pcap/pcap.h>

#include <q2p/status.h>

#include "cli_blocks.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, OLD_PACKET = 2, SIMPLE = 3, PACKET = 6, OTHER = 5 };

struct file {
    uint8_t bytes[4096];
    size_t len;
    bool big; /* byte order */
};

static void put(struct file *file, uint64_t value, int len)
{
    for (int i = 0; i < len; i++)
        file->bytes[file->len++] = (uint8_t)(value >> 8 * (file->big ? len - 1 - i : i));
}

/* A block of numbers of 32 bits, then bytes as hex. */
static void block(struct file *file, uint32_t type, const uint32_t *words, size_t count,
                  const char *hex)
{
    uint8_t bytes[256];
    size_t bytes_len = unit_hex(bytes, sizeof bytes, hex);
    uint32_t len = (uint32_t)(12 + 4 * count + (bytes_len + 3) / 4 * 4);
    put(file, type, 4);
    put(file, len, 4);
    for (size_t i = 0; i < count; i++)
        put(file, words[i], 4);
    memcpy(file->bytes + file->len, bytes, bytes_len);
    memset(file->bytes + file->len + bytes_len, 0, 3);
    file->len += (bytes_len + 3) / 4 * 4;
    put(file, len, 4);
}

static void section(struct file *file)
{
    block(file, SECTION, (uint32_t[]){0x1a2b3c4d, 1, 0xffffffff, 0xffffffff}, 4, "");
}

/* Options as hex, which is in the file's byte order already. */
static void interface(struct file *file, uint32_t link, const char *options)
{
    uint32_t word = file->big ? link << 16 : link;
    block(file, INTERFACE, (uint32_t[]){word, 0}, 2, options);
}

static void packet(struct file *file, uint32_t number, uint64_t time)
{
    block(file, PACKET, (uint32_t[]){number, (uint32_t)(time >> 32), (uint32_t)time, 4, 4}, 5,
          "70696e67");
}

struct reading {
    FILE *file;
    struct cli_blocks *pcapng;
    struct cli_blocks_frame frame;
    char why[CLI_WHY_MAX];
};

static struct reading it;

static void open_file(struct file *file)
{
    it.file = fmemopen(file->bytes, file->len, "rb");
    it.pcapng = cli_blocks_new(it.file);
    assert_non_null(it.pcapng);
}

static int next(void)
{
    return cli_blocks_next(it.pcapng, &it.frame, it.why);
}

static void close_file(void)
{
    assert_int_equal(next(), 0);
    cli_blocks_free(it.pcapng);
    fclose(it.file);
}

static void assert_ping(uint32_t number, int link, int64_t t_ns)
{
    assert_int_equal(next(), 1);
    assert_int_equal(it.frame.interface, number);
    assert_int_equal(it.frame.link, link);
    assert_int_equal(it.frame.t_ns, t_ns);
    assert_int_equal(it.frame.have, 4);
    assert_int_equal(it.frame.total, 4);
    assert_memory_equal(it.frame.bytes, "ping", 4);
}

/* The error behind everything that could be read. */
static void assert_breaks(const char *why)
{
    assert_int_equal(next(), Q2P_ERR_INVALID);
    assert_string_equal(it.why, why);
    cli_blocks_free(it.pcapng);
    fclose(it.file);
}

static void interfaces_are_told_apart_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct file file = {.big = big};
        section(&file);
        interface(&file, 1, big ? "0002 0004 65746830" : "0200 0400 65746830"); /* eth0 */
        interface(&file, 101, "");
        packet(&file, 1, 1000000);
        packet(&file, 0, 2000001);
        open_file(&file);
        assert_ping(1, DLT_RAW, Q2P_SECOND);
        assert_ping(0, DLT_EN10MB, 2 * Q2P_SECOND + Q2P_MICROSECOND);
        assert_int_equal(cli_blocks_interfaces(it.pcapng), 2);
        assert_string_equal(cli_blocks_name(it.pcapng, 0), "eth0");
        assert_string_equal(cli_blocks_name(it.pcapng, 1), "");
        assert_string_equal(cli_blocks_name(it.pcapng, 2), "");
        close_file();
    }
}

static void a_time_is_in_units_of_its_interface(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        uint64_t time;
        int64_t t_ns;
    } rows[] = {
        {"", 1500000, 1500 * Q2P_MILLISECOND},
        {"0900 0100 09000000", 1500000000, 1500 * Q2P_MILLISECOND},
        {"0900 0100 00000000", 3, 3 * Q2P_SECOND},
        {"0900 0100 0c000000", 1500000000000, 1500 * Q2P_MILLISECOND},
        {"0900 0100 81000000", 3, 1500 * Q2P_MILLISECOND},                 /* halves */
        {"0900 0100 bc000000", UINT64_C(3) << 59, 1500 * Q2P_MILLISECOND}, /* 2^-60 */
        {"0900 0100 ff000000", UINT64_MAX, 0},                             /* 2^-127 */
        {"0900 0100 00000000", UINT64_MAX, INT64_MAX / 2},                 /* no such year */
        {"0e00 0800 0200000000000000", 1500000, 3500 * Q2P_MILLISECOND},   /* 2 s later */
        {"0e00 0800 ffffffffffffffff", 1500000, 500 * Q2P_MILLISECOND},    /* 1 s earlier */
        {"0e00 0800 0000000000000080", 1500000, 0},
        {"0e00 0800 82bee01201000000", 4611686018999999, INT64_MAX / 2}, /* as late, twice */
        {"0900 ff00 09", 1500000, 1500 * Q2P_MILLISECOND}, /* an option that does not fit */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file file = {0};
        section(&file);
        interface(&file, 1, rows[i].options);
        packet(&file, 0, rows[i].time);
        open_file(&file);
        assert_ping(0, DLT_EN10MB, rows[i].t_ns);
        close_file();
    }
}

static void every_kind_of_packet_is_one(void **state)
{
    (void)state;
    struct file file = {0};
    section(&file);
    interface(&file, 1, "");
    block(&file, OTHER, (uint32_t[]){1, 2, 3}, 3, ""); /* statistics, passed over */
    block(&file, SIMPLE, (uint32_t[]){4}, 1, "70696e67");
    block(&file, OLD_PACKET, (uint32_t[]){0, 0, 1000000, 4, 4}, 5, "70696e67");
    open_file(&file);
    assert_ping(0, DLT_EN10MB, 0);
    assert_ping(0, DLT_EN10MB, Q2P_SECOND);
    close_file();
}

static void a_section_begins_anew(void **state)
{
    (void)state;
    struct file file = {0};
    section(&file);
    interface(&file, 101, "");
    interface(&file, 101, "");
    packet(&file, 1, 0);
    file.big = true;
    section(&file);
    interface(&file, 1, "");
    packet(&file, 0, 0);
    packet(&file, 1, 0); /* of which this section knows nothing */
    open_file(&file);
    assert_ping(1, DLT_RAW, 0);
    assert_ping(0, DLT_EN10MB, 0);
    assert_ping(1, -1, 0);
    assert_int_equal(cli_blocks_interfaces(it.pcapng), 2);
    close_file();
}

static void what_is_cut_is_as_long_as_it_was(void **state)
{
    (void)state;
    struct file file = {0};
    section(&file);
    interface(&file, 1, "");
    block(&file, PACKET, (uint32_t[]){0, 0, 0, 4, 100}, 5, "70696e67");
    block(&file, PACKET, (uint32_t[]){0, 0, 0, 4000000000, 100}, 5, "70696e67");
    open_file(&file);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(next(), 1);
        assert_int_equal(it.frame.have, 4);
        assert_int_equal(it.frame.total, 100);
    }
    close_file();
}

static void broken_blocks_end_the_file(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
        const char *why;
    } rows[] = {{28 + 20 + 4, 13, "a block has an impossible length"},
                {28 + 20 + 4, 8, "a block has an impossible length"},
                {28 + 20 + 4, 0x7ffffffc, "a block has an impossible length"},
                {28 + 20 + 4, 40, "the file ends inside a block"},
                {28 + 20 + 32, 40, "a block has two different lengths"},
                {28 + 4, 16, "a block has two different lengths"},
                {8, 0, "a section without the byte-order magic"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file file = {0};
        section(&file);
        interface(&file, 1, "");
        packet(&file, 0, 0);
        size_t len = file.len;
        file.len = rows[i].at;
        put(&file, rows[i].value, 4);
        file.len = len;
        open_file(&file);
        assert_breaks(rows[i].why);
    }
}

static void a_cut_file_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    struct file file = {0};
    section(&file);
    interface(&file, 1, "");
    packet(&file, 0, 0);
    size_t whole = file.len;
    packet(&file, 0, 0);
    for (size_t len = whole + 1; len < file.len; len++) {
        struct file cut = file;
        cut.len = len;
        open_file(&cut);
        assert_ping(0, DLT_EN10MB, 0);
        assert_breaks("the file ends inside a block");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_are_told_apart_in_both_byte_orders),
        cmocka_unit_test(a_time_is_in_units_of_its_interface),
        cmocka_unit_test(every_kind_of_packet_is_one),
        cmocka_unit_test(a_section_begins_anew),
        cmocka_unit_test(what_is_cut_is_as_long_as_it_was),
        cmocka_unit_test(broken_blocks_end_the_file),
        cmocka_unit_test(a_cut_file_is_read_as_far_as_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
