/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_scn_value.c - values with units, both ways. */
#include "unit.h"

#include "scn_schema.h"

struct box {
    int64_t number;
    struct scn_range range;
    struct q2p_addr addr;
    uint8_t word;
};

static bool read(enum scn_kind kind, const char *text, struct box *out, char *printed)
{
    struct scn_key key = {.section = "test",
                          .name = "key",
                          .kind = kind,
                          .words = "|red|green",
                          .max = INT64_MAX,
                          .at = offsetof(struct box, number),
                          .width = 8};
    struct scn_errors errors = {.file = "test.yaml"};
    struct scn_yaml value = {.shape = SCN_SCALAR, .line = 3, .column = 9};
    char copy[80];
    snprintf(copy, sizeof copy, "%s", text);
    value.text = copy;
    if (kind == SCN_TIMES || kind == SCN_COUNTS)
        key.at = offsetof(struct box, range);
    if (kind == SCN_ADDR || kind == SCN_IP)
        key.at = offsetof(struct box, addr);
    if (kind == SCN_WORD) {
        key.at = offsetof(struct box, word);
        key.width = 1;
    }
    *out = (struct box){0};
    bool fine = scn_value_read(&key, &value, out, &errors);
    assert_int_equal(errors.count, !fine);
    scn_errors_free(&errors);
    scn_value_write(&key, out, printed, 80);
    return fine;
}

static void assert_number(enum scn_kind kind, const char *text, int64_t wanted, const char *written)
{
    struct box box;
    char printed[80];
    assert_true(read(kind, text, &box, printed));
    assert_true(box.number == wanted);
    assert_string_equal(printed, written);
}

static void assert_refused(enum scn_kind kind, const char *text)
{
    struct box box;
    char printed[80];
    if (read(kind, text, &box, printed))
        fail_msg("'%s' was taken", text);
}

static void times_have_units(void **state)
{
    (void)state;
    assert_number(SCN_TIME, "20ms", 20000000, "20ms");
    assert_number(SCN_TIME, "1.5s", 1500000000, "1500ms");
    assert_number(SCN_TIME, "90s", 90 * Q2P_SECOND, "90s");
    assert_number(SCN_TIME, "120s", 120 * Q2P_SECOND, "2min");
    assert_number(SCN_TIME, "1h", 3600 * Q2P_SECOND, "1h");
    assert_number(SCN_TIME, "7us", 7000, "7us");
    assert_number(SCN_TIME, "7ns", 7, "7ns");
    assert_number(SCN_TIME, "0", 0, "0");
    static const char *const bad[] = {
        "",     "5",    "5 s", "s",           "-1s", "1.s",   "1.5ns", "0x5s",
        "1e3s", "5sec", "5S",  "9999999999h", ".5s", "1..2s", "1s ",   "99999999999999999999s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(SCN_TIME, bad[i]);
}

static void loss_is_a_percentage_and_a_bare_1_is_refused(void **state)
{
    (void)state;
    assert_number(SCN_LOSS, "1%", 10000000, "1%");
    assert_number(SCN_LOSS, "0.1%", 1000000, "0.1000000%");
    assert_number(SCN_LOSS, "12.5%", 125000000, "12.5000000%");
    assert_number(SCN_LOSS, "100%", NET_LOSS_ALWAYS, "100%");
    assert_number(SCN_LOSS, "0%", 0, "0");
    assert_refused(SCN_LOSS, "1");
    assert_refused(SCN_LOSS, "0.01");
    assert_refused(SCN_LOSS, "1 %");
    assert_refused(SCN_LOSS, "0.00000001%");
}

static void sizes_rates_and_counts_have_theirs(void **state)
{
    (void)state;
    assert_number(SCN_SIZE, "100KiB", 102400, "100KiB");
    assert_number(SCN_SIZE, "1000B", 1000, "1kB");
    assert_number(SCN_SIZE, "484B", 484, "484B");
    assert_number(SCN_SIZE, "2MB", 2000000, "2MB");
    assert_refused(SCN_SIZE, "100");
    assert_refused(SCN_SIZE, "100KB");
    assert_number(SCN_RATE, "10Mbit", 1250000, "10Mbit");
    assert_number(SCN_RATE, "8bit", 1, "8bit");
    assert_refused(SCN_RATE, "9bit"); /* no whole byte */
    assert_refused(SCN_RATE, "10mbit");
    assert_number(SCN_COUNT, "0x1234", 0x1234, "4660");
    assert_number(SCN_COUNT, "12", 12, "12");
    assert_refused(SCN_COUNT, "0x");
    assert_refused(SCN_COUNT, "0xg");
    assert_refused(SCN_COUNT, "twelve");
    assert_refused(SCN_COUNT, "1 2");
}

static void ranges_go_upwards(void **state)
{
    (void)state;
    struct box box;
    char printed[80];
    assert_true(read(SCN_TIMES, "15ms..25ms", &box, printed));
    assert_string_equal(printed, "15ms..25ms");
    assert_int_equal(box.range.max - box.range.min, 10 * Q2P_MILLISECOND);
    assert_true(read(SCN_TIMES, "20ms", &box, printed));
    assert_string_equal(printed, "20ms");
    assert_true(read(SCN_COUNTS, "0..3", &box, printed));
    assert_string_equal(printed, "0..3");
    assert_refused(SCN_TIMES, "25ms..15ms");
    assert_refused(SCN_TIMES, "15..25ms");
    assert_refused(SCN_TIMES, "15ms..");
    assert_refused(SCN_TIMES, "..25ms");
}

static void words_and_addresses_come_back_the_same(void **state)
{
    (void)state;
    struct box box;
    char printed[80];
    static const char *const addresses[] = {"10.0.0.2:10001", "\"[fd77::2]:1\""};
    assert_true(read(SCN_WORD, "green", &box, printed));
    assert_int_equal(box.word, 2);
    assert_string_equal(printed, "green");
    assert_refused(SCN_WORD, "blue");
    assert_refused(SCN_WORD, "");
    assert_refused(SCN_WORD, "red|green");
    assert_true(read(SCN_ADDR, "10.0.0.2:10001", &box, printed));
    assert_string_equal(printed, addresses[0]);
    assert_true(read(SCN_ADDR, "[fd77::2]:1", &box, printed));
    assert_string_equal(printed, addresses[1]);
    assert_true(read(SCN_IP, "198.51.100.1", &box, printed));
    assert_int_equal(box.addr.port, 0);
    assert_string_equal(printed, "198.51.100.1");
    assert_true(read(SCN_IP, "fd77::2", &box, printed));
    assert_string_equal(printed, "\"fd77::2\"");
    assert_refused(SCN_ADDR, "10.0.0.2");
    assert_refused(SCN_ADDR, "224.0.0.1:5");
    assert_refused(SCN_IP, "10.0.0.2:80");
    assert_refused(SCN_IP, "host");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(loss_is_a_percentage_and_a_bare_1_is_refused),
        cmocka_unit_test(sizes_rates_and_counts_have_theirs),
        cmocka_unit_test(ranges_go_upwards),
        cmocka_unit_test(words_and_addresses_come_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
