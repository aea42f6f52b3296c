/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_explain.c - q2p-sim explain and q2p-sim new: the scenario language about itself. */
#include "cli_table.h"
#include "scn_schema.h"

int cmd_explain(const struct cli_values *values)
{
    if (scn_explain(values->file, stdout))
        return CLI_DONE;
    fprintf(stderr, "q2p-sim: no key or section is called '%s'; try one of:", values->file);
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
