/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_transfer.c - bulk transfer against its bars. Everything is a ratio to something measured in
 * the same run, round by round: the plainest loops over the same system calls, other libraries,
 * and the kernel's TCP on the same link. Medians of the rounds; want a quiet machine.
 */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 9, LOOPBACK_LEN = 100000000, QUICK_LEN = 20000000, LIMIT_S = 60 };

struct options {
    int rounds;
    size_t len; /* of the jobs over loopback */
    bool json, link;
};

/* One way to do one job, over all rounds. */
struct row {
    const char *name;
    const struct bench_way *way; /* NULL: not built */
    bool offload, md5;
    struct bench_result result[ROUNDS_MAX];
};

enum { YARD_OFFLOAD, YARD_BATCH, OURS, OURS_MD5, OURS_BATCH, ENET, UDT, ROWS };

#ifndef Q2P_BENCH_ENET
#define bench_enet bench_ours
#endif
#ifndef Q2P_BENCH_UDT
#define bench_udt bench_ours
#endif

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, (size_t)count * sizeof *values);
    qsort(sorted, (size_t)count, sizeof *sorted, by_size);
    return count ? sorted[count / 2] : 0;
}

static double rate_of(const struct row *row, int round)
{
    return row->result[round].mib_s; /* 0 if it did not arrive */
}

/* A job that did not arrive costs more than any bar allows. */
static double cost_of(const struct row *row, int round)
{
    return row->result[round].done ? row->result[round].cpu_s_gb : 1e6;
}

/* The median over the rounds of rate (or cost) of one row as a part of another's. */
static double ratio(const struct row *row, const struct row *of, int rounds,
                    double (*what)(const struct row *row, int round))
{
    double values[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        double yard = of ? what(of, i) : 1;
        values[i] = yard > 0 ? what(row, i) / yard : 0;
    }
    return median(values, rounds);
}

static void tell_bar(const struct options *options, const char *name, double value, double bar,
                     bool at_most)
{
    bool holds = at_most ? value <= bar : value >= bar;
    if (options->json)
        printf("{\"name\":\"%s\",\"value\":%.3f,\"bar\":%.3f,\"holds\":%s}\n", name, value, bar,
               holds ? "true" : "false");
    else
        printf("%-52s %8.3f  %s %6.2f  %s\n", name, value, at_most ? "<=" : ">=", bar,
               holds ? "holds" : "DOES NOT HOLD");
    fflush(stdout);
}

static void tell_row(const struct options *options, const struct row *row)
{
    double rss_kib[2][ROUNDS_MAX];
    int arrived = 0;
    for (int i = 0; i < options->rounds; i++) {
        arrived += row->result[i].done;
        for (int side = 0; side < 2; side++)
            rss_kib[side][i] = row->result[i].rss_kib[side];
    }
    if (options->json || !row->way)
        return;
    printf("%-36s %8.1f MiB/s %8.2f CPU s/GB, grew by %.1f and %.1f MiB, %d of %d arrived\n",
           row->name, ratio(row, NULL, options->rounds, rate_of),
           ratio(row, NULL, options->rounds, cost_of), median(rss_kib[0], options->rounds) / 1024,
           median(rss_kib[1], options->rounds) / 1024, arrived, options->rounds);
    fflush(stdout);
}

static void beside(const struct options *options, const struct row *ours, const struct row *other,
                   const char *name)
{
    char text[64];
    if (!other->way)
        return;
    snprintf(text, sizeof text, "loopback: times as fast as %s", name);
    tell_bar(options, text, ratio(ours, other, options->rounds, rate_of), 1, false);
    snprintf(text, sizeof text, "loopback: CPU per GB, of that of %s", name);
    tell_bar(options, text, ratio(ours, other, options->rounds, cost_of), 1, true);
}

static void bench_loopback(const struct options *options, const uint8_t *data)
{
    static struct row rows[ROWS] = {
        [YARD_OFFLOAD] = {"UDP_SEGMENT to UDP_GRO", &bench_yard, true, false, {{0}}},
        [YARD_BATCH] = {"sendmmsg to recvmmsg", &bench_yard, false, false, {{0}}},
        [OURS] = {"libq2p", &bench_ours, true, false, {{0}}},
        [OURS_MD5] = {"libq2p, MD5 checked", &bench_ours, true, true, {{0}}},
        [OURS_BATCH] = {"libq2p without offload", &bench_ours, false, false, {{0}}},
        [ENET] = {"ENet", &bench_enet, true, false, {{0}}},
        [UDT] = {"UDT", &bench_udt, true, false, {{0}}},
    };
    for (int i = 0; i < ROWS; i++)
        if (i >= ENET && rows[i].way == &bench_ours)
            rows[i].way = NULL;
    for (int round = 0; round < options->rounds; round++)
        for (int i = 0; i < ROWS; i++) {
            struct bench_job job = {.data = data,
                                    .len = options->len,
                                    .ip = {"127.0.0.1", "127.0.0.1"},
                                    .netns = {-1, -1},
                                    .offload = rows[i].offload,
                                    .md5 = rows[i].md5};
            if (rows[i].way)
                rows[i].result[round] = bench_run(rows[i].way, &job, LIMIT_S);
        }
    for (int i = 0; i < ROWS; i++)
        tell_row(options, &rows[i]);
    int n = options->rounds;
    tell_bar(options, "loopback: of the yardstick with offload",
             ratio(&rows[OURS], &rows[YARD_OFFLOAD], n, rate_of), 0.30, false);
    tell_bar(options, "loopback: CPU s per GB, both ends", ratio(&rows[OURS], NULL, n, cost_of),
             1.5, true);
    tell_bar(options, "loopback: CPU s per GB, both ends, MD5 checked",
             ratio(&rows[OURS_MD5], NULL, n, cost_of), 4.2, true);
    tell_bar(options, "loopback: of the yardstick without offload",
             ratio(&rows[OURS_BATCH], &rows[YARD_BATCH], n, rate_of), 0.75, false);
    beside(options, &rows[OURS], &rows[ENET], "ENet");
    beside(options, &rows[OURS], &rows[UDT], "UDT");
}

static int usage(FILE *out)
{
    fputs("bench_transfer [--json] [--quick] [--rounds N] [--no-link]\n", out);
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"json", 0, NULL, 'j'},   {"quick", 0, NULL, 'q'},
                                          {"rounds", 1, NULL, 'r'}, {"no-link", 0, NULL, 'n'},
                                          {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0}};
    struct options options = {.rounds = 5, .len = LOOPBACK_LEN, .link = true};
    for (int found; (found = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (found == 'j')
            options.json = true;
        else if (found == 'n')
            options.link = false;
        else if (found == 'r')
            options.rounds = (int)strtol(optarg, NULL, 10);
        else if (found == 'q')
            options.rounds = 1, options.len = QUICK_LEN;
        else
            return usage(found == 'h' ? stdout : stderr);
    }
    if (options.rounds < 1 || options.rounds > ROUNDS_MAX)
        return usage(stderr);
    uint8_t *data = malloc(options.len);
    if (!data)
        return 4;
    uint64_t state = 1;
    for (size_t i = 0; i < options.len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        data[i] = (uint8_t)(state >> 56);
    }
    bench_loopback(&options, data);
    free(data);
    return 0;
}
