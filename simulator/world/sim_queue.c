/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_queue.c - lanes, and a calendar of heaps; heaps have four children: half the levels. */
#include "sim_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim_world.h"

#define CALENDAR_MIN 512     /* events; a smaller heap is in the cache as a whole */
#define RETUNE_PUSHES 65536u /* at least so many between two looks at the lengths */
#define DAYS_MIN 256u
#define DAYS_MAX (1u << 20)
#define DAY_EVENTS 16 /* wanted per day */
#define LANE_ROOM_MIN 16u

/* Without a look at the packets, if their times differ. */
static bool before(const struct sim_event *a, const struct sim_event *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    struct sim_moment first = sim_moment_of(a), second = sim_moment_of(b);
    return sim_moment_before(&first, &second);
}

static void append(struct sim_events *events, const struct sim_event *event)
{
    if (events->count == events->room)
        events->items = sim_grow(events->items, &events->room, sizeof *events->items);
    events->items[events->count++] = *event;
}

static void heap_push(struct sim_events *heap, const struct sim_event *event)
{
    append(heap, event);
    size_t at = heap->count - 1;
    while (at > 0 && before(event, &heap->items[(at - 1) / 4])) {
        heap->items[at] = heap->items[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    heap->items[at] = *event;
}

static void heap_pop(struct sim_events *heap)
{
    struct sim_event *events = heap->items, last = events[--heap->count];
    size_t at = 0;
    for (;;) {
        size_t child = 4 * at + 1, best = child;
        if (child >= heap->count)
            break;
        for (size_t i = child + 1; i < child + 4 && i < heap->count; i++)
            if (before(&events[i], &events[best]))
                best = i;
        if (!before(&events[best], &last))
            break;
        events[at] = events[best];
        at = best;
    }
    events[at] = last;
}

/* ---- what will be wanted soon ------------------------------------------------------------ */

static void fetch(const struct sim_event *event)
{
    sim_fetch_line(event->to);
    if (event->packet)
        sim_fetch(event->packet, offsetof(struct sim_packet, bytes));
}

/* Events before it happens, for each step. */
static const uint32_t soon_ahead[NET_SOON] = {8, 5, 3, 1};

static inline void tell_soon(const struct sim_event *event, int step)
{
    if (event->to->ops->soon[step])
        event->to->ops->soon[step](event->to, event->packet);
}

/* ---- lanes ------------------------------------------------------------------------------- */

static const struct sim_event *lane_item(const struct sim_lane *lane, uint32_t number)
{
    return &lane->items[(lane->first + number) & (lane->room - 1)];
}

/* What had gone round to the front goes on behind what was the end. */
static void grow_lane(struct sim_lane *lane)
{
    uint32_t room = lane->room ? 2 * lane->room : LANE_ROOM_MIN;
    lane->items = sim_resize(lane->items, room * sizeof *lane->items);
    if (lane->first > 0)
        memcpy(lane->items + lane->room, lane->items, lane->first * sizeof *lane->items);
    lane->room = room;
}

/* The lane for this delay; -1 if it has none, or has come for the first time. */
static int find_lane(struct sim_queue *queue, q2p_time ahead)
{
    int at = 0;
    for (int i = 0; i < queue->lanes_count; i++)
        if (queue->lane_ahead[i] == ahead)
            return i;
    q2p_time *asked = &queue->asked[(uint64_t)ahead * UINT64_C(0x9fb21c651e98df25) >> 58];
    if (*asked != ahead) {
        *asked = ahead;
        return -1;
    }
    while (at < queue->lanes_count && queue->lanes[at].count > 0)
        at++;
    if (at == SIM_LANES)
        return -1;
    if (at == queue->lanes_count)
        queue->lane_at[queue->lanes_count++] = Q2P_NEVER;
    queue->lane_ahead[at] = ahead;
    return at;
}

/* False if there is no lane for it, or it would not be the last one there. */
static bool push_lane(struct sim_queue *queue, const struct sim_event *event)
{
    int at = find_lane(queue, event->at - queue->now);
    if (at < 0 || event->at == Q2P_NEVER)
        return false;
    struct sim_lane *lane = &queue->lanes[at];
    if (lane->count == 0)
        queue->lane_at[at] = event->at;
    else if (before(event, lane_item(lane, lane->count - 1)))
        return false;
    if (lane->count == lane->room)
        grow_lane(lane);
    lane->items[(lane->first + lane->count++) & (lane->room - 1)] = *event;
    lane->last = event->at;
    return true;
}

static void take_lane(struct sim_queue *queue, int number, struct sim_event *out)
{
    struct sim_lane *lane = &queue->lanes[number];
    const struct sim_event *items = lane->items;
    uint32_t last = lane->room - 1, at = lane->first, count = --lane->count;
    *out = items[at];
    queue->now = out->at;
    lane->first = at = (at + 1) & last;
    queue->lane_at[number] = count > 0 ? items[at].at : Q2P_NEVER;
    sim_fetch_line(&items[(at + 28) & last]); /* the ring itself; it may be past its end */
    if (count > 12)
        fetch(&items[(at + 12) & last]);
    if (count > 8) {
#pragma GCC unroll 4 /* NET_SOON: each event comes by here */
        for (int i = 0; i < NET_SOON; i++)
            tell_soon(&items[(at + soon_ahead[i]) & last], i);
    }
}

/* ---- the calendar ------------------------------------------------------------------------ */

static uint64_t day_of(const struct sim_queue *queue, q2p_time at)
{
    return (uint64_t)at >> queue->shift;
}

static void place(struct sim_queue *queue, const struct sim_event *event)
{
    uint64_t day = day_of(queue, event->at);
    if (queue->days_count == 0 || day <= queue->day) {
        heap_push(&queue->near, event);
    } else if (day - queue->day < queue->days_count) {
        size_t at = day & (queue->days_count - 1);
        append(&queue->days[at], event);
        queue->used[at / 64] |= UINT64_C(1) << at % 64;
        queue->wheel_count++;
    } else {
        heap_push(&queue->far, event);
    }
}

/* Where the events that are in order from there on end. */
static size_t end_of_run(const struct sim_events *events, size_t at)
{
    while (++at < events->count && !before(&events->items[at], &events->items[at - 1]))
        continue;
    return at;
}

static void merge(struct sim_events *to, const struct sim_events *from, size_t at, size_t middle,
                  size_t end)
{
    const struct sim_event *items = from->items;
    size_t left = at, right = middle;
    while (left < middle && right < end)
        to->items[at++] = before(&items[right], &items[left]) ? items[right++] : items[left++];
    memcpy(to->items + at, items + left, (middle - left) * sizeof *items);
    at += middle - left;
    memcpy(to->items + at, items + right, (end - right) * sizeof *items);
}

/* Of two neighbours one, until there is but one: what many peers send at a time was pushed in
 * order, and comes in a few long runs. */
static void merge_runs(struct sim_events *events, struct sim_events *spare)
{
    while (end_of_run(events, 0) < events->count) {
        while (spare->room < events->count)
            spare->items = sim_grow(spare->items, &spare->room, sizeof *spare->items);
        spare->count = events->count;
        for (size_t at = 0; at < events->count;) {
            size_t middle = end_of_run(events, at);
            size_t end = middle < events->count ? end_of_run(events, middle) : middle;
            merge(spare, events, at, middle, end);
            at = end;
        }
        struct sim_events merged = *spare;
        *spare = *events;
        *events = merged;
    }
}

static void sort(struct sim_events *events, struct sim_events *spare)
{
    if (events->count > 32) {
        merge_runs(events, spare);
        return;
    }
    for (size_t i = 1; i < events->count; i++) {
        struct sim_event event = events->items[i];
        size_t at = i;
        for (; at > 0 && before(&event, &events->items[at - 1]); at--)
            events->items[at] = events->items[at - 1];
        events->items[at] = event;
    }
}

/* One day of the wheel becomes the day that is on; what it points at will be wanted soon. */
static void open_day(struct sim_queue *queue)
{
    size_t at = queue->day & (queue->days_count - 1);
    struct sim_events day = queue->days[at];
    queue->run.count = 0;
    queue->days[at] = queue->run;
    queue->run = day;
    queue->run_at = 0;
    queue->wheel_count -= day.count;
    queue->used[at / 64] &= ~(UINT64_C(1) << at % 64);
    for (size_t i = 0; i < day.count; i++)
        fetch(&day.items[i]);
    sort(&queue->run, &queue->spare);
}

/* The next day of the wheel that has events; there is one. */
static uint64_t next_day(const struct sim_queue *queue)
{
    for (uint64_t day = queue->day + 1;;) {
        size_t at = day & (queue->days_count - 1);
        uint64_t rest = queue->used[at / 64] >> at % 64;
        if (rest)
            return day + (uint64_t)__builtin_ctzll(rest);
        day += 64 - at % 64;
    }
}

static void advance(struct sim_queue *queue)
{
    uint64_t day = queue->wheel_count > 0 ? next_day(queue) : UINT64_MAX;
    if (queue->far.count > 0 && day_of(queue, queue->far.items[0].at) < day)
        day = day_of(queue, queue->far.items[0].at);
    queue->day = day;
    open_day(queue);
    while (queue->far.count > 0 && day_of(queue, queue->far.items[0].at) <= day) {
        heap_push(&queue->near, &queue->far.items[0]);
        heap_pop(&queue->far);
    }
}

static void free_days(struct sim_queue *queue)
{
    for (size_t i = 0; i < queue->days_count; i++)
        free(queue->days[i].items);
    free(queue->days);
    free(queue->used);
    queue->days = NULL;
    queue->used = NULL;
    queue->days_count = queue->wheel_count = 0;
}

static void rebuild(struct sim_queue *queue, unsigned shift, size_t days_count)
{
    struct sim_events all = {0};
    struct sim_events *heaps[] = {&queue->near, &queue->far};
    for (; queue->run_at < queue->run.count; queue->run_at++)
        append(&all, &queue->run.items[queue->run_at]);
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < heaps[i]->count; j++)
            append(&all, &heaps[i]->items[j]);
        heaps[i]->count = 0;
    }
    for (size_t i = 0; i < queue->days_count; i++)
        for (size_t j = 0; j < queue->days[i].count; j++)
            append(&all, &queue->days[i].items[j]);
    free_days(queue);
    queue->shift = shift;
    queue->days_count = days_count;
    queue->days = sim_alloc(days_count * sizeof *queue->days);
    queue->used = sim_alloc(days_count / 64 * sizeof *queue->used);
    queue->day = day_of(queue, queue->now);
    for (size_t i = 0; i < all.count; i++)
        place(queue, &all.items[i]);
    free(all.items);
}

/* The wheel shall reach over nine of ten pushes, and a day shall hold a few events. */
static void retune(struct sim_queue *queue)
{
    uint32_t seen = 0;
    unsigned reach = 0;
    for (unsigned i = 0; i < 64; i++) {
        seen += queue->ahead[i];
        if (queue->ahead[i] > 0 && seen - queue->ahead[i] < queue->pushes - queue->pushes / 10)
            reach = i;
        queue->ahead[i] = 0;
    }
    size_t total = queue->others, days = DAYS_MIN;
    queue->pushes = 0;
    queue->retune_after = total > RETUNE_PUSHES ? (uint32_t)total : RETUNE_PUSHES;
    while (days < DAYS_MAX && days * DAY_EVENTS / 2 < total)
        days *= 2;
    unsigned length = 0; /* of a day; twice the reach, so that most fit whenever they come */
    while ((UINT64_C(1) << length) * days < UINT64_C(2) << reach)
        length++;
    bool same = queue->days_count >= days / 2 && queue->days_count <= days * 4 &&
                queue->shift + 1 >= length && queue->shift <= length + 1;
    if (!same)
        rebuild(queue, length, days);
}

/* ---- the queue --------------------------------------------------------------------------- */

void sim_queue_push_slowly(struct sim_queue *queue, const struct sim_event *event)
{
    assert(event->at >= 0);
    if (!queue->plain && push_lane(queue, event))
        return;
    queue->others++;
    if (queue->plain) {
        heap_push(&queue->near, event);
        return;
    }
    place(queue, event);
    queue->ahead[63 - __builtin_clzll((uint64_t)(event->at - queue->now) | 1)]++;
    queue->pushes++;
    if (queue->days_count > 0 ? queue->pushes > queue->retune_after
                              : queue->near.count > CALENDAR_MIN)
        retune(queue);
}

/* Of those that are in no lane; there is one. */
static const struct sim_event *first_other(struct sim_queue *queue)
{
    if (queue->run_at == queue->run.count && queue->near.count == 0)
        advance(queue);
    bool run =
        queue->run_at < queue->run.count &&
        (queue->near.count == 0 || before(&queue->run.items[queue->run_at], &queue->near.items[0]));
    return run ? &queue->run.items[queue->run_at] : queue->near.items;
}

static void take_other(struct sim_queue *queue, const struct sim_event *first,
                       struct sim_event *out)
{
    *out = *first;
    queue->now = out->at;
    queue->others--;
    if (first == queue->near.items) {
        heap_pop(&queue->near);
        return;
    }
    queue->run_at++;
    for (int i = 0; i < NET_SOON; i++)
        if (queue->run_at + soon_ahead[i] < queue->run.count)
            tell_soon(&queue->run.items[queue->run_at + soon_ahead[i]], i);
}

/* The lane whose first event comes first; -1 = all are empty. */
static int first_lane(const struct sim_queue *queue)
{
    q2p_time at = Q2P_NEVER;
    int from = -1;
    bool tie = false;
    for (int i = 0; i < queue->lanes_count; i++) { /* without branches that nobody foresees */
        q2p_time other = queue->lane_at[i];
        tie = other == at ? true : tie;
        from = other < at ? i : from;
        at = other < at ? other : at;
    }
    if (!tie || from < 0)
        return from;
    for (int i = 0; i < queue->lanes_count; i++)
        if (queue->lane_at[i] == at &&
            before(lane_item(&queue->lanes[i], 0), lane_item(&queue->lanes[from], 0)))
            from = i;
    return from;
}

bool sim_queue_take(struct sim_queue *queue, q2p_time until, struct sim_event *out)
{
    int lane = first_lane(queue);
    if (queue->others > 0) {
        const struct sim_event *first = first_other(queue);
        if (lane < 0 || before(first, lane_item(&queue->lanes[lane], 0))) {
            if (first->at > until)
                return false;
            take_other(queue, first, out);
            return true;
        }
    }
    if (lane < 0 || queue->lane_at[lane] > until)
        return false;
    take_lane(queue, lane, out);
    return true;
}

q2p_time sim_queue_next(struct sim_queue *queue)
{
    int lane = first_lane(queue);
    q2p_time at = lane < 0 ? Q2P_NEVER : queue->lane_at[lane];
    q2p_time other = queue->others > 0 ? first_other(queue)->at : Q2P_NEVER;
    return other < at ? other : at;
}

void sim_queue_free(struct sim_queue *queue)
{
    free_days(queue);
    for (int i = 0; i < queue->lanes_count; i++)
        free(queue->lanes[i].items);
    free(queue->run.items);
    free(queue->spare.items);
    free(queue->near.items);
    free(queue->far.items);
    *queue = (struct sim_queue){0};
}
