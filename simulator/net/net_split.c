/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_split.c - one network on several threads: who goes where, and a view for each. The map is
 * common and changes only while all wait; links and NATs belong to the thread of the place that
 * sends through them.
 */
#include <stdlib.h>
#include <string.h>

#include "net_route.h"

/* Places in groups: each points towards the first of its own. */
static uint32_t find(uint32_t *towards, uint32_t place)
{
    while (towards[place] != place)
        place = towards[place] = towards[towards[place]];
    return place;
}

static void join(uint32_t *towards, uint32_t a, uint32_t b)
{
    a = find(towards, a);
    b = find(towards, b);
    towards[a > b ? a : b] = a > b ? b : a;
}

/* Of all that leaves the link, whatever luck does. */
static q2p_time least_delay(const struct net_link_config *config)
{
    q2p_time least = config->table ? config->table->items[0] : config->delay_min_ns;
    for (uint32_t i = 0; config->table && i < config->table->count; i++)
        least = config->table->items[i] < least ? config->table->items[i] : least;
    return least;
}

/* What cannot be apart, or should not: has links so quick that all would wait for them. */
static uint32_t *make_groups(const struct net *net, q2p_time quick_ns, const uint32_t (*pairs)[2],
                             size_t pairs_count)
{
    uint32_t *towards = sim_alloc((net->places_count + 1) * sizeof *towards);
    for (uint32_t i = 0; i < net->places_count; i++)
        towards[i] = i;
    for (uint32_t i = 0; i < net->places_count; i++)
        join(towards, i, net_public_place(net, i));
    for (size_t i = 0; i < net->links_room; i++)
        if (net->links[i] && least_delay(&net->links[i]->config) < quick_ns)
            join(towards, net->links[i]->from, net->links[i]->to);
    for (size_t i = 0; i < pairs_count; i++)
        join(towards, net_public_place(net, pairs[i][0]), net_public_place(net, pairs[i][1]));
    return towards;
}

/* Neighbours stay together, and all get as many hosts. Returns how many parts there are. */
static uint32_t deal(const struct net *net, uint32_t count, uint8_t *of, uint32_t *towards)
{
    uint32_t *sizes = sim_alloc((net->places_count + 1) * sizeof *sizes), part = 0;
    bool *given = sim_alloc(net->places_count + 1);
    uint64_t hosts = 0, so_far = 0;
    for (uint32_t i = 0; i < net->places_count; i++) {
        sizes[find(towards, i)] += !net_is_nat(net->places[i]);
        hosts += !net_is_nat(net->places[i]);
    }
    memset(of, 0, net->places_count);
    for (uint32_t i = 0; i < net->places_count; i++) {
        uint32_t first = find(towards, i);
        if (net_is_nat(net->places[i]) || given[first])
            continue;
        while (part + 1 < count && so_far > 0 && so_far * count >= hosts * (part + 1))
            part++;
        given[first] = true;
        of[first] = (uint8_t)part;
        so_far += sizes[first];
    }
    for (uint32_t i = 0; i < net->places_count; i++)
        of[i] = of[find(towards, i)];
    free(sizes);
    free(given);
    return part + 1;
}

uint32_t net_divide(const struct net *net, uint32_t count, uint8_t *of, const uint32_t (*pairs)[2],
                    size_t pairs_count)
{
    uint32_t *towards = make_groups(net, least_delay(&net->common.config), pairs, pairs_count);
    uint32_t parts = deal(net, count, of, towards);
    free(towards);
    if (parts >= count)
        return parts;
    towards = make_groups(net, 1, pairs, pairs_count);
    parts = deal(net, count, of, towards);
    free(towards);
    return parts;
}

static q2p_time shorter(q2p_time ahead, const struct net_link *link, const uint8_t *of)
{
    q2p_time least = link && of[link->from] != of[link->to] ? least_delay(&link->config) : ahead;
    return least < ahead ? least : ahead;
}

q2p_time net_ahead(const struct net *net, const uint8_t *of)
{
    q2p_time ahead = least_delay(&net->common.config);
    for (size_t i = 0; i < net->links_room; i++)
        ahead = shorter(ahead, net->links[i], of);
    for (uint32_t i = 0; i < net->views_count; i++)
        for (size_t j = 0; j < net->views[i].links_room; j++)
            ahead = shorter(ahead, net->views[i].links[j], of);
    return ahead;
}

static void make_view(const struct net *net, struct net *view)
{
    struct sim_world *world = view->world;
    const struct net_tap *tap = view->tap;
    *view = *net;
    view->world = world;
    view->tap = tap;
    view->whole = (struct net *)net;
    view->views = NULL;
    view->views_count = 0;
    view->memory = (struct sim_pool){0};
    view->links = NULL;
    view->names = NULL;
    view->links_count = view->links_room = view->names_count = view->names_room = 0;
    view->common = (struct net_link){.tap = tap, .name_of = net_link_name, .ctx = view};
    net_set_default(view, &net->common.config);
}

static void move_place(struct net_place *place, struct net *view)
{
    struct net_access *access = place->access;
    place->net = view;
    if (net_is_nat(place))
        place->nat->pool = &view->memory;
    if (access) {
        access->up.tap = access->down.tap = view->tap;
        access->up.ctx = access->down.ctx = view;
    }
}

void net_split(struct net *net, struct net *views, uint32_t count, const uint8_t *of)
{
    for (uint32_t i = 0; i < count; i++)
        make_view(net, &views[i]);
    for (size_t i = 0; i < net->places_count; i++)
        move_place(net->places[i], &views[of[i]]);
    for (size_t i = 0; i < net->links_room; i++)
        if (net->links[i])
            net_link_adopt(&views[of[net->links[i]->from]], net->links[i]);
    free(net->links);
    net->links = NULL;
    net->links_count = net->links_room = 0;
    net->views = views;
    net->views_count = count;
}
