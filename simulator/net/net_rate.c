/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_rate.c - a wire of so many bytes per second with a queue before it. As the wire is first in,
 * first out, it is known at once when a packet will leave: nothing is kept here but the time at
 * which the wire will be free. CoDel (RFC 8289) decides in the order in which packets leave, which
 * is the order in which they come; so it can decide as they come.
 */
#include "net_link.h"

#define CODEL_TARGET_NS (5 * Q2P_MILLISECOND)
#define CODEL_INTERVAL_NS (100 * Q2P_MILLISECOND)

struct net_rate {
    struct net_part part;
    q2p_time free_ns; /* the wire is busy until then */
    q2p_time
        above_ns;     /* CoDel: the wait has been over its target long enough then; 0 = it is not */
    q2p_time drop_ns; /* ... next drop */
    uint32_t drops, drops_last;
    bool dropping;
};

static uint64_t root_of(uint64_t number)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= number)
            root += bit;
    return root;
}

/* RFC 8289 3.3: interval / sqrt(count), in integers. */
static q2p_time control(q2p_time at, uint32_t count)
{
    return at +
           (q2p_time)((uint64_t)CODEL_INTERVAL_NS * 1024 / root_of((uint64_t)count * 1024 * 1024));
}

/* RFC 8289 5: is the packet that leaves at `at` after waiting to be dropped? */
static bool codel_drops(struct net_rate *rate, q2p_time at, q2p_time waited)
{
    bool high = false;
    if (waited < CODEL_TARGET_NS)
        rate->above_ns = 0;
    else if (rate->above_ns == 0)
        rate->above_ns = at + CODEL_INTERVAL_NS;
    else
        high = at >= rate->above_ns;
    if (!high) {
        rate->dropping = false;
        return false;
    }
    if (rate->dropping) {
        if (at < rate->drop_ns)
            return false;
        rate->drops++;
        rate->drop_ns = control(rate->drop_ns, rate->drops);
        return true;
    }
    uint32_t recent = rate->drops - rate->drops_last;
    rate->dropping = true;
    rate->drops = recent > 1 && at - rate->drop_ns < 16 * CODEL_INTERVAL_NS ? recent : 1;
    rate->drops_last = rate->drops;
    rate->drop_ns = control(at, rate->drops);
    return true;
}

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_rate *rate = (struct net_rate *)self;
    const struct net_link_config *config = &rate->part.link->config;
    q2p_time start = rate->free_ns > world->now ? rate->free_ns : world->now;
    q2p_time waits = start - world->now;
    double waiting = (double)waits * config->rate / (double)Q2P_SECOND; /* bytes */
    uint32_t len = net_packet_len(packet);
    if ((config->queue_len > 0 && waits > 0 && waiting + len > config->queue_len) ||
        (config->queue_kind == NET_QUEUE_CODEL && codel_drops(rate, start, waits))) {
        net_link_end(rate->part.link, world, packet, NET_FATE_QUEUE);
        return;
    }
    rate->free_ns = start + (q2p_time)((uint64_t)len * (uint64_t)Q2P_SECOND / config->rate);
    sim_world_deliver_turn(world, rate->free_ns, self->next, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->rate > 0;
}

const struct net_part_kind net_rate_kind = {sizeof(struct net_rate), {.forward = forward}, wanted};
