/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_rate.c - a wire of so many bytes per second with a queue before it. As the wire is first in,
 * first out, it is known at once when a packet will leave: nothing is kept here but the time at
 * which the wire will be free. CoDel (RFC 8289) decides in the order in which packets leave, which
 * is the order in which they come; so it can decide as they come. RED (Floyd and Jacobson 1993)
 * looks at the queue's length on average.
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
    double average;     /* RED: bytes waiting */
    uint32_t since;     /* ... packets that got through since the last one lost, while it is high */
    uint32_t first_len; /* ... of the first packet; so many bytes stand for one while it is idle */
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

#define RED_WEIGHT 0.002

/* x to the n-th, by multiplication alone: the same on every machine. */
static double power(double x, uint64_t n)
{
    double out = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            out *= x;
    return out;
}

/* The average as a packet finds it: with an idle wire, as if small ones had come by meanwhile. */
static void red_note(struct net_rate *rate, q2p_time now, uint32_t len, double waiting)
{
    const struct net_link_config *config = &rate->part.link->config;
    if (rate->first_len == 0)
        rate->first_len = len;
    if (rate->free_ns < now) {
        uint64_t each_ns = (uint64_t)rate->first_len * (uint64_t)Q2P_SECOND / config->rate + 1;
        rate->average *= power(1 - RED_WEIGHT, (uint64_t)(now - rate->free_ns) / each_ns);
    }
    rate->average += RED_WEIGHT * (waiting - rate->average);
}

/* Losses are spread evenly: the more have got through, the more likely. */
static bool red_drops(struct net_rate *rate, const struct sim_packet *packet)
{
    const struct net_link_config *config = &rate->part.link->config;
    double min = config->red_min ? config->red_min : config->queue_len / 4.;
    double max = config->red_max ? config->red_max : config->queue_len * .75;
    double chance = config->red_ppb / (double)NET_LOSS_ALWAYS * (rate->average - min) / (max - min);
    if (rate->average < min) {
        rate->since = 0;
        return false;
    }
    chance =
        rate->average >= max || rate->since * chance >= 1 ? 1 : chance / (1 - rate->since * chance);
    rate->since++;
    if (!net_chance(rate->part.link, packet, NET_DRAW_RED,
                    chance >= 1 ? NET_LOSS_ALWAYS : (uint32_t)(chance * NET_LOSS_ALWAYS)))
        return false;
    rate->since = 0;
    return true;
}

static bool is_refused(struct net_rate *rate, const struct sim_packet *packet, q2p_time start,
                       q2p_time waits)
{
    if (rate->part.link->config.queue_kind == NET_QUEUE_CODEL)
        return codel_drops(rate, start, waits);
    return rate->part.link->config.queue_kind == NET_QUEUE_RED && red_drops(rate, packet);
}

static void forward(struct net_element *self, struct sim_world *world, struct sim_packet *packet)
{
    struct net_rate *rate = (struct net_rate *)self;
    const struct net_link_config *config = &rate->part.link->config;
    q2p_time start = rate->free_ns > world->now ? rate->free_ns : world->now;
    q2p_time waits = start - world->now;
    double waiting = (double)waits * config->rate / (double)Q2P_SECOND; /* bytes */
    uint32_t len = net_packet_len(packet);
    if (config->queue_kind == NET_QUEUE_RED)
        red_note(rate, world->now, len, waiting);
    if ((config->queue_len > 0 && waits > 0 && waiting + len > config->queue_len) ||
        is_refused(rate, packet, start, waits)) {
        net_link_end(rate->part.link, world, packet, NET_FATE_QUEUE);
        return;
    }
    rate->free_ns = start + (q2p_time)((uint64_t)len * (uint64_t)Q2P_SECOND / config->rate);
    sim_world_deliver(world, rate->free_ns, rate->part.next, packet);
}

static bool wanted(const struct net_link_config *config)
{
    return config->rate > 0;
}

const struct net_part_kind net_rate_kind = {sizeof(struct net_rate), {.forward = forward}, wanted};
