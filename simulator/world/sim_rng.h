/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_rng.h - random streams. Each element has its own, named after it ("link:a>b/loss"), so that
 * adding a node or a draw somewhere never changes the luck of anybody else.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stddef.h>
#include <stdint.h>

struct sim_rng {
    uint64_t state[4];
};

/* A stream is a function of the run's seed and the name, nothing else. */
void sim_rng_init(struct sim_rng *rng, uint64_t seed, const char *name);
uint64_t sim_rng_next(struct sim_rng *rng);

/* Uniform in 0..bound-1, without bias; bound > 0. */
uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound);
void sim_rng_fill(struct sim_rng *rng, uint8_t *out, size_t len);

/* A 64-bit hash step for traces, luck and tables: order matters, every bit of both words counts. */
static inline uint64_t sim_mix(uint64_t hash, uint64_t word)
{
    uint64_t z = ((hash << 29 | hash >> 35) ^ word) + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31 ^ (word << 17 | word >> 47);
}

/* The same with a time in one step. */
static inline uint64_t sim_mix_at(uint64_t hash, int64_t at, uint64_t word)
{
    return sim_mix(hash + (uint64_t)at * UINT64_C(0x9fb21c651e98df25), word);
}

uint64_t sim_mix_bytes(uint64_t hash, const void *bytes, size_t len);

#endif
