/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_silence.c - when a connected peer is given up, and what becomes of it. */
#include <q2p/node.h>

#include "pipe.h"

#define C "10.0.0.3:10002"

static struct q2p_config config;

static bool lose_all_of_c(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    return pipe_letter(pipe, &datagram->from) == 'C' || pipe_letter(pipe, &datagram->to) == 'C';
}

static bool lose_c_to_b(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    return pipe_letter(pipe, &datagram->from) == 'C' && pipe_letter(pipe, &datagram->to) == 'B';
}

/* B and C have met through A, and were last heard of each other at some 31 s. */
static void meet(struct pipe *pipe)
{
    pipe_init(pipe);
    pipe_add(pipe, "10.0.0.1:10000", &config);
    pipe_add(pipe, "10.0.0.2:10001", &config);
    pipe_add(pipe, C, &config);
    for (size_t i = 1; i <= 2; i++)
        assert_int_equal(q2p_node_join(pipe->nodes[i], 0, &pipe->addrs[0]), Q2P_OK);
    pipe_run(pipe, 35 * Q2P_SECOND);
    assert_int_equal(q2p_node_peers(pipe->nodes[1], NULL, 0), 2);
    pipe_forget_log(pipe);
}

static void a_peer_that_fell_silent_is_given_up(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    meet(&pipe);
    pipe.lose = lose_all_of_c;
    pipe_run(&pipe, 330 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 0);
    assert_int_equal(pipe_sent(&pipe, 'B', 'C', Q2P_EV_CONNECT), 19); /* each 15 s */
    pipe_run(&pipe, 350 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 1);
    assert_true(q2p_addr_equal(&pipe_find(&pipe, 1, Q2P_ON_GONE, 0)->what.peer, &pipe.addrs[2]));
    assert_int_equal(q2p_node_peers(pipe.nodes[1], NULL, 0), 1); /* the seed, that never answers */
    pipe_forget_log(&pipe);
    pipe_run(&pipe, 4000 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'B', 'C', Q2P_EV_CONNECT), 0);
    assert_in_range(pipe_sent(&pipe, 'B', 'A', Q2P_EV_JOIN), 240, 250);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 1);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 2); /* who only joined stays */
    pipe_free(&pipe);
}

static void nobody_is_given_up_who_was_not_asked_four_times(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.silence_ns = Q2P_SECOND;
    meet(&pipe);
    pipe.lose = lose_all_of_c;
    pipe_run(&pipe, 85 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 0);
    pipe_run(&pipe, 110 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'B', 'C', Q2P_EV_CONNECT), 4);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 1);
    pipe_free(&pipe);
}

static void without_a_silence_everybody_is_kept_alive_for_ever(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.silence_ns = 0;
    meet(&pipe);
    pipe.lose = lose_all_of_c;
    pipe_run(&pipe, 4000 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 0);
    assert_in_range(pipe_sent(&pipe, 'B', 'C', Q2P_EV_CONNECT), 250, 270);
    pipe_free(&pipe);
}

/* C hears B all the time, so C goes on; B trusts it as before. */
static void who_was_given_up_and_is_there_after_all_connects_again(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    meet(&pipe);
    pipe.lose = lose_c_to_b;
    pipe_run(&pipe, 500 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_GONE), 1);
    assert_int_equal(pipe_count(&pipe, 2, Q2P_ON_GONE), 0);
    pipe.lose = NULL;
    pipe_run(&pipe, 520 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_CONNECT) + pipe_count(&pipe, 1, Q2P_ON_CONNECTED),
                     2);
    assert_int_equal(q2p_node_peers(pipe.nodes[1], NULL, 0), 2);
    assert_int_equal(pipe_hex(&pipe, 1, C, "0000 0100 31302e302e302e373a37"), Q2P_OK);
    pipe_free(&pipe);
}

/* By then its address may be somebody else's. */
static void who_was_given_up_long_ago_is_a_stranger(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    meet(&pipe);
    pipe.lose = lose_all_of_c;
    pipe_run(&pipe, 700 * Q2P_SECOND);
    pipe.lose = NULL;
    assert_int_equal(pipe_hex(&pipe, 1, C, "0000 0500"), Q2P_ERR_ABSENT);
    assert_int_equal(q2p_node_peers(pipe.nodes[1], NULL, 0), 1);
    pipe_free(&pipe);
}

/* While all others are seeds or connected nobody makes room for who joins; but whoever comes into
 * the room of one given up may fall silent like anybody. */
static void who_takes_the_room_of_one_given_up_may_fall_silent(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.peers_max = 2;
    meet(&pipe);
    pipe.lose = lose_all_of_c;
    assert_int_equal(pipe_hex(&pipe, 1, "10.0.0.7:7", "0000 0000"), Q2P_ERR_FULL);
    pipe_run(&pipe, 350 * Q2P_SECOND);
    assert_int_equal(pipe_hex(&pipe, 1, "10.0.0.7:7", "0000 0000"), Q2P_OK);
    pipe_run(&pipe, 405 * Q2P_SECOND);
    assert_int_equal(pipe_hex(&pipe, 1, "10.0.0.8:8", "0000 0000"), Q2P_ERR_FULL);
    pipe_run(&pipe, 411 * Q2P_SECOND);
    assert_int_equal(pipe_hex(&pipe, 1, "10.0.0.8:8", "0000 0000"), Q2P_OK);
    pipe_free(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_fell_silent_is_given_up),
        cmocka_unit_test(nobody_is_given_up_who_was_not_asked_four_times),
        cmocka_unit_test(without_a_silence_everybody_is_kept_alive_for_ever),
        cmocka_unit_test(who_was_given_up_and_is_there_after_all_connects_again),
        cmocka_unit_test(who_was_given_up_long_ago_is_a_stranger),
        cmocka_unit_test(who_takes_the_room_of_one_given_up_may_fall_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
