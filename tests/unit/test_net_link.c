/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_net_link.c - loss and delay by their numbers, and luck that stays with its link. */
#include "unit.h"

#include "net_link.h"

#define COUNT 100000

struct fixture {
    struct net_element end;
    struct sim_world world;
    struct net_tap tap;
    struct net_link link;
    struct net_turn turn;
    uint8_t lost[COUNT];
    q2p_time arrived_ns[COUNT];
    uint64_t last;
    int overtaken;
};

static void note_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                      q2p_time now)
{
    (void)fate;
    (void)where;
    (void)now;
    ((struct fixture *)ctx)->lost[packet->id] = 1;
}

static void end_forward(struct net_element *self, struct sim_world *world,
                        struct sim_packet *packet)
{
    struct fixture *f = (struct fixture *)self;
    f->arrived_ns[packet->id] = world->now;
    f->overtaken += packet->id < f->last;
    f->last = packet->id;
    sim_packet_drop(world, packet);
}

static const char *no_name(void *ctx, const struct sim_packet *packet)
{
    (void)ctx;
    (void)packet;
    return "";
}

static const struct net_ops end_ops = {.forward = end_forward};

/* One packet each microsecond. */
static struct fixture *pour(const char *name, const struct net_link_config *config)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->end = (struct net_element){.ops = &end_ops};
    f->tap = (struct net_tap){.ctx = f, .fate = note_fate};
    sim_world_init(&f->world, 1);
    f->link = (struct net_link){.tap = &f->tap, .name_of = no_name};
    net_link_set(&f->link, config);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct sim_packet *packet = sim_packet_take(&f->world);
        packet->id = packet->digest = i;
        packet->way_end = &f->end;
        packet->order = 7;
        net_link_enter(&f->link, &f->world, packet, sim_mix_bytes(1, name, strlen(name)), &f->turn);
        sim_world_run(&f->world, f->world.now + Q2P_MICROSECOND);
    }
    sim_world_run(&f->world, f->world.now + Q2P_SECOND);
    return f;
}

static void drain(struct fixture *f)
{
    sim_world_free(&f->world);
    net_link_free(&f->link);
    test_free(f);
}

static void loss_is_what_it_says_and_each_for_itself(void **state)
{
    (void)state;
    struct fixture *f = pour("a>b", &(struct net_link_config){.delay_min_ns = 1000,
                                                              .delay_max_ns = 1000,
                                                              .loss_ppb = 50000000}); /* 5 % */
    int lost = 0, pairs = 0;
    for (int i = 0; i < COUNT; i++) {
        lost += f->lost[i];
        pairs += i > 0 && f->lost[i] && f->lost[i - 1];
        assert_true(f->lost[i] == (f->arrived_ns[i] == 0));
    }
    assert_in_range(lost, 5000 - 305, 5000 + 305); /* 4.42 sigma: 1e-5 */
    assert_in_range(pairs, 250 - 75, 250 + 75);
    assert_int_equal(f->overtaken, 0); /* a fixed delay keeps the order */
    drain(f);
}

static void nothing_is_lost_at_0_and_nothing_arrives_at_100_percent(void **state)
{
    (void)state;
    struct fixture *f = pour("a>b", &(struct net_link_config){0});
    assert_null(memchr(f->lost, 1, sizeof f->lost));
    drain(f);
    f = pour("a>b", &(struct net_link_config){.loss_ppb = NET_LOSS_ALWAYS});
    assert_null(memchr(f->lost, 0, sizeof f->lost));
    drain(f);
}

static void delay_is_uniform_in_its_range_and_lets_packets_overtake(void **state)
{
    (void)state;
    struct fixture *f =
        pour("a>b", &(struct net_link_config){.delay_min_ns = 15 * Q2P_MICROSECOND,
                                              .delay_max_ns = 25 * Q2P_MICROSECOND});
    int buckets[10] = {0};
    double chi = 0;
    for (int i = 0; i < COUNT; i++) {
        q2p_time delay = f->arrived_ns[i] - i * Q2P_MICROSECOND;
        assert_in_range(delay, 15 * Q2P_MICROSECOND, 25 * Q2P_MICROSECOND);
        buckets[(delay - 15 * Q2P_MICROSECOND) / 1001]++;
    }
    for (int i = 0; i < 10; i++)
        chi += (buckets[i] - COUNT / 10.0) * (buckets[i] - COUNT / 10.0) / (COUNT / 10.0);
    assert_true(chi < 50); /* 9 degrees of freedom: 40 at 1e-5; the last bucket is 10 ns short */
    assert_true(f->overtaken > COUNT / 10);
    drain(f);
}

static void luck_belongs_to_the_name_of_the_link(void **state)
{
    (void)state;
    struct net_link_config config = {.loss_ppb = NET_LOSS_ALWAYS / 2};
    struct fixture *a = pour("a>b", &config), *again = pour("a>b", &config);
    struct fixture *other = pour("b>a", &config);
    assert_memory_equal(a->lost, again->lost, sizeof a->lost);
    assert_memory_not_equal(a->lost, other->lost, sizeof a->lost);
    drain(a);
    drain(again);
    drain(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_is_what_it_says_and_each_for_itself),
        cmocka_unit_test(nothing_is_lost_at_0_and_nothing_arrives_at_100_percent),
        cmocka_unit_test(delay_is_uniform_in_its_range_and_lets_packets_overtake),
        cmocka_unit_test(luck_belongs_to_the_name_of_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
