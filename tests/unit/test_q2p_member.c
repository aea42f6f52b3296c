/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_member.c - joining from both ends, keep-alives, limits, other networks. */
#include <q2p/node.h>

#include "pipe.h"

static struct q2p_config config;

static void join(struct pipe *pipe, size_t node, size_t seed)
{
    assert_int_equal(q2p_node_join(pipe->nodes[node], pipe->now, &pipe->addrs[seed]), Q2P_OK);
}

static void start(struct pipe *pipe, size_t nodes)
{
    char text[48];

    pipe_init(pipe);
    for (size_t i = 0; i < nodes; i++) {
        snprintf(text, sizeof text, "10.0.0.%zu:1000%zu", i + 1, i % 10);
        pipe_add(pipe, text, &config);
    }
}

static void setup(void)
{
    q2p_config_init(&config);
}

static void three_nodes_say_what_the_original_says_and_whether_they_are_there(void **state)
{
    struct pipe pipe;
    struct q2p_peer peers[4];

    (void)state;
    setup();
    start(&pipe, 3);
    join(&pipe, 1, 0);
    pipe_run(&pipe, 100 * Q2P_MILLISECOND);
    assert_string_equal(pipe.log, "B>A JOIN\n"
                                  "A>B CONNECT\n" /* are you there? */
                                  "B>A CONNECTED\n");
    pipe_forget_log(&pipe);
    join(&pipe, 2, 0);
    pipe_run(&pipe, 200 * Q2P_MILLISECOND);
    assert_string_equal(pipe.log, "C>A JOIN\n"
                                  "A>C CONNECT\n"
                                  "C>A CONNECTED\n"
                                  "A>B TOUCHREQUEST\n"
                                  "B>C TOUCH\n"
                                  "B>A TOUCHED\n"
                                  "A>C CONNECTREQUEST\n"
                                  "C>B CONNECT\n"
                                  "B>C CONNECTED\n");
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_JOIN), 2);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_CONNECT), 1);
    assert_int_equal(pipe_count(&pipe, 2, Q2P_ON_CONNECTED), 1);
    assert_int_equal(q2p_node_peers(pipe.nodes[2], peers, 4), 2);
    assert_true(q2p_addr_equal(&peers[0].addr, &pipe.addrs[0]) && peers[0].seed);
    assert_true(q2p_addr_equal(&peers[1].addr, &pipe.addrs[1]) && peers[1].connected);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 2);
    pipe_free(&pipe);
}

/* The bytes of the same seven datagrams, as in the recordings of the original. */
static void the_bytes_are_those_of_the_original(void **state)
{
    static const char *const sent[] = {
        "0000 0000",
        "0000 0100 31302e302e302e333a3130303032", /* 10.0.0.3:10002 */
        "0000 0200",
        "0000 0300 31302e302e302e333a3130303032",
        "0000 0400 31302e302e302e323a3130303031",
        "0000 0500",
        "0000 0600"};
    struct pipe pipe;
    size_t first;

    (void)state;
    setup();
    config.persist = false; /* nor does it ask who joins whether it is there */
    start(&pipe, 3);
    join(&pipe, 1, 0);
    pipe_run(&pipe, 100 * Q2P_MILLISECOND);
    first = pipe.queue_end;
    join(&pipe, 2, 0);
    pipe_run(&pipe, 200 * Q2P_MILLISECOND);
    assert_int_equal(pipe.queue_end - first, 7);
    for (size_t i = 0; i < 7; i++) {
        uint8_t bytes[64];
        size_t len = unit_hex(bytes, sizeof bytes, sent[i]);

        assert_int_equal(pipe.queue[first + i].len, len);
        assert_memory_equal(pipe.queue[first + i].bytes, bytes, len);
    }
    pipe_free(&pipe);
}

static void many_joiners_become_a_full_mesh(void **state)
{
    const size_t count = 14; /* more than one JOIN brings together */
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, count);
    for (size_t i = 1; i < count; i++) {
        join(&pipe, i, 0);
        pipe_run(&pipe, pipe.now + 20 * Q2P_MILLISECOND);
    }
    pipe_run(&pipe, 10 * Q2P_SECOND);
    for (size_t i = 1; i < count; i++)
        assert_int_equal(q2p_node_peers(pipe.nodes[i], NULL, 0), count - 1);
    pipe_free(&pipe);
}

static bool lose_a_third(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    (void)datagram;
    return dice_draw(&pipe->random, 3) == 0;
}

static void repetition_gets_through_heavy_loss(void **state)
{
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, 6);
    pipe.lose = lose_a_third;
    for (size_t i = 1; i < 6; i++)
        join(&pipe, i, 0);
    pipe_run(&pipe, 60 * Q2P_SECOND);
    for (size_t i = 1; i < 6; i++)
        assert_int_equal(q2p_node_peers(pipe.nodes[i], NULL, 0), 5);
    pipe_free(&pipe);
}

static void a_crowd_on_one_host_becomes_a_full_mesh(void **state)
{
    char text[32];

    (void)state;
    for (uint64_t luck = 1; luck <= 10; luck++) {
        struct pipe pipe;

        setup();
        pipe_init(&pipe);
        pipe.random = luck;
        pipe.lose = luck % 2 ? lose_a_third : NULL;
        for (unsigned i = 0; i < 9; i++) {
            snprintf(text, sizeof text, "127.0.0.1:%u", 10000 + i);
            pipe_add(&pipe, text, &config);
        }
        for (size_t i = 1; i < 9; i++) {
            join(&pipe, i, 0);
            pipe_run(&pipe, pipe.now + (q2p_time)luck * Q2P_MILLISECOND / 2);
        }
        pipe_run(&pipe, 60 * Q2P_SECOND);
        for (size_t i = 1; i < 9; i++)
            assert_int_equal(q2p_node_peers(pipe.nodes[i], NULL, 0), 8);
        pipe_free(&pipe);
    }
}

static void a_join_is_repeated_with_back_off_then_kept_alive(void **state)
{
    /* in ms: first, then 250 500 1000 2000 4000 8000 later, then every 15 s */
    static const q2p_time times[] = {0, 250, 750, 1750, 3750, 7750, 15750, 30750, 45750};
    struct pipe pipe;
    size_t i = 0;

    (void)state;
    setup();
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    struct q2p_addr nobody = pipe_addr("10.0.0.9:9");
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &nobody), Q2P_OK);
    pipe_run(&pipe, 50 * Q2P_SECOND);
    for (; i < sizeof times / sizeof times[0]; i++)
        assert_int_equal(pipe.queue[i].at, times[i] * Q2P_MILLISECOND + PIPE_DELAY_NS);
    assert_int_equal(pipe.queue_end, i);
    pipe_free(&pipe);
}

static void repeated_joins_ask_nobody_twice_who_has_answered(void **state)
{
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, 4);
    for (size_t i = 1; i < 4; i++) {
        join(&pipe, i, 0);
        pipe_run(&pipe, pipe.now + 100 * Q2P_MILLISECOND);
    }
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCHREQUEST), 3); /* one for each pair */
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_TOUCH), 3);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_JOIN), 3);
    pipe_free(&pipe);
}

static void who_starts_anew_is_brought_together_again(void **state)
{
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, 3);
    join(&pipe, 1, 0);
    join(&pipe, 2, 0);
    pipe_run(&pipe, 20 * Q2P_SECOND);
    pipe_forget_log(&pipe);
    q2p_node_free(pipe.nodes[2]);
    assert_int_equal(q2p_node_new(&pipe.nodes[2], &config), Q2P_OK);
    join(&pipe, 2, 0);
    pipe_run(&pipe, 22 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'A', 'B', Q2P_EV_TOUCHREQUEST), 1);
    assert_int_equal(q2p_node_peers(pipe.nodes[2], NULL, 0), 2);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_JOIN), 3);
    pipe_free(&pipe);
}

static void who_joins_once_means_it_each_time(void **state)
{
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, 2);
    join(&pipe, 1, 0);
    pipe_run(&pipe, Q2P_SECOND / 10);
    pipe_forget_log(&pipe);
    for (int i = 0; i < 3; i++) { /* an original node, restarted every 5 s */
        pipe_hex(&pipe, 0, "10.0.0.7:7", "0000 0000");
        if (i == 0)
            pipe_hex(&pipe, 0, "10.0.0.7:7", "0000 0600"); /* as it was asked */
        pipe_hex(&pipe, 0, "10.0.0.2:10001", "0000 0300 31302e302e302e373a37");
        pipe_run(&pipe, pipe.now + 5 * Q2P_SECOND);
    }
    assert_int_equal(pipe_sent(&pipe, 'A', 'B', Q2P_EV_TOUCHREQUEST), 3);
    pipe_free(&pipe);
}

/* The original sends JOIN once, so the seed goes on by itself. */
static void who_joins_once_meets_everybody(void **state)
{
    struct q2p_config original;
    struct pipe pipe;

    (void)state;
    setup();
    q2p_config_init(&original);
    q2p_config_original(&original);
    start(&pipe, 30);
    for (size_t i = 1; i < 30; i++) {
        join(&pipe, i, 0);
        pipe_run(&pipe, pipe.now + 3 * Q2P_SECOND);
    }
    pipe_add(&pipe, "10.0.0.99:9", &original);
    pipe_forget_log(&pipe);
    join(&pipe, 30, 0);
    pipe_run(&pipe, pipe.now + 2 * Q2P_SECOND);
    assert_in_range(q2p_node_peers(pipe.nodes[30], NULL, 0), 1 + 8,
                    1 + 3 * 8); /* not all at once */
    pipe_run(&pipe, pipe.now + 10 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'A' + 30, 'A', Q2P_EV_JOIN), 1);
    assert_int_equal(q2p_node_peers(pipe.nodes[30], NULL, 0), 30);
    pipe_free(&pipe);
}

static enum q2p_event event_lost;

/* The first of its kind, but for what goes from or to the seed to find out who is there. */
static bool lose_the_first(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    struct q2p_packet packet;
    bool to_seed = q2p_addr_equal(&datagram->to, &pipe->addrs[0]);

    pipe_read(datagram, &packet);
    if (pipe->lose_count > 0 || packet.event != event_lost)
        return false;
    return packet.event == Q2P_EV_CONNECTREQUEST ||
           (!to_seed && !q2p_addr_equal(&datagram->from, &pipe->addrs[0]));
}

/* Originals say everything once; the seed that brings them together does not. */
static void originals_meet_though_a_message_is_lost(void **state)
{
    static const enum q2p_event events[] = {Q2P_EV_CONNECTREQUEST, Q2P_EV_CONNECT,
                                            Q2P_EV_CONNECTED};
    struct q2p_config original;

    (void)state;
    setup();
    q2p_config_init(&original);
    q2p_config_original(&original);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct pipe pipe;

        start(&pipe, 1);
        pipe_add(&pipe, "10.0.0.2:2", &original);
        pipe_add(&pipe, "10.0.0.3:3", &original);
        event_lost = events[i];
        pipe.lose = lose_the_first;
        join(&pipe, 1, 0);
        pipe_run(&pipe, pipe.now + 5 * Q2P_SECOND);
        join(&pipe, 2, 0);
        pipe_run(&pipe, pipe.now + 60 * Q2P_SECOND);
        assert_int_equal(pipe.lose_count, 1);
        assert_int_equal(q2p_node_peers(pipe.nodes[1], NULL, 0), 2);
        assert_int_equal(q2p_node_peers(pipe.nodes[2], NULL, 0), 2);
        assert_int_equal(pipe_sent(&pipe, 'A', 'C', Q2P_EV_CONNECTREQUEST), 2); /* and no more */
        pipe_free(&pipe);
    }
}

static void peers_are_kept_alive_with_connect(void **state)
{
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, 3);
    join(&pipe, 1, 0);
    join(&pipe, 2, 0);
    pipe_run(&pipe, 10 * Q2P_SECOND);
    pipe_forget_log(&pipe);
    pipe_run(&pipe, 70 * Q2P_SECOND); /* four times 15 s */
    assert_int_equal(pipe_sent(&pipe, 'B', 'C', Q2P_EV_CONNECT), 4);
    assert_int_equal(pipe_sent(&pipe, 'C', 'B', Q2P_EV_CONNECTED), 4);
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_TOUCHREQUEST), 0);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_CONNECT), 1); /* told once */
    pipe_free(&pipe);
}

static void silent_members_make_room(void **state)
{
    struct pipe pipe;
    struct q2p_peer peers[2];

    (void)state;
    setup();
    config.peers_max = 2;
    start(&pipe, 1);
    pipe_hex(&pipe, 0, "10.0.0.7:7", "0000 0000");
    pipe_hex(&pipe, 0, "10.0.0.8:8", "0000 0000");
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.9:9", "0000 0000"), Q2P_ERR_FULL);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], peers, 2), 2);
    pipe_run(&pipe, 50 * Q2P_SECOND);
    pipe_hex(&pipe, 0, "10.0.0.8:8", "0000 0000"); /* this one is there */
    pipe_run(&pipe, 61 * Q2P_SECOND);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.9:9", "0000 0000"), Q2P_OK);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], peers, 2), 2);
    assert_int_equal(peers[0].addr.port, 8);
    assert_int_equal(peers[1].addr.port, 9);
    pipe_free(&pipe);
}

static void joining_nowhere_is_refused(void **state)
{
    struct pipe pipe;
    struct q2p_addr unusable = pipe_addr("10.0.0.9:9");

    (void)state;
    setup();
    config.peers_max = 1;
    start(&pipe, 3);
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &pipe.addrs[0]), Q2P_ERR_ADDRESS);
    unusable.port = 0;
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &unusable), Q2P_ERR_ADDRESS);
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &pipe.addrs[1]), Q2P_OK);
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &pipe.addrs[1]), Q2P_OK); /* again */
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &pipe.addrs[2]), Q2P_ERR_FULL);
    pipe_free(&pipe);
}

static void another_network_is_told_so_and_both_hear_of_it(void **state)
{
    struct pipe pipe;
    const struct pipe_told *told;

    (void)state;
    setup();
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    config.network_id = 7;
    pipe_add(&pipe, "10.0.0.2:2", &config);
    join(&pipe, 1, 0);
    pipe_run(&pipe, 100 * Q2P_MILLISECOND);
    assert_string_equal(pipe.log, "B>A JOIN\nA>B CONNECT_FAILED\n");
    assert_int_equal(pipe.queue[1].len, 12); /* three for each that came */
    assert_memory_equal(pipe.queue[1].bytes, "\0\0\7\0Dismatch", 12);
    told = pipe_find(&pipe, 0, Q2P_ON_MISMATCH, 0);
    assert_int_equal(told->what.network_id, 7);
    assert_true(q2p_addr_equal(&told->what.peer, &pipe.addrs[1]));
    told = pipe_find(&pipe, 1, Q2P_ON_REFUSED, 0);
    assert_string_equal(told->what.text, "Dismatch");
    assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 0);
    pipe_run(&pipe, 2 * Q2P_SECOND);
    pipe_hex(&pipe, 0, "10.0.0.9:9", "0700 0300 31302e302e302e373a37"); /* pays for all of it */
    assert_int_equal(pipe.queue[pipe.queue_end - 1].len, 31);
    assert_memory_equal(pipe.queue[pipe.queue_end - 1].bytes, "\0\0\7\0Dismatch networking version",
                        31);
    pipe_free(&pipe);
}

static void a_reason_is_told_in_printable_text(void **state)
{
    struct pipe pipe;

    (void)state;
    setup();
    start(&pipe, 2);
    join(&pipe, 0, 1);
    pipe_run(&pipe, Q2P_MILLISECOND);
    pipe_hex(&pipe, 0, "10.0.0.2:10001", "3412 0700 41 1b 5b 42 00");
    assert_string_equal(pipe_find(&pipe, 0, Q2P_ON_REFUSED, 0)->what.text, "A?[B?");
    /* at most one in a second, and none from strangers */
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.2:10001", "3412 0700 41"), Q2P_ERR_FULL);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.9:9", "3412 0700 41"), Q2P_ERR_ABSENT);
    pipe_free(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_nodes_say_what_the_original_says_and_whether_they_are_there),
        cmocka_unit_test(the_bytes_are_those_of_the_original),
        cmocka_unit_test(many_joiners_become_a_full_mesh),
        cmocka_unit_test(repetition_gets_through_heavy_loss),
        cmocka_unit_test(a_crowd_on_one_host_becomes_a_full_mesh),
        cmocka_unit_test(a_join_is_repeated_with_back_off_then_kept_alive),
        cmocka_unit_test(repeated_joins_ask_nobody_twice_who_has_answered),
        cmocka_unit_test(who_starts_anew_is_brought_together_again),
        cmocka_unit_test(who_joins_once_means_it_each_time),
        cmocka_unit_test(who_joins_once_meets_everybody),
        cmocka_unit_test(originals_meet_though_a_message_is_lost),
        cmocka_unit_test(peers_are_kept_alive_with_connect),
        cmocka_unit_test(silent_members_make_room),
        cmocka_unit_test(joining_nowhere_is_refused),
        cmocka_unit_test(another_network_is_told_so_and_both_hear_of_it),
        cmocka_unit_test(a_reason_is_told_in_printable_text),
    };
    return cmocka_run_group_tests_name("q2p_member", tests, NULL, NULL);
}
