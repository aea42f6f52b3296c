/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_report.c - runs rows of jobs, takes medians, and tells as text or JSON Lines. */
#include "bench_report.h"
#include "bench_sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_S 40

static void sort(double *sorted, const double *values, int count)
{
    memcpy(sorted, values, (size_t)count * sizeof *values);
    bench_sort(sorted, (size_t)count);
}

double bench_median(const double *values, int count)
{
    double sorted[BENCH_ROUNDS_MAX];
    sort(sorted, values, count);
    return sorted[count / 2];
}

static double rate_of(const struct bench_result *result)
{
    return result->mib_s; /* 0 if it did not arrive */
}

/* What did not arrive costs more than any bar allows. */
static double cost_of(const struct bench_result *result)
{
    return result->done ? result->cpu_s_gb : 1e6;
}

static double ratio(const struct bench_row *row, const struct bench_row *of, int rounds,
                    double (*what)(const struct bench_result *result))
{
    double values[BENCH_ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        double yard = of ? what(&of->result[i]) : 1;
        values[i] = yard > 0 ? what(&row->result[i]) / yard : 0;
    }
    return bench_median(values, rounds);
}

double bench_rate(const struct bench_options *options, const struct bench_row *row,
                  const struct bench_row *of)
{
    return ratio(row, of, options->rounds, rate_of);
}

double bench_cost(const struct bench_options *options, const struct bench_row *row,
                  const struct bench_row *of)
{
    return ratio(row, of, options->rounds, cost_of);
}

double bench_spread(const struct bench_options *options, const struct bench_row *row)
{
    double values[BENCH_ROUNDS_MAX], sorted[BENCH_ROUNDS_MAX];
    int count = options->rounds;
    for (int i = 0; i < count; i++)
        values[i] = row->result[i].mib_s;
    sort(sorted, values, count);
    return sorted[0] > 0 ? (sorted[count - 1] - sorted[0]) / sorted[count / 2] : 1;
}

static void tell_row(const struct bench_options *options, const struct bench_row *row)
{
    double rss_mib[2][BENCH_ROUNDS_MAX];
    int arrived = 0;
    for (int i = 0; i < options->rounds; i++) {
        arrived += row->result[i].done;
        for (int side = 0; side < 2; side++)
            rss_mib[side][i] = row->result[i].rss_kib[side] / 1024;
    }
    printf("%-36s %8.1f MiB/s", row->name, bench_rate(options, row, NULL));
    if (arrived)
        printf(" %7.2f CPU s/GB, grew by %.1f and %.1f MiB", bench_cost(options, row, NULL),
               bench_median(rss_mib[0], options->rounds),
               bench_median(rss_mib[1], options->rounds));
    printf(", %d of %d arrived\n", arrived, options->rounds);
    fflush(stdout);
}

void bench_rows(const struct bench_options *options, struct bench_row *rows, int count)
{
    for (int round = 0; round < options->rounds; round++)
        for (int i = 0; i < count; i++)
            if (rows[i].way)
                rows[i].result[round] = bench_run(rows[i].way, &rows[i].job, LIMIT_S);
    for (int i = 0; i < count; i++)
        if (rows[i].way && !options->json)
            tell_row(options, &rows[i]);
}

void bench_bar(const struct bench_options *options, const char *name, double value,
               enum bench_bound bound, double bar)
{
    bool holds = bound == BENCH_AT_MOST ? value <= bar : value >= bar;
    if (options->json)
        printf("{\"name\":\"%s\",\"value\":%.3f,\"bar\":%.3f,\"holds\":%s}\n", name, value, bar,
               holds ? "true" : "false");
    else
        printf("%-52s %10.3f  %s %5.2f  %s\n", name, value,
               bound == BENCH_AT_MOST ? "<=" : ">=", bar, holds ? "holds" : "DOES NOT HOLD");
    fflush(stdout);
}
