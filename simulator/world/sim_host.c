/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_host.c - a machine as an element of the network. */
#include "sim_host.h"

#include <string.h>

#include "sim_rng.h"

#define TICKS_MAX 100000 /* at one instant; a machine that paces itself needs a few */

#define MILLION 1000000

#define MACHINE_HOT (9 * SIM_LINE) /* of a machine: fetched for each datagram */

q2p_time sim_host_now_drifted(const struct sim_host *host, q2p_time now)
{
    return now + host->clock_offset_ns + now / MILLION * host->clock_ppm +
           now % MILLION * host->clock_ppm / MILLION;
}

/* The first time of the world at which its clock shows `local` or later. */
static q2p_time world_time(const struct sim_host *host, q2p_time local)
{
    if (local == Q2P_NEVER)
        return local;
    q2p_time rate = MILLION + host->clock_ppm, since = local - host->clock_offset_ns;
    q2p_time out = since / rate * MILLION + since % rate * MILLION / rate;
    while (sim_host_now(host, out - 1) >= local) /* both divisions round */
        out--;
    while (sim_host_now(host, out) < local)
        out++;
    return out;
}

static void send_datagram(struct sim_host *host, struct sim_world *world,
                          const struct q2p_datagram *out)
{
    if (out->len > Q2P_DATAGRAM_MAX) {
        host->oversize++;
        return;
    }
    struct net_element *next = host->next;
    struct sim_packet *packet = sim_packet_take(world);
    packet->src = host->addr;
    packet->dst = out->peer;
    packet->from = host->index;
    packet->sent_ns = world->now;
    packet->id = (uint64_t)host->index << 40 | host->sent++;
    packet->len = (uint32_t)out->len;
    if (next->ops->sent)
        next->ops->sent(next, packet);
    memcpy(packet->bytes, out->bytes, out->len);
    packet->digest = sim_mix_bytes(0, packet->bytes, packet->len);
    host->trace = sim_mix_at(host->trace, world->now, packet->digest);
    next->ops->forward(next, world, packet);
}

static q2p_time next_at(const struct net_runner *self)
{
    const struct sim_host *host = (const struct sim_host *)self;
    if (host->restless || host->down)
        return Q2P_NEVER;
    q2p_time local = host->machine->deadline(host->self);
    return host->clock_ppm == 0 && host->clock_offset_ns == 0 ? local : world_time(host, local);
}

void sim_host_pump(struct sim_host *host, struct sim_world *world)
{
    struct q2p_datagram out;
    if (host->down)
        return;
    q2p_time now = sim_host_now(host, world->now);
    do {
        while (host->machine->output(host->self, now, &out) == 1)
            send_datagram(host, world, &out);
    } while (host->settle && host->settle(host->ctx, host));
    sim_world_wake_at(world, &host->runner, next_at(&host->runner));
}

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct sim_host *host = (struct sim_host *)self;
    struct q2p_datagram in = {packet->src, packet->bytes, packet->len};
    if (host->down) {
        sim_packet_drop(world, packet);
        return;
    }
    host->received++;
    host->heard = packet->from;
    host->trace = sim_mix_at(~host->trace, world->now, packet->digest ^ packet->src.port);
    host->machine->input(host->self, sim_host_now(host, world->now), &in);
    sim_packet_drop(world, packet);
    sim_host_pump(host, world);
}

static void run(struct net_runner *self, struct sim_world *world)
{
    struct sim_host *host = (struct sim_host *)self;
    host->ticks = world->now == host->ticked_ns ? host->ticks + 1 : 1;
    host->ticked_ns = world->now;
    host->restless = host->ticks > TICKS_MAX;
    host->machine->tick(host->self, sim_host_now(host, world->now));
    sim_host_pump(host, world);
}

static void fetch_host(const struct net_element *self, const struct sim_packet *packet)
{
    const struct sim_host *host = (const struct sim_host *)self;
    (void)packet;
    sim_fetch((const char *)host + SIM_LINE, sizeof *host - SIM_LINE);
    sim_fetch(host->next, 2 * SIM_LINE); /* a place, as a rule */
}

static void fetch_machine(const struct net_element *self, const struct sim_packet *packet)
{
    (void)packet;
    sim_fetch(((const struct sim_host *)self)->self, MACHINE_HOT);
}

/* What it will send goes there. */
static void fetch_next(const struct net_element *self, const struct sim_packet *packet)
{
    const struct net_element *next = ((const struct sim_host *)self)->next;
    if (next->ops->soon[0])
        next->ops->soon[0](next, packet);
}

static const struct net_ops host_ops = {
    forward, next_at, run, {fetch_host, fetch_machine, fetch_next}, NULL};

void sim_host_init(struct sim_host *host, uint32_t index, const struct q2p_machine *machine,
                   void *self)
{
    *host = (struct sim_host){.machine = machine, .self = self, .index = index, .ticked_ns = -1};
    host->runner = (struct net_runner){{&host_ops}, Q2P_NEVER, 2 * (uint64_t)index};
}
