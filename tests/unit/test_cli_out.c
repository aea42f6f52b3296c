/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cli_out.c - JSON Lines, hex, hashes and colours. Standard output is a file meanwhile. */
#define _POSIX_C_SOURCE 200809L
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli_out.h"

static int kept; /* the real standard output */
static FILE *caught;

static int catch_output(void **state)
{
    (void)state;
    fflush(stdout);
    kept = dup(STDOUT_FILENO);
    caught = tmpfile();
    return kept < 0 || !caught || dup2(fileno(caught), STDOUT_FILENO) < 0;
}

static int release_output(void **state)
{
    (void)state;
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    fclose(caught);
    return 0;
}

static void assert_written(const char *want)
{
    char text[1024] = "";
    fflush(stdout);
    ssize_t len = pread(fileno(caught), text, sizeof text - 1, 0);
    assert_true(len >= 0);
    assert_string_equal(text, want);
}

static void an_object_is_one_line_with_type_and_time(void **state)
{
    (void)state;
    struct q2p_addr addr;
    struct q2p_hash hash = {{0x00, 0x11, 0xff}};
    assert_int_equal(q2p_addr_parse(&addr, "[::1]:7", 7), 0);
    cli_json_open("test", 5);
    cli_json_number("n", UINT64_MAX);
    cli_json_bool("yes", true);
    cli_json_addr("addr", &addr);
    cli_json_hash("hash", &hash);
    cli_json_raw("none", "null");
    cli_json_raw("list", "[");
    cli_json_item(1, true);
    cli_json_item(2, false);
    cli_json_end("]");
    cli_json_raw("objects", "[");
    cli_json_object("a", true);
    cli_json_number("at", 0);
    cli_json_end("}");
    cli_json_object("b", false);
    cli_json_end("}");
    cli_json_end("]");
    cli_json_close();
    assert_written("{\"type\":\"test\",\"t_ns\":5,\"n\":18446744073709551615,\"yes\":true,"
                   "\"addr\":\"[::1]:7\",\"hash\":\"0011ff00000000000000000000000000\","
                   "\"none\":null,\"list\":[1,2],"
                   "\"objects\":[{\"name\":\"a\",\"at\":0},{\"name\":\"b\"}]}\n");
}

static void strangers_bytes_stay_inside_their_string(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {'a', '"', '\\', '\n', 0, 0x1f, 0x7f, 0x80, 0xff, '}'};
    cli_json_open("test", -1);
    cli_json_bytes("text", bytes, sizeof bytes);
    cli_json_close();
    assert_written("{\"type\":\"test\",\"t_ns\":-1,\"text\":"
                   "\"a\\\"\\\\\\u000a\\u0000\\u001f\\u007f\\u0080\\u00ff}\"}\n");
}

static void names_keep_their_letters(void **state)
{
    (void)state;
    /* umlaut, euro, clef; then no UTF-8: a lone byte, too long, a surrogate, beyond, broken off */
    cli_json_open("test", 0);
    cli_json_text("file", "\xc3\xa4 \xe2\x82\xac \xf0\x9d\x84\x9e\n");
    cli_json_text("odd", "\x80|\xc1\xa1|\xed\xa0\x80|\xf4\x90\x80\x80|\xff|\xe2\x82");
    cli_json_close();
    assert_written("{\"type\":\"test\",\"t_ns\":0,"
                   "\"file\":\"\xc3\xa4 \xe2\x82\xac \xf0\x9d\x84\x9e\\u000a\","
                   "\"odd\":\"\\u0080|\\u00c1\\u00a1|\\u00ed\\u00a0\\u0080|"
                   "\\u00f4\\u0090\\u0080\\u0080|\\u00ff|\\u00e2\\u0082\"}\n");
}

static void colours_are_for_terminals_or_on_demand(void **state)
{
    (void)state;
    assert_int_equal(cli_colour_set("auto"), 0); /* a file is no terminal */
    assert_string_equal(cli_colour(CLI_GOOD), "");
    assert_int_equal(cli_colour_set("always"), 0);
    assert_string_equal(cli_colour(CLI_GOOD), "\033[32m");
    assert_int_equal(cli_colour_set("never"), 0);
    assert_string_equal(cli_colour(CLI_GOOD), "");
    assert_int_equal(cli_colour_set("sometimes"), -1);
}

static void hex_and_sha256_are_lower_case(void **state)
{
    (void)state;
    char hex[7], sha256[CLI_SHA256_TEXT];
    cli_hex(hex, "\x01\xab\xff", 3);
    assert_string_equal(hex, "01abff");
    cli_sha256(sha256, "", 0);
    assert_string_equal(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_file_that_is_not_there_is_told(void **state)
{
    (void)state;
    assert_null(cli_open("/nonexistent/file"));
    assert_ptr_equal(cli_open("-"), stdin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_object_is_one_line_with_type_and_time, catch_output,
                                        release_output),
        cmocka_unit_test_setup_teardown(strangers_bytes_stay_inside_their_string, catch_output,
                                        release_output),
        cmocka_unit_test_setup_teardown(names_keep_their_letters, catch_output, release_output),
        cmocka_unit_test_setup_teardown(colours_are_for_terminals_or_on_demand, catch_output,
                                        release_output),
        cmocka_unit_test(hex_and_sha256_are_lower_case),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
