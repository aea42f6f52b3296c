/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench.h - what the transfer benchmark shares: a job that two processes do, one sending and one
 * receiving, and how it is timed. Each way to do it is one struct bench_way.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define _Atomic(type) type
#endif

enum { BENCH_SEND, BENCH_RECEIVE };

struct bench_job {
    const uint8_t *data; /* what is sent, and what must come out */
    size_t len;
    const char *ip[2];   /* of sender and receiver */
    int netns[2];        /* their network namespaces; -1: as we are */
    bool offload;        /* let UDP_SEGMENT and UDP_GRO be used */
    bool verify;         /* ours: keys are MD5, and checked */
    const char *control; /* TCP: congestion control */
};

/* Memory of both processes. */
struct bench_shared {
    _Atomic(int) port;          /* the receiver's, once it listens */
    _Atomic(bool) begun, done;  /* the sender's first call; the receiver has it all */
    _Atomic(uint64_t) received; /* so far: bytes; for the yardstick, datagrams */
    double begin_s, end_s;
    double cpu_begin_s[2], cpu_s[2];
    long rss_begin_kib[2], rss_kib[2];
};

/* Each returns 0, or says what is wrong and returns -1. */
struct bench_way {
    const char *name;
    int (*send)(const struct bench_job *job, struct bench_shared *shared);
    int (*receive)(const struct bench_job *job, struct bench_shared *shared);
};

extern const struct bench_way bench_yard, bench_ours, bench_tcp, bench_enet, bench_udt;

/* Has the kernel this congestion control? It loads the module if it may. */
bool bench_tcp_has(const char *control);

/* For the ways: what both sides tell, in this order. */
void bench_listening(struct bench_shared *shared, int port); /* the receiver */
void bench_begin(struct bench_shared *shared);               /* the sender: from here it counts */
void bench_end(struct bench_shared *shared);                 /* the receiver: up to here */

struct bench_result {
    double mib_s;
    double cpu_s_gb; /* both ends together */
    double rss_kib[2];
    bool done;
};

/* A job under way. */
struct bench_flow {
    int pid[2];
    struct bench_shared *shared;
};
void bench_start(struct bench_flow *flow, const struct bench_way *way, const struct bench_job *job);
void bench_stop(struct bench_flow *flow);

/* Does the job once, in two processes; gives up after limit_s. */
struct bench_result bench_run(const struct bench_way *way, const struct bench_job *job,
                              double limit_s);

#ifdef __cplusplus
}
#endif
#endif
