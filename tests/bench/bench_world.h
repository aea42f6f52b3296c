/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_world.h - the workload of the simulator's benchmarks: peers behind NATs that send. */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "net_route.h"
#include "report_trace.h"
#include "sim_host.h"
#include "sim_parts.h"

#define PERIOD_NS (100 * Q2P_MILLISECOND)
#define DELAY_NS (20 * Q2P_MILLISECOND)
#define LOSS_PPB 10000000u
#define NEIGHBOURS 8 /* on each side */

struct bench {
    struct sim_world world;
    struct net net;
    struct net_tap tap;
    struct report_trace trace;
    FILE *null;
    struct sim_host *hosts;
    struct opaque *peers;
    char (*names)[16];
    uint32_t count;
    bool nat, anywhere, far;
    struct sim_parts *parts; /* NULL = one thread */
    struct net *views;
    uint8_t *of;
};

struct opaque_plan {
    uint32_t peers;
    bool nat, anywhere, traced;
    bool half; /* traced at every other peer, and at no NAT */
    bool far;  /* every tenth datagram goes to the other half of the peers */
    uint64_t seed;
    uint32_t threads;
};

/* The end of the program. */
_Noreturn void bench_die(const char *what);

/* Peer number n is at address(11, n, 10000), behind a NAT of its own if there are NATs. */
struct q2p_addr bench_address(uint8_t net, uint32_t number, uint16_t port);
void bench_build(struct bench *bench, uint32_t count, bool nat);
void bench_attach(struct bench *bench, uint32_t number, const struct q2p_machine *machine,
                  void *self);
void bench_free(struct bench *bench);
uint64_t bench_sent(const struct bench *bench);

/* Datagrams per second: of peers with opaque datagrams, after every mapping is there, the best of
 * three; of a binary heap with two copies per datagram and nothing else. */
double bench_opaque(const struct opaque_plan *plan, double datagrams);
double bench_plain_loop(uint32_t peers, uint64_t datagrams);

/* How many percent slower one is than the other: both are there at the same time and run in turn,
 * so many datagrams each; the median of the rounds, as a machine that others use is now faster, now
 * slower. */
double bench_slower(const struct opaque_plan *dear, const struct opaque_plan *cheap,
                    double datagrams);

/* Seconds on the wall that so many datagrams take, the best of three, and what came of it. */
double bench_threads(const struct opaque_plan *plan, double datagrams, uint64_t *hash);

#endif
