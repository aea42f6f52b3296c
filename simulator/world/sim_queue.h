/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_queue.h - what happens when. Order is (time, element's order, element's counter): three
 * numbers that no queue invents, so another kind of queue gives the same run.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "net_element.h"

struct sim_event {
    q2p_time at;
    uint64_t order;
    uint32_t counter;
    struct net_element *to;
    struct sim_packet *packet; /* NULL: the element runs */
};

struct sim_queue {
    struct sim_event *events;
    size_t count, room;
};

void sim_queue_push(struct sim_queue *queue, const struct sim_event *event);

/* The first event, borrowed until the next call; NULL if there is none. */
const struct sim_event *sim_queue_first(const struct sim_queue *queue);
void sim_queue_pop(struct sim_queue *queue);
void sim_queue_free(struct sim_queue *queue);

#endif
