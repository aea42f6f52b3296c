/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_link.h - one direction of the way between two places of the public network: a chain of
 * elements, each with its own random stream. A new element gets a struct here, a file of its own
 * and a line in net_link_init.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net_tap.h"
#include "sim_rng.h"

#define NET_LOSS_ALWAYS 1000000000u /* parts per billion */

struct net_link_config {
    q2p_time delay_min_ns, delay_max_ns;
    uint32_t loss_ppb;
};

struct net_loss {
    struct net_element element;
    struct sim_rng rng;
    uint32_t loss_ppb;
    const struct net_tap *tap;
    const char *where;
};

struct net_delay {
    struct net_element element;
    struct sim_rng rng;
    q2p_time min_ns, max_ns;
};

struct net_link {
    uint32_t from, to; /* places */
    char name[80];     /* "alice>bob" */
    struct net_loss loss;
    struct net_delay delay;
};

void net_loss_init(struct net_loss *loss, uint64_t seed, const char *stream);
void net_delay_init(struct net_delay *delay, uint64_t seed, const char *stream);

/* from and to are set already; name is copied. What leaves the link goes to `end`. */
void net_link_init(struct net_link *link, uint64_t seed, const struct net_tap *tap,
                   const char *name, struct net_element *end);
void net_link_set(struct net_link *link, const struct net_link_config *config);
struct net_element *net_link_start(struct net_link *link);

#endif
