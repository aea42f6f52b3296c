/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_queue.h - what happens when. Order is (time, order, turn): three numbers that no queue
 * invents, so another kind of queue gives the same run. The latter two are those of the packet; or
 * of the element, if that runs by itself, and twice the same one is the same then.
 *
 * What is pushed equally far ahead again and again (links of one delay, local networks, periods)
 * is in order by itself: it has a lane, first in, first out. All else is in a heap, or, if it is
 * much, in a calendar: the day that is on in order, with a heap for what comes in addition, a
 * wheel of unsorted days after it, and a heap for what lies beyond the wheel. How long a day is
 * follows from how far ahead events are pushed.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "net_element.h"

struct sim_event {
    q2p_time at; /* 0 or later */
    struct net_element *to;
    struct sim_packet *packet; /* NULL: the element runs */
};

struct sim_events {
    struct sim_event *items;
    size_t count, room;
};

#define SIM_LANES 8

struct sim_lane {
    struct sim_event *items; /* a ring; room is a power of two */
    uint32_t first, count, room;
    q2p_time last; /* of the event pushed last */
};

struct sim_queue {
    q2p_time now;  /* of the last event taken */
    size_t others; /* events that are in no lane */
    int lanes_count;
    bool plain;                     /* set before the first push: one heap and nothing else */
    q2p_time lane_ahead[SIM_LANES]; /* of all that is in it */
    q2p_time lane_at[SIM_LANES];    /* of its first event; Q2P_NEVER = empty */
    struct sim_lane lanes[SIM_LANES];
    q2p_time asked[64];    /* a delay that comes twice may have a lane */
    struct sim_events run; /* the day that is on, in order, from run_at */
    size_t run_at;
    struct sim_events spare; /* where days are put in order */
    struct sim_events near;  /* heap: what has come for that day since, and all before */
    struct sim_events far;   /* heap: beyond the wheel */
    struct sim_events *days;
    uint64_t *used; /* one bit per day: it has events */
    uint64_t day;   /* the number of the day that is on */
    size_t days_count, wheel_count;
    unsigned shift; /* a day has 1 << shift ns */
    uint32_t ahead[64], pushes, retune_after;
};

void sim_queue_push_slowly(struct sim_queue *queue, const struct sim_event *event);

/* Inlined, as most events go to a lane at once. */
static inline void sim_queue_push(struct sim_queue *queue, const struct sim_event *event)
{
    q2p_time ahead = event->at - queue->now;
    for (int i = 0; i < queue->lanes_count; i++) {
        struct sim_lane *lane = &queue->lanes[i];
        if (queue->lane_ahead[i] != ahead)
            continue;
        if (lane->count == 0 || lane->count == lane->room || event->at <= lane->last)
            break;
        lane->items[(lane->first + lane->count++) & (lane->room - 1)] = *event;
        lane->last = event->at;
        return;
    }
    sim_queue_push_slowly(queue, event);
}

/* Takes the first event if there is one up to and including `until`. */
bool sim_queue_take(struct sim_queue *queue, q2p_time until, struct sim_event *out);

/* The time of the first event; Q2P_NEVER if there is none. */
q2p_time sim_queue_next(struct sim_queue *queue);
void sim_queue_free(struct sim_queue *queue);

#endif
