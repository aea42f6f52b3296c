/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_over_link.c - 200 Mbit/s, 25 ms each way, a queue of one bandwidth-delay product: ours
 * beside the kernel's TCP, alone with several rates of loss, and sharing the link with it.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include "bench_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <q2p/wire.h>

#include "bench_link.h"

enum { LARGE_LEN = 30000000, SMALL_LEN = 10000000, SHARE_S = 10 };

/* TCP BBR in MiB/s over this link, measured elsewhere; for kernels without it. */
#define BBR_LARGE 17.8
#define BBR_LARGE_LOSSY 15.4
#define BBR_SMALL 13.5

/* Of the link's bytes, the part that is the body of full fragments (IPv4 and UDP headers: 28). */
#define CEILING_MIB_S                                                                              \
    (25e6 * Q2P_FRAGMENT_LEN / (Q2P_DATAGRAM_MAX - 4 + 28) / (1 << 20)) /* options: 24 in front */

static const struct bench_link_kind clean = {25e6, 0.025, 1250000, 0};

static struct bench_job job_over(const struct bench_link *link, const uint8_t *data, size_t len,
                                 const char *control)
{
    struct bench_job job = {
        .data = data, .len = len, .offload = true, .verify = true, .control = control};
    memcpy(job.netns, link->netns, sizeof job.netns);
    memcpy(job.ip, link->ip, sizeof job.ip);
    return job;
}

static bool open_link(struct bench_link *link, const struct bench_link_kind *kind)
{
    if (bench_link_open(link, kind) == 0)
        return true;
    fprintf(stderr, "bench_transfer: no link, which takes root and /dev/net/tun: %s\n",
            strerror(errno));
    return false;
}

/* NULL: not here. */
static const struct bench_way *bbr_way(void)
{
    return bench_tcp_has("bbr") ? &bench_tcp : NULL;
}

static void bar_of_bbr(const struct bench_options *options, const char *name,
                       const struct bench_row rows[2], double figure, double bar)
{
    bool here = rows[1].way != NULL;
    bench_bar(options, name,
              bench_rate(options, &rows[0], here ? &rows[1] : NULL) / (here ? 1 : figure),
              BENCH_AT_LEAST, bar);
}

static bool bench_alone(const struct bench_options *options, const uint8_t *data)
{
    enum { OURS, BBR, OURS_SMALL, SMALL_BBR, CUBIC, ROWS };
    struct bench_link link;
    if (!open_link(&link, &clean))
        return false;
    struct bench_job large = job_over(&link, data, LARGE_LEN, "bbr");
    struct bench_job cubic = job_over(&link, data, LARGE_LEN, "cubic");
    struct bench_job small = job_over(&link, data, SMALL_LEN, "bbr");
    struct bench_row rows[ROWS] = {
        [OURS] = {.name = "link, 30 MB: libq2p", .way = &bench_ours, .job = large},
        [BBR] = {.name = "link, 30 MB: TCP BBR", .way = bbr_way(), .job = large},
        [OURS_SMALL] = {.name = "link, 10 MB: libq2p", .way = &bench_ours, .job = small},
        [SMALL_BBR] = {.name = "link, 10 MB: TCP BBR", .way = bbr_way(), .job = small},
        [CUBIC] = {.name = "link, 30 MB: TCP cubic", .way = &bench_tcp, .job = cubic},
    };
    bench_rows(options, rows, ROWS);
    bar_of_bbr(options, "link: 30 MB, of TCP BBR", &rows[OURS], BBR_LARGE, 0.90);
    bar_of_bbr(options, "link: 10 MB, of TCP BBR", &rows[OURS_SMALL], BBR_SMALL, 0.90);
    bench_link_close(&link);
    return true;
}

static void bench_lossy(const struct bench_options *options, const uint8_t *data, double loss)
{
    enum { OURS, BBR, ROWS };
    struct bench_link_kind kind = clean;
    struct bench_link link;
    char name[ROWS][64], bar[64];
    kind.loss = loss;
    if (!open_link(&link, &kind))
        return;
    struct bench_job job = job_over(&link, data, LARGE_LEN, "bbr");
    struct bench_row rows[ROWS] = {[OURS] = {.name = name[OURS], .way = &bench_ours, .job = job},
                                   [BBR] = {.name = name[BBR], .way = bbr_way(), .job = job}};
    snprintf(name[OURS], sizeof name[OURS], "link, %.0f %% lost, 30 MB: libq2p", loss * 100);
    snprintf(name[BBR], sizeof name[BBR], "link, %.0f %% lost, 30 MB: TCP BBR", loss * 100);
    bench_rows(options, rows, ROWS);
    bench_link_close(&link);
    if (loss < 0.03) {
        snprintf(bar, sizeof bar, "link: 30 MB, %.0f %% lost, of TCP BBR", loss * 100);
        bar_of_bbr(options, bar, &rows[OURS], BBR_LARGE_LOSSY, 0.95);
        return;
    }
    snprintf(bar, sizeof bar, "link: 30 MB, %.0f %% lost, of the ceiling", loss * 100);
    bench_bar(options, bar, bench_rate(options, &rows[OURS], NULL) / CEILING_MIB_S, BENCH_AT_LEAST,
              0.55);
    snprintf(bar, sizeof bar, "link: 30 MB, %.0f %% lost, spread", loss * 100);
    if (options->rounds > 1)
        bench_bar(options, bar, bench_spread(options, &rows[OURS]), BENCH_AT_MOST, 0.20);
}

static void sleep_s(time_t seconds)
{
    struct timespec left = {.tv_sec = seconds};
    nanosleep(&left, NULL);
}

/* Bytes that each of two flows brings over in SHARE_S from when the second begins. */
static void share(const struct bench_job *job, const struct bench_way *first, double bytes[2])
{
    struct bench_flow flow[2];
    bench_start(&flow[0], first, job);
    sleep_s(1);
    bench_start(&flow[1], &bench_ours, job);
    uint64_t before = flow[0].shared->received;
    sleep_s(SHARE_S);
    bytes[0] = (double)(flow[0].shared->received - before);
    bytes[1] = (double)flow[1].shared->received;
    for (int i = 0; i < 2; i++)
        bench_stop(&flow[i]);
}

static void bench_shares(const struct bench_options *options, const uint8_t *data, size_t len)
{
    double cubic[BENCH_ROUNDS_MAX], beside_bbr[BENCH_ROUNDS_MAX], jain[BENCH_ROUNDS_MAX];
    bool bbr = bbr_way() != NULL;
    for (int i = 0; i < options->rounds; i++) {
        /* cppcheck-suppress legacyUninitvar ; their places, to be filled */
        double *const shares[] = {cubic, beside_bbr, jain};
        for (int kind = 0; kind < 3; kind++) {
            if (kind == 1 && !bbr)
                continue;
            struct bench_link link;
            double bytes[2], sum;
            if (!open_link(&link, &clean))
                return;
            struct bench_job job = job_over(&link, data, len, kind == 0 ? "cubic" : "bbr");
            share(&job, kind < 2 ? &bench_tcp : &bench_ours, bytes);
            bench_link_close(&link);
            sum = bytes[0] + bytes[1] > 0 ? bytes[0] + bytes[1] : 1;
            shares[kind][i] = kind < 2
                                  ? bytes[1] / sum
                                  : sum * sum / 2 / (bytes[0] * bytes[0] + bytes[1] * bytes[1] + 1);
        }
    }
    double share_cubic = bench_median(cubic, options->rounds);
    bench_bar(options, "link: share beside TCP cubic, not less", share_cubic, BENCH_AT_LEAST, 0.25);
    bench_bar(options, "link: share beside TCP cubic, not more", share_cubic, BENCH_AT_MOST, 0.75);
    if (bbr)
        bench_bar(options, "link: share beside TCP BBR", bench_median(beside_bbr, options->rounds),
                  BENCH_AT_LEAST, 0.10);
    bench_bar(options, "link: Jain index of two of ours", bench_median(jain, options->rounds),
              BENCH_AT_LEAST, 0.90);
}

void bench_over_link(const struct bench_options *options, const uint8_t *data, size_t len)
{
    if (!bbr_way())
        fputs("bench_transfer: no BBR here, so figures measured elsewhere stand for it\n", stderr);
    if (!bench_alone(options, data))
        return;
    bench_lossy(options, data, 0.01);
    bench_lossy(options, data, 0.05);
    bench_shares(options, data, len);
}
