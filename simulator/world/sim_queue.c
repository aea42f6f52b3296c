/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_queue.c - a heap with four children per parent: two cache lines per level, half the levels.
 */
#include "sim_queue.h"

#include <stdlib.h>

#include "sim_world.h"

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    if (a->order != b->order)
        return a->order < b->order;
    return a->counter < b->counter;
}

void sim_queue_push(struct sim_queue *queue, const struct sim_event *event)
{
    if (queue->count == queue->room)
        queue->events = sim_grow(queue->events, &queue->room, sizeof *queue->events);
    size_t at = queue->count++;
    while (at > 0 && before(event, &queue->events[(at - 1) / 4])) {
        queue->events[at] = queue->events[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    queue->events[at] = *event;
}

const struct sim_event *sim_queue_first(const struct sim_queue *queue)
{
    return queue->count > 0 ? queue->events : NULL;
}

void sim_queue_pop(struct sim_queue *queue)
{
    struct sim_event *events = queue->events, last = events[--queue->count];
    size_t at = 0;
    for (;;) {
        size_t child = 4 * at + 1, best = child;
        if (child >= queue->count)
            break;
        for (size_t i = child + 1; i < child + 4 && i < queue->count; i++)
            if (before(&events[i], &events[best]))
                best = i;
        if (!before(&events[best], &last))
            break;
        events[at] = events[best];
        at = best;
    }
    events[at] = last;
}

void sim_queue_free(struct sim_queue *queue)
{
    free(queue->events);
    *queue = (struct sim_queue){0};
}
