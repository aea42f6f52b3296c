/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_simulator.c - how fast the simulator is: N peers, each sends a 512-byte datagram every
 * 100 ms over 20 ms of delay and 1 % of loss, each behind a NAT of its own; beside it the same
 * traffic in a plain C event loop measured in the same run. One core; processor time, and still
 * better on a quiet machine. Only two runs or threads at once are measured by the clock on the
 * wall.
 *
 *     bench_simulator [--json] [--quick] [--million]
 */
#define _GNU_SOURCE /* fork, popen, sysconf */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_clock.h"
#include "bench_search.h"
#include "bench_world.h"

static bool json;
static int failures;
static double size = 1; /* of the workloads */

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

/* The same workload in ns-3, where that is installed: how many times as fast are we? */
static void bench_ns3(uint32_t peers, double ours)
{
#ifdef Q2P_BENCH_NS3
    char command[512], name[40], words[80];
    double theirs = 0;
    snprintf(command, sizeof command, "'%s' %u %.0f", Q2P_BENCH_NS3, (unsigned)peers,
             fmax(2e5 * size, peers));
    FILE *answer = popen(command, "r");
    if (!answer || fscanf(answer, "%lf", &theirs) != 1 || pclose(answer) != 0)
        bench_die("ns-3 does not answer");
    snprintf(name, sizeof name, "ns3-%u", (unsigned)peers);
    snprintf(words, sizeof words, "datagrams/s in ns-3, without NATs; core-%u is %.0f times it",
             (unsigned)peers, ours / theirs);
    tell(name, theirs, NAN, false, words);
#else
    (void)ours;
    if (!json && peers == 1000)
        printf("no ns-3 (libns3-dev, and a Release build): rows left out\n");
#endif
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
        double yard = bench_plain_loop(peers, (uint64_t)(rows[i].datagrams * size) + 1);
        double rate = bench_opaque(&(struct opaque_plan){.peers = peers, .nat = true},
                                   rows[i].datagrams * size);
        snprintf(name, sizeof name, "core-%u", (unsigned)peers);
        snprintf(words, sizeof words, "datagrams/s; %.2f of a plain loop's %.3g", rate / yard,
                 yard);
        tell(name, rate, rows[i].bar, false, words);
        double bare = bench_opaque(&(struct opaque_plan){.peers = peers}, rows[i].datagrams * size);
        snprintf(name, sizeof name, "core-public-%u", (unsigned)peers);
        tell(name, bare, NAN, false, "datagrams/s without NATs");
        double any = bench_opaque(&(struct opaque_plan){.peers = peers, .anywhere = true},
                                  rows[i].datagrams * size);
        snprintf(name, sizeof name, "core-anywhere-%u", (unsigned)peers);
        tell(name, any, NAN, false, "datagrams/s to random places, without NATs");
        if (peers <= 10000) /* more take ns-3 gigabytes */
            bench_ns3(peers, rate);
    }
}

static void bench_costs(void)
{
    const struct opaque_plan bare = {.peers = 1000}, nat = {.peers = 1000, .nat = true},
                             traced = {.peers = 1000, .nat = true, .traced = true},
                             bare_traced = {.peers = 1000, .traced = true},
                             half = {.peers = 1000, .nat = true, .traced = true, .half = true};
    double datagrams = fmax(2e5 * size, 2e4);
    tell("cost-nat", bench_slower(&nat, &bare, datagrams), 30, true, "% at 1,000 peers");
    tell("cost-pcapng", bench_slower(&traced, &nat, datagrams), 40, true,
         "% at 1,000 peers behind NATs: four blocks a datagram");
    tell("cost-pcapng-half", bench_slower(&half, &nat, datagrams), NAN, true,
         "% at 1,000 peers behind NATs, captured at every other peer: a block a datagram");
    tell("cost-pcapng-public", bench_slower(&bare_traced, &bare, datagrams), NAN, true,
         "% at 1,000 peers without NATs: two blocks a datagram");
}

/* ---- memory -------------------------------------------------------------------------------- */

/* Resident bytes of this process. */
static double memory_now(void)
{
    long pages = 0;
    malloc_trim(0);
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        bench_die("no /proc/self/statm");
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static q2p_node *make_node(struct bench *bench, uint32_t number)
{
    struct q2p_config config;
    q2p_node *node;
    q2p_config_init(&config);
    config.seed = number;
    config.alloc = (struct q2p_alloc){&bench->world.heap, sim_heap_resize};
    if (q2p_node_new(&node, &config) < 0)
        bench_die("no node");
    return node;
}

static void bench_memory(void)
{
    struct bench bench;
    uint32_t count = 100000; /* few of them do not fill the huge pages */
    double before = memory_now();
    bench_build(&bench, count, true);
    for (uint32_t i = 0; i < count; i++)
        bench_attach(&bench, i, &q2p_node_machine, NULL);
    tell("memory-peer", (memory_now() - before) / count, 2048, true,
         "bytes per idle peer and its NAT, beside the node");
    before = memory_now();
    q2p_node **nodes = sim_alloc(count * sizeof(q2p_node *));
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = make_node(&bench, i);
    tell("memory-node", (memory_now() - before) / count, 1536, true, "bytes per idle libq2p node");
    for (uint32_t i = 0; i < count; i++)
        q2p_node_free(nodes[i]);
    free(nodes);
    bench_free(&bench);
}

/* ---- nodes --------------------------------------------------------------------------------- */

struct full {
    q2p_node *node;
    struct q2p_addr next;
    uint64_t begun;
    bool again;
};

#define TRANSMISSION_LEN 50000
#define TRANSMISSIONS 4096 /* each begins a byte later in the same random ones; then all again */

static bool full_settle(void *ctx, struct sim_host *host)
{
    struct full *full = ctx;
    struct q2p_happening what;
    bool any = false;
    (void)host;
    while (q2p_node_happening(full->node, &what)) {
        any = true;
        full->again |= what.on == Q2P_ON_RELEASED || what.on == Q2P_ON_FAILED;
    }
    return any;
}

/* Each sends to the next one again and again, until then; never what it sent before, as a receiver
 * ignores what it has just had. */
static void exchange(struct bench *bench, struct full *all, const uint8_t *data, q2p_time until)
{
    while (bench->world.now < until) {
        sim_world_run(&bench->world, bench->world.now + 10 * Q2P_MILLISECOND);
        for (uint32_t i = 0; i < bench->count; i++) {
            if (!all[i].again)
                continue;
            all[i].again = false;
            q2p_node_send(all[i].node, bench->world.now, &all[i].next,
                          data + all[i].begun++ % TRANSMISSIONS, TRANSMISSION_LEN, NULL);
            sim_host_pump(&bench->hosts[i], &bench->world);
        }
    }
}

static void make_full(struct bench *bench, uint32_t number, struct full *full, bool verify)
{
    struct q2p_config config;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    config.verify = verify;
    config.keep_ns = 800 * Q2P_MILLISECOND;
    config.remember_ns = 100 * Q2P_MILLISECOND;
    config.seed = number;
    config.alloc = (struct q2p_alloc){&bench->world.heap, sim_heap_resize};
    if (q2p_node_new(&full->node, &config) < 0)
        bench_die("no node");
    full->next = bench_address(11, (number + 1) % bench->count, 10000);
    full->again = true;
    bench_attach(bench, number, &q2p_node_machine, full->node);
    bench->hosts[number].settle = full_settle;
    bench->hosts[number].ctx = full;
}

/* 1,000 nodes and 50,000 bytes each time, after all memory was touched once; the best of three. */
static void bench_nodes(bool verify)
{
    struct bench bench;
    uint32_t count = 1000;
    uint8_t *data = sim_alloc(TRANSMISSION_LEN + TRANSMISSIONS);
    struct full *all = sim_alloc(count * sizeof *all);
    q2p_time part_ns = (size < 1 ? 300 : 3000) * Q2P_MILLISECOND;
    uint64_t stored = 0, copies = 0;
    double best = 0;
    for (size_t i = 0; i < TRANSMISSION_LEN + TRANSMISSIONS; i++)
        data[i] = (uint8_t)sim_mix(1, i);
    bench_build(&bench, count, false);
    for (uint32_t i = 0; i < count; i++)
        make_full(&bench, i, &all[i], verify);
    exchange(&bench, all, data, 400 * Q2P_MILLISECOND);
    for (int i = 0; i < 3; i++) {
        uint64_t before = bench_sent(&bench);
        double start = bench_cpu_seconds();
        exchange(&bench, all, data, bench.world.now + part_ns);
        best = fmax(best, (double)(bench_sent(&bench) - before) / (bench_cpu_seconds() - start));
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct q2p_counters *counters = q2p_node_counters(all[i].node);
        stored += counters->fragments_in;
        copies += counters->fragments_duplicate;
    }
    if (stored <= 20 * copies)
        bench_die("too much came that was there already");
    tell(verify ? "nodes-1000" : "nodes-unverified-1000", best, 1e6, false,
         verify ? "datagrams/s of libq2p nodes exchanging transmissions" : "... without MD5");
    for (uint32_t i = 0; i < count; i++)
        q2p_node_free(all[i].node);
    free(all);
    free(data);
    bench_free(&bench);
}

/* Two nodes behind NATs meet through a seed; everything is made and freed each time. */
static bool punch(uint64_t seed)
{
    struct bench bench;
    q2p_node *nodes[3];
    struct q2p_addr meeting = bench_address(11, 2, 10000);
    struct q2p_peer peers[4];
    bench_build(&bench, 3, true);
    bench.world.seed = seed;
    net_set_default(&bench.net,
                    &(struct net_link_config){.delay_min_ns = DELAY_NS, .delay_max_ns = DELAY_NS});
    for (uint32_t i = 0; i < 3; i++) {
        bench.nat = i < 2; /* the third one is the seed */
        nodes[i] = make_node(&bench, i);
        bench_attach(&bench, i, &q2p_node_machine, nodes[i]);
    }
    for (uint32_t i = 0; i < 2; i++) {
        q2p_node_join(nodes[i], bench.world.now, &meeting);
        sim_host_pump(&bench.hosts[i], &bench.world);
        sim_world_run(&bench.world, bench.world.now + 200 * Q2P_MILLISECOND);
    }
    bool met = q2p_node_peers(nodes[0], peers, 4) == 2 && q2p_node_peers(nodes[1], peers, 4) == 2;
    for (uint32_t i = 0; i < 3; i++)
        q2p_node_free(nodes[i]);
    bench_free(&bench);
    return met;
}

static void bench_punch(void)
{
    int trials = (int)(100000 * size) + 1;
    double best = 0;
    for (int round = 0; round < 3; round++) {
        int met = 0;
        double start = bench_cpu_seconds();
        for (int i = 0; i < trials; i++)
            met += punch((uint64_t)i);
        if (met != trials)
            bench_die("peers did not meet");
        best = fmax(best, trials / (bench_cpu_seconds() - start));
    }
    tell("punch", best, 5e4, false, "complete punching trials/s, the best of three");
}

/* ---- tables and search --------------------------------------------------------------------- */

static void bench_search(void)
{
    double trials = fmax(1e6 * size, 2e4);
    char words[80];
    size_t left;
    uint64_t events;
    tell("matrix", 1e3 * bench_matrix_seconds(), 50, true, "ms: five tables of 9 x 9, both scopes");
    snprintf(words, sizeof words, "s for 1,000,000 trials held to theory, by %.3g", trials);
    tell("oracle", bench_oracle_seconds((uint64_t)trials) * 1e6 / trials, 20, true, words);
    double took = bench_shrink_seconds(&left, &events);
    snprintf(words, sizeof words, "s for a failure of %u events", (unsigned)events);
    tell("shrink", took, 60, true, words);
    tell("shrink-left", (double)left, 5, true, "decisions that are left of it");
}

/* ---- two runs at once -------------------------------------------------------------------- */

/* Long enough not to measure the start: fork, the first touch of memory, both on one core. */
static double run_seeds(int count)
{
    double start = bench_wall_seconds();
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0)
            bench_die("no process");
        if (child > 0)
            continue;
        bench_opaque(&(struct opaque_plan){.peers = 1000, .nat = true, .seed = (uint64_t)i},
                     fmax(1e6 * size, 2e5));
        _exit(0);
    }
    for (int i = 0, status; i < count; i++)
        if (wait(&status) < 0 || status != 0)
            bench_die("a run failed");
    return bench_wall_seconds() - start;
}

static void bench_seeds(void)
{
    double one = INFINITY, two = INFINITY;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return;
    for (int i = 0; i < 5; i++) {
        one = fmin(one, run_seeds(1));
        two = fmin(two, run_seeds(2));
    }
    tell("seeds-two-cores", 2 * one / two, 1.7, false,
         "times the work of one core: two seeds at once, a process each");
}

/* One run, on one thread and on two: nine of ten datagrams stay among neighbours. */
static void bench_division(void)
{
    static const struct {
        uint32_t peers;
        double bar;
    } rows[] = {{10000, NAN}, {100000, 1.5}};
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double seconds[2] = {INFINITY, INFINITY};
        uint64_t hashes[2];
        char name[40];
        for (int round = 0; round < 4; round++) {
            uint32_t threads = 1 + (uint32_t)round % 2;
            const struct opaque_plan plan = {
                .peers = rows[i].peers, .nat = true, .far = true, .threads = threads};
            double took = bench_threads(&plan, 1e6 * size, &hashes[threads - 1]);
            seconds[threads - 1] = fmin(seconds[threads - 1], took);
        }
        if (hashes[0] != hashes[1])
            bench_die("two threads give another run");
        snprintf(name, sizeof name, "threads-%u", (unsigned)rows[i].peers);
        tell(name, seconds[0] / seconds[1], rows[i].bar, false,
             "times as fast: one run on two threads, 10 % of the datagrams from one to the other");
    }
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

/* A million nodes behind a million NATs; within a second each joins the next one. */
static void bench_million(void)
{
    struct bench bench;
    uint32_t count = 1000000;
    q2p_node **nodes = sim_alloc(count * sizeof(q2p_node *));
    bench_build(&bench, count, true);
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = make_node(&bench, i);
        bench_attach(&bench, i, &q2p_node_machine, nodes[i]);
    }
    tell("million-idle", peak_gib(), NAN, true, "GiB with 1,000,000 idle nodes and their NATs");
    for (uint32_t i = 0; i < count; i++) {
        struct q2p_addr next = bench_address(11, (i + 1) % count, 10000);
        q2p_node_join(nodes[i], bench.world.now, &next);
        sim_host_pump(&bench.hosts[i], &bench.world);
        sim_world_run(&bench.world, bench.world.now + Q2P_MICROSECOND);
    }
    sim_world_run(&bench.world, 2 * Q2P_SECOND);
    tell("million", peak_gib(), 4, true, "GiB at most with 1,000,000 joining nodes and NATs");
    for (uint32_t i = 0; i < count; i++)
        q2p_node_free(nodes[i]);
    free(nodes);
    bench_free(&bench);
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
    bench_seeds(); /* first: its processes begin with what this one holds */
    bench_core();
    bench_costs();
    bench_memory();
    bench_punch();
    bench_search();
    bench_nodes(true);
    bench_nodes(false);
    bench_division();
    return failures > 0;
}
