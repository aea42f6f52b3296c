/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_punch.c - builds a laboratory, lets nodes join, looks who knows whom. */
#include "lab_punch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN 16384

struct lab_block {
    struct lab_block *next;
    size_t used, room;
    unsigned char bytes[];
};

/* Memory for nodes: taken from blocks, given back with the laboratory. */
static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct lab *lab = ctx;
    if (new_len <= old_len)
        return new_len ? old : NULL;
    size_t len = (new_len + 15) & ~(size_t)15;
    struct lab_block *block = lab->blocks;
    if (!block || block->room - block->used < len) {
        size_t room = len > BLOCK_LEN ? len : BLOCK_LEN;
        block = sim_alloc(sizeof *block + room + 15);
        block->room = room + 15;
        block->used = -((uintptr_t)block->bytes) & 15;
        block->next = lab->blocks;
        lab->blocks = block;
    }
    void *out = block->bytes + block->used;
    block->used += len;
    if (old_len > 0)
        memcpy(out, old, old_len);
    return out;
}

static void seen(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now)
{
    (void)ctx, (void)at, (void)packet, (void)now;
}

static void fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                 q2p_time now)
{
    (void)ctx, (void)packet, (void)fate, (void)where, (void)now;
}

/* ---- hosts ------------------------------------------------------------------------------- */

static bool settle(void *ctx, struct sim_host *sim_host)
{
    struct lab_host *host = ctx;
    struct lab *lab = host->lab;
    struct q2p_happening what;
    bool any = false;
    (void)sim_host;
    if (!host->node)
        return false;
    for (; q2p_node_happening(host->node, &what) == 1; any = true) {
        if (what.on == Q2P_ON_DELIVERED && host->delivered_ns == Q2P_NEVER)
            host->delivered_ns = lab->world.now;
        if (what.on != Q2P_ON_CONNECT && what.on != Q2P_ON_CONNECTED)
            continue;
        uint32_t place = net_who(&lab->net, host->place->index, &what.peer);
        for (uint32_t i = 0; i < lab->count; i++)
            if (lab->hosts[i].place->index == place)
                lab->knows[host->number * lab->room + i] = true;
    }
    return any;
}

/* The access link, between machine and place. */
static void set_access(struct lab_host *host, uint32_t loss_ppb)
{
    if (!host->nat || (loss_ppb == 0 && !host->place->access))
        return;
    struct net_access *access = net_access_of(host->place);
    net_link_set(&access->up, &(struct net_link_config){.loss_ppb = loss_ppb});
    net_link_set(&access->down, &(struct net_link_config){.loss_ppb = loss_ppb});
}

static void connect(struct lab_host *host)
{
    host->host.next = &host->place->out;
    host->place->host = &host->host.runner.element;
    set_access(host, host->lab->access_ppb);
}

static void make_node(struct lab_host *host, const struct q2p_config *config)
{
    struct q2p_config mine = *config;
    mine.seed = sim_mix(host->lab->world.seed, host->number);
    mine.alloc = (struct q2p_alloc){.ctx = host->lab, .resize = resize};
    int status = q2p_node_new(&host->node, &mine);
    assert(status == Q2P_OK);
    status = q2p_node_own(host->node, &host->place->addr);
    assert(status == Q2P_OK);
    sim_host_init(&host->host, host->place->index, &q2p_node_machine, host->node);
}

/* config NULL: a classic one. */
static struct lab_host *add_host(struct lab *lab, const struct q2p_config *config,
                                 struct net_place *nat, const struct q2p_addr *addr)
{
    struct lab_host *host = &lab->hosts[lab->count];
    host->lab = lab;
    host->number = lab->count++;
    host->nat = nat;
    host->delivered_ns = Q2P_NEVER;
    snprintf(host->name, sizeof host->name, "host-%u", (unsigned)host->number);
    host->place = net_add_host(&lab->net, host->name, nat ? nat->inner : NET_REALM_PUBLIC, addr);
    if (config) {
        make_node(host, config);
    } else {
        lab_classic_init(&host->classic, host->number ? &lab->hosts[0].place->addr : NULL,
                         lab->world.now);
        sim_host_init(&host->host, host->place->index, &lab_classic_machine, &host->classic);
    }
    host->host.addr = *addr;
    host->host.settle = settle;
    host->host.ctx = host;
    connect(host);
    return host;
}

static const struct q2p_config *config_of(enum lab_way way, struct q2p_config *config)
{
    if (way == LAB_CLASSIC)
        return NULL;
    q2p_config_init(config);
    if (way == LAB_ORIGINAL)
        q2p_config_original(config);
    return config;
}

uint32_t lab_add(struct lab *lab, const struct q2p_config *config)
{
    struct q2p_addr addr = {
        .ip = {203, 0, 113, (uint8_t)(1 + lab->count)}, .ip_len = 4, .port = 10000};
    return add_host(lab, config, NULL, &addr)->number;
}

uint32_t lab_join(struct lab *lab, enum lab_way way, const struct net_nat_config *nat)
{
    uint32_t number = lab->count;
    struct q2p_config config;
    struct q2p_addr outside = {.ip = {198, 18, (uint8_t)(number >> 8), (uint8_t)number},
                               .ip_len = 4};
    struct q2p_addr inside = {.ip = {10, 0, 0, 2}, .ip_len = 4, .port = (uint16_t)(10000 + number)};
    char *name = lab->hosts[number].nat_name;
    snprintf(name, sizeof lab->hosts->nat_name, "nat-%u", (unsigned)number);
    struct net_place *place = nat ? net_add_nat(&lab->net, name, NET_REALM_PUBLIC, &outside, nat)
                                  : lab->hosts[number - 1].nat;
    struct lab_host *host = add_host(lab, config_of(way, &config), place, &inside);
    for (uint32_t i = 0; host->node && i < lab->seeds; i++)
        q2p_node_join(host->node, lab->world.now, &lab->hosts[i].place->addr);
    sim_host_pump(&host->host, &lab->world);
    return number;
}

/* ---- the laboratory ---------------------------------------------------------------------- */

void lab_init(struct lab *lab, uint64_t seed, unsigned seeds, unsigned nodes,
              enum lab_way seeds_are)
{
    *lab = (struct lab){.room = seeds + nodes, .seeds = seeds};
    lab->tap = (struct net_tap){.seen = seen, .fate = fate};
    lab->link.delay_min_ns = lab->link.delay_max_ns = 10 * Q2P_MILLISECOND;
    sim_world_init(&lab->world, seed);
    net_init(&lab->net, &lab->world, &lab->tap, &lab->link);
    lab->hosts = sim_alloc(lab->room * sizeof *lab->hosts);
    lab->knows = sim_alloc((size_t)lab->room * lab->room);
    struct q2p_config config;
    for (unsigned i = 0; i < seeds; i++)
        lab_add(lab, config_of(seeds_are, &config));
}

void lab_free(struct lab *lab)
{
    while (lab->blocks) {
        struct lab_block *next = lab->blocks->next;
        free(lab->blocks);
        lab->blocks = next;
    }
    free(lab->hosts);
    free(lab->knows);
    net_free(&lab->net);
    sim_world_free(&lab->world);
}

void lab_lose(struct lab *lab, uint32_t wan_ppb, uint32_t access_ppb)
{
    lab->access_ppb = access_ppb;
    lab->link.loss_ppb = wan_ppb;
    net_set_default(&lab->net, &lab->link);
    for (uint32_t i = lab->seeds; i < lab->count; i++)
        set_access(&lab->hosts[i], access_ppb);
}

void lab_wait(struct lab *lab, q2p_time ns)
{
    sim_world_run(&lab->world, lab->world.now + ns);
}

bool lab_knows(const struct lab *lab, uint32_t who, uint32_t whom)
{
    return lab->knows[who * lab->room + whom];
}

/* ---- one trial --------------------------------------------------------------------------- */

void lab_trial_init(struct lab_trial *trial, enum lab_way way, unsigned newcomer, unsigned known,
                    enum net_nat_scope scope)
{
    *trial = (struct lab_trial){.newcomer_is = way,
                                .known_is = way,
                                .seeds_are = way,
                                .newcomer = lab_nat_config(newcomer, scope),
                                .known = lab_nat_config(known, scope),
                                .seeds = 1,
                                .knowns = 1,
                                .after_ns = Q2P_SECOND,
                                .until_ns = 30 * Q2P_SECOND,
                                .seed = 1};
}

/* Classic peers say by themselves that the way is open. */
static bool is_known(const struct lab *lab, uint32_t who, uint32_t whom)
{
    return lab->hosts[who].node
               ? lab_knows(lab, who, whom)
               : lab->hosts[who].classic.connected || lab->hosts[whom].classic.connected;
}

struct lab_outcome lab_punch(const struct lab_trial *trial)
{
    struct lab lab;
    struct lab_outcome out = {0};
    lab_init(&lab, trial->seed, trial->seeds, trial->knowns + 1, trial->seeds_are);
    for (unsigned i = 0; i < trial->knowns; i++)
        lab_join(&lab, trial->known_is, &trial->known);
    lab_wait(&lab, trial->after_ns);
    lab_lose(&lab, trial->wan_ppb, trial->access_ppb);
    uint32_t newcomer =
        lab_join(&lab, trial->newcomer_is, trial->together ? NULL : &trial->newcomer);
    lab_wait(&lab, trial->until_ns);
    for (uint32_t i = trial->seeds; i < newcomer; i++) {
        bool full = is_known(&lab, i, newcomer) && is_known(&lab, newcomer, i);
        out.full += full;
        out.half += !full && is_known(&lab, i, newcomer);
    }
    for (uint32_t i = 0; i < lab.count; i++)
        out.sent += lab.hosts[i].host.sent;
    lab_free(&lab);
    return out;
}
