/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_replay_tell.h - a comparison told to a person, or as JSON Lines. */
#ifndef CLI_REPLAY_TELL_H
#define CLI_REPLAY_TELL_H

#include "cli_replay.h"

const char *cli_sameness_word(enum cli_sameness sameness);

void cli_replay_tell_person(const char *path, const struct cli_plan *plan,
                            const struct cli_comparison *comparison, bool quiet);
void cli_replay_tell_json(const char *path, const struct cli_plan *plan,
                          const struct cli_comparison *comparison);

#endif
