/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_run.c - starts the two processes of a job, and counts their time, CPU and memory. */
#define _GNU_SOURCE /* setns, CPU affinity */
#include "bench.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <q2p/drive.h>

#include "bench_clock.h"

static double cpu_now(long *rss_kib)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *rss_kib = usage.ru_maxrss;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void count_from_here(struct bench_shared *shared, int side)
{
    shared->cpu_begin_s[side] = cpu_now(&shared->rss_begin_kib[side]);
}

static void count_up_to_here(struct bench_shared *shared, int side)
{
    shared->cpu_s[side] = cpu_now(&shared->rss_kib[side]) - shared->cpu_begin_s[side];
    shared->rss_kib[side] -= shared->rss_begin_kib[side];
}

void bench_listening(struct bench_shared *shared, int port)
{
    count_from_here(shared, BENCH_RECEIVE);
    shared->port = port;
}

void bench_begin(struct bench_shared *shared)
{
    count_from_here(shared, BENCH_SEND);
    shared->begin_s = bench_wall_seconds();
    shared->begun = true;
}

void bench_end(struct bench_shared *shared)
{
    shared->end_s = bench_wall_seconds();
    count_up_to_here(shared, BENCH_RECEIVE);
    shared->done = true;
}

static void pin_to(int side)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)(side % sysconf(_SC_NPROCESSORS_ONLN)), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
}

static pid_t start_side(const struct bench_way *way, const struct bench_job *job,
                        struct bench_shared *shared, int side)
{
    static const struct timespec nap = {.tv_nsec = 1000000};
    pid_t parent = getpid(), child = fork();
    if (child)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || (job->netns[side] >= 0 && setns(job->netns[side], 0) < 0))
        _exit(1);
    pin_to(side);
    while (side == BENCH_SEND && !shared->port)
        nanosleep(&nap, NULL);
    int status = side == BENCH_SEND ? way->send(job, shared) : way->receive(job, shared);
    if (side == BENCH_SEND)
        count_up_to_here(shared, side);
    _exit(status ? 1 : 0);
}

/* True if it ended well by then; else it is ended. */
static bool finish(pid_t child, double deadline_s)
{
    static const struct timespec nap = {.tv_nsec = 2000000};
    int status = 1;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (bench_wall_seconds() > deadline_s)
            kill(child, SIGKILL);
        nanosleep(&nap, NULL);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void bench_start(struct bench_flow *flow, const struct bench_way *way, const struct bench_job *job)
{
    flow->shared =
        mmap(NULL, sizeof *flow->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (flow->shared == MAP_FAILED) {
        perror("bench_transfer: mmap");
        exit(4);
    }
    for (int side = BENCH_RECEIVE; side >= BENCH_SEND; side--)
        flow->pid[side] = start_side(way, job, flow->shared, side);
}

void bench_stop(struct bench_flow *flow)
{
    for (int side = 0; side < 2; side++)
        finish(flow->pid[side], 0);
    munmap(flow->shared, sizeof *flow->shared);
}

/*
 * Hosts take the free memory of their guests away after seconds: the first touch of a message would
 * measure how fast they give it back. So as much is touched just before, for every way alike.
 */
static void warm_memory(size_t len)
{
    struct q2p_alloc alloc;
    q2p_drive_memory(&alloc);
    void *memory = alloc.resize(alloc.ctx, NULL, 0, len);
    if (memory)
        alloc.resize(alloc.ctx, memset(memory, 1, len), len, 0);
}

struct bench_result bench_run(const struct bench_way *way, const struct bench_job *job,
                              double limit_s)
{
    struct bench_result result = {0};
    struct bench_flow flow;
    warm_memory(job->len);
    bench_start(&flow, way, job);
    double deadline_s = bench_wall_seconds() + limit_s;
    bool received = finish(flow.pid[BENCH_RECEIVE], deadline_s);
    bool sent = finish(flow.pid[BENCH_SEND], received ? deadline_s : 0);
    const struct bench_shared *shared = flow.shared;
    double took_s = shared->end_s - shared->begin_s;
    if (received && sent && shared->done && took_s > 0) {
        result.done = true;
        result.mib_s = (double)job->len / took_s / (1 << 20);
        result.cpu_s_gb =
            (shared->cpu_s[BENCH_SEND] + shared->cpu_s[BENCH_RECEIVE]) / (double)job->len * 1e9;
        for (int side = 0; side < 2; side++)
            result.rss_kib[side] = (double)shared->rss_kib[side];
    }
    munmap(flow.shared, sizeof *flow.shared);
    return result;
}
