/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_node.c - the border: what a node counts, holds back, lends, and repeats exactly. */
#include <q2p/machine.h>
#include <q2p/node.h>

#include "pipe.h"
#include "scarce.h"

static struct q2p_config config;

static void an_idle_node_wants_nothing(void **state)
{
    struct pipe pipe;
    struct q2p_datagram out;
    struct q2p_happening what;

    (void)state;
    q2p_config_init(&config);
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    assert_int_equal(q2p_node_deadline(pipe.nodes[0]), Q2P_NEVER);
    assert_int_equal(q2p_node_output(pipe.nodes[0], 0, &out), 0);
    assert_int_equal(q2p_node_happening(pipe.nodes[0], &what), 0);
    q2p_node_tick(pipe.nodes[0], 100 * Q2P_SECOND);
    assert_int_equal(q2p_node_deadline(pipe.nodes[0]), Q2P_NEVER);
    pipe_free(&pipe);
    q2p_node_free(NULL);
}

static void an_idle_node_is_small(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.alloc = alloc;
    bytes_held = 0;
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    assert_in_range(bytes_held, 512, 1536);
    pipe_free(&pipe);
    assert_int_equal(bytes_held, 0);
}

static void what_is_sent_is_borrowed_not_copied(void **state)
{
    uint8_t *data = pipe_payload(10000000);
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.alloc = alloc;
    pipe_init(&pipe);
    pipe.quiet = true;
    pipe_add(&pipe, "10.0.0.1:1", &config);
    config.alloc.resize = NULL; /* the receiver has to hold all of it */
    pipe_add(&pipe, "10.0.0.2:1", &config);
    bytes_peak = bytes_held;
    assert_int_equal(q2p_node_send(pipe.nodes[0], 0, &pipe.addrs[1], data, 10000000, NULL), Q2P_OK);
    pipe_run(&pipe, 30 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1);
    assert_true(bytes_peak < 16384);
    pipe_free(&pipe);
    free(data);
}

static void a_bad_configuration_makes_no_node(void **state)
{
    q2p_node *node = (q2p_node *)&config;

    (void)state;
    q2p_config_init(&config);
    config.lost_ns = 0;
    assert_int_equal(q2p_node_new(&node, &config), Q2P_ERR_INVALID);
    assert_null(node);
}

static void own_addresses_are_known_up_to_eight(void **state)
{
    struct pipe pipe;
    struct q2p_addr addr = pipe_addr("10.0.0.1:1");

    (void)state;
    q2p_config_init(&config);
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    assert_int_equal(q2p_node_own(pipe.nodes[0], &addr), Q2P_OK); /* known */
    for (uint16_t port = 2; port <= 8; port++) {
        addr.port = port;
        assert_int_equal(q2p_node_own(pipe.nodes[0], &addr), Q2P_OK);
    }
    addr.port = 9;
    assert_int_equal(q2p_node_own(pipe.nodes[0], &addr), Q2P_ERR_FULL);
    addr.port = 8;
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &addr), Q2P_ERR_ADDRESS);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.1:8", "0000 0000"), Q2P_ERR_ADDRESS);
    pipe_free(&pipe);
}

static void every_datagram_is_counted_once(void **state)
{
    struct pipe pipe;
    const struct q2p_counters *counters;

    (void)state;
    q2p_config_init(&config);
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    counters = q2p_node_counters(pipe.nodes[0]);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.2:2", "00"), Q2P_ERR_SHORT);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.2:2", "0000 6300"), Q2P_ERR_UNKNOWN);
    assert_int_equal(counters->malformed, 2);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.2:2", "0000 0600"), Q2P_ERR_ABSENT);
    assert_int_equal(counters->ignored, 1);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.2:2", "0100 0000"), Q2P_OK);
    assert_int_equal(counters->foreign, 1);
    assert_int_equal(counters->datagrams_in, 4);
    assert_int_equal(counters->bytes_in, 13);
    assert_int_equal(counters->datagrams_out, 1);
    assert_int_equal(counters->bytes_out, 12);
    pipe_free(&pipe);
}

/* No happening is ever lost: a node whose application does not listen takes in no more. */
static void a_full_node_takes_in_no_more_and_forgets_nothing(void **state)
{
    struct pipe pipe;
    char from[32];
    size_t taken = 0;

    (void)state;
    q2p_config_init(&config);
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    pipe.deaf = true;
    for (int i = 0; i < 500; i++) {
        snprintf(from, sizeof from, "10.0.%d.2:2", i / 2);
        if (pipe_hex(&pipe, 0, from, i % 2 ? "0000 0200" : "0000 0000") != Q2P_ERR_FULL &&
            i % 2 == 0)
            taken++;
    }
    assert_in_range(taken, 32, 128);
    assert_int_equal(pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0600"), Q2P_ERR_FULL);
    pipe.deaf = false;
    pipe_flush(&pipe);
    assert_true(pipe.told_count >= taken);
    assert_int_equal(pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0600"), Q2P_ERR_ABSENT);
    pipe_free(&pipe);
}

static void timers_wait_for_an_application_that_does_not_listen(void **state)
{
    struct pipe pipe;
    struct q2p_addr peer = pipe_addr("10.0.0.9:9");
    struct q2p_datagram out;
    static uint8_t data[200];

    (void)state;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    config.persist = false;
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(q2p_node_send(pipe.nodes[0], 0, &peer, data, i, NULL), Q2P_OK);
    while (q2p_node_output(pipe.nodes[0], 0, &out))
        ;
    q2p_node_tick(pipe.nodes[0], 100 * Q2P_SECOND); /* all fail, but 128 can wait at most */
    assert_true(q2p_node_deadline(pipe.nodes[0]) <= 100 * Q2P_SECOND);
    pipe.now = 100 * Q2P_SECOND;
    pipe_run(&pipe, 101 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 200);
    pipe_free(&pipe);
}

static bool lose_some(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    (void)datagram;
    return dice_draw(&pipe->random, 10) == 0;
}

static uint64_t run_with_seed(uint64_t seed)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(50000);
    uint64_t digest;

    q2p_config_init(&config);
    config.seed = seed;
    pipe_init(&pipe);
    pipe.lose = lose_some;
    pipe_add(&pipe, "10.0.0.1:1", &config);
    pipe_add(&pipe, "10.0.0.2:2", &config);
    pipe_add(&pipe, "10.0.0.3:3", &config);
    for (size_t i = 1; i < 3; i++)
        q2p_node_join(pipe.nodes[i], 0, &pipe.addrs[0]);
    q2p_node_send(pipe.nodes[1], 0, &pipe.addrs[2], data, 50000, NULL);
    q2p_node_send(pipe.nodes[2], 0, &pipe.addrs[0], data, 30000, NULL);
    pipe_run(&pipe, 60 * Q2P_SECOND);
    digest = pipe.digest;
    pipe_free(&pipe);
    free(data);
    return digest;
}

static void the_same_seed_and_calls_give_the_same_bytes(void **state)
{
    (void)state;
    assert_int_equal(run_with_seed(1), run_with_seed(1));
}

static void the_machine_table_leads_to_the_same_node(void **state)
{
    const struct q2p_machine *ops = &q2p_node_machine;
    struct pipe pipe;
    struct q2p_datagram in = {pipe_addr("10.0.0.2:2"), (const uint8_t *)"\1\0\0\0", 4}, out;
    uint8_t room[Q2P_DATAGRAM_MAX];

    (void)state;
    q2p_config_init(&config);
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    assert_string_equal(ops->family, "q2p");
    assert_int_equal(ops->input(pipe.nodes[0], 5, &in), Q2P_OK);
    assert_int_equal(ops->output(pipe.nodes[0], 5, &out), 1);
    assert_int_equal(out.len, 12);
    in.peer = pipe_addr("10.0.0.3:3");
    assert_int_equal(ops->input(pipe.nodes[0], 5, &in), Q2P_OK);
    memset(room, 0xee, sizeof room);
    assert_int_equal(ops->output_to(pipe.nodes[0], 5, &out, room), 1);
    assert_true(q2p_addr_equal(&out.peer, &in.peer));
    assert_ptr_equal(out.bytes, room);
    assert_int_equal(out.len, 12);
    assert_int_not_equal(room[11], 0xee);
    assert_int_equal(room[12], 0xee);
    ops->tick(pipe.nodes[0], 6);
    assert_int_equal(ops->deadline(pipe.nodes[0]), Q2P_NEVER);
    pipe_free(&pipe);
}

/* Any clock will do: it may start below zero or late. */
static void time_may_start_anywhere(void **state)
{
    static const q2p_time starts[] = {-INT64_C(4000000000000000000), -1, 0,
                                      INT64_C(4000000000000000000)};

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct pipe pipe;
        uint8_t *data = pipe_payload(5000);

        q2p_config_init(&config);
        pipe_init(&pipe);
        pipe.now = starts[i];
        pipe_add(&pipe, "10.0.0.1:1", &config);
        pipe_add(&pipe, "10.0.0.2:2", &config);
        pipe_add(&pipe, "10.0.0.3:3", &config);
        q2p_node_join(pipe.nodes[1], pipe.now, &pipe.addrs[0]);
        q2p_node_join(pipe.nodes[2], pipe.now, &pipe.addrs[0]);
        pipe_run(&pipe, pipe.now + Q2P_SECOND);
        q2p_node_send(pipe.nodes[1], pipe.now, &pipe.addrs[2], data, 5000, NULL);
        pipe_run(&pipe, pipe.now + 40 * Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 2, Q2P_ON_DELIVERED), 1);
        assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_RELEASED), 1);
        assert_int_equal(q2p_node_peers(pipe.nodes[2], NULL, 0), 2);
        pipe_free(&pipe);
        free(data);
    }
}

static void happenings_have_names(void **state)
{
    (void)state;
    assert_string_equal(q2p_on_name(Q2P_ON_DELIVERED), "delivered");
    assert_string_equal(q2p_on_name((enum q2p_on)99), "unknown");
    for (int on = Q2P_ON_JOIN; on <= Q2P_ON_GONE; on++)
        assert_int_equal(q2p_on_is_transmission((enum q2p_on)on),
                         on >= Q2P_ON_RECEIVING && on <= Q2P_ON_ARRIVED);
}

/* Nodes of both dialects in one network: join, punch, and each speaks what it was spoken to. */
static void both_dialects_meet_in_one_network(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    pipe_add(&pipe, "10.0.0.2:2", &config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    pipe_add(&pipe, "10.0.0.3:3", &config);
    for (size_t i = 1; i < 3; i++)
        q2p_node_join(pipe.nodes[i], 0, &pipe.addrs[0]);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(q2p_node_peers(pipe.nodes[2], NULL, 0), 2);
    q2p_node_send(pipe.nodes[2], pipe.now, &pipe.addrs[1], "hello", 5, NULL); /* in options */
    pipe_run(&pipe, 2 * Q2P_SECOND);
    assert_int_equal(pipe_find(&pipe, 1, Q2P_ON_DELIVERED, 0)->what.dialect, Q2P_DIALECT_OPTIONS);
    q2p_node_send(pipe.nodes[1], pipe.now, &pipe.addrs[2], "world", 5, NULL); /* learned */
    pipe_run(&pipe, 3 * Q2P_SECOND);
    assert_int_equal(pipe_find(&pipe, 2, Q2P_ON_DELIVERED, 0)->what.dialect, Q2P_DIALECT_OPTIONS);
    q2p_node_send(pipe.nodes[1], pipe.now, &pipe.addrs[0], "there", 5, NULL); /* not known */
    pipe_run(&pipe, 4 * Q2P_SECOND);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_DELIVERED, 0)->what.dialect, Q2P_DIALECT_CLASSIC);
    pipe_free(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_node_wants_nothing),
        cmocka_unit_test(an_idle_node_is_small),
        cmocka_unit_test(what_is_sent_is_borrowed_not_copied),
        cmocka_unit_test(a_bad_configuration_makes_no_node),
        cmocka_unit_test(own_addresses_are_known_up_to_eight),
        cmocka_unit_test(every_datagram_is_counted_once),
        cmocka_unit_test(a_full_node_takes_in_no_more_and_forgets_nothing),
        cmocka_unit_test(timers_wait_for_an_application_that_does_not_listen),
        cmocka_unit_test(the_same_seed_and_calls_give_the_same_bytes),
        cmocka_unit_test(the_machine_table_leads_to_the_same_node),
        cmocka_unit_test(time_may_start_anywhere),
        cmocka_unit_test(happenings_have_names),
        cmocka_unit_test(both_dialects_meet_in_one_network),
    };
    return cmocka_run_group_tests_name("q2p_node", tests, NULL, NULL);
}
