/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_progress.h - one line that keeps changing, where a person is looking. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <q2p/node.h>

#include "cli_opts.h"

struct cli_progress {
    bool wanted, shown;
    bool sending; /* count what goes out, not what comes in */
    q2p_time begin, last;
    uint64_t last_bytes;
};

/* On a terminal, without --json and --quiet, and only for work that lasts long enough to wonder. */
void cli_progress_begin(struct cli_progress *progress, const struct cli_common *common,
                        bool sending);

/* Bytes, their rate since the last time, losses; tail: what else there is to say. */
void cli_progress_show(struct cli_progress *progress, const struct q2p_counters *counters,
                       const char *tail);

/* Takes the line away, so that something else can be said. */
void cli_progress_clear(struct cli_progress *progress);

#endif
