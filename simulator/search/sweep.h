/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sweep.h - many runs of a scenario on all cores: variants times seeds. A process per core takes
 * blocks of runs; results come in their order whoever made them, and a run that crashes is a
 * result, too.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "scn_run.h"

enum sweep_state { SWEEP_OPEN, SWEEP_RUNNING, SWEEP_DONE, SWEEP_CRASHED };

#define SWEEP_JOBS_MAX 256

struct sweep_result {
    uint64_t sent, trace_hash;
    q2p_time failed_ns; /* when what `why` says was decided */
    uint8_t state;      /* enum sweep_state */
    bool ok;
    char why[200]; /* what failed first; "" = nothing */
};

struct sweep_plan {
    const struct scenario *variants; /* the file as written, or each combination of `vary` */
    uint32_t variants_count;
    uint64_t seed, seeds;   /* the first one, and how many */
    uint32_t shard, shards; /* runs number shard, shard + shards, ... are mine */
    unsigned jobs;
    bool swarm;
    /* Each result, in order; and now and then how many there are. */
    void (*result)(void *ctx, uint64_t run, const struct sweep_result *result);
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

/* Run number r has variant r / seeds and seed `seed` + r % seeds. False and errno if the system
 * does not let us. */
bool sweep_run(const struct sweep_plan *plan);

/* One run, here. */
void sweep_one(const struct scenario *scenario, uint64_t seed, bool swarm,
               struct sweep_result *result);

#endif
