/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report_story.c - bursts, counts and bounds of what a page is made of. */
#include "unit.h"

#include <stdlib.h>

#include "report_story.h"

/* Two public hosts; transmission 0 goes from the first to the second and has four fragments. */
struct world {
    struct sim_world world;
    struct net net;
    struct net_tap tap;
    struct report_story story;
};

static void seen(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now)
{
    (void)ctx, (void)at, (void)packet, (void)now;
}

static int setup(void **state)
{
    struct world *world = *state = calloc(1, sizeof *world);
    const struct net_link_config link = {0};
    struct q2p_addr addr;
    world->tap.seen = seen;
    sim_world_init(&world->world, 1);
    net_init(&world->net, &world->world, &world->tap, &link);
    q2p_addr_parse(&addr, "192.0.2.1:1", 11);
    net_add_host(&world->net, "alice", NET_REALM_PUBLIC, &addr);
    q2p_addr_parse(&addr, "192.0.2.2:2", 11);
    net_add_host(&world->net, "bob", NET_REALM_PUBLIC, &addr);
    report_story_init(&world->story, &world->net, 10 * Q2P_SECOND, 1);
    report_story_transfer(&world->story, 0, 0, 1, 3 * Q2P_FRAGMENT_LEN + 1);
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    report_story_free(&world->story);
    net_free(&world->net);
    sim_world_free(&world->world);
    free(world);
    return 0;
}

static struct q2p_packet message(enum q2p_event event, uint32_t syn)
{
    return (struct q2p_packet){.event = event, .syn = syn, .dialect = Q2P_DIALECT_CLASSIC};
}

/* A fragment leaves at `at`; fate FLYING: it stays under way. */
static void fragment(struct world *world, uint32_t syn, q2p_time at, enum net_fate fate)
{
    struct q2p_packet read = message(Q2P_EV_TRANSPORT, syn);
    const struct report_said said = {&read, 0};
    const struct sim_packet packet = {.from = 0, .to = 1, .sent_ns = at, .len = 500};
    report_story_sent(&world->story, &said, &packet, at);
    if (fate != NET_FATE_FLYING)
        report_story_fate(&world->story, &said, &packet,
                          &(struct report_end){fate, "", at + Q2P_MILLISECOND});
}

static void control(struct world *world, enum q2p_event event, uint32_t transfer, q2p_time at)
{
    struct q2p_packet read = message(event, 0);
    const struct report_said said = {&read, transfer};
    struct sim_packet packet = {.from = 1, .to = 0, .sent_ns = at, .len = 4, .id = (uint64_t)at};
    packet.dst = world->net.places[0]->addr;
    report_story_sent(&world->story, &said, &packet, at);
    report_story_fate(&world->story, &said, &packet,
                      &(struct report_end){NET_FATE_DELIVERED, "alice", at + 5});
}

static void fragments_are_counted_once_each_and_again(void **state)
{
    struct world *world = *state;
    const struct report_transfer *transfer = &world->story.transfers[0];
    assert_int_equal(transfer->fragments, 4);
    fragment(world, 0, 1000, NET_FATE_DELIVERED);
    fragment(world, 1, 2000, NET_FATE_LOST);
    fragment(world, 2, 3000, NET_FATE_DELIVERED);
    fragment(world, 3, 4000, NET_FATE_FLYING);
    control(world, Q2P_EV_TRANSPORT_FAILED, 0, 5000);
    fragment(world, 1, 6000, NET_FATE_DELIVERED);
    fragment(world, 2, 7000, NET_FATE_DELIVERED);  /* a duplicate */
    fragment(world, 99, 8000, NET_FATE_DELIVERED); /* there is no such one */
    assert_int_equal(transfer->sent, 6);
    assert_int_equal(transfer->again, 2);
    assert_int_equal(transfer->gone, 1);
    assert_int_equal(transfer->arrived, 3);
    assert_int_equal(transfer->lists, 1);
    assert_int_equal(transfer->first_ns, 1000);
    assert_int_equal(transfer->bursts_count, 2);
    assert_int_equal(transfer->bursts[0].sent, 4);
    assert_int_equal(transfer->bursts[0].gone, 1);
    assert_true(transfer->bursts[1].again);
    assert_int_equal(transfer->bursts[1].sent, 2);
    assert_int_equal(transfer->progress_ns[REPORT_PROGRESS / 4], 1000 + Q2P_MILLISECOND);
    assert_int_equal(transfer->progress_ns[3 * REPORT_PROGRESS / 4], 6000 + Q2P_MILLISECOND);
    assert_int_equal(transfer->progress_ns[REPORT_PROGRESS], Q2P_NEVER);
    assert_int_equal(world->story.total.first, 2000);
    assert_int_equal(world->story.total.again, 1000);
}

static void a_list_or_silence_begins_a_new_burst(void **state)
{
    struct world *world = *state;
    const struct report_transfer *transfer = &world->story.transfers[0];
    fragment(world, 0, 0, NET_FATE_LOST);
    fragment(world, 0, 1000, NET_FATE_LOST);
    fragment(world, 0, 2000, NET_FATE_LOST);
    assert_int_equal(transfer->bursts_count, 2);
    control(world, Q2P_EV_TRANSPORT_FAILED, 0, 3000);
    fragment(world, 0, 4000, NET_FATE_LOST); /* too early: still the same */
    assert_int_equal(transfer->bursts_count, 2);
    fragment(world, 0, 50 * Q2P_MILLISECOND, NET_FATE_LOST);
    assert_int_equal(transfer->bursts_count, 3);
    fragment(world, 0, Q2P_SECOND, NET_FATE_LOST);
    assert_int_equal(transfer->bursts_count, 4);
    for (int i = 2; i < 100; i++)
        fragment(world, 0, i * Q2P_SECOND / 10 * 10, NET_FATE_LOST);
    assert_int_equal(transfer->bursts_count, REPORT_BURSTS_MAX);
    uint32_t sent = 0, gone = 0;
    for (uint32_t i = 0; i < transfer->bursts_count; i++) {
        sent += transfer->bursts[i].sent;
        gone += transfer->bursts[i].gone;
    }
    assert_int_equal(sent, 104);
    assert_int_equal(gone, 104);
}

static void messages_learn_their_fate_and_are_bounded(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < REPORT_MESSAGES_MAX + 3; i++)
        control(world, Q2P_EV_JOIN, REPORT_NONE, 10 * (i + 1));
    assert_int_equal(world->story.messages_count, REPORT_MESSAGES_MAX);
    assert_int_equal(world->story.messages_missed, 3);
    const struct report_message *last = &world->story.messages[REPORT_MESSAGES_MAX - 1];
    assert_int_equal(last->fate, NET_FATE_DELIVERED);
    assert_int_equal(last->fate_ns, 10 * REPORT_MESSAGES_MAX + 5);
    assert_int_equal(last->to, 0);
    assert_int_equal(world->story.delay_ns.count, REPORT_MESSAGES_MAX + 3);
    assert_int_equal(world->story.delay_ns.max, 5);
}

static void a_pair_is_one_punch(void **state)
{
    struct world *world = *state;
    struct q2p_packet read = message(Q2P_EV_TOUCHREQUEST, 0);
    const struct report_said said = {&read, REPORT_NONE};
    const struct sim_packet packet = {.from = 1, .to = 0, .sent_ns = 7};
    read.address = world->net.places[1]->addr;
    for (int i = 0; i < 2; i++)
        report_story_fate(&world->story, &said, &packet,
                          &(struct report_end){NET_FATE_DELIVERED, "alice", 9});
    report_story_fate(&world->story, &said, &packet,
                      &(struct report_end){NET_FATE_LOST, "link", 9});
    assert_int_equal(world->story.punches_count, 1);
    assert_int_equal(world->story.punches[0].newcomer, 1);
    assert_int_equal(world->story.punches[0].known, 0);
    assert_int_equal(world->story.punches[0].asked_ns, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fragments_are_counted_once_each_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_or_silence_begins_a_new_burst, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_learn_their_fate_and_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pair_is_one_punch, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
