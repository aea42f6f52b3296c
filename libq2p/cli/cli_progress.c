/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_progress.c - the line of progress of `q2p send` and `q2p recv`. */
#define _POSIX_C_SOURCE 200809L
#include "cli_progress.h"

#include <stdio.h>
#include <unistd.h>

#include <q2p/drive.h>

#define PROGRESS_AFTER_NS Q2P_SECOND
#define PROGRESS_EACH_NS (200 * Q2P_MILLISECOND)

void cli_progress_begin(struct cli_progress *progress, const struct cli_common *common,
                        bool sending)
{
    q2p_time now = q2p_drive_now();
    *progress =
        (struct cli_progress){.wanted = !common->json && !common->quiet && isatty(STDERR_FILENO),
                              .sending = sending,
                              .begin = now,
                              .last = now};
}

void cli_progress_show(struct cli_progress *progress, const struct q2p_counters *counters,
                       const char *tail)
{
    q2p_time now = q2p_drive_now();
    if (!progress->wanted || now - progress->begin < PROGRESS_AFTER_NS ||
        now - progress->last < PROGRESS_EACH_NS)
        return;
    uint64_t bytes = progress->sending ? counters->bytes_out : counters->bytes_in;
    uint64_t again = progress->sending ? counters->fragments_resent : counters->fragments_duplicate;
    uint64_t first = progress->sending ? counters->fragments_out - again : counters->fragments_in;
    double rate = (double)(bytes - progress->last_bytes) / (double)(now - progress->last) * 1e3;
    fprintf(stderr, "\r\033[K%.1f MB %s, %.1f MB/s, %.2f %% %s%s", (double)bytes / 1e6,
            progress->sending ? "sent" : "received", rate,
            first ? (double)again / (double)first * 100 : 0.0,
            progress->sending ? "sent again" : "came twice", tail);
    progress->last = now;
    progress->last_bytes = bytes;
    progress->shown = true;
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}
