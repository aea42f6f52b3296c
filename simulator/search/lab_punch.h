/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_punch.h - trials of hole punching with real nodes: public seeds, nodes behind a NAT each,
 * who knows whom in the end. Smaller and faster than a scenario, and a function of its seed too.
 */
#ifndef LAB_PUNCH_H
#define LAB_PUNCH_H

#include "lab_classic.h"
#include "lab_theory.h"
#include "net_route.h"
#include "sim_host.h"

enum lab_way {
    LAB_CLASSIC,  /* lab_classic.h */
    LAB_ORIGINAL, /* a node with q2p_config_original */
    LAB_OURS,     /* a node with all defaults */
    LAB_WAYS
};

/* ---- a laboratory ------------------------------------------------------------------------ */

struct lab_host {
    struct sim_host host;
    struct net_place *place;
    struct net_place *nat; /* NULL: public */
    struct lab *lab;
    q2p_node *node; /* NULL: classic */
    struct lab_classic classic;
    uint32_t number;
    q2p_time delivered_ns;       /* a transmission came; Q2P_NEVER = none yet */
    char name[16], nat_name[16]; /* streams are named after them */
};

struct lab {
    struct sim_world world;
    struct net net;
    struct net_tap tap;
    struct net_link_config link;
    struct lab_host *hosts;
    uint32_t seeds, count, room; /* seeds first, then the others */
    bool *knows;                 /* room x room */
    uint32_t access_ppb;
    struct lab_block *blocks; /* memory of the nodes; goes as a whole */
};

/* Seeds of the given way, at public addresses; room for so many nodes behind NATs. */
void lab_init(struct lab *lab, uint64_t seed, unsigned seeds, unsigned nodes,
              enum lab_way seeds_are);
void lab_free(struct lab *lab);

/* A public node; its number. */
uint32_t lab_add(struct lab *lab, const struct q2p_config *config);

/* A node behind a NAT of its own (or NULL: behind the NAT of the one before) joins through all
 * seeds, now; its number. */
uint32_t lab_join(struct lab *lab, enum lab_way way, const struct net_nat_config *nat);

/* From now on: loss in the public network, and between all hosts and their NATs. */
void lab_lose(struct lab *lab, uint32_t wan_ppb, uint32_t access_ppb);

/* Virtual time goes on. */
void lab_wait(struct lab *lab, q2p_time ns);
bool lab_knows(const struct lab *lab, uint32_t who, uint32_t whom);

/* ---- one trial --------------------------------------------------------------------------- */

struct lab_trial {
    enum lab_way newcomer_is, known_is, seeds_are;
    struct net_nat_config newcomer, known; /* their NATs */
    bool together;                         /* the newcomer is behind the known one's NAT */
    unsigned seeds, knowns;                /* 1, 1 */
    uint32_t wan_ppb, access_ppb;          /* from the moment at which the newcomer joins */
    q2p_time after_ns;                     /* it joins so long after the others: 1 s */
    q2p_time until_ns;                     /* ... and is looked at so long after that: 30 s */
    uint64_t seed;
};

struct lab_outcome {
    unsigned full, half; /* of the known nodes */
    uint64_t sent;       /* datagrams */
};

/* Types of NAT as lab_nat_name. */
void lab_trial_init(struct lab_trial *trial, enum lab_way way, unsigned newcomer, unsigned known,
                    enum net_nat_scope scope);
struct lab_outcome lab_punch(const struct lab_trial *trial);

#endif
