/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_send.c - outgoing transmissions in both dialects, repairs, pacing, how they end. */
#include <q2p/node.h>

#include "pipe.h"

#define PEER "10.0.0.9:9"

static struct q2p_config config;
static struct q2p_addr peer;
static struct q2p_hash hash;

/* One node; the test plays the peer. */
static void start(struct pipe *pipe)
{
    pipe_init(pipe);
    pipe_add(pipe, "10.0.0.1:1", &config);
    peer = pipe_addr(PEER);
}

static int send(struct pipe *pipe, const void *data, size_t len)
{
    return q2p_node_send(pipe->nodes[0], pipe->now, &peer, data, len, &hash);
}

static int list(struct pipe *pipe, const char *from, enum q2p_dialect dialect, const uint32_t *syns,
                size_t count)
{
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT_FAILED, .hash = hash, .lost = syns, .lost_count = count};

    return pipe_message(pipe, 0, from, dialect, &message);
}

static int feedback(struct pipe *pipe, const char *from)
{
    struct q2p_message message = {.event = Q2P_EV_OPTIONSFEEDBACK, .hash = hash};

    return pipe_message(pipe, 0, from, Q2P_DIALECT_OPTIONS, &message);
}

static size_t fragments(const struct pipe *pipe)
{
    return pipe_sent(pipe, 'A', '?', Q2P_EV_TRANSPORT);
}

static size_t options(const struct pipe *pipe)
{
    return pipe_sent(pipe, 'A', '?', Q2P_EV_OPTIONS);
}

static void classic_sends_all_fragments_at_once_and_waits(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(969);
    struct q2p_packet packet;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(send(&pipe, data, 969), Q2P_OK);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(fragments(&pipe), 3);
    for (uint32_t syn = 0; syn < 3; syn++) {
        assert_int_equal(pipe_read(&pipe.queue[syn], &packet), Q2P_OK);
        assert_int_equal(packet.dialect, Q2P_DIALECT_CLASSIC);
        assert_int_equal(packet.length, 969);
        assert_int_equal(packet.syn, syn);
        assert_int_equal(packet.body_at.len, syn < 2 ? 484 : 1);
        assert_memory_equal(pipe.queue[syn].bytes + packet.body_at.at, data + syn * 484,
                            packet.body_at.len);
    }
    assert_ptr_equal(pipe_find(&pipe, 0, Q2P_ON_SENT, 0)->what.data, data);
    pipe_run(&pipe, 20 * Q2P_SECOND);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_RELEASED, 0)->at, 15 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 0);
    pipe_free(&pipe);
    free(data);
}

/* The keys of "hello": MD5 of it, and MD5 of it with 10.0.0.9:9 behind. */
static void keys_are_made_as_the_dialect_wants(void **state)
{
    struct pipe pipe;
    uint8_t classic[16], options[16];

    (void)state;
    unit_hex(classic, 16, "5d41402abc4b2a76b9719d911017c592");
    unit_hex(options, 16, "dc658b0e6eada1a0a92e08f12b4a08d9");
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(send(&pipe, "hello", 5), Q2P_OK);
    assert_memory_equal(hash.bytes, classic, 16);
    pipe_free(&pipe);
    config.dialect = Q2P_DIALECT_OPTIONS;
    start(&pipe);
    assert_int_equal(send(&pipe, "hello", 5), Q2P_OK);
    assert_memory_equal(hash.bytes, options, 16);
    pipe_free(&pipe);
}

static void options_waits_for_the_feedback_of_the_right_one(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(5000);

    (void)state;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    start(&pipe);
    assert_int_equal(send(&pipe, data, 5000), Q2P_OK);
    pipe_run(&pipe, Q2P_MILLISECOND);
    assert_string_equal(pipe.log, "A>? OPTIONS\n");
    assert_int_equal(feedback(&pipe, "10.0.0.8:9"), Q2P_ERR_ABSENT); /* a stranger */
    assert_int_equal(fragments(&pipe), 0);
    assert_int_equal(feedback(&pipe, PEER), Q2P_OK);
    assert_int_equal(fragments(&pipe), 11);
    assert_int_equal(feedback(&pipe, PEER), Q2P_OK); /* again: nothing more */
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(fragments(&pipe), 11);
    assert_int_equal(pipe_sent(&pipe, 'A', '?', Q2P_EV_OPTIONS), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_SENT), 1);
    pipe_free(&pipe);
    free(data);
}

static void options_are_repeated_and_then_given_up(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    start(&pipe);
    assert_int_equal(send(&pipe, "hello", 5), Q2P_OK);
    pipe_run(&pipe, 109 * Q2P_MILLISECOND);
    assert_int_equal(options(&pipe), 1);
    pipe_run(&pipe, 110 * Q2P_MILLISECOND); /* nothing is known of the way */
    assert_int_equal(options(&pipe), 2);
    pipe_run(&pipe, 31749 * Q2P_MILLISECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 0);
    pipe_run(&pipe, 31750 * Q2P_MILLISECOND); /* 250 ms, six times doubled, in all */
    assert_int_equal(options(&pipe), 9);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1);
    assert_int_equal(send(&pipe, "hello", 5), Q2P_OK); /* the way is free again */
    config.persist = false;
    pipe_free(&pipe);
    start(&pipe);
    assert_int_equal(send(&pipe, "hello", 5), Q2P_OK);
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(options(&pipe), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1);
    pipe_free(&pipe);
}

static void a_list_before_the_feedback_is_as_good_as_one(void **state)
{
    struct pipe pipe;
    uint32_t syns[] = {0};

    (void)state;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    start(&pipe);
    send(&pipe, "hello", 5);
    assert_int_equal(list(&pipe, PEER, Q2P_DIALECT_OPTIONS, syns, 1), Q2P_OK);
    assert_int_equal(fragments(&pipe), 1);
    pipe_free(&pipe);
}

static void zero_bytes_end_as_each_dialect_has_it(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(send(&pipe, NULL, 0), Q2P_OK);
    pipe_run(&pipe, Q2P_MILLISECOND);
    assert_int_equal(pipe.log_len, 0); /* classic cannot say it */
    assert_int_equal(pipe.told[0].what.on, Q2P_ON_SENT);
    assert_int_equal(pipe.told[1].what.on, Q2P_ON_RELEASED);
    pipe_free(&pipe);
    config.dialect = Q2P_DIALECT_OPTIONS;
    start(&pipe);
    assert_int_equal(send(&pipe, NULL, 0), Q2P_OK);
    assert_int_equal(feedback(&pipe, PEER), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_SENT), 1);
    uint32_t syn = 0;
    assert_int_equal(list(&pipe, PEER, Q2P_DIALECT_OPTIONS, &syn, 1), Q2P_ERR_SYN);
    pipe_run(&pipe, 20 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 1);
    assert_string_equal(pipe.log, "A>? OPTIONS\n");
    pipe_free(&pipe);
}

static void what_is_reported_lost_is_sent_again_once(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(5000);
    uint32_t syns[] = {3, 7, 3, 99, 0xffffffff, 7};
    struct q2p_packet packet;
    const struct pipe_told *told;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    send(&pipe, data, 5000);
    pipe_run(&pipe, Q2P_SECOND);
    pipe.queue_end = pipe.queue_first = 0;
    assert_int_equal(list(&pipe, PEER, Q2P_DIALECT_CLASSIC, syns, 6), Q2P_OK);
    assert_int_equal(list(&pipe, PEER, Q2P_DIALECT_CLASSIC, syns, 6), Q2P_OK); /* too soon */
    assert_int_equal(fragments(&pipe), 11 + 2);
    for (int i = 0; i < 2; i++) { /* the original says length 0, and dies of it (PROTOCOL.md 6.6) */
        pipe_read(&pipe.queue[i], &packet);
        assert_int_equal(packet.length, 5000);
        assert_int_equal(packet.syn, syns[i]);
        assert_memory_equal(pipe.queue[i].bytes + packet.body_at.at, data + packet.syn * 484, 484);
    }
    told = pipe_find(&pipe, 0, Q2P_ON_LOST, 0);
    assert_int_equal(told->what.syns_count, 2);
    assert_int_equal(told->what.missing, 2);
    assert_memory_equal(told->what.syns, syns, 8);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RESTORED), 1);
    pipe_run(&pipe, 1300 * Q2P_MILLISECOND);
    assert_int_equal(list(&pipe, PEER, Q2P_DIALECT_CLASSIC, syns, 6), Q2P_OK); /* lost again */
    assert_int_equal(fragments(&pipe), 11 + 4);
    pipe_run(&pipe, 40 * Q2P_SECOND);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_RELEASED, 0)->at, 16300 * Q2P_MILLISECOND);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->fragments_resent, 4);
    pipe_free(&pipe);
    free(data);
}

static void repairs_have_an_end(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(4840);
    uint32_t syns[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    send(&pipe, data, 4840);
    for (int i = 0; i < 100; i++) {
        pipe_run(&pipe, pipe.now + 300 * Q2P_MILLISECOND);
        list(&pipe, PEER, Q2P_DIALECT_CLASSIC, syns, 10);
    }
    assert_int_equal(fragments(&pipe), 10 + 40);                /* four times the message */
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 1); /* lists alone keep nothing */
    pipe_free(&pipe);
    free(data);
}

static void an_empty_list_ends_it(void **state)
{
    struct pipe pipe;

    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        q2p_config_init(&config);
        config.dialect = (enum q2p_dialect)dialect;
        start(&pipe);
        send(&pipe, "hello", 5);
        pipe_run(&pipe, Q2P_MILLISECOND);
        assert_int_equal(list(&pipe, "10.0.0.8:9", config.dialect, NULL, 0), Q2P_ERR_ABSENT);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 0);
        assert_int_equal(list(&pipe, PEER, config.dialect, NULL, 0), Q2P_OK);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1);
        assert_int_equal(q2p_node_cancel(pipe.nodes[0], &peer, &hash), Q2P_ERR_ABSENT);
        pipe_free(&pipe);
    }
}

static void without_repair_the_application_resends(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(5000);
    uint32_t syns[] = {1, 2, 2}, beyond[] = {1, 11};

    (void)state;
    q2p_config_init(&config);
    config.repair = false;
    start(&pipe);
    send(&pipe, data, 5000);
    pipe_run(&pipe, Q2P_MILLISECOND);
    list(&pipe, PEER, Q2P_DIALECT_CLASSIC, syns, 3);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_LOST), 1);
    assert_int_equal(fragments(&pipe), 11);
    assert_int_equal(q2p_node_resend(pipe.nodes[0], 0, &peer, &hash, beyond, 2), Q2P_ERR_SYN);
    assert_int_equal(q2p_node_resend(pipe.nodes[0], 0, &peer, &hash, syns, 3), 2);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(fragments(&pipe), 13);
    hash.bytes[0] ^= 1;
    assert_int_equal(q2p_node_resend(pipe.nodes[0], 0, &peer, &hash, syns, 3), Q2P_ERR_ABSENT);
    pipe_free(&pipe);
    free(data);
}

static void the_same_bytes_again_start_over_once_they_have_left(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(100 * 484);

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    assert_int_equal(send(&pipe, data, 100 * 484), Q2P_OK);
    assert_int_equal(send(&pipe, data, 100 * 484), Q2P_ERR_BUSY);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(send(&pipe, data, 100 * 484), Q2P_OK);
    pipe_run(&pipe, 2 * Q2P_SECOND);
    assert_int_equal(fragments(&pipe), 200);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_SENT), 2);
    assert_int_equal(q2p_node_cancel(pipe.nodes[0], &peer, &hash), Q2P_OK);
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 1); /* none for a cancelled one */
    pipe_free(&pipe);
    free(data);
}

static void fragments_leave_at_the_configured_rate(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(484 * 1000);
    q2p_time last;

    (void)state;
    q2p_config_init(&config);
    config.rate = 512 * 100; /* a hundred full datagrams a second */
    config.burst = 8;
    start(&pipe);
    pipe.now = 5 * Q2P_SECOND;
    send(&pipe, data, 484 * 1000);
    pipe_flush(&pipe);
    assert_int_equal(fragments(&pipe), 8);
    assert_int_equal(list(&pipe, PEER, Q2P_DIALECT_CLASSIC, &(uint32_t){8}, 1), Q2P_ERR_SYN);
    pipe_run(&pipe, pipe.now + 5 * Q2P_SECOND);
    assert_in_range(fragments(&pipe), 8 + 498, 8 + 500);
    pipe_run(&pipe, pipe.now + 60 * Q2P_SECOND);
    assert_int_equal(fragments(&pipe), 1000);
    last = pipe.queue[999].at - PIPE_DELAY_NS;
    /* 400 ms of that are the pause for a timer of the original, without the burst after it */
    assert_in_range(last, (5 + 9.9 + 0.3) * Q2P_SECOND, (5 + 9.9 + 0.4) * Q2P_SECOND);
    pipe_free(&pipe);
    config.rate = 0; /* no pacing at all */
    config.probe = false;
    start(&pipe);
    send(&pipe, data, 484 * 1000);
    pipe_flush(&pipe);
    assert_int_equal(fragments(&pipe), 1000);
    pipe_free(&pipe);
    free(data);
}

static void transmissions_take_turns(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(484 * 50);
    struct q2p_packet packet;
    struct q2p_hash other;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    send(&pipe, data, 484 * 50);
    send(&pipe, data, 484 * 40);
    other = hash;
    pipe_run(&pipe, Q2P_SECOND);
    for (uint32_t i = 0; i < 80; i++) {
        pipe_read(&pipe.queue[i], &packet);
        assert_int_equal(packet.syn, i / 2);
        assert_int_equal(memcmp(pipe.queue[i].bytes + 4, other.bytes, 16) == 0, i % 2);
    }
    pipe_free(&pipe);
    free(data);
}

static void what_cannot_be_sent_is_refused(void **state)
{
    struct pipe pipe;
    struct q2p_addr own = pipe_addr("10.0.0.1:1");

    (void)state;
    q2p_config_init(&config);
    config.outgoing_max = 1;
    start(&pipe);
    assert_int_equal(q2p_node_send(pipe.nodes[0], 0, &own, "x", 1, NULL), Q2P_ERR_ADDRESS);
    own.port = 0;
    assert_int_equal(q2p_node_send(pipe.nodes[0], 0, &own, "x", 1, NULL), Q2P_ERR_ADDRESS);
#if SIZE_MAX > UINT32_MAX
    assert_int_equal(q2p_node_send(pipe.nodes[0], 0, &peer, "x", (size_t)UINT32_MAX + 1, NULL),
                     Q2P_ERR_INVALID);
#endif
    assert_int_equal(send(&pipe, "x", 1), Q2P_OK);
    assert_int_equal(send(&pipe, "y", 1), Q2P_ERR_FULL);
    pipe_free(&pipe);
}

static void what_the_peer_cannot_have_understood_has_failed(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    send(&pipe, "hello", 5); /* in classic, as nothing else is known */
    pipe_run(&pipe, Q2P_SECOND);
    pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f 05000000"); /* OPTIONS */
    pipe_run(&pipe, 20 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 0);
    pipe_free(&pipe);
}

/* What is still leaving then is not to wait for answers, which nobody would give. */
static void what_the_peer_cannot_understand_fails_while_it_leaves(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(1000000);
    size_t left;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    send(&pipe, data, 1000000); /* in classic, as nothing else is known */
    pipe_run(&pipe, 10 * Q2P_MILLISECOND);
    pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f 05000000"); /* OPTIONS */
    send(&pipe, "hello", 5);
    assert_int_equal(feedback(&pipe, PEER), Q2P_OK);
    pipe_run(&pipe, 20 * Q2P_MILLISECOND);
    left = fragments(&pipe);
    assert_in_range(left, 112, 200);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1);
    assert_ptr_equal(pipe_find(&pipe, 0, Q2P_ON_FAILED, 0)->what.data, data);
    assert_int_equal(feedback(&pipe, PEER), Q2P_OK); /* to a probe: too much was under way */
    pipe_run(&pipe, 30 * Q2P_MILLISECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_SENT), 1); /* the other one */
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(fragments(&pipe), left + 1);
    pipe_free(&pipe);
    free(data);
}

static void the_learned_dialect_is_spoken(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    /* OPTIONS from the peer prove its dialect */
    assert_int_equal(
        pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f 05000000"), Q2P_OK);
    send(&pipe, "hello", 5);
    pipe_run(&pipe, Q2P_MILLISECOND);
    assert_int_equal(pipe_sent(&pipe, 'A', '?', Q2P_EV_OPTIONS), 1);
    assert_int_equal(fragments(&pipe), 0);
    pipe_free(&pipe);
    config.dialect = Q2P_DIALECT_OPTIONS;
    start(&pipe);
    send(&pipe, "hello", 5); /* unknown yet: the configured one */
    pipe_run(&pipe, Q2P_MILLISECOND);
    assert_int_equal(pipe_sent(&pipe, 'A', '?', Q2P_EV_OPTIONS), 1);
    /* a classic TRANSPORT of 1 byte; from now on no OPTIONS, which would crash an old node */
    assert_int_equal(
        pipe_hex(&pipe, 0, PEER, "0000 0800 0cc175b9c0f1b6a831c399e269772661 01000000 00000000 61"),
        Q2P_OK);
    send(&pipe, "world", 5);
    pipe_run(&pipe, 10 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'A', '?', Q2P_EV_OPTIONS), 1);
    assert_int_equal(fragments(&pipe), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1); /* the first one */
    pipe_free(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic_sends_all_fragments_at_once_and_waits),
        cmocka_unit_test(keys_are_made_as_the_dialect_wants),
        cmocka_unit_test(options_waits_for_the_feedback_of_the_right_one),
        cmocka_unit_test(options_are_repeated_and_then_given_up),
        cmocka_unit_test(a_list_before_the_feedback_is_as_good_as_one),
        cmocka_unit_test(zero_bytes_end_as_each_dialect_has_it),
        cmocka_unit_test(what_is_reported_lost_is_sent_again_once),
        cmocka_unit_test(repairs_have_an_end),
        cmocka_unit_test(an_empty_list_ends_it),
        cmocka_unit_test(without_repair_the_application_resends),
        cmocka_unit_test(the_same_bytes_again_start_over_once_they_have_left),
        cmocka_unit_test(fragments_leave_at_the_configured_rate),
        cmocka_unit_test(transmissions_take_turns),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
        cmocka_unit_test(what_the_peer_cannot_have_understood_has_failed),
        cmocka_unit_test(what_the_peer_cannot_understand_fails_while_it_leaves),
        cmocka_unit_test(the_learned_dialect_is_spoken),
    };
    return cmocka_run_group_tests_name("q2p_send", tests, NULL, NULL);
}
