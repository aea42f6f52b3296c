/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_table.c - walks the option table for getopt_long and for --help. */
#define _GNU_SOURCE /* getopt_long */
#include "cli_table.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "scn_threads.h"
#include "sweep.h"

#define OPTIONS_MAX 24
#define SEEDS_MAX 1000000000
#define TRIALS_MAX 1000000000
#define AT(member) offsetof(struct cli_values, member)

static const struct cli_option options[] = {
    {"seed", 0, CLI_NUMBER, AT(seed), "N", "of the dice; default: that of FILE, or 1", 0,
     INT64_MAX},
    {"out", 'o', CLI_STRING, AT(out), "DIR",
     "folder to write; default of run: FILE's name with .run", 0, 0},
    {"no-files", 0, CLI_FLAG, AT(no_files), NULL, "write no run folder", 0, 0},
    {"at", 0, CLI_STRING, AT(at), "NAME,...",
     "capture only at these nodes and NATs; * stands for any letters", 0, 0},
    {"ladder", 0, CLI_FLAG, AT(ladder), NULL, "draw who said what to whom while meeting", 0, 0},
    {"html", 0, CLI_STRING, AT(html), "FILE", "a page with the tables as heat maps, too", 0, 0},
    {"json", 0, CLI_FLAG, AT(json), NULL, "JSON on standard output instead of text", 0, 0},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "print only what went wrong", 0, 0},
    {"progress", 0, CLI_FLAG, AT(progress), NULL, "show progress at once, terminal or not", 0, 0},
    {"variant", 0, CLI_NUMBER, AT(variant), "N", "one of the combinations of vary, from 1", 1,
     UINT32_MAX},
    {"swarm", 0, CLI_FLAG, AT(swarm), NULL,
     "let the seed turn the knobs; oracles and `never` judge", 0, 0},
    {"seeds", 0, CLI_NUMBER, AT(seeds), "N", "so many, from --seed on; default 100", 1, SEEDS_MAX},
    {"jobs", 'j', CLI_NUMBER, AT(jobs), "N", "processes; default: one per core", 1, SWEEP_JOBS_MAX},
    {"threads", 0, CLI_NUMBER, AT(threads), "N",
     "threads to share the run, with the same bytes; default 1", 1, SCN_THREADS_MAX},
    {"shard", 0, CLI_STRING, AT(shard), "I/N", "only the I-th of N parts, from 1", 0, 0},
    {"only", 0, CLI_STRING, AT(only), "I,J,...", "search no more: play with these decisions alone",
     0, 0},
    {"scope", 0, CLI_STRING, AT(scope), "WORD", "mapping (default), endpoint or both", 0, 0},
    {"profile", 0, CLI_STRING, AT(profile), "WORD",
     "classic, original, ours, mixed or all (default)", 0, 0},
    {"loss", 0, CLI_STRING, AT(loss), "LOSS", "of every datagram between NATs, such as 20%", 0, 0},
    {"trials", 0, CLI_NUMBER, AT(trials), "N", "of each cell, with --loss; default 200", 1,
     TRIALS_MAX},
    {"after", 0, CLI_STRING, AT(after), "TIME", "the newcomer comes so long after; default 1s", 0,
     0},
    {"forget", 0, CLI_STRING, AT(forget), "TIME", "NATs forget after so long; default 2min", 0, 0},
    {"help", 'h', CLI_FLAG, AT(help), NULL, "this text", 0, 0},
    {NULL, 0, CLI_FLAG, 0, NULL, NULL, 0, 0},
};

const struct cli_command cli_commands[] = {
    {"run", "FILE", "runs a scenario and judges it", cmd_run,
     " seed variant swarm threads out no-files at ladder json quiet progress help "},
    {"sweep", "FILE", "runs many seeds, and all that vary says", cmd_sweep,
     " seed seeds swarm jobs shard json quiet help "},
    {"check", "FILE", "runs a scenario twice and compares the traces", cmd_check,
     " seed variant help "},
    {"shrink", "FILE", "reduces a failing run to the strokes of luck that matter", cmd_shrink,
     " seed variant swarm only out json quiet help "},
    {"matrix", "", "which NATs can be punched through, against theory", cmd_matrix,
     " scope profile loss trials after forget seed html json help "},
    {"explain", "[KEY]", "says what a section or a key of scenario files means", cmd_explain,
     " help "},
    {"new", "", "prints a commented scenario to start from", cmd_new, " help "},
    {NULL, NULL, NULL, NULL, NULL},
};

static bool takes(const struct cli_command *command, const struct cli_option *option)
{
    char word[32];
    snprintf(word, sizeof word, " %s ", option->name);
    return strstr(command->options, word) != NULL;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10); /* as in scenarios */
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *out <= INT64_MAX;
}

static int store(const struct cli_option *option, const char *text, struct cli_values *out)
{
    void *field = (char *)out + option->at;
    if (option->kind == CLI_FLAG) {
        *(bool *)field = true;
    } else if (option->kind == CLI_STRING) {
        *(const char **)field = text;
    } else if (read_number(text, field) && *(uint64_t *)field >= option->min &&
               *(uint64_t *)field <= option->max) {
        out->seed_given |= field == &out->seed;
    } else {
        fprintf(stderr, "q2p-sim: --%s wants a number from %" PRIu64 " to %" PRIu64 ", not '%s'\n",
                option->name, option->min, option->max, text);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_values *out)
{
    struct option longs[OPTIONS_MAX] = {0};
    const struct cli_option *known[OPTIONS_MAX];
    char shorts[2 * OPTIONS_MAX + 1] = "";
    static char program[] = "q2p-sim";
    int count = 0, letter, index;
    for (const struct cli_option *option = options; option->name; option++) {
        if (!takes(command, option))
            continue;
        known[count] = option;
        longs[count] = (struct option){option->name, option->kind != CLI_FLAG, NULL,
                                       option->letter ? option->letter : 256 + count};
        size_t len = strlen(shorts);
        if (option->letter)
            snprintf(shorts + len, sizeof shorts - len, "%c%s", option->letter,
                     option->kind != CLI_FLAG ? ":" : "");
        count++;
    }
    *out = (struct cli_values){0};
    argv[0] = program; /* getopt_long begins with it when it complains */
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        for (index = 0; index < count && longs[index].val != letter; index++)
            ;
        if (index == count) /* getopt has said why */
            return CLI_USAGE;
        if (store(known[index], optarg, out) != CLI_DONE)
            return CLI_USAGE;
    }
    if (out->help)
        return CLI_DONE;
    if (optind < argc && *command->argument)
        out->file = argv[optind++];
    if (optind < argc || (!out->file && *command->argument && *command->argument != '[')) {
        fprintf(stderr, "q2p-sim: %s wants %s; `q2p-sim help %s` tells more\n", command->name,
                *command->argument ? command->argument : "options alone", command->name);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

void cli_help(const struct cli_command *command, FILE *out)
{
    fprintf(out, "usage: q2p-sim %s [options]%s%s\n%s\n\n", command->name,
            *command->argument ? " " : "", command->argument, command->help);
    for (const struct cli_option *option = options; option->name; option++) {
        char form[40];
        if (!takes(command, option))
            continue;
        snprintf(form, sizeof form, "--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        if (option->letter)
            fprintf(out, "  -%c, %-14s %s\n", option->letter, form, option->help);
        else
            fprintf(out, "      %-14s %s\n", form, option->help);
    }
}
