/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_transfer.c - bulk transfer against its bars. Everything is a ratio to something measured in
 * the same run, round by round: the plainest loops over the same system calls, other libraries,
 * and the kernel's TCP on the same link. Medians of the rounds; want a quiet machine.
 */
#include "bench_report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/wire.h>

enum { LOOPBACK_LEN = 100000000, QUICK_LEN = 20000000 };

/* What the machine took whose seconds the bars in CPU s per GB were set on. */
#define YARD_CPU_S_GB 0.36
#define MD5_CPU_S_GB 1.3

#ifdef Q2P_BENCH_ENET
#define ENET_WAY &bench_enet
#else
#define ENET_WAY NULL
#endif
#ifdef Q2P_BENCH_UDT
#define UDT_WAY &bench_udt
#else
#define UDT_WAY NULL
#endif

static void beside(const struct bench_options *options, const struct bench_row *ours,
                   const struct bench_row *other)
{
    char text[64];
    if (!other->way)
        return;
    snprintf(text, sizeof text, "loopback: times as fast as %s", other->name);
    bench_bar(options, text, bench_rate(options, ours, other), BENCH_AT_LEAST, 1);
    snprintf(text, sizeof text, "loopback: CPU per GB, of that of %s", other->name);
    bench_bar(options, text, bench_cost(options, ours, other), BENCH_AT_MOST, 1);
}

/* What a receiver holds beyond the message, and what a sender holds at all, against 6 MB and a bit
 * for each fragment. */
static void bench_memory(const struct bench_options *options, const struct bench_row *ours)
{
    static const char *const names[] = {"loopback: MB held by the sender",
                                        "loopback: MB held by the receiver beyond the message"};
    double len = (double)ours->job.len;
    for (int side = 0; side < 2; side++) {
        double held[BENCH_ROUNDS_MAX];
        for (int i = 0; i < options->rounds; i++)
            held[i] = ours->result[i].done ? ours->result[i].rss_kib[side] * 1024 / 1e6 -
                                                 (side == BENCH_RECEIVE ? len / 1e6 : 0)
                                           : 1e6;
        bench_bar(options, names[side], bench_median(held, options->rounds), BENCH_AT_MOST,
                  6 + len / Q2P_FRAGMENT_LEN / 8 / 1e6);
    }
}

static void bench_loopback(const struct bench_options *options, const uint8_t *data)
{
    enum { YARD_OFFLOAD, YARD_VERIFIED, YARD_BATCH, UNVERIFIED, OURS, OURS_BATCH, ENET, UDT, ROWS };
    struct bench_job plain = {.data = data,
                              .len = options->quick ? QUICK_LEN : LOOPBACK_LEN,
                              .ip = {"127.0.0.1", "127.0.0.1"},
                              .netns = {-1, -1}};
    struct bench_job offload = plain, verified = plain;
    offload.offload = verified.offload = verified.verify = true;
    struct bench_row rows[ROWS] = {
        [YARD_OFFLOAD] = {.name = "UDP_SEGMENT to UDP_GRO", .way = &bench_yard, .job = offload},
        [YARD_VERIFIED] = {.name = "... and MD5 at both ends", .way = &bench_yard, .job = verified},
        [YARD_BATCH] = {.name = "sendmmsg to recvmmsg", .way = &bench_yard, .job = plain},
        [UNVERIFIED] = {.name = "libq2p, MD5 off", .way = &bench_ours, .job = offload},
        [OURS] = {.name = "libq2p", .way = &bench_ours, .job = verified},
        [OURS_BATCH] = {.name = "libq2p without offload, MD5 off",
                        .way = &bench_ours,
                        .job = plain},
        [ENET] = {.name = "ENet", .way = ENET_WAY, .job = plain},
        [UDT] = {.name = "UDT", .way = UDT_WAY, .job = plain},
    };
    bench_rows(options, rows, ROWS);
    bench_bar(options, "loopback: of the yardstick with offload, MD5 off",
              bench_rate(options, &rows[UNVERIFIED], &rows[YARD_OFFLOAD]), BENCH_AT_LEAST, 0.30);
    bench_bar(options, "loopback: CPU s per GB, both ends, MD5 off",
              bench_cost(options, &rows[UNVERIFIED], NULL), BENCH_AT_MOST, 1.5);
    bench_bar(options, "loopback: CPU s per GB, both ends", bench_cost(options, &rows[OURS], NULL),
              BENCH_AT_MOST, 4.2);
    bench_bar(options, "loopback: CPU, of the yardstick's, MD5 off",
              bench_cost(options, &rows[UNVERIFIED], &rows[YARD_OFFLOAD]), BENCH_AT_MOST,
              1.5 / YARD_CPU_S_GB);
    bench_bar(options, "loopback: CPU, of the yardstick's with MD5",
              bench_cost(options, &rows[OURS], &rows[YARD_VERIFIED]), BENCH_AT_MOST,
              4.2 / (YARD_CPU_S_GB + 2 * MD5_CPU_S_GB));
    bench_bar(options, "loopback: of the yardstick without, MD5 off",
              bench_rate(options, &rows[OURS_BATCH], &rows[YARD_BATCH]), BENCH_AT_LEAST, 0.75);
    beside(options, &rows[OURS], &rows[ENET]);
    beside(options, &rows[OURS], &rows[UDT]);
    bench_memory(options, &rows[OURS]);
}

static uint8_t *make_data(size_t len)
{
    uint8_t *data = malloc(len);
    uint64_t state = 1;
    for (size_t i = 0; data && i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        data[i] = (uint8_t)(state >> 56);
    }
    return data;
}

static int usage(FILE *out)
{
    fputs("bench_transfer [--json] [--quick] [--rounds N] [--no-link | --no-loopback]\n", out);
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", 0, NULL, 'j'},    {"quick", 0, NULL, 'q'},       {"rounds", 1, NULL, 'r'},
        {"no-link", 0, NULL, 'n'}, {"no-loopback", 0, NULL, 'o'}, {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    struct bench_options options = {.rounds = 5};
    bool link = true, loopback = true;
    for (int found; (found = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        options.json |= found == 'j';
        link &= found != 'n';
        loopback &= found != 'o';
        if (found == 'r')
            options.rounds = (int)strtol(optarg, NULL, 10);
        if (found == 'q')
            options.quick = true, options.rounds = 1;
        if (found == 'h' || found == '?')
            return usage(found == 'h' ? stdout : stderr);
    }
    if (options.rounds < 1 || options.rounds > BENCH_ROUNDS_MAX || optind < argc)
        return usage(stderr);
    size_t len = link ? BENCH_LINK_LEN : LOOPBACK_LEN;
    uint8_t *data = make_data(len);
    if (!data) {
        fputs("bench_transfer: out of memory\n", stderr);
        return 4;
    }
    if (loopback)
        bench_loopback(&options, data);
    if (link)
        bench_over_link(&options, data, len);
    bench_many(&options, data); /* last: what it frees would be reused by the others' receivers */
    free(data);
    return 0;
}
