/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_world.c - N peers, each sends a 512-byte datagram every 100 ms; and a plain loop. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench_clock.h"
#include "bench_sort.h"
#include "bench_world.h"

#define ROUNDS 15 /* of bench_slower */

void bench_die(const char *what)
{
    fprintf(stderr, "bench_simulator: %s\n", what);
    exit(1);
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

double bench_plain_loop(uint32_t peers, uint64_t datagrams)
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
    double start = bench_cpu_seconds();
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
    double took = bench_cpu_seconds() - start;
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

struct q2p_addr bench_address(uint8_t net, uint32_t number, uint16_t port)
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
    else if (bench->far && opaque->count % 10 == 9)
        to = opaque->number + bench->count / 2;
    else /* the next ones, then the ones before */
        to = opaque->number + (step <= NEIGHBOURS ? step : bench->count + NEIGHBOURS - step);
    opaque->count++;
    opaque->due = false;
    *out = (struct q2p_datagram){.peer = bench_address(11, to % bench->count, 10000),
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

static const struct q2p_machine opaque_machine = {"opaque",        opaque_input, opaque_output,
                                                  opaque_deadline, opaque_tick,  NULL};

/* The place of peer number n, behind its NAT if there are NATs. */
static struct net_place *add_place(struct bench *bench, uint32_t number)
{
    struct q2p_addr outside = bench_address(11, number, bench->nat ? 0 : 10000);
    snprintf(bench->names[number], sizeof *bench->names, "%u", (unsigned)number);
    if (!bench->nat)
        return net_add_host(&bench->net, bench->names[number], NET_REALM_PUBLIC, &outside);
    struct net_nat_config config;
    struct q2p_addr inside = bench_address(10, 2, 10000);
    net_nat_preset(3, &config); /* port-restricted-cone */
    struct net_place *nat =
        net_add_nat(&bench->net, bench->names[number], NET_REALM_PUBLIC, &outside, &config);
    return net_add_host(&bench->net, bench->names[number], nat->inner, &inside);
}

void bench_build(struct bench *bench, uint32_t count, bool nat)
{
    struct net_link_config link = {
        .delay_min_ns = DELAY_NS, .delay_max_ns = DELAY_NS, .loss_ppb = LOSS_PPB};
    *bench = (struct bench){.count = count, .nat = nat};
    sim_world_init(&bench->world, 1);
    net_init(&bench->net, &bench->world, &bench->tap, &link);
    bench->names = sim_alloc(count * sizeof *bench->names);
    bench->hosts = sim_alloc(count * sizeof *bench->hosts);
}

void bench_attach(struct bench *bench, uint32_t number, const struct q2p_machine *machine,
                  void *self)
{
    struct net_place *place = add_place(bench, number);
    struct sim_host *host = &bench->hosts[number];
    sim_host_init(host, place->index, machine, self);
    host->addr = place->addr;
    host->next = &place->out;
    place->host = &host->runner.element;
}

static void divide(struct bench *bench, uint32_t threads)
{
    bench->of = sim_alloc(bench->net.places_count);
    bench->views = sim_alloc(threads * sizeof *bench->views);
    if (net_divide(&bench->net, threads, bench->of, NULL, 0) != threads)
        bench_die("nothing to divide");
    bench->parts = sim_parts_new(threads, bench->world.seed, bench->of);
    for (uint32_t i = 0; i < threads; i++) {
        bench->views[i].world = &sim_parts_at(bench->parts, i)->world;
        bench->views[i].tap = &bench->tap;
    }
    net_split(&bench->net, bench->views, threads, bench->of);
    sim_parts_ahead(bench->parts, net_ahead(&bench->net, bench->of));
}

static void build_opaque(struct bench *bench, const struct opaque_plan *plan)
{
    struct sim_rng rng;
    uint32_t count = plan->peers;
    bench_build(bench, count, plan->nat);
    bench->world.seed += plan->seed;
    bench->anywhere = plan->anywhere;
    bench->far = plan->far;
    sim_rng_init(&rng, 1, "phases");
    bench->peers = sim_alloc(count * sizeof *bench->peers);
    for (uint32_t i = 0; i < count; i++) {
        struct opaque *opaque = &bench->peers[i];
        opaque->bench = bench;
        opaque->number = i;
        opaque->next_ns = (q2p_time)sim_rng_below(&rng, PERIOD_NS);
        bench_attach(bench, i, &opaque_machine, opaque);
    }
    if (plan->threads > 1)
        divide(bench, plan->threads);
    for (uint32_t i = 0; i < count; i++)
        sim_host_pump(&bench->hosts[i], bench->net.places[bench->hosts[i].index]->net->world);
    if (bench->parts)
        sim_parts_touched(bench->parts);
}

void bench_free(struct bench *bench)
{
    net_free(&bench->net);
    sim_parts_free(bench->parts);
    free(bench->views);
    free(bench->of);
    sim_world_free(&bench->world);
    free(bench->names);
    free(bench->hosts);
    free(bench->peers);
}

uint64_t bench_sent(const struct bench *bench)
{
    uint64_t sent = 0;
    for (uint32_t i = 0; i < bench->count; i++)
        sent += bench->hosts[i].sent;
    return sent;
}

/* Virtual time that so many datagrams take. */
static q2p_time time_for(uint32_t peers, double datagrams)
{
    q2p_time out = (q2p_time)(datagrams / peers * (double)PERIOD_NS);
    return out > PERIOD_NS ? out : PERIOD_NS;
}

static void trace_seen(void *ctx, const struct net_sight *at, struct sim_packet *packet,
                       q2p_time now)
{
    report_trace_seen(&((struct bench *)ctx)->trace, at, packet, now);
}

static void trace_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                       q2p_time now)
{
    (void)now;
    report_trace_fate(&((struct bench *)ctx)->trace, packet, fate, where);
}

/* Built, with every mapping there. */
static void begin_opaque(struct bench *bench, const struct opaque_plan *plan)
{
    build_opaque(bench, plan);
    sim_world_run(&bench->world, 2 * NEIGHBOURS * PERIOD_NS);
    if (!plan->traced)
        return;
    bench->null = fopen("/dev/null", "w");
    if (!bench->null)
        bench_die("no /dev/null");
    bool *watched = sim_alloc(bench->net.places_count);
    for (size_t i = 0; i < bench->net.places_count; i++) /* each NAT comes before its host */
        watched[i] = !net_is_nat(bench->net.places[i]) && i % 4 < 2;
    report_trace_begin(&bench->trace, bench->null, &bench->net, "", plan->half ? watched : NULL);
    free(watched);
    bench->tap = (struct net_tap){.ctx = bench, .seen = trace_seen, .fate = trace_fate};
}

static double run_opaque(struct bench *bench, double datagrams)
{
    uint64_t before = bench_sent(bench);
    double start = bench_cpu_seconds();
    sim_world_run(&bench->world, bench->world.now + time_for(bench->count, datagrams));
    double took = bench_cpu_seconds() - start;
    return (double)(bench_sent(bench) - before) / took;
}

static void end_opaque(struct bench *bench)
{
    if (bench->null) {
        report_trace_end(&bench->trace);
        fclose(bench->null);
    }
    bench_free(bench);
}

double bench_opaque(const struct opaque_plan *plan, double datagrams)
{
    struct bench bench;
    double best = 0;
    begin_opaque(&bench, plan);
    for (int i = 0; i < 3; i++)
        best = fmax(best, run_opaque(&bench, datagrams));
    end_opaque(&bench);
    return best;
}

double bench_slower(const struct opaque_plan *dear, const struct opaque_plan *cheap,
                    double datagrams)
{
    struct bench with, without;
    double shares[ROUNDS];
    begin_opaque(&with, dear);
    begin_opaque(&without, cheap);
    for (int i = 0; i < ROUNDS; i++) {
        double rate = run_opaque(&with, datagrams);
        shares[i] = rate / run_opaque(&without, datagrams);
    }
    end_opaque(&with);
    end_opaque(&without);
    bench_sort(shares, ROUNDS);
    return 100 * (1 - shares[ROUNDS / 2]);
}

static void run_until(struct bench *bench, q2p_time until)
{
    if (bench->parts)
        sim_parts_run(bench->parts, until);
    else
        sim_world_run(&bench->world, until);
}

double bench_threads(const struct opaque_plan *plan, double datagrams, uint64_t *hash)
{
    struct bench bench;
    double best = INFINITY;
    q2p_time now = 2 * NEIGHBOURS * PERIOD_NS;
    build_opaque(&bench, plan);
    run_until(&bench, now);
    for (int i = 0; i < 3; i++) {
        double start = bench_wall_seconds();
        run_until(&bench, now += time_for(plan->peers, datagrams));
        best = fmin(best, bench_wall_seconds() - start);
    }
    *hash = 0;
    for (uint32_t i = 0; i < bench.count; i++)
        *hash += sim_mix(bench.hosts[i].trace, bench.hosts[i].sent);
    bench_free(&bench);
    return best;
}
