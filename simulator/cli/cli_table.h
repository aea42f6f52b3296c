/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_table.h - commands and their options as tables; parsing and help come from the tables. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum cli_exit { CLI_DONE, CLI_FAILED, CLI_USAGE, CLI_INPUT, CLI_SYSTEM };

enum cli_kind { CLI_FLAG, CLI_NUMBER, CLI_STRING };

/* What the command line says. */
struct cli_values {
    const char *file; /* the argument; NULL = none */
    uint64_t seed, trials, seeds, jobs, threads, variant;
    const char *shard, *only;                                         /* I/N; I,J,K */
    const char *at;                                                   /* NAME,NAME */
    const char *out, *html, *scope, *profile, *loss, *after, *forget; /* with their units */
    bool seed_given, json, quiet, ladder, no_files, progress, swarm, help;
};

struct cli_option {
    const char *name;
    char letter; /* 0 = none */
    enum cli_kind kind;
    size_t at; /* in struct cli_values */
    const char *value;
    const char *help;
    uint64_t min, max; /* of a number */
};

struct cli_command {
    const char *name;
    const char *argument; /* "FILE", "[KEY]", or "" */
    const char *help;
    int (*run)(const struct cli_values *values);
    const char *options; /* names of those it takes, between blanks */
};

extern const struct cli_command cli_commands[];

/* Reads the arguments after the command's name. CLI_DONE, or CLI_USAGE after saying why. */
int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_values *out);
void cli_help(const struct cli_command *command, FILE *out);

int cmd_run(const struct cli_values *values);
int cmd_shrink(const struct cli_values *values);
int cmd_sweep(const struct cli_values *values);
int cmd_matrix(const struct cli_values *values);
int cmd_check(const struct cli_values *values);
int cmd_explain(const struct cli_values *values);
int cmd_new(const struct cli_values *values);

#endif
