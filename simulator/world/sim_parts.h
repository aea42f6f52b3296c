/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_parts.h - one run on several threads. Each part of it has a world of its own, and a thread.
 * All of them go on for a window of time that is no longer than what is under way from one part to
 * another needs at least; then they exchange, and tell what happened in the order of one thread.
 * Nothing of a run depends on how it is divided: what comes first at an instant is decided by
 * elements and packets.
 */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include "sim_journal.h"
#include "sim_world.h"

#define SIM_PARTS_MAX 64

/* Packets to another part, one after the other. */
struct sim_outbox {
    char *bytes;
    size_t len, room;
};

struct sim_part {
    struct sim_world world;
    struct sim_parts *parts;
    uint32_t number;
    q2p_time next_at;            /* its first event */
    q2p_time sent_at;            /* the first one of what it has sent away in this window */
    struct sim_outbox *boxes[2]; /* one per part; in turns: what is filled, what is emptied */
    struct sim_journal journal;
};

/* Tells an entry of a journal; all parts wait meanwhile. */
typedef void sim_parts_tell(void *ctx, uint32_t part, struct sim_entry *entry);

/* of: the part of each place; borrowed. count is 1 to SIM_PARTS_MAX. Set tell and ahead_ns then. */
struct sim_parts *sim_parts_new(uint32_t count, uint64_t seed, const uint8_t *of);
void sim_parts_free(struct sim_parts *parts);

struct sim_part *sim_parts_at(struct sim_parts *parts, uint32_t number);

/* What is under way between parts takes that long at least; more than 0. */
void sim_parts_ahead(struct sim_parts *parts, q2p_time ahead_ns);
void sim_parts_listen(struct sim_parts *parts, sim_parts_tell *tell, void *ctx);

/* Runs everything up to and including `until`; afterwards that is the time of all. */
void sim_parts_run(struct sim_parts *parts, q2p_time until);

/* After something was done to a part from outside: tells it at once. */
void sim_parts_touched(struct sim_parts *parts);

/* An event is about to happen. */
static inline void sim_part_note(struct sim_part *part, const struct sim_event *event)
{
    struct sim_moment moment = sim_moment_of(event);
    if (sim_moment_before(&part->journal.moment, &moment))
        part->journal.moment = moment;
}

#endif
