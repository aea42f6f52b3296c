/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shrink.c - records luck as a list per link, so that the n-th datagram of a link has the same luck
 * in every run, whatever comes to it and when.
 */
#include "shrink.h"

#include <stdlib.h>
#include <string.h>

/* The luck of a link's datagrams, one after the other. */
struct way {
    uint64_t key;
    uint64_t *luck;
    size_t count, room, at;
};

struct shrink_ways {
    struct way *items;
    size_t count, room;
    uint32_t *finder; /* open addressing: key -> item + 1 */
    size_t finder_room;
    bool recording;
};

const char *shrink_word(uint32_t what)
{
    switch (what) {
    case NET_DRAW_LOSS:
        return "lost";
    case NET_DRAW_TURN_BAD:
        return "the link turned";
    case NET_DRAW_CORRUPT:
        return "corrupted";
    case NET_DRAW_TRUNCATE:
        return "truncated";
    case NET_DRAW_DUPLICATE:
        return "doubled";
    case NET_DRAW_REORDER:
        return "came late";
    case NET_DRAW_RED:
        return "lost early in the queue";
    case NET_DRAW_STAY:
        return "took as long as the one before";
    case NET_DRAW_NAT_PORT:
        return "port drawn";
    case NET_DRAW_NAT_OUTSIDE:
        return "address drawn";
    default:
        return "delayed";
    }
}

/* ---- luck -------------------------------------------------------------------------------- */

static uint32_t *way_slot(const struct shrink_ways *ways, uint64_t key)
{
    size_t at = (size_t)sim_mix(0, key) & (ways->finder_room - 1);
    while (ways->finder[at] && ways->items[ways->finder[at] - 1].key != key)
        at = (at + 1) & (ways->finder_room - 1);
    return &ways->finder[at];
}

static struct way *find_way(struct shrink_ways *ways, uint64_t key)
{
    if (2 * ways->count >= ways->finder_room) {
        free(ways->finder);
        ways->finder_room = ways->finder_room ? 2 * ways->finder_room : 64;
        ways->finder = sim_alloc(ways->finder_room * sizeof *ways->finder);
        for (size_t i = 0; i < ways->count; i++)
            *way_slot(ways, ways->items[i].key) = (uint32_t)i + 1;
    }
    uint32_t *slot = way_slot(ways, key);
    if (!*slot) {
        if (ways->count == ways->room)
            ways->items = sim_grow(ways->items, &ways->room, sizeof *ways->items);
        ways->items[ways->count] = (struct way){.key = key};
        *slot = (uint32_t)++ways->count;
    }
    return &ways->items[*slot - 1];
}

static uint64_t give_luck(void *ctx, const struct sim_packet *packet, uint64_t key, uint64_t drawn)
{
    struct shrink *shrink = ((struct scn_run *)ctx)->ctx;
    struct way *way = find_way(shrink->ways, key);
    (void)packet;
    if (shrink->ways->recording) {
        if (way->count == way->room)
            way->luck = sim_grow(way->luck, &way->room, sizeof *way->luck);
        way->luck[way->count++] = drawn;
        return drawn;
    }
    size_t at = way->at++;
    return at < way->count ? way->luck[at] : sim_mix(key, at); /* no decision is known of these */
}

/* ---- decisions --------------------------------------------------------------------------- */

static uint32_t *finder_slot(const struct shrink *shrink, uint64_t luck, uint32_t what)
{
    size_t at = (size_t)sim_mix(what, luck) & (shrink->finder_room - 1);
    for (;; at = (at + 1) & (shrink->finder_room - 1)) {
        uint32_t number = shrink->finder[at];
        if (!number || (shrink->decisions[number - 1].luck == luck &&
                        shrink->decisions[number - 1].what == what))
            return &shrink->finder[at];
    }
}

static void meet(const struct scn_run *run, const struct sim_packet *packet,
                 struct shrink_decision *decision)
{
    struct q2p_packet read;
    q2p_wire_read(&read, Q2P_DIALECT_CLASSIC, packet->bytes, packet->len, packet->len);
    decision->event = read.event;
    decision->from = packet->way_from;
    decision->to = packet->way_to;
    decision->len = packet->len;
    decision->at_ns = run->world.now;
}

static struct shrink_decision *record(struct shrink *shrink, uint64_t luck, uint32_t what)
{
    if (shrink->count == shrink->room)
        shrink->decisions = sim_grow(shrink->decisions, &shrink->room, sizeof *shrink->decisions);
    struct shrink_decision *decision = &shrink->decisions[shrink->count++];
    *decision = (struct shrink_decision){.luck = luck, .what = what};
    return decision;
}

/* The decision as it was recorded, if it is kept. */
static struct shrink_decision *recall(const struct shrink *shrink, uint64_t luck, uint32_t what)
{
    uint32_t number = *finder_slot(shrink, luck, what);
    return number && shrink->kept[number - 1] ? &shrink->decisions[number - 1] : NULL;
}

static bool decide(void *ctx, const struct sim_packet *packet, uint32_t what, bool drawn)
{
    struct scn_run *run = ctx;
    struct shrink *shrink = run->ctx;
    struct shrink_decision *decision = NULL;
    if (!shrink->ways->recording)
        decision = recall(shrink, packet->luck, what);
    else if (drawn)
        decision = record(shrink, packet->luck, what);
    if (decision)
        meet(run, packet, decision);
    return decision;
}

static bool decide_nat(void *ctx, uint32_t place, const struct net_nat_draw *draw)
{
    struct scn_run *run = ctx;
    struct shrink *shrink = run->ctx;
    uint64_t luck = sim_mix(run->net.places[place]->hash, draw->number);
    uint32_t what = draw->port ? NET_DRAW_NAT_PORT : NET_DRAW_NAT_OUTSIDE;
    struct shrink_decision *decision =
        shrink->ways->recording ? record(shrink, luck, what) : recall(shrink, luck, what);
    if (!decision)
        return false;
    decision->from = decision->to = place;
    decision->at_ns = run->world.now;
    decision->len = draw->number;
    decision->inside = *draw->inside;
    decision->remote = *draw->to;
    return true;
}

static void index_decisions(struct shrink *shrink)
{
    shrink->finder_room = 64;
    while (shrink->finder_room < 2 * shrink->count)
        shrink->finder_room *= 2;
    shrink->finder = sim_alloc(shrink->finder_room * sizeof *shrink->finder);
    for (size_t i = 0; i < shrink->count; i++)
        *finder_slot(shrink, shrink->decisions[i].luck, shrink->decisions[i].what) =
            (uint32_t)i + 1;
    shrink->kept = sim_alloc(shrink->count + 1);
    memset(shrink->kept, true, shrink->count);
    shrink->kept_count = shrink->count;
}

/* ---- runs -------------------------------------------------------------------------------- */

void shrink_build(struct shrink *shrink, struct scn_run *run)
{
    scn_run_init(run, shrink->scenario, shrink->seed);
    run->ctx = shrink;
    run->tap.luck = give_luck;
    run->tap.decide = decide;
    run->tap.decide_nat = decide_nat;
    for (size_t i = 0; i < shrink->ways->count; i++)
        shrink->ways->items[i].at = 0;
    for (size_t i = 0; i < shrink->count; i++)
        if (!shrink->ways->recording)
            shrink->decisions[i].at_ns = Q2P_NEVER;
}

/* The oracle that spoke (up to the colon), or the first expectation that failed. */
static uint64_t failure_of(const struct shrink *shrink, const struct scn_run *run)
{
    if (*run->violation)
        return sim_mix_bytes(1, run->violation, strcspn(run->violation, ":")) | 1;
    for (size_t i = 0; i < run->scenario->expect.count; i++)
        if (!run->verdicts[i].ok && (!shrink->swarm || run->scenario->expect.items[i].never.text))
            return 2 * i + 2;
    return 0;
}

static uint64_t play(struct shrink *shrink)
{
    struct scn_run run;
    shrink_build(shrink, &run);
    scn_run_play(&run, shrink->scenario->until_ns);
    scn_run_judge(&run);
    uint64_t out = failure_of(shrink, &run);
    shrink->steps = shrink->ways->recording ? run.world.steps : shrink->steps;
    scn_run_free(&run);
    shrink->runs++;
    if (shrink->progress)
        shrink->progress(shrink->ctx, shrink);
    return out;
}

bool shrink_record(struct shrink *shrink, const struct scenario *scenario, uint64_t seed,
                   bool swarm)
{
    shrink->scenario = scenario;
    shrink->seed = seed;
    shrink->swarm = swarm;
    shrink->ways = sim_alloc(sizeof *shrink->ways);
    shrink->ways->recording = true;
    shrink->failure = play(shrink);
    shrink->ways->recording = false;
    index_decisions(shrink);
    return shrink->failure != 0;
}

void shrink_free(struct shrink *shrink)
{
    for (size_t i = 0; shrink->ways && i < shrink->ways->count; i++)
        free(shrink->ways->items[i].luck);
    if (shrink->ways) {
        free(shrink->ways->items);
        free(shrink->ways->finder);
    }
    free(shrink->ways);
    free(shrink->decisions);
    free(shrink->kept);
    free(shrink->finder);
}

/* ---- the search -------------------------------------------------------------------------- */

/* Leaves out the decisions in list[from..end); they stay out if it fails the same without. */
static bool leave_out(struct shrink *shrink, const uint32_t *list, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++)
        shrink->kept[list[i]] = false;
    bool fails = play(shrink) == shrink->failure;
    for (size_t i = from; i < end && !fails; i++)
        shrink->kept[list[i]] = true;
    if (fails)
        shrink->kept_count -= end - from;
    return fails;
}

static size_t list_kept(const struct shrink *shrink, uint32_t *list)
{
    size_t count = 0;
    for (uint32_t i = 0; i < shrink->count; i++)
        if (shrink->kept[i])
            list[count++] = i;
    return count;
}

/* All of a kind at once: mostly delays are not to blame. */
static void leave_out_kinds(struct shrink *shrink, uint32_t *list)
{
    static const uint32_t kinds[] = {NET_DRAW_LOSS,     NET_DRAW_TURN_BAD, NET_DRAW_CORRUPT,
                                     NET_DRAW_TRUNCATE, NET_DRAW_REORDER,  NET_DRAW_DUPLICATE,
                                     NET_DRAW_DELAY,    NET_DRAW_NAT_PORT, NET_DRAW_NAT_OUTSIDE,
                                     NET_DRAW_RED,      NET_DRAW_STAY};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        size_t count = 0;
        for (uint32_t i = 0; i < shrink->count; i++)
            if (shrink->kept[i] && shrink->decisions[i].what == kinds[kind])
                list[count++] = i;
        if (count > 0)
            leave_out(shrink, list, 0, count);
    }
}

/* Zeller and Hildebrandt: parts of half the list, then of half of that ... While anything could be
 * left out in a pass over parts of one, another pass follows. */
bool shrink_search(struct shrink *shrink, unsigned runs_max)
{
    uint32_t *list = sim_alloc((shrink->count + 1) * sizeof *list);
    leave_out_kinds(shrink, list);
    size_t count = list_kept(shrink, list), part = count;
    bool minimal = count == 0;
    while (!minimal && shrink->runs < runs_max) {
        bool left_out = false;
        for (size_t from = 0; from < count && shrink->runs < runs_max; from += part)
            left_out |= leave_out(shrink, list, from, from + part < count ? from + part : count);
        if (left_out)
            count = list_kept(shrink, list);
        minimal = count == 0 || (part == 1 && !left_out && shrink->runs < runs_max);
        part = part > count ? count : part;
        if (part > 1 && !minimal)
            part = (part + 1) / 2;
    }
    free(list);
    play(shrink); /* so that what is kept says where it was met */
    return minimal;
}
