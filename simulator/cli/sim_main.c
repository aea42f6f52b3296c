/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_main.c - q2p-sim: finds the command and runs it. */
#include <string.h>

#include <q2p/version.h>
#include <q2p/wire.h>

#include "cli_table.h"

static void print_usage(FILE *out)
{
    fputs("usage: q2p-sim COMMAND [options] ...\n"
          "Q2P nodes in virtual time, behind NATs and over lossy links.\n\n",
          out);
    for (const struct cli_command *command = cli_commands; command->name; command++)
        fprintf(out, "  %-8s %-6s %s\n", command->name, command->argument, command->help);
    fputs("\nq2p-sim help COMMAND has more. Exit codes: 0 done, 1 an expectation failed, 2 usage,\n"
          "3 bad scenario file, 4 environment.\n",
          out);
}

static void print_version(void)
{
    printf("q2p-sim %s (dialects:", Q2P_VERSION);
    for (int dialect = Q2P_DIALECT_EARLY; dialect <= Q2P_DIALECT_OPTIONS; dialect++)
        printf(" %s", q2p_dialect_name((enum q2p_dialect)dialect));
    puts(")");
}

static const struct cli_command *find_command(const char *name)
{
    for (const struct cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int run(int argc, char **argv)
{
    struct cli_values values;
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(name, "--version") == 0) {
        print_version();
        return CLI_DONE;
    }
    bool help = strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (help && argc == 2) {
        print_usage(stdout);
        return CLI_DONE;
    }
    const struct cli_command *command = find_command(help ? argv[2] : name);
    if (!command) {
        fprintf(stderr, "q2p-sim: no command is called '%s'\n", help ? argv[2] : name);
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (!help) {
        int status = cli_parse(command, argc - 1, argv + 1, &values);
        if (status != CLI_DONE)
            return status;
    }
    if (help || values.help) {
        cli_help(command, stdout);
        return CLI_DONE;
    }
    return command->run(&values);
}

int main(int argc, char **argv)
{
    int code = run(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fputs("q2p-sim: cannot write standard output\n", stderr);
    return code == CLI_DONE ? CLI_SYSTEM : code;
}
