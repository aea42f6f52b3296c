/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_threads.h - one run of a scenario on several threads: the same bytes as on one. Nodes and
 * network go on at once, divided by places; what they have to tell is kept, and told in order.
 */
#ifndef SCN_THREADS_H
#define SCN_THREADS_H

#include "scn_run.h"

#define SCN_THREADS_MAX 64

/* Divides a run that has not been played yet. Returns how many threads there are; 1 if there is
 * nothing to divide, 0 if the run would not be the same: `why` says why. */
uint32_t scn_threads_begin(struct scn_run *run, uint32_t wanted, char *why, size_t room);
void scn_threads_play(struct scn_run *run, q2p_time until);
void scn_threads_free(struct scn_threads *threads);

/* ---- for scn_news.c: keep it until it is told -------------------------------------------- */

void scn_threads_news(struct scn_news *news);
void scn_threads_started(const struct scn_host *host, const struct scn_started *started);

#endif
