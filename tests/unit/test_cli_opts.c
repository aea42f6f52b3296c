/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cli_opts.c - command lines and their units. */
#define _POSIX_C_SOURCE 200809L
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli_opts.h"

struct values {
    struct cli_common common;
    const char *name;
    struct cli_list seeds;
    uint64_t port, room;
    q2p_time lost_ns;
    enum q2p_dialect dialect;
};

static const struct cli_option options[] = {
    CLI_COMMON_OPTIONS,
    {"name", 0, CLI_TEXT, offsetof(struct values, name), "NAME", NULL, 0, 0, "a name"},
    {"seed", 's', CLI_LIST, offsetof(struct values, seeds), "HOST:PORT", NULL, 0, 0, "a seed"},
    {"port", 'p', CLI_NUMBER, offsetof(struct values, port), "PORT", "10000", 1, 65535, "a port"},
    {"room", 0, CLI_SIZE, offsetof(struct values, room), "SIZE", "64KiB", 1, 0, "a size"},
    {"lost", 0, CLI_TIME, offsetof(struct values, lost_ns), "TIME", NULL, 1, 0, "a time"},
    {"dialect", 'd', CLI_DIALECT, offsetof(struct values, dialect), "NAME", "classic",
     Q2P_DIALECT_CLASSIC, 0, "a dialect"},
    {.name = NULL},
};

static const struct cli_command command = {
    .name = "test",
    .args = "FILE",
    .sentence = "Does nothing.",
    .about = "Nothing at all.",
    .example = "  q2p test FILE",
    .options = options,
    .values_size = sizeof(struct values),
    .args_min = 0,
    .args_max = 2,
};

/* Splits at blanks; returns what cli_opts_read says. */
static int read_line(struct values *values, char **argv, int *argc, const char *line)
{
    static char text[256];
    memset(values, 0, sizeof *values);
    snprintf(text, sizeof text, "test %s", line);
    *argc = 0;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[(*argc)++] = word;
    argv[*argc] = NULL;
    return cli_opts_read(&command, values, *argc, argv);
}

static void defaults_are_read_like_values(void **state)
{
    (void)state;
    struct values values;
    char *argv[64];
    int argc;
    assert_int_equal(read_line(&values, argv, &argc, ""), 1);
    assert_int_equal(values.port, 10000);
    assert_int_equal(values.room, 65536);
    assert_int_equal(values.dialect, Q2P_DIALECT_CLASSIC);
    assert_int_equal(values.lost_ns, 0);
    assert_null(values.name);
    assert_string_equal(values.common.color, "auto");
    assert_false(values.common.json);
}

static void options_may_stand_before_and_behind_arguments(void **state)
{
    (void)state;
    struct values values;
    char *argv[64];
    int argc;
    int first = read_line(&values, argv, &argc,
                          "--json in -p 1 --seed a:1 -s b:2 out --lost 1.5s --room=2kB -d options "
                          "--name=--odd");
    assert_int_equal(argc - first, 2);
    assert_string_equal(argv[first], "in");
    assert_string_equal(argv[first + 1], "out");
    assert_true(values.common.json);
    assert_int_equal(values.port, 1);
    assert_int_equal(values.seeds.count, 2);
    assert_string_equal(values.seeds.items[0], "a:1");
    assert_string_equal(values.seeds.items[1], "b:2");
    assert_int_equal(values.lost_ns, 1500 * Q2P_MILLISECOND);
    assert_int_equal(values.room, 2000);
    assert_int_equal(values.dialect, Q2P_DIALECT_OPTIONS);
    assert_string_equal(values.name, "--odd");
}

static void what_is_wrong_ends_with_the_usage_code(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--nonsense", "-x",           "--port",          "-p",
        "--port 0",   "--port 65536", "--port -1",       "--port 1x",
        "--lost 500", "--lost 0",     "--lost -1s",      "--lost 1parsec",
        "--room 0",   "--room 1KB",   "--dialect go",    "a b c",
        "--json=yes", "--lost .",     "--room 1.2.3KiB", "--dialect early",
        "--port +1",  "--port 0x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct values values;
        char *argv[64];
        int argc;
        if (read_line(&values, argv, &argc, lines[i]) != -1 - CLI_USAGE)
            fail_msg("`%s` was taken", lines[i]);
    }
}

static void numbers_are_decimal_unless_they_say_that_they_are_not(void **state)
{
    (void)state;
    struct values values;
    char *argv[64];
    int argc;
    assert_int_equal(read_line(&values, argv, &argc, "--port 010"), 3);
    assert_int_equal(values.port, 10);
    assert_int_equal(read_line(&values, argv, &argc, "--port 0x10"), 3);
    assert_int_equal(values.port, 16);
}

static void a_list_has_an_end(void **state)
{
    (void)state;
    char *argv[CLI_LIST_MAX + 3] = {"test"};
    struct values values = {.seeds.count = 0};
    for (int i = 1; i <= CLI_LIST_MAX; i++)
        argv[i] = "-sa:1";
    assert_int_equal(cli_opts_read(&command, &values, CLI_LIST_MAX + 1, argv), CLI_LIST_MAX + 1);
    argv[CLI_LIST_MAX + 1] = "-sa:1";
    memset(&values, 0, sizeof values);
    assert_int_equal(cli_opts_read(&command, &values, CLI_LIST_MAX + 2, argv), -1 - CLI_USAGE);
}

static void times_and_sizes_carry_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want; /* -1: none */
    } times[] = {{"0", 0},
                 {"1ns", 1},
                 {"2us", 2000},
                 {"500ms", 500000000},
                 {"0.5s", 500000000},
                 {"2min", INT64_C(120000000000)},
                 {"1h", INT64_C(3600000000000)},
                 {"5", -1},
                 {"s", -1},
                 {"1S", -1},
                 {"1 s", -1},
                 {"1e9ns", -1},
                 {"-1s", -1},
                 {"", -1},
                 {"99999999999h", -1}},
      sizes[] = {{"0", 0},
                 {"484B", 484},
                 {"1kB", 1000},
                 {"1KiB", 1024},
                 {"16MiB", 16777216},
                 {"1MB", 1000000},
                 {"1.5GiB", INT64_C(1610612736)},
                 {"2GB", INT64_C(2000000000)},
                 {"7", -1},
                 {"1k", -1},
                 {"0x10B", -1}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        q2p_time ns = -1;
        assert_int_equal(cli_opts_time(&ns, times[i].text), times[i].want < 0 ? -1 : 0);
        assert_int_equal(ns, times[i].want);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t bytes = UINT64_MAX;
        assert_int_equal(cli_opts_size(&bytes, sizes[i].text), sizes[i].want < 0 ? -1 : 0);
        assert_int_equal(bytes, sizes[i].want);
    }
}

static void help_has_every_option_and_its_default(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cli_opts_help(&command, out);
    fclose(out);
    for (const struct cli_option *row = options; row->name; row++) {
        assert_non_null(strstr(text, row->name));
        assert_non_null(strstr(text, row->sentence));
        if (row->fallback)
            assert_non_null(strstr(text, row->fallback));
    }
    assert_non_null(strstr(text, "Does nothing."));
    assert_non_null(strstr(text, "Example:"));
    free(text);

    struct values values;
    char *argv[64];
    int argc;
    assert_int_equal(read_line(&values, argv, &argc, "--help"), -1 - CLI_FINE);
    assert_int_equal(read_line(&values, argv, &argc, "-h"), -1 - CLI_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_read_like_values),
        cmocka_unit_test(options_may_stand_before_and_behind_arguments),
        cmocka_unit_test(what_is_wrong_ends_with_the_usage_code),
        cmocka_unit_test(numbers_are_decimal_unless_they_say_that_they_are_not),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(times_and_sizes_carry_units),
        cmocka_unit_test(help_has_every_option_and_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
