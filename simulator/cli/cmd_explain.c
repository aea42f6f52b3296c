/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_explain.c - q2p-sim explain and q2p-sim new: the scenario language about itself. */
#include <string.h>

#include "cli_table.h"
#include "scn_schema.h"

int cmd_explain(const struct cli_values *values)
{
    if (scn_explain(values->file, stdout))
        return CLI_DONE;
    char where[40];
    const char *dot = strrchr(values->file, '.'), *name = dot ? dot + 1 : values->file;
    snprintf(where, sizeof where, "%.*s", dot ? (int)(dot - values->file) : 0, values->file);
    const struct scn_key *like = dot ? scn_key_like(where, NULL, name) : NULL;
    if (!like) /* it may belong to another section */
        like = scn_key_like(NULL, NULL, name);
    fprintf(stderr, "q2p-sim: no key or section is called '%s'", values->file);
    if (like) {
        fprintf(stderr, " (did you mean '%s%s%s'?)\n", like->section, *like->section ? "." : "",
                like->name);
        return CLI_USAGE;
    }
    fputs("; try one of:", stderr);
    for (const struct scn_section *section = scn_sections; section->name; section++)
        if (*section->name)
            fprintf(stderr, " %s", section->name);
    fputc('\n', stderr);
    return CLI_USAGE;
}

int cmd_new(const struct cli_values *values)
{
    (void)values;
    scn_starter(stdout);
    return CLI_DONE;
}
