/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_scenario.h - what commands that run scenarios have in common. */
#ifndef CLI_SCENARIO_H
#define CLI_SCENARIO_H

#include "cli_table.h"
#include "scn_schema.h"
#include "scn_vary.h"

#define CLI_AGAIN_MAX 700 /* bytes */

/* Reads a variant of the file and says what is wrong with it; false if anything is. --seed goes
 * before the file's own. To be freed in either case. */
bool cli_read_scenario(struct scenario *out, const struct cli_values *values, uint32_t variant);

/* The command line that repeats a run; a file name with odd characters is quoted. */
void cli_print_again(char *out, const struct cli_values *values, uint32_t variant, uint64_t seed);

#endif
