/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_opts.h - one table per command: reading the command line and printing help are two walks
 * over the same rows. Values carry their units.
 */
#ifndef CLI_OPTS_H
#define CLI_OPTS_H

#include <stdio.h>

#include <q2p/node.h>

enum cli_exit {
    CLI_FINE = 0,
    CLI_FAILED = 1, /* an expectation failed, a peer was not reached */
    CLI_USAGE = 2,
    CLI_INPUT = 3,       /* an input file is not what it should be */
    CLI_ENVIRONMENT = 4, /* port in use, no permission, disk full */
    CLI_SIGNAL = 128     /* plus its number */
};

enum cli_kind {
    CLI_FLAG,   /* bool */
    CLI_TEXT,   /* const char *, borrowed from argv */
    CLI_LIST,   /* struct cli_list */
    CLI_NUMBER, /* uint64_t; 0x... is fine */
    CLI_TIME,   /* q2p_time: 500ms, 1.5s, 2min */
    CLI_SIZE,   /* uint64_t, bytes: 484B, 64KiB, 16MiB */
    CLI_DIALECT /* enum q2p_dialect */
};

#define CLI_LIST_MAX 32
struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t count;
};

struct cli_option {
    const char *name;
    char letter; /* 0: long form only */
    enum cli_kind kind;
    size_t at;            /* where the value goes: offset in the command's values */
    const char *value;    /* what help calls it */
    const char *fallback; /* as one would type it; NULL: zero */
    uint64_t min, max;    /* of numbers, times and sizes; max 0: any */
    const char *sentence;
};

struct cli_command {
    const char *name, *args, *sentence;
    const char *about; /* paragraphs for help */
    const char *example;
    const struct cli_option *options; /* ends with a row without name */
    size_t values_size;
    int args_min, args_max; /* args_max -1: any number */
    int (*run)(const void *values, int argc, char **argv);
};

/* What every command has; the values of each begin with it. */
struct cli_common {
    bool json, quiet;
    const char *color;
};
#define CLI_COMMON_OPTIONS                                                                         \
    {"json", 0, CLI_FLAG, offsetof(struct cli_common, json),    NULL,                              \
     NULL,   0, 0,        "write JSON Lines to standard output"},                                  \
        {"quiet", 'q', CLI_FLAG, offsetof(struct cli_common, quiet), NULL,                         \
         NULL,    0,   0,        "say only what went wrong"},                                      \
    {                                                                                              \
        "color", 0, CLI_TEXT, offsetof(struct cli_common, color), "WHEN", "auto", 0, 0,            \
            "auto, always or never; NO_COLOR is honoured too"                                      \
    }

/*
 * Reads options into values (values_size zeroed bytes). Returns the index of the first argument
 * in argv, or a negative number if all is said: -1 - exit code.
 */
int cli_opts_read(const struct cli_command *command, void *values, int argc, char **argv);

void cli_opts_help(const struct cli_command *command, FILE *out);

/* One value with its unit. Return 0, or -1 if the text is not one or does not fit 63 bits. */
int cli_opts_time(q2p_time *out, const char *text);
int cli_opts_size(uint64_t *out, const char *text);

#endif
