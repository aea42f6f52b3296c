/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_opts.c - walks a command's option table: once over getopt_long, once to print help. */
#define _GNU_SOURCE /* getopt_long */
#include "cli_opts.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli_out.h"

enum {
    OPTIONS_MAX = 32,
    LONG_BASE = 256 /* getopt's number for the long option in row i: LONG_BASE + i */
};

struct unit {
    const char *name;
    double factor;
};

static const struct unit time_units[] = {{"ns", 1},     {"us", 1e3},   {"ms", 1e6}, {"s", 1e9},
                                         {"min", 6e10}, {"h", 3.6e12}, {NULL, 0}};
static const struct unit size_units[] = {{"B", 1},         {"kB", 1e3},      {"KiB", 1 << 10},
                                         {"MB", 1e6},      {"MiB", 1 << 20}, {"GB", 1e9},
                                         {"GiB", 1 << 30}, {NULL, 0}};

/* Digits, perhaps a point and more digits, and a unit; 0 is 0 in every unit. */
static int read_with_unit(double *out, const char *text, const struct unit *units)
{
    size_t len = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    if (!len || end != text + len)
        return -1;
    const struct unit *unit = units;
    while (unit->name && strcmp(unit->name, end))
        unit++;
    if (!unit->name && (*end || number > 0))
        return -1;
    *out = unit->name ? number * unit->factor : 0;
    return *out < 9.2e18 ? 0 : -1;
}

int cli_opts_time(q2p_time *out, const char *text)
{
    double ns;
    if (read_with_unit(&ns, text, time_units))
        return -1;
    *out = (q2p_time)llround(ns);
    return 0;
}

int cli_opts_size(uint64_t *out, const char *text)
{
    double bytes;
    if (read_with_unit(&bytes, text, size_units))
        return -1;
    *out = (uint64_t)llround(bytes);
    return 0;
}

static int read_number(uint64_t *out, const char *text)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16); /* 010 is no 8 */
    return errno || !isdigit((unsigned char)*text) || *end ? -1 : 0;
}

static int read_dialect(enum q2p_dialect *out, const char *text)
{
    for (int each = Q2P_DIALECT_EARLY; each <= Q2P_DIALECT_OPTIONS; each++) {
        *out = (enum q2p_dialect)each;
        if (!strcmp(text, q2p_dialect_name(*out)))
            return 0;
    }
    return -1;
}

static const char *const wants[] = {
    [CLI_FLAG] = "nothing",
    [CLI_TEXT] = "a text",
    [CLI_LIST] = "at most 32 of them",
    [CLI_NUMBER] = "a number",
    [CLI_TIME] = "a time such as 500ms or 2s",
    [CLI_SIZE] = "a size such as 64KiB",
    [CLI_DIALECT] = "classic or options (to read, also early)",
};

/* Stores one value. Returns 0, or -1 if it is none of this kind or out of range. */
static int store(const struct cli_option *option, void *values, const char *text)
{
    void *at = (char *)values + option->at;
    uint64_t number = 0;
    int status = 0;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)at = true;
        return 0;
    case CLI_TEXT:
        *(const char **)at = text;
        return 0;
    case CLI_LIST: {
        struct cli_list *list = at;
        if (list->count == CLI_LIST_MAX)
            return -1;
        list->items[list->count++] = text;
        return 0;
    }
    case CLI_DIALECT:
        status = read_dialect(at, text);
        return status || *(enum q2p_dialect *)at < option->min ? -1 : 0;
    case CLI_NUMBER:
        status = read_number(&number, text);
        break;
    case CLI_SIZE:
        status = cli_opts_size(&number, text);
        break;
    case CLI_TIME: {
        q2p_time ns = 0;
        status = cli_opts_time(&ns, text);
        number = (uint64_t)ns;
        break;
    }
    }
    if (status || number < option->min || (option->max && number > option->max))
        return -1;
    memcpy(at, &number, sizeof number); /* q2p_time has the same size, and 63 bits fit both */
    return 0;
}

static int usage_error(const struct cli_command *command)
{
    fprintf(stderr, "q2p: `q2p %s --help` tells more\n", command->name);
    return -1 - CLI_USAGE;
}

static int value_error(const struct cli_command *command, const struct cli_option *option,
                       const char *text)
{
    cli_error("%s: --%s cannot be `%s`", command->name, option->name, text);
    if (option->kind == CLI_NUMBER && option->max)
        fprintf(stderr, "q2p: want a number from %" PRIu64 " to %" PRIu64 "\n", option->min,
                option->max);
    else if (option->kind == CLI_TIME && option->min > 1)
        fprintf(stderr, "q2p: want a time of %" PRIu64 "ms at least\n",
                option->min / Q2P_MILLISECOND);
    else
        fprintf(stderr, "q2p: want %s%s\n", wants[option->kind],
                option->min && option->kind != CLI_DIALECT ? ", and not 0" : "");
    return usage_error(command);
}

/* What getopt_long wants, made from our rows; returns their number. */
static int make_getopt(const struct cli_option *rows, struct option *longs, char *shorts)
{
    int count = 0;
    *shorts++ = ':';
    *shorts++ = 'h';
    for (; count < OPTIONS_MAX - 1 && rows[count].name; count++) {
        const struct cli_option *row = &rows[count];
        bool takes = row->kind != CLI_FLAG;
        longs[count] = (struct option){row->name, takes, NULL, LONG_BASE + count};
        if (!row->letter)
            continue;
        *shorts++ = row->letter;
        if (takes)
            *shorts++ = ':';
    }
    longs[count] = (struct option){"help", 0, NULL, 'h'};
    longs[count + 1] = (struct option){NULL, 0, NULL, 0};
    *shorts = '\0';
    return count;
}

static const struct cli_option *row_of(const struct cli_option *rows, int found, int count)
{
    if (found >= LONG_BASE)
        return &rows[found - LONG_BASE];
    for (int i = 0; i < count; i++)
        if (rows[i].letter == found)
            return &rows[i];
    return NULL;
}

int cli_opts_read(const struct cli_command *command, void *values, int argc, char **argv)
{
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 + 2 * OPTIONS_MAX + 1];
    int count = make_getopt(command->options, longs, shorts);
    for (int i = 0; i < count; i++)
        if (command->options[i].fallback)
            store(&command->options[i], values, command->options[i].fallback);

    optind = 0; /* glibc: start afresh */
    opterr = 0;
    int found;
    while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (found == 'h') {
            cli_opts_help(command, stdout);
            return -1 - CLI_FINE;
        }
        if (found == '?' || found == ':') {
            const char *said = argv[optind > 1 ? optind - 1 : 1];
            cli_error("%s: %s `%s`", command->name,
                      found == ':'          ? "there is no value behind"
                      : optopt >= LONG_BASE ? "an option without a value got one:"
                                            : "there is no option",
                      said);
            return usage_error(command);
        }
        const struct cli_option *row = row_of(command->options, found, count);
        if (store(row, values, optarg))
            return value_error(command, row, optarg);
    }
    int args = argc - optind;
    if (args < command->args_min || (command->args_max >= 0 && args > command->args_max)) {
        cli_error("%s: want %s", command->name, *command->args ? command->args : "no arguments");
        return usage_error(command);
    }
    return optind;
}

void cli_opts_help(const struct cli_command *command, FILE *out)
{
    fprintf(out, "q2p %s [options]%s%s\n  %s\n\n%s\n\nOptions:\n", command->name,
            *command->args ? " " : "", command->args, command->sentence, command->about);
    for (const struct cli_option *row = command->options; row->name; row++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        fprintf(out, "  %c%c%c %-24s %s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
                row->letter ? ',' : ' ', left, row->sentence);
        fprintf(out, row->fallback ? " (%s)\n" : "\n", row->fallback);
    }
    fprintf(out, "  -h, %-24s %s\n\nExample:\n%s\n", "--help", "this text", command->example);
}
