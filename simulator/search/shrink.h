/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shrink.h - what of all that luck did in a run makes it fail? A decision is something luck did on
 * a link: lost, doubled, held back the n-th datagram there. Without it that datagram passes, once
 * and after the shortest delay. Or it is the n-th port or address that a NAT drew: without it the
 * mapping gets the first one that is free. Delta debugging finds a list of decisions none of which
 * can be left out.
 */
#ifndef SHRINK_H
#define SHRINK_H

#include "scn_run.h"

struct shrink_decision {
    uint64_t luck; /* of the datagram's passage, or of the NAT's draw */
    uint32_t what; /* enum net_draw */
    /* as it was met when last played */
    uint32_t from, to; /* places */
    uint32_t len;      /* of the datagram; at a NAT the number of its draw */
    q2p_time at_ns;    /* Q2P_NEVER: not at all */
    enum q2p_event event;
    struct q2p_addr inside, remote; /* of the mapping, at a NAT (from == to) */
};

struct shrink {
    const struct scenario *scenario;
    uint64_t seed;
    bool swarm;                        /* the scenario is turned; not all expectations count */
    struct shrink_decision *decisions; /* in the order of the recorded run */
    size_t count, room;
    bool *kept; /* of the decisions */
    size_t kept_count;
    uint64_t failure; /* what fails, as a number; 0 = nothing */
    uint64_t steps;   /* events of the recorded run */
    unsigned runs;    /* played so far */
    struct shrink_ways *ways;
    uint32_t *finder; /* open addressing: luck and what -> decision + 1 */
    size_t finder_room;
    void (*progress)(void *ctx, const struct shrink *shrink);
    void *ctx;
};

/* Plays the run and records what luck did; all decisions are kept. False if nothing fails. */
bool shrink_record(struct shrink *shrink, const struct scenario *scenario, uint64_t seed,
                   bool swarm);

/* Leaves out as many as possible; gives up after runs_max runs. True if the list is minimal. */
bool shrink_search(struct shrink *shrink, unsigned runs_max);

/* Builds the run that has only the decisions that are kept; play it, then free it as usual. */
void shrink_build(struct shrink *shrink, struct scn_run *run);
void shrink_free(struct shrink *shrink);

/* "lost" */
const char *shrink_word(uint32_t what);

#endif
