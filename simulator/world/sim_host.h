/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_host.h - hosts one machine of any protocol family through machine.h: gives it datagrams and
 * virtual time, takes its datagrams. It knows nothing of what they mean.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <q2p/machine.h>

#include "sim_world.h"

/* In the order in which a datagram needs it: what comes in touches two lines of memory. */
struct sim_host {
    struct net_runner runner;
    struct net_element *next; /* where its datagrams go */
    const struct q2p_machine *machine;
    void *self;
    /* Fetches what happened; true if that may have given the machine something to do. */
    bool (*settle)(void *ctx, struct sim_host *host);
    struct q2p_addr addr;
    uint64_t trace; /* hash of everything sent, received and noted so far */
    uint64_t sent, received;
    q2p_time clock_offset_ns;
    int32_t clock_ppm; /* its clock is so much too fast */
    bool down;         /* crashed: hears nothing, says nothing, has no alarm */
    bool restless;     /* asked again and again to run at the same instant: its clock is stopped */
    uint32_t index;
    uint32_t ticks; /* at `ticked_ns` */
    uint32_t heard; /* who sent the datagram that it was given last */
    q2p_time ticked_ns;
    uint64_t oversize; /* datagrams of more than 512 bytes; they are not sent */
    void *ctx;
};

void sim_host_init(struct sim_host *host, uint32_t index, const struct q2p_machine *machine,
                   void *self);

/* What its clock shows at a time of the world. */
q2p_time sim_host_now_drifted(const struct sim_host *host, q2p_time now);
static inline q2p_time sim_host_now(const struct sim_host *host, q2p_time now)
{
    return host->clock_ppm == 0 ? now + host->clock_offset_ns : sim_host_now_drifted(host, now);
}

/* After any call on the machine from outside: sends what it has, settles, sets the alarm. */
void sim_host_pump(struct sim_host *host, struct sim_world *world);

#endif
