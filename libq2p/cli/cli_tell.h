/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_tell.h - how `q2p check` tells what happened in a capture, to people and to programs. */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include "cli_story.h"

/* Who is told the tales of one capture. */
struct cli_listener {
    const char *path;
    const struct cli_capture *capture; /* which knows the interfaces */
    bool json, quiet, named;           /* named: several captures, so each line says which */
    int64_t start_ns;
};

/* To be a story's `tell`; ctx is a listener. */
void cli_tell(void *ctx, const struct cli_item *item);

/* What could not be read; the rest has been. */
void cli_tell_flaws(const char *path, const struct cli_flaws *flaws);

void cli_tell_sum(const struct cli_listener *listener, const struct cli_totals *totals,
                  uint64_t frames, int64_t end_ns);

#endif
