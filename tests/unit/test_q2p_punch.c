/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_punch.c - hole punching: repetition, giving up, other ports, the original's way. */
#include <q2p/node.h>

#include "pipe.h"

#define SEED "10.0.0.1:1"
#define PEER "10.0.0.9:9"
#define PEER_TEXT "31302e302e302e393a39" /* 10.0.0.9:9 */
#define PEER_ELSEWHERE "10.0.0.9:4444"   /* same host, another port: a symmetric NAT */

static struct q2p_config config;

/* A node that joined through SEED, which the test plays. */
static void start(struct pipe *pipe)
{
    struct q2p_addr seed = pipe_addr(SEED);

    pipe_init(pipe);
    pipe_add(pipe, "10.0.0.2:2", &config);
    assert_int_equal(q2p_node_join(pipe->nodes[0], 0, &seed), Q2P_OK);
    pipe_run(pipe, Q2P_MILLISECOND);
    pipe_forget_log(pipe);
    pipe->queue_end = pipe->queue_first = 0;
}

static size_t sent_to(const struct pipe *pipe, const char *to, enum q2p_event event)
{
    struct q2p_addr addr = pipe_addr(to);
    size_t count = 0;

    for (size_t i = 0; i < pipe->queue_end; i++) {
        struct q2p_packet packet;

        pipe_read(&pipe->queue[i], &packet);
        count += packet.event == event && q2p_addr_equal(&pipe->queue[i].to, &addr);
    }
    return count;
}

static void a_touch_is_repeated_until_connect_comes(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0100" PEER_TEXT), Q2P_OK);
    pipe_run(&pipe, 2 * Q2P_SECOND); /* at 0, 250, 750, 1750 ms */
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCH), 4);
    assert_int_equal(sent_to(&pipe, SEED, Q2P_EV_TOUCHED), 4);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0500"), Q2P_OK);
    pipe_run(&pipe, 10 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCH), 4);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECTED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECT), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 0);
    pipe_free(&pipe);
}

static void a_connect_is_repeated_until_connected_comes(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT), Q2P_OK); /* no second one */
    pipe_run(&pipe, 600 * Q2P_MILLISECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECT), 2);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0600"), Q2P_OK);
    pipe_run(&pipe, 10 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECT), 2);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 1);
    pipe_free(&pipe);
}

static void a_punch_without_answer_is_given_up(void **state)
{
    struct pipe pipe;
    const struct pipe_told *told;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
    pipe_run(&pipe, 120 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECT), 7); /* once, and 6 repetitions */
    told = pipe_find(&pipe, 0, Q2P_ON_UNREACHED, 0);
    assert_int_equal(told->what.peer.port, 9);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 1);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0600"), Q2P_ERR_ABSENT); /* too late */
    pipe_free(&pipe);
}

/* Of seven rounds each may have lost one of its two datagrams: then the other end has us, and we
 * have not heard of it. Its keep-alive puts that right. */
static void half_a_connection_is_made_whole_by_a_keep_alive(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
    pipe_run(&pipe, 40 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 1);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0500"), Q2P_OK);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECTED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECT), 1);
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e383a38"); /* and a seed may ask once more */
    pipe_run(&pipe, 80 * Q2P_SECOND);
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e383a38");
    assert_int_equal(sent_to(&pipe, "10.0.0.8:8", Q2P_EV_CONNECT), 8);
    pipe_free(&pipe);
}

/* A symmetric NAT at the other end: its messages come from a port that nobody announced. */
static void connect_from_another_port_of_the_host_counts(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0100" PEER_TEXT);
    assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0500"), Q2P_OK);
    assert_int_equal(sent_to(&pipe, PEER_ELSEWHERE, Q2P_EV_CONNECTED), 1);
    pipe_run(&pipe, 10 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCH), 1); /* settled */
    pipe_free(&pipe);
}

static void connected_from_another_port_of_the_host_counts(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
    assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0600"), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 1);
    pipe_run(&pipe, 20 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 0);
    pipe_free(&pipe);
}

static void a_touch_from_another_port_is_answered_there_with_connect(void **state)
{
    struct pipe pipe;

    (void)state;
    for (int first = 0; first <= 1; first++) { /* TOUCH before or after the seed's word */
        q2p_config_init(&config);
        start(&pipe);
        if (first == 0)
            assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0200"), Q2P_OK);
        assert_int_equal(sent_to(&pipe, PEER_ELSEWHERE, Q2P_EV_CONNECT), 0);
        pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
        if (first == 1)
            assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0200"), Q2P_OK);
        assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECT), 1);
        assert_int_equal(sent_to(&pipe, PEER_ELSEWHERE, Q2P_EV_CONNECT), 1);
        assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0600"), Q2P_OK);
        pipe_run(&pipe, 40 * Q2P_SECOND); /* nothing is called unreached */
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 0);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 1);
        pipe_free(&pipe);
    }
}

static void a_neighbour_behind_the_same_nat_settles_nothing(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
    pipe_hex(&pipe, 0, PEER, "0000 0600"); /* connected; and now its neighbour */
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e393a3737"); /* 10.0.0.9:77 */
    pipe_hex(&pipe, 0, PEER, "0000 0600");                        /* answer to a keep-alive */
    pipe_hex(&pipe, 0, PEER, "0000 0500");
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, "10.0.0.9:77", Q2P_EV_CONNECT), 3); /* still trying */
    pipe_free(&pipe);
}

/* Two peers of one host: the TOUCH of the second comes while the first is being connected to, and
 * before the seed has spoken of it. Connecting to the first must not forget the second. */
static void a_touch_before_its_connectrequest_loses_no_peer(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0200"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e393a34343434"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0600"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0600"), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 2);
    pipe_free(&pipe);
}

/* The same, but the seed's word about the second comes last; whoever answers first. */
static void two_peers_of_one_host_both_connect(void **state)
{
    struct pipe pipe;

    (void)state;
    for (int first = 0; first <= 1; first++) {
        q2p_config_init(&config);
        start(&pipe);
        pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0200");
        pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
        assert_int_equal(pipe_hex(&pipe, 0, first ? PEER : PEER_ELSEWHERE, "0000 0600"), Q2P_OK);
        assert_int_equal(pipe_hex(&pipe, 0, first ? PEER_ELSEWHERE : PEER, "0000 0600"), Q2P_OK);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 2);
        pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e393a34343434");
        assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0600"), Q2P_OK);
        pipe_run(&pipe, 40 * Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 2);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 0);
        pipe_free(&pipe);
    }
}

#define OUTSIDE_TEXT "3139382e35312e3130302e343a39" /* 198.51.100.4:9 */
#define INSIDE "192.168.1.4:9"
#define INSIDE_ELSEWHERE "192.168.1.4:7"

/* A hairpin that leaves inside addresses in: who was named from outside answers from there. */
static void an_inside_address_must_answer_a_connect(void **state)
{
    struct pipe pipe;

    (void)state;
    for (int known = 0; known <= 1; known++) {
        q2p_config_init(&config);
        start(&pipe);
        pipe_hex(&pipe, 0, SEED, known ? "0000 0100" OUTSIDE_TEXT : "0000 0400" OUTSIDE_TEXT);
        assert_int_equal(pipe_hex(&pipe, 0, INSIDE, known ? "0000 0500" : "0000 0600"), Q2P_OK);
        assert_int_equal(sent_to(&pipe, INSIDE, Q2P_EV_CONNECT), 1);
        assert_int_equal(sent_to(&pipe, INSIDE, Q2P_EV_CONNECTED), known);
        assert_int_equal(pipe.told_count, 0);
        assert_int_equal(pipe_hex(&pipe, 0, INSIDE, "0000 0600"), Q2P_OK);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 1);
        assert_int_equal(pipe_hex(&pipe, 0, INSIDE, "0000 0100" PEER_TEXT), Q2P_ERR_ABSENT);
        pipe_run(&pipe, 12 * Q2P_SECOND);
        pipe_hex(&pipe, 0, INSIDE, "0000 0600"); /* no second time */
        pipe_run(&pipe, 40 * Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECTED), 1);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 0);
        pipe_free(&pipe);
    }
}

static void an_inside_address_gets_little_and_only_during_a_punch(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(pipe_hex(&pipe, 0, INSIDE, "0000 0500"), Q2P_ERR_ABSENT);
    pipe_hex(&pipe, 0, SEED, "0000 0400" OUTSIDE_TEXT);
    assert_int_equal(pipe_hex(&pipe, 0, "203.0.113.4:9", "0000 0500"), Q2P_ERR_ABSENT);
    assert_int_equal(pipe_hex(&pipe, 0, "[2001:db8::4]:9", "0000 0500"), Q2P_ERR_ABSENT);
    assert_int_equal(pipe_hex(&pipe, 0, "172.32.0.4:9", "0000 0600"), Q2P_ERR_ABSENT);
    for (int i = 0; i < 100; i++)
        pipe_hex(&pipe, 0, INSIDE_ELSEWHERE, "0000 0500");
    assert_int_equal(sent_to(&pipe, INSIDE_ELSEWHERE, Q2P_EV_CONNECT), 7);
    assert_int_equal(sent_to(&pipe, INSIDE_ELSEWHERE, Q2P_EV_CONNECTED), 7);
    assert_int_equal(pipe_hex(&pipe, 0, "172.31.0.4:9", "0000 0600"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, "100.64.0.4:9", "0000 0600"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, "[fd00::4]:9", "0000 0600"), Q2P_OK);
    pipe_run(&pipe, 40 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, INSIDE_ELSEWHERE, Q2P_EV_CONNECT), 7);
    assert_int_equal(sent_to(&pipe, "172.31.0.4:9", Q2P_EV_CONNECT), 1); /* nothing by itself */
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 1); /* who was named; nobody else */
    assert_int_equal(pipe.told_count, 1);
    assert_int_equal(pipe_hex(&pipe, 0, "172.31.0.4:9", "0000 0600"), Q2P_ERR_ABSENT); /* late */
    pipe_free(&pipe);
}

/* Not from a host that is being punched, and not if there is no room. */
static void an_inside_address_changes_no_other_punch(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0100" PEER_TEXT); /* itself inside */
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0600"), Q2P_ERR_ABSENT);
    assert_int_equal(pipe_hex(&pipe, 0, PEER_ELSEWHERE, "0000 0600"), Q2P_ERR_ABSENT);
    pipe_hex(&pipe, 0, SEED, "0000 0100" OUTSIDE_TEXT);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0600"), Q2P_ERR_ABSENT);
    pipe_run(&pipe, 2 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCH), 4);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_CONNECT), 0);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0500"), Q2P_OK);
    pipe_free(&pipe);

    config.peers_max = 2;
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0100" OUTSIDE_TEXT);
    pipe_hex(&pipe, 0, PEER, "0000 0000"); /* JOIN */
    assert_int_equal(pipe_hex(&pipe, 0, INSIDE, "0000 0500"), Q2P_ERR_FULL);
    assert_int_equal(sent_to(&pipe, INSIDE, Q2P_EV_CONNECT), 0);
    pipe_free(&pipe);
}

/* Any stranger may send TOUCH, and is kept in mind in half of the room: the newest, while the
 * other half is there for whom seeds name. */
static void a_crowd_of_touches_leaves_room_for_the_last_and_for_the_named(void **state)
{
    struct pipe pipe;
    char text[32];

    (void)state;
    q2p_config_init(&config);
    config.peers_max = 4; /* room for 8 punches, 4 of them unnamed */
    start(&pipe);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "10.0.1.%d:5", i);
        assert_int_equal(pipe_hex(&pipe, 0, text, "0000 0200"), Q2P_OK);
    }
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e312e39353a36"); /* 10.0.1.95:6 */
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e312e39363a36");
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e312e39393a36");
    assert_int_equal(sent_to(&pipe, "10.0.1.95:6", Q2P_EV_CONNECT), 1);
    assert_int_equal(sent_to(&pipe, "10.0.1.95:5", Q2P_EV_CONNECT), 0); /* forgotten */
    assert_int_equal(sent_to(&pipe, "10.0.1.96:5", Q2P_EV_CONNECT), 1);
    assert_int_equal(sent_to(&pipe, "10.0.1.99:5", Q2P_EV_CONNECT), 1);
    pipe_free(&pipe);
}

static void a_touch_from_nowhere_gets_nothing(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    for (int i = 0; i < 200; i++) {
        char from[32];

        snprintf(from, sizeof from, "10.9.9.%d:9", i);
        pipe_hex(&pipe, 0, from, "0000 0200");
    }
    pipe_run(&pipe, 60 * Q2P_SECOND);
    for (size_t i = 0; i < pipe.queue_end; i++)
        assert_true(q2p_addr_equal(
            &pipe.queue[i].to, &(struct q2p_addr){.ip = {10, 0, 0, 1}, .ip_len = 4, .port = 1}));
    assert_int_equal(pipe.told_count, 0);
    pipe_free(&pipe);
}

static void the_original_profile_sends_each_message_once(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    q2p_config_original(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0100" PEER_TEXT);
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e383a38"); /* 10.0.0.8:8 */
    pipe_hex(&pipe, 0, PEER, "0000 0200");                      /* TOUCH: the original ignores it */
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCH), 1);
    assert_int_equal(sent_to(&pipe, SEED, Q2P_EV_TOUCHED), 1);
    assert_int_equal(sent_to(&pipe, "10.0.0.8:8", Q2P_EV_CONNECT), 1);
    assert_int_equal(sent_to(&pipe, SEED, Q2P_EV_JOIN), 0); /* was sent before */
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_UNREACHED), 2);
    /* and stores whoever sends CONNECT or CONNECTED, but not without limit */
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.5:5", "0000 0500"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.6:6", "0000 0600"), Q2P_OK);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 3);
    pipe_free(&pipe);
}

/* What one seed loses another may bring, since nothing is repeated. */
static void the_original_profile_answers_every_seed(void **state)
{
    struct pipe pipe;
    struct q2p_addr other = pipe_addr("10.0.0.3:3");

    (void)state;
    q2p_config_init(&config);
    q2p_config_original(&config);
    start(&pipe);
    assert_int_equal(q2p_node_join(pipe.nodes[0], 0, &other), Q2P_OK);
    pipe_hex(&pipe, 0, SEED, "0000 0100" PEER_TEXT);
    pipe_hex(&pipe, 0, "10.0.0.3:3", "0000 0100" PEER_TEXT);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCH), 2);
    assert_int_equal(sent_to(&pipe, SEED, Q2P_EV_TOUCHED), 1);
    assert_int_equal(sent_to(&pipe, "10.0.0.3:3", Q2P_EV_TOUCHED), 1);
    pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e383a38"); /* 10.0.0.8:8 */
    pipe_hex(&pipe, 0, "10.0.0.3:3", "0000 0400 31302e302e302e383a38");
    assert_int_equal(sent_to(&pipe, "10.0.0.8:8", Q2P_EV_CONNECT), 2);
    pipe_free(&pipe);
}

/* A peer that a seed had vouched for may be a seed itself; but through it we did not join. */
static void a_vouched_peer_may_send_joiners_but_no_connectrequest(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT);
    pipe_hex(&pipe, 0, PEER, "0000 0600");
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0400 31302e302e302e383a38"), Q2P_ERR_ABSENT);
    assert_int_equal(sent_to(&pipe, "10.0.0.8:8", Q2P_EV_CONNECT), 0);
    assert_int_equal(pipe_hex(&pipe, 0, PEER, "0000 0100 31302e302e302e383a38"), Q2P_OK);
    assert_int_equal(sent_to(&pipe, "10.0.0.8:8", Q2P_EV_TOUCH), 1);
    assert_int_equal(sent_to(&pipe, PEER, Q2P_EV_TOUCHED), 1);
    pipe_free(&pipe);
}

static void a_full_node_is_not_sent_anywhere(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.peers_max = 1; /* the seed */
    start(&pipe);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0100" PEER_TEXT), Q2P_ERR_FULL);
    assert_int_equal(pipe_hex(&pipe, 0, SEED, "0000 0400" PEER_TEXT), Q2P_ERR_FULL);
    assert_int_equal(pipe.queue_end, 0);
    pipe_free(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_touch_is_repeated_until_connect_comes),
        cmocka_unit_test(a_connect_is_repeated_until_connected_comes),
        cmocka_unit_test(a_punch_without_answer_is_given_up),
        cmocka_unit_test(half_a_connection_is_made_whole_by_a_keep_alive),
        cmocka_unit_test(connect_from_another_port_of_the_host_counts),
        cmocka_unit_test(connected_from_another_port_of_the_host_counts),
        cmocka_unit_test(a_touch_from_another_port_is_answered_there_with_connect),
        cmocka_unit_test(a_neighbour_behind_the_same_nat_settles_nothing),
        cmocka_unit_test(a_touch_before_its_connectrequest_loses_no_peer),
        cmocka_unit_test(two_peers_of_one_host_both_connect),
        cmocka_unit_test(an_inside_address_must_answer_a_connect),
        cmocka_unit_test(an_inside_address_gets_little_and_only_during_a_punch),
        cmocka_unit_test(an_inside_address_changes_no_other_punch),
        cmocka_unit_test(a_crowd_of_touches_leaves_room_for_the_last_and_for_the_named),
        cmocka_unit_test(a_touch_from_nowhere_gets_nothing),
        cmocka_unit_test(the_original_profile_sends_each_message_once),
        cmocka_unit_test(the_original_profile_answers_every_seed),
        cmocka_unit_test(a_vouched_peer_may_send_joiners_but_no_connectrequest),
        cmocka_unit_test(a_full_node_is_not_sent_anywhere),
    };
    return cmocka_run_group_tests_name("q2p_punch", tests, NULL, NULL);
}
