/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_link.h - one direction of a way: a chain of small parts, only those that its configuration
 * wants. Luck is a function of the run's seed, the link's name, the instant and the datagram: it
 * costs no memory, and nobody else's traffic changes it. A new part is a file with a
 * net_part_kind, and a line in net_link.c.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net_tap.h"
#include "sim_rng.h"

#define NET_LOSS_ALWAYS 1000000000u /* parts per billion */
#define NET_PARTS 7

/* What a delay adds to its range. normal: jitter is the standard deviation, and nothing below the
 * range's start comes out; exponential, pareto (shape 4): jitter is the mean. */
#define NET_SHAPE_WORDS "uniform|normal|exponential|pareto"
enum net_shape { NET_SHAPE_UNIFORM, NET_SHAPE_NORMAL, NET_SHAPE_EXPONENTIAL, NET_SHAPE_PARETO };

#define NET_QUEUE_WORDS "drop-tail|codel|red"
enum net_queue_kind { NET_QUEUE_DROP_TAIL, NET_QUEUE_CODEL, NET_QUEUE_RED };

#define NET_TABLE_MAX 64
struct net_table {
    uint32_t count;
    q2p_time items[NET_TABLE_MAX];
};

/* Zero = the link does not do that. Fractions are parts per billion. */
struct net_link_config {
    q2p_time delay_min_ns, delay_max_ns; /* drawn uniformly */
    uint32_t loss_ppb;                   /* each for itself; with to_bad_ppb: in the good state */
    enum net_shape shape;                /* of the jitter */
    q2p_time jitter_ns;
    const struct net_table *table; /* borrowed; instead of the range, each value as likely */
    uint32_t correlation_ppb;      /* chance to have the delay of the one before */
    uint32_t to_bad_ppb, to_good_ppb, bad_loss_ppb; /* Gilbert-Elliott */
    q2p_time bad_delay_ns;      /* ... what comes through in the bad state comes so much later */
    uint32_t lose_every;        /* the n-th of every n is lost */
    const char *lose_mask;      /* borrowed; of 0 and 1 = lost, again and again */
    const char *lose_trace;     /* borrowed; ... once; after its end nothing is lost */
    uint32_t lose_events;       /* messages of Q2P: bit n = enum q2p_event n */
    uint32_t lose_events_first; /* ... only so many of them; 0 = all */
    uint32_t duplicate_ppb, corrupt_ppb, truncate_ppb, reorder_ppb;
    q2p_time reorder_ns; /* what is reordered comes so much later */
    uint32_t mtu;        /* bytes with IP and UDP headers; longer ones do not get through */
    bool cut;
    uint32_t rate;      /* bytes per second, with IP and UDP headers */
    uint32_t queue_len; /* bytes waiting at most */
    enum net_queue_kind queue_kind;
    uint32_t red_min, red_max; /* bytes waiting on average; 0 = 1/4, 3/4 of queue_len */
    uint32_t red_ppb;          /* loss at red_max; above it everything is lost */
};

struct net_link {
    uint32_t from, to;
    const struct net_tap *tap;
    /* Name of the link a packet is on; lives as long as the network. */
    const char *(*name_of)(void *ctx, const struct sim_packet *packet);
    void *ctx;
    bool direct; /* without any delay it hands on at once: no link of this kind leads back here */
    struct net_link_config config;
    struct net_element *start;
    struct net_part *parts[NET_PARTS];
};

/* One of the chain; its own state follows in its own struct. */
struct net_part {
    struct net_element element;
    struct net_element *next;
    struct net_link *link;
};

/* A part is through with a packet. */
static inline void net_part_pass(struct net_element *self, struct sim_world *world,
                                 struct sim_packet *packet)
{
    struct net_element *next = ((struct net_part *)self)->next;
    next->ops->forward(next, world, packet);
}

struct net_part_kind {
    size_t size;
    struct net_ops ops;
    bool (*wanted)(const struct net_link_config *config);
};
extern const struct net_part_kind net_gate_kind, net_loss_kind, net_pattern_kind, net_spoil_kind,
    net_copy_kind, net_rate_kind, net_delay_kind;

/* What luck decides: each has draws of its own, so that none shifts another's. */
enum net_draw {
    NET_DRAW_LOSS,
    NET_DRAW_TURN_BAD,
    NET_DRAW_CORRUPT,
    NET_DRAW_CORRUPT_AT,
    NET_DRAW_TRUNCATE,
    NET_DRAW_TRUNCATE_AT,
    NET_DRAW_DUPLICATE,
    NET_DRAW_COPY,
    NET_DRAW_REORDER,
    NET_DRAW_DELAY,
    NET_DRAW_JITTER,             /* and above: the normal distribution takes several */
    NET_DRAW_NAT_PORT = 1 << 16, /* what NATs draw: not of a packet, but of a mapping */
    NET_DRAW_NAT_OUTSIDE,
    NET_DRAW_RED,
    NET_DRAW_STAY /* with the delay of the one before */
};

static inline uint64_t net_draw(const struct sim_packet *packet, uint32_t what)
{
    return sim_mix(packet->luck, what);
}

/* What luck says, unless the tap knows better. */
static inline bool net_decide(const struct net_link *link, const struct sim_packet *packet,
                              enum net_draw what, bool drawn)
{
    return link->tap->decide ? link->tap->decide(link->tap->ctx, packet, what, drawn) : drawn;
}

static inline bool net_chance(const struct net_link *link, const struct sim_packet *packet,
                              enum net_draw what, uint32_t ppb)
{
    return net_decide(link, packet, what,
                      (net_draw(packet, what) >> 32) * NET_LOSS_ALWAYS >> 32 < ppb);
}

/* The packet ends here. */
void net_link_end(const struct net_link *link, struct sim_world *world, struct sim_packet *packet,
                  enum net_fate fate);

/* Who has sent what before at the same instant; one per sender. */
struct net_turn {
    q2p_time at;
    uint32_t to, same;
    uint32_t count;
};

/* tap, name_of and ctx are set already. */
void net_link_set(struct net_link *link, const struct net_link_config *config);
void net_link_free(struct net_link *link);

/* True if the link needs memory of its own: what it does depends on what went before. */
bool net_link_remembers(const struct net_link_config *config);

/* Puts a packet on the link. key is the link's name as a number; packet->order, ->way_from,
 * ->way_to and ->way_end (who gets it) are set already. */
void net_link_enter(const struct net_link *link, struct sim_world *world, struct sim_packet *packet,
                    uint64_t key, struct net_turn *turn);

/* A drawn number in 0..width. */
q2p_time net_scale(uint64_t draw, q2p_time width);

/* net_shape.c: ns on top of the delay. */
q2p_time net_shape_draw(enum net_shape shape, q2p_time jitter_ns, const struct sim_packet *packet);

#endif
