/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_json.h - JSON for machines: one object per line in events.jsonl (and with --json), one
 * document in report.json. Every object has a type and t_ns. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include "scn_run.h"

/* A string; NULL is null. What is not UTF-8 (a name was cut, or is that of a file) is U+FFFD. */
void report_json_string(FILE *out, const char *text);

/* What happened to a node. */
void report_json_happening(FILE *out, const struct scn_host *host, const struct q2p_happening *what,
                           const char *peer);

/* A NAT has a new mapping. */
void report_json_mapping(FILE *out, const struct net_place *nat, const struct net_nat_made *made,
                         q2p_time t_ns);

/* One expectation, after the judgement. */
void report_json_verdict(FILE *out, const struct scn_run *run, size_t index);

/* A violated oracle. */
void report_json_violation(FILE *out, const struct scn_run *run);

/* Totals, trace hash, and the line to see it again; `whole` adds verdicts and counters. */
void report_json_run(FILE *out, const struct scn_run *run, bool ok, const char *again, bool whole);

#endif
