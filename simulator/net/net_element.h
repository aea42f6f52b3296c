/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_element.h - the one shape of everything a datagram passes: host, NAT, loss, delay. Three
 * functions each; a chain of such elements is a network.
 */
#ifndef NET_ELEMENT_H
#define NET_ELEMENT_H

#include <q2p/types.h>

struct sim_world;
struct sim_packet;
struct net_element;
struct net_runner;

#define NET_SOON 4 /* steps of net_ops.soon */

struct net_ops {
    /* Takes a packet over: hands it on, keeps it, or ends it. */
    void (*forward)(struct net_element *self, struct sim_world *world, struct sim_packet *packet);
    /* When it wants to run by itself; both NULL in elements that never do. */
    q2p_time (*next_at)(const struct net_runner *self);
    void (*run)(struct net_runner *self, struct sim_world *world);
    /* Something will happen here soon (packet: NULL if it will run): they fetch into the cache what
     * that will need. What the element begins with and the packet's head are there already; then
     * the steps follow the pointers, one each. Each may be NULL; must change nothing that can be
     * seen. */
    void (*soon[NET_SOON])(const struct net_element *self, const struct sim_packet *packet);
    /* The same for a packet that a host is about to send: its addresses are there. */
    void (*sent)(const struct net_element *self, const struct sim_packet *packet);
};

struct net_element {
    const struct net_ops *ops;
};

/* One that runs by itself. */
struct net_runner {
    struct net_element element;
    q2p_time wake_at; /* earliest wake-up in the queue; Q2P_NEVER = none */
    uint64_t order;   /* who comes first at the same instant; see sim_queue.h */
};

#endif
