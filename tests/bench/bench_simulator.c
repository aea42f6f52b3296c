/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_simulator.c - how fast the simulator is: N peers, each sends a 512-byte datagram every
 * 100 ms over 20 ms of delay and 1 % of loss, each behind a NAT of its own; beside it the same
 * traffic in a plain C event loop measured in the same run. One core; processor time, and still better on a quiet machine.
 *
 *     bench_simulator [--json] [--quick] [--million]
 */
#define _POSIX_C_SOURCE 199309L
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net_route.h"
#include "report_trace.h"
#include "sim_host.h"

#define PERIOD_NS (100 * Q2P_MILLISECOND)
#define DELAY_NS (20 * Q2P_MILLISECOND)
#define LOSS_PPB 10000000u
#define NEIGHBOURS 8 /* on each side */

static bool json;
static int failures;
static double size = 1; /* of the workloads */

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_simulator: %s\n", what);
    exit(1);
}

/* A line: value against its bar (NAN = there is none), and in words. */
static void tell(const char *name, double value, double bar, bool most, const char *words)
{
    bool holds = isnan(bar) || (most ? value <= bar : value >= bar);
    failures += !holds;
    if (json) {
        printf("{\"name\":\"%s\",\"value\":%.6g", name, value);
        if (!isnan(bar))
            printf(",\"bar\":%.6g,\"at\":\"%s\",\"holds\":%s", bar, most ? "most" : "least",
                   holds ? "true" : "false");
        printf("}\n");
    } else if (isnan(bar)) {
        printf("%-24s %12.4g   %s\n", name, value, words);
    } else {
        printf("%-24s %12.4g   %s %-8.4g %-5s %s\n", name, value, most ? "<=" : ">=", bar,
               holds ? "holds" : "FAILS", words);
    }
    fflush(stdout);
}

/* ---- the yardstick: a binary heap, two copies per datagram, and nothing else --------------- */

struct yard_event {
    q2p_time at;
    uint32_t by, count, peer; /* count: of the sender, for ties */
    uint8_t *bytes;           /* NULL: the peer sends */
};

struct yard {
    struct yard_event *heap;
    size_t count;
    uint8_t (*buffers)[512], **unused;
    size_t unused_count;
};

static bool yard_before(const struct yard_event *a, const struct yard_event *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return a->by != b->by ? a->by < b->by : a->count < b->count;
}

static void yard_push(struct yard *yard, struct yard_event event)
{
    size_t at = yard->count++;
    for (; at > 0 && yard_before(&event, &yard->heap[(at - 1) / 2]); at = (at - 1) / 2)
        yard->heap[at] = yard->heap[(at - 1) / 2];
    yard->heap[at] = event;
}

static struct yard_event yard_pop(struct yard *yard)
{
    struct yard_event out = yard->heap[0], last = yard->heap[--yard->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < yard->count; at = child) {
        if (child + 1 < yard->count && yard_before(&yard->heap[child + 1], &yard->heap[child]))
            child++;
        if (!yard_before(&yard->heap[child], &last))
            break;
        yard->heap[at] = yard->heap[child];
    }
    yard->heap[at] = last;
    return out;
}

/* Datagrams per second of wall time. */
static double run_yard(uint32_t peers, uint64_t datagrams)
{
    struct sim_rng rng;
    struct yard yard = {0};
    uint8_t(*received)[512] = sim_alloc((size_t)peers * sizeof *received);
    uint32_t *counts = sim_alloc(peers * sizeof *counts);
    size_t flying = peers / 2 + 64;
    yard.heap = sim_alloc((peers + flying) * sizeof *yard.heap);
    yard.buffers = sim_alloc(flying * sizeof *yard.buffers);
    yard.unused = sim_alloc(flying * sizeof *yard.unused);
    for (; yard.unused_count < flying; yard.unused_count++)
        yard.unused[yard.unused_count] = yard.buffers[yard.unused_count];
    sim_rng_init(&rng, 1, "yard");
    for (uint32_t i = 0; i < peers; i++)
        yard_push(&yard, (struct yard_event){
                             .at = (q2p_time)sim_rng_below(&rng, PERIOD_NS), .by = i, .peer = i});
    double start = seconds_now();
    for (uint64_t sent = 0; sent < datagrams;) {
        struct yard_event event = yard_pop(&yard);
        if (event.bytes) {
            memcpy(received[event.peer], event.bytes, 512);
            yard.unused[yard.unused_count++] = event.bytes;
            continue;
        }
        uint64_t draw = sim_rng_next(&rng);
        yard_push(&yard, (struct yard_event){.at = event.at + PERIOD_NS,
                                             .by = event.peer,
                                             .count = counts[event.peer]++,
                                             .peer = event.peer});
        sent++;
        if (draw % 100 == 0)
            continue;
        uint8_t *bytes = yard.unused[--yard.unused_count];
        memcpy(bytes, received[event.peer], 512);
        yard_push(&yard, (struct yard_event){.at = event.at + DELAY_NS,
                                             .by = event.peer,
                                             .count = counts[event.peer]++,
                                             .peer = (uint32_t)((draw >> 32) % peers),
                                             .bytes = bytes});
    }
    double took = seconds_now() - start;
    free(yard.heap);
    free(yard.buffers);
    free(yard.unused);
    free(received);
    free(counts);
    return (double)datagrams / took;
}

/* ---- a machine that sends the same bytes again and again ----------------------------------- */

struct opaque {
    struct bench *bench;
    q2p_time next_ns;
    uint32_t number, count;
    bool due;
    uint8_t received[Q2P_DATAGRAM_MAX];
};

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
    bool nat, anywhere;
};

static struct q2p_addr address(uint8_t net, uint32_t number, uint16_t port)
{
    return (struct q2p_addr){.ip = {(uint8_t)(net + (number >> 24)), (uint8_t)(number >> 16),
                                    (uint8_t)(number >> 8), (uint8_t)number},
                             .port = port,
                             .ip_len = 4};
}

static int opaque_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    struct opaque *opaque = self;
    (void)now;
    memcpy(opaque->received, in->bytes, in->len);
    return Q2P_OK;
}

static int opaque_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    struct opaque *opaque = self;
    (void)now;
    if (!opaque->due)
        return 0;
    const struct bench *bench = opaque->bench;
    uint32_t step = 1 + opaque->count % (2 * NEIGHBOURS), to;
    if (bench->anywhere)
        to = (uint32_t)(sim_mix(opaque->number, opaque->count) % bench->count);
    else /* the next ones, then the ones before */
        to = opaque->number + (step <= NEIGHBOURS ? step : bench->count + NEIGHBOURS - step);
    opaque->count++;
    opaque->due = false;
    *out = (struct q2p_datagram){.peer = address(11, to % bench->count, 10000),
                                 .bytes = opaque->received,
                                 .len = Q2P_DATAGRAM_MAX};
    return 1;
}

static q2p_time opaque_deadline(const void *self)
{
    return ((const struct opaque *)self)->next_ns;
}

static void opaque_tick(void *self, q2p_time now)
{
    struct opaque *opaque = self;
    opaque->next_ns = now + PERIOD_NS;
    opaque->due = true;
}

static const struct q2p_machine opaque_machine = {"opaque", opaque_input, opaque_output,
                                                  opaque_deadline, opaque_tick};

/* The place of peer number n, behind its NAT if there are NATs. */
static struct net_place *add_place(struct bench *bench, uint32_t number)
{
    struct q2p_addr outside = address(11, number, bench->nat ? 0 : 10000);
    snprintf(bench->names[number], sizeof *bench->names, "%u", (unsigned)number);
    if (!bench->nat)
        return net_add_host(&bench->net, bench->names[number], NET_REALM_PUBLIC, &outside);
    struct net_nat_config config;
    struct q2p_addr inside = address(10, 2, 10000);
    net_nat_preset(3, &config); /* port-restricted-cone */
    struct net_place *nat =
        net_add_nat(&bench->net, bench->names[number], NET_REALM_PUBLIC, &outside, &config);
    return net_add_host(&bench->net, bench->names[number], nat->inner, &inside);
}

static void build_net(struct bench *bench, uint32_t count, bool nat)
{
    struct net_link_config link = {
        .delay_min_ns = DELAY_NS, .delay_max_ns = DELAY_NS, .loss_ppb = LOSS_PPB};
    *bench = (struct bench){.count = count, .nat = nat};
    sim_world_init(&bench->world, 1);
    net_init(&bench->net, &bench->world, &bench->tap, &link);
    bench->names = sim_alloc(count * sizeof *bench->names);
    bench->hosts = sim_alloc(count * sizeof *bench->hosts);
}

static void attach(struct bench *bench, uint32_t number, const struct q2p_machine *machine,
                   void *self)
{
    struct net_place *place = add_place(bench, number);
    struct sim_host *host = &bench->hosts[number];
    sim_host_init(host, place->index, machine, self);
    host->addr = place->addr;
    host->element.next = &place->out;
    place->host = &host->element;
}

static void build_opaque(struct bench *bench, uint32_t count, bool nat)
{
    struct sim_rng rng;
    build_net(bench, count, nat);
    sim_rng_init(&rng, 1, "phases");
    bench->peers = sim_alloc(count * sizeof *bench->peers);
    for (uint32_t i = 0; i < count; i++) {
        struct opaque *opaque = &bench->peers[i];
        opaque->bench = bench;
        opaque->number = i;
        opaque->next_ns = (q2p_time)sim_rng_below(&rng, PERIOD_NS);
        attach(bench, i, &opaque_machine, opaque);
        sim_host_pump(&bench->hosts[i], &bench->world);
    }
}

static void free_bench(struct bench *bench)
{
    net_free(&bench->net);
    sim_world_free(&bench->world);
    free(bench->names);
    free(bench->hosts);
    free(bench->peers);
}

static uint64_t count_sent(const struct bench *bench)
{
    uint64_t sent = 0;
    for (uint32_t i = 0; i < bench->count; i++)
        sent += bench->hosts[i].sent;
    return sent;
}

/* Virtual time that so many datagrams take. */
static q2p_time time_for(uint32_t peers, double datagrams)
{
    q2p_time out = (q2p_time)(datagrams * size / peers * (double)PERIOD_NS);
    return out > PERIOD_NS ? out : PERIOD_NS;
}

static void trace_seen(void *ctx, uint32_t point, bool out, struct sim_packet *packet, q2p_time now)
{
    report_trace_seen(&((struct bench *)ctx)->trace, point, out, packet, now);
}

static void trace_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                       q2p_time now)
{
    (void)now;
    report_trace_fate(&((struct bench *)ctx)->trace, packet, fate, where);
}

struct opaque_plan {
    uint32_t peers;
    bool nat, anywhere, traced;
};

/* Datagrams per second of wall time, after every mapping is there; the best of three. */
static double run_opaque(const struct opaque_plan *plan, double datagrams)
{
    struct bench bench;
    double best = 0;
    build_opaque(&bench, plan->peers, plan->nat);
    bench.anywhere = plan->anywhere;
    sim_world_run(&bench.world, 2 * NEIGHBOURS * PERIOD_NS);
    if (plan->traced) {
        bench.null = fopen("/dev/null", "w");
        if (!bench.null)
            die("no /dev/null");
        report_trace_begin(&bench.trace, bench.null, &bench.net, "");
        bench.tap = (struct net_tap){.ctx = &bench, .seen = trace_seen, .fate = trace_fate};
    }
    for (int i = 0; i < 3; i++) {
        uint64_t before = count_sent(&bench);
        double start = seconds_now();
        sim_world_run(&bench.world, bench.world.now + time_for(plan->peers, datagrams));
        double rate = (double)(count_sent(&bench) - before) / (seconds_now() - start);
        best = rate > best ? rate : best;
    }
    if (plan->traced) {
        report_trace_end(&bench.trace);
        fclose(bench.null);
    }
    free_bench(&bench);
    return best;
}

static void bench_core(void)
{
    static const struct {
        uint32_t peers;
        double bar, datagrams;
    } rows[] = {{1000, 3e6, 3e6}, {10000, 2e6, 3e6}, {100000, 0.8e6, 3e6}};
    char name[40], words[80];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t peers = rows[i].peers;
        double yard = run_yard(peers, (uint64_t)(rows[i].datagrams * size) + 1);
        double rate =
            run_opaque(&(struct opaque_plan){.peers = peers, .nat = true}, rows[i].datagrams);
        snprintf(name, sizeof name, "core-%u", (unsigned)peers);
        snprintf(words, sizeof words, "datagrams/s; %.2f of a plain loop's %.3g", rate / yard,
                 yard);
        tell(name, rate, rows[i].bar, false, words);
        double bare = run_opaque(&(struct opaque_plan){.peers = peers}, rows[i].datagrams);
        snprintf(name, sizeof name, "core-public-%u", (unsigned)peers);
        tell(name, bare, NAN, false, "datagrams/s without NATs");
        double any =
            run_opaque(&(struct opaque_plan){.peers = peers, .anywhere = true}, rows[i].datagrams);
        snprintf(name, sizeof name, "core-anywhere-%u", (unsigned)peers);
        tell(name, any, NAN, false, "datagrams/s to random places, without NATs");
        if (i > 0)
            continue;
        tell("cost-nat", 100 * (1 - rate / bare), 30, true, "% at 1,000 peers");
        double traced =
            run_opaque(&(struct opaque_plan){.peers = peers, .nat = true, .traced = true}, 1e6);
        tell("cost-pcapng", 100 * (1 - traced / rate), 40, true, "% at 1,000 peers behind NATs");
    }
}

/* ---- memory -------------------------------------------------------------------------------- */

static size_t memory_now(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static q2p_node *make_node(uint32_t number)
{
    struct q2p_config config;
    q2p_node *node;
    q2p_config_init(&config);
    config.seed = number;
    if (q2p_node_new(&node, &config) < 0)
        die("no node");
    return node;
}

static void bench_memory(void)
{
    struct bench bench;
    uint32_t count = size < 1 ? 1000 : 100000;
    size_t before = memory_now();
    build_net(&bench, count, true);
    for (uint32_t i = 0; i < count; i++)
        attach(&bench, i, &q2p_node_machine, NULL);
    tell("memory-peer", (double)(memory_now() - before) / count, 2048, true,
         "bytes per idle peer and its NAT, beside the node");
    before = memory_now();
    q2p_node **nodes = sim_alloc(count * sizeof(q2p_node *));
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = make_node(i);
    tell("memory-node", (double)(memory_now() - before) / count, 1536, true,
         "bytes per idle libq2p node");
    for (uint32_t i = 0; i < count; i++)
        q2p_node_free(nodes[i]);
    free(nodes);
    free_bench(&bench);
}

/* ---- nodes --------------------------------------------------------------------------------- */

struct full {
    q2p_node *node;
    struct q2p_addr next;
    const uint8_t *data;
    uint64_t delivered;
    bool again;
};

#define TRANSMISSION_LEN 50000

static bool full_settle(void *ctx, struct sim_host *host)
{
    struct full *full = ctx;
    struct q2p_happening what;
    bool any = false;
    (void)host;
    while (q2p_node_happening(full->node, &what)) {
        any = true;
        full->delivered += what.on == Q2P_ON_DELIVERED;
        full->again |= what.on == Q2P_ON_RELEASED || what.on == Q2P_ON_FAILED;
    }
    return any;
}

/* 1,000 nodes, each sends 50,000 bytes to the next one again and again. */
static void bench_nodes(void)
{
    struct bench bench;
    uint32_t count = 1000;
    uint8_t *data = sim_alloc(TRANSMISSION_LEN);
    struct full *all = sim_alloc(count * sizeof *all);
    build_net(&bench, count, false);
    for (uint32_t i = 0; i < count; i++) {
        struct q2p_config config;
        q2p_config_init(&config);
        config.dialect = Q2P_DIALECT_OPTIONS;
        config.keep_ns = 800 * Q2P_MILLISECOND;
        config.remember_ns = 100 * Q2P_MILLISECOND;
        config.seed = i;
        if (q2p_node_new(&all[i].node, &config) < 0)
            die("no node");
        all[i].next = address(11, (i + 1) % count, 10000);
        all[i].again = true;
        attach(&bench, i, &q2p_node_machine, all[i].node);
        bench.hosts[i].settle = full_settle;
        bench.hosts[i].ctx = &all[i];
    }
    double start = seconds_now();
    q2p_time until = size < 1 ? Q2P_SECOND : 10 * Q2P_SECOND;
    for (q2p_time now = 0; now < until; now += 10 * Q2P_MILLISECOND) {
        sim_world_run(&bench.world, now);
        for (uint32_t i = 0; i < count; i++) {
            if (!all[i].again)
                continue;
            all[i].again = false;
            q2p_node_send(all[i].node, now, &all[i].next, data, TRANSMISSION_LEN, NULL);
            sim_host_pump(&bench.hosts[i], &bench.world);
        }
    }
    double took = seconds_now() - start;
    uint64_t delivered = 0;
    for (uint32_t i = 0; i < count; i++)
        delivered += all[i].delivered;
    if (delivered == 0)
        die("nothing was delivered");
    tell("nodes-1000", (double)count_sent(&bench) / took, 1e6, false,
         "datagrams/s of libq2p nodes exchanging transmissions");
    for (uint32_t i = 0; i < count; i++)
        q2p_node_free(all[i].node);
    free(all);
    free(data);
    free_bench(&bench);
}

/* Two nodes behind NATs meet through a seed; everything is made and freed each time. */
static bool punch(uint64_t seed)
{
    struct bench bench;
    q2p_node *nodes[3];
    struct q2p_addr meeting = address(11, 3, 10000);
    struct q2p_peer peers[4];
    build_net(&bench, 4, true);
    bench.world.seed = seed;
    net_set_default(&bench.net,
                    &(struct net_link_config){.delay_min_ns = DELAY_NS, .delay_max_ns = DELAY_NS});
    for (uint32_t i = 0; i < 3; i++) {
        bench.nat = i < 2;
        nodes[i] = make_node(i);
        if (i == 2) {
            snprintf(bench.names[i], sizeof *bench.names, "seed");
            net_add_host(&bench.net, bench.names[i], NET_REALM_PUBLIC, &meeting);
        }
        if (i < 2) {
            attach(&bench, i, &q2p_node_machine, nodes[i]);
            continue;
        }
        struct net_place *place = bench.net.places[bench.net.places_count - 1];
        sim_host_init(&bench.hosts[i], place->index, &q2p_node_machine, nodes[i]);
        bench.hosts[i].addr = place->addr;
        bench.hosts[i].element.next = &place->out;
        place->host = &bench.hosts[i].element;
    }
    for (uint32_t i = 0; i < 2; i++) {
        q2p_node_join(nodes[i], bench.world.now, &meeting);
        sim_host_pump(&bench.hosts[i], &bench.world);
        sim_world_run(&bench.world, bench.world.now + 200 * Q2P_MILLISECOND);
    }
    bool met = q2p_node_peers(nodes[0], peers, 4) == 2 && q2p_node_peers(nodes[1], peers, 4) == 2;
    for (uint32_t i = 0; i < 3; i++)
        q2p_node_free(nodes[i]);
    free_bench(&bench);
    return met;
}

static void bench_punch(void)
{
    int trials = (int)(200000 * size) + 1, met = 0;
    double start = seconds_now();
    for (int i = 0; i < trials; i++)
        met += punch((uint64_t)i);
    if (met != trials)
        die("peers did not meet");
    tell("punch", trials / (seconds_now() - start), 5e4, false, "complete punching trials/s");
}

/* ---- one huge run -------------------------------------------------------------------------- */

static double peak_gib(void)
{
    char line[128];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lf", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib / (1 << 20);
}

/* A million nodes behind a million NATs, each sends JOIN to the next one. */
static void bench_million(void)
{
    struct bench bench;
    uint32_t count = 1000000;
    q2p_node **nodes = sim_alloc(count * sizeof(q2p_node *));
    build_net(&bench, count, true);
    for (uint32_t i = 0; i < count; i++) {
        struct q2p_addr next = address(11, (i + 1) % count, 10000);
        nodes[i] = make_node(i);
        attach(&bench, i, &q2p_node_machine, nodes[i]);
        q2p_node_join(nodes[i], 0, &next);
        sim_host_pump(&bench.hosts[i], &bench.world);
    }
    sim_world_run(&bench.world, Q2P_SECOND);
    tell("million", peak_gib(), 4, true, "GiB at most with 1,000,000 joining nodes and NATs");
    for (uint32_t i = 0; i < count; i++)
        q2p_node_free(nodes[i]);
    free(nodes);
    free_bench(&bench);
}

int main(int argc, char **argv)
{
    bool million = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            size = 0.02;
        else if (strcmp(argv[i], "--million") == 0)
            million = true;
        else {
            fprintf(stderr, "usage: bench_simulator [--json] [--quick] [--million]\n");
            return 2;
        }
    }
    if (million) {
        bench_million();
        return failures > 0;
    }
    bench_core();
    bench_memory();
    bench_punch();
    bench_nodes();
    return failures > 0;
}
