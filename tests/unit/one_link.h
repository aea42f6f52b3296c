/* SPDX-License-Identifier: GPL-2.0-or-later */
/* one_link.h - a link alone, with numbered datagrams poured in, and what became of each. */
#ifndef ONE_LINK_H
#define ONE_LINK_H

#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "net_link.h"

#define SIGMAS 4.4172 /* two-sided 1e-5 */

struct fixture {
    struct net_element end;
    struct sim_world world;
    struct net_tap tap;
    struct net_link link;
    struct net_turn turn;
    uint32_t count;
    uint8_t *lost, *fates;
    q2p_time *sent_ns, *arrived_ns;
    uint64_t arrivals, spoilt, shorter, together; /* together: with its twin */
};

static inline void note_fate(void *ctx, struct sim_packet *packet, enum net_fate fate,
                             const char *where, q2p_time now)
{
    struct fixture *f = ctx;
    (void)now;
    assert_string_equal(where, "a>b");
    f->lost[packet->id] = 1;
    f->fates[packet->id] = (uint8_t)fate;
}

static inline void end_forward(struct net_element *self, struct sim_world *world,
                               struct sim_packet *packet)
{
    static const uint8_t sent[Q2P_DATAGRAM_MAX];
    struct fixture *f = (struct fixture *)self;
    f->together += f->arrived_ns[packet->id] == world->now;
    f->arrived_ns[packet->id] = world->now;
    f->arrivals++;
    f->shorter += packet->len < 100;
    f->spoilt += memcmp(packet->bytes, sent, packet->len) != 0;
    assert_true(packet->digest == sim_mix_bytes(0, packet->bytes, packet->len) ||
                packet->digest == packet->id);
    sim_packet_drop(world, packet);
}

static const char *name(void *ctx, const struct sim_packet *packet)
{
    (void)ctx;
    (void)packet;
    return "a>b";
}

static const struct net_ops end_ops = {.forward = end_forward};

static inline struct fixture *make(const struct net_link_config *config, uint32_t count)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->end = (struct net_element){.ops = &end_ops};
    f->tap = (struct net_tap){.ctx = f, .fate = note_fate};
    f->count = count;
    f->lost = test_calloc(count, 1);
    f->fates = test_calloc(count, 1);
    f->sent_ns = test_calloc(count, sizeof *f->sent_ns);
    f->arrived_ns = test_calloc(count, sizeof *f->arrived_ns);
    sim_world_init(&f->world, 1);
    f->link = (struct net_link){.tap = &f->tap, .name_of = name};
    net_link_set(&f->link, config);
    return f;
}

static inline void send_bytes(struct fixture *f, uint32_t id, const uint8_t *bytes, uint32_t len)
{
    struct sim_packet *packet = sim_packet_take(&f->world);
    memset(packet->bytes, 0, sizeof packet->bytes);
    if (bytes)
        memcpy(packet->bytes, bytes, len);
    packet->len = len;
    packet->dst.ip_len = 4;
    packet->id = packet->digest = id;
    packet->way_end = &f->end;
    packet->order = 7;
    f->sent_ns[id] = f->world.now;
    net_link_enter(&f->link, &f->world, packet, 99, &f->turn);
}

/* So many zeros. */
static inline void send(struct fixture *f, uint32_t id, uint32_t len)
{
    send_bytes(f, id, NULL, len);
}

/* One packet of 100 bytes every `gap`. */
static inline struct fixture *pour(const struct net_link_config *config, uint32_t count,
                                   q2p_time gap)
{
    struct fixture *f = make(config, count);
    for (uint32_t i = 0; i < count; i++) {
        send(f, i, 100);
        sim_world_run(&f->world, f->world.now + gap);
    }
    sim_world_run(&f->world, f->world.now + 1000 * Q2P_SECOND);
    return f;
}

static inline void drain(struct fixture *f)
{
    sim_world_free(&f->world);
    net_link_free(&f->link);
    test_free(f->lost);
    test_free(f->fates);
    test_free(f->sent_ns);
    test_free(f->arrived_ns);
    test_free(f);
}

static inline void assert_near(double value, double wanted, double band)
{
    if (fabs(value - wanted) > band)
        print_error("%.8f instead of %.8f +- %.8f\n", value, wanted, band);
    assert_true(fabs(value - wanted) <= band);
}

static inline double share_lost(const struct fixture *f)
{
    double lost = 0;
    for (uint32_t i = 0; i < f->count; i++)
        lost += f->lost[i];
    return lost / f->count;
}

#endif
