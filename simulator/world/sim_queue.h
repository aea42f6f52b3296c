/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_queue.h - what happens when. Order is (time, element's order, element's counter): three
 * numbers that no queue invents, so another kind of queue gives the same run.
 *
 * A small queue is a heap. A big one is a calendar: the day that is on in order, with a heap
 * for what comes in addition, a wheel of unsorted days after it, and a heap for what lies beyond
 * the wheel. How long a day is follows from
 * how far ahead events are pushed.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "net_element.h"

struct sim_event {
    q2p_time at; /* 0 or later */
    uint64_t order;
    uint32_t counter;
    struct net_element *to;
    struct sim_packet *packet; /* NULL: the element runs */
};

struct sim_events {
    struct sim_event *items;
    size_t count, room;
};

struct sim_queue {
    bool from_run;         /* where the first one is */
    bool plain;            /* set before the first push: one heap, never a calendar */
    struct sim_events run; /* the day that is on, in order, from run_at */
    size_t run_at;
    struct sim_events near; /* heap: what has come for that day since, and all before */
    struct sim_events far;  /* heap: beyond the wheel */
    struct sim_events *days;
    uint64_t *used; /* one bit per day: it has events */
    uint64_t day;   /* the number of the day that is on */
    size_t days_count, wheel_count;
    unsigned shift; /* a day has 1 << shift ns */
    q2p_time now;   /* of the last event taken */
    uint32_t ahead[64], pushes, retune_after;
};

void sim_queue_push(struct sim_queue *queue, const struct sim_event *event);

/* The first event, borrowed until the next call; NULL if there is none. */
const struct sim_event *sim_queue_first(struct sim_queue *queue);

/* Takes away what sim_queue_first has just shown. */
void sim_queue_pop(struct sim_queue *queue);
void sim_queue_free(struct sim_queue *queue);

#endif
