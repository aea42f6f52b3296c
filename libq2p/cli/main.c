/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the q2p program: finds the command and lets it run. */
#include <stdlib.h>
#include <string.h>

#include <q2p/version.h>

#include "cli_out.h"
#include "cmd.h"

static const struct cli_command *const commands[] = {&cmd_node,   &cmd_send,  &cmd_recv,  &cmd_ping,
                                                     &cmd_decode, &cmd_check, &cmd_replay};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *out)
{
    fputs("q2p COMMAND [options] [arguments]\n"
          "  Finds peers behind NATs through a seed and hands them data of any size, over UDP.\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->sentence);
    fputs("\n`q2p help COMMAND` tells more. Example, in two terminals:\n"
          "  q2p recv --out picture.jpg\n"
          "  q2p send picture.jpg --to 127.0.0.1:10000\n",
          out);
}

static void print_version(void)
{
    printf("q2p %s, libq2p %s, dialects:", Q2P_VERSION, Q2P_VERSION);
    for (int each = Q2P_DIALECT_EARLY; each <= Q2P_DIALECT_OPTIONS; each++)
        printf(" %s%s", q2p_dialect_name((enum q2p_dialect)each),
               each == Q2P_DIALECT_EARLY ? " (read only)" : "");
    puts("; UDP over IPv4 and IPv6");
}

static const struct cli_command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    cli_error("there is no command `%s`; `q2p help` lists them", name);
    return NULL;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_common *values = calloc(1, command->values_size);
    if (!values) {
        cli_error("out of memory");
        return CLI_ENVIRONMENT;
    }
    int first = cli_opts_read(command, values, argc, argv);
    int code = first < 0 ? -1 - first : CLI_FINE;
    if (first >= 0 && cli_colour_set(values->color) < 0) {
        cli_error("%s: --color is auto, always or never, not `%s`", command->name, values->color);
        code = CLI_USAGE;
    } else if (first >= 0) {
        code = command->run(values, argc - first, argv + first);
    }
    free(values);
    return code;
}

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";
    const struct cli_command *command;
    int code = CLI_FINE;
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (!strcmp(first, "--version")) {
        print_version();
    } else if (!strcmp(first, "-h") || !strcmp(first, "--help") ||
               (!strcmp(first, "help") && argc < 3)) {
        print_help(stdout);
    } else if (!strcmp(first, "help")) {
        command = find(argv[2]);
        if (!command)
            return CLI_USAGE;
        cli_opts_help(command, stdout);
    } else {
        command = find(first);
        if (!command)
            return CLI_USAGE;
        code = run(command, argc - 1, argv + 1);
    }
    return cli_out_finish() || code ? code : CLI_ENVIRONMENT;
}
