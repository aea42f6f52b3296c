/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_report.h - rows of measurements over several rounds, and the bars made of them. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench.h"

enum { BENCH_ROUNDS_MAX = 9 };

struct bench_options {
    int rounds;
    bool json, quick;
};

/* One way to do one job, over all rounds. way NULL: not built, so left out. */
struct bench_row {
    const char *name;
    const struct bench_way *way;
    struct bench_job job;
    struct bench_result result[BENCH_ROUNDS_MAX];
};

/* Every row once per round, so that what is compared was measured side by side; tells each row. */
void bench_rows(const struct bench_options *options, struct bench_row *rows, int count);

/* Medians over the rounds: rate in MiB/s, CPU cost in s/GB; or as a part of another row's. */
double bench_rate(const struct bench_options *options, const struct bench_row *row,
                  const struct bench_row *of);
double bench_cost(const struct bench_options *options, const struct bench_row *row,
                  const struct bench_row *of);

/* (greatest - least) / median of the rate. */
double bench_spread(const struct bench_options *options, const struct bench_row *row);
double bench_median(const double *values, int count);

enum bench_bound { BENCH_AT_LEAST, BENCH_AT_MOST };
void bench_bar(const struct bench_options *options, const char *name, double value,
               enum bench_bound bound, double bar);

/* bench_many.c: what is the same on every network. data has at least 10 MB. */
void bench_many(const struct bench_options *options, const uint8_t *data);

/* bench_over_link.c: the rows on a link with delay and loss, if it can be made here. */
void bench_over_link(const struct bench_options *options, const uint8_t *data, size_t len);
enum { BENCH_LINK_LEN = 320000000 }; /* more than the link carries while shares are measured */

#endif
