/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_recv.c - incoming transmissions: what counts, limits, keys, exactly one delivery. */
#include <q2p/node.h>

#include "pipe.h"

#define PEER "10.0.0.9:9"

static struct q2p_config config;

static void start(struct pipe *pipe, enum q2p_dialect dialect)
{
    q2p_config_init(&config);
    config.dialect = dialect;
    pipe_init(pipe);
    pipe->options = dialect == Q2P_DIALECT_OPTIONS;
    pipe_add(pipe, "10.0.0.1:1", &config);
    pipe_add(pipe, "10.0.0.2:2", &config);
}

static struct q2p_hash transfer(struct pipe *pipe, const void *data, size_t len)
{
    struct q2p_hash hash;

    assert_int_equal(q2p_node_send(pipe->nodes[0], pipe->now, &pipe->addrs[1], data, len, &hash),
                     Q2P_OK);
    return hash;
}

static void every_size_arrives_whole_in_both_dialects(void **state)
{
    static const size_t sizes[] = {1, 483, 484, 485, 967, 968, 969, 10240, 204800};

    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            uint8_t *data = pipe_payload(sizes[i]);
            const struct pipe_told *told;
            struct pipe pipe;
            struct q2p_hash hash;

            start(&pipe, (enum q2p_dialect)dialect);
            hash = transfer(&pipe, data, sizes[i]);
            pipe_run(&pipe, Q2P_SECOND);
            told = pipe_find(&pipe, 1, Q2P_ON_RECEIVING, 0);
            assert_int_equal(told->what.length, sizes[i]);
            told = pipe_find(&pipe, 1, Q2P_ON_DELIVERED, 0);
            assert_int_equal(told->what.data_len, sizes[i]);
            assert_memory_equal(told->what.data, data, sizes[i]);
            assert_memory_equal(&told->what.hash, &hash, sizeof hash);
            assert_true(q2p_addr_equal(&told->what.peer, &pipe.addrs[0]));
            assert_int_equal(told->what.dialect, dialect);
            assert_int_equal(told->what.check,
                             dialect == Q2P_DIALECT_CLASSIC ? Q2P_CHECK_DATA : Q2P_CHECK_ADDRESS);
            assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1);
            assert_int_equal(q2p_node_counters(pipe.nodes[1])->memory, 0);
            pipe_run(&pipe, 40 * Q2P_SECOND);
            assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 1);
            pipe_free(&pipe);
            free(data);
        }
    }
}

static bool lose_a_fifth_double_a_fifth(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    uint32_t drawn = dice_draw(&pipe->random, 5);

    if (drawn == 1 && pipe->queue_end + 1 < pipe->queue_room)
        pipe->queue[pipe->queue_end++] = *datagram;
    return drawn == 0;
}

static void losses_are_repaired_and_duplicates_ignored(void **state)
{
    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        uint8_t *data = pipe_payload(300000);
        struct pipe pipe;

        start(&pipe, (enum q2p_dialect)dialect);
        pipe.lose = lose_a_fifth_double_a_fifth;
        transfer(&pipe, data, 300000);
        pipe_run(&pipe, 60 * Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1);
        assert_memory_equal(pipe_find(&pipe, 1, Q2P_ON_DELIVERED, 0)->what.data, data, 300000);
        assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_RECEIVING), 1);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RELEASED), 1);
        assert_true(q2p_node_counters(pipe.nodes[1])->fragments_duplicate > 50);
        pipe_free(&pipe);
        free(data);
    }
}

static void zero_bytes_are_delivered_at_once(void **state)
{
    struct pipe pipe;
    const struct pipe_told *told;

    (void)state;
    start(&pipe, Q2P_DIALECT_OPTIONS);
    transfer(&pipe, NULL, 0);
    pipe_run(&pipe, Q2P_SECOND);
    told = pipe_find(&pipe, 1, Q2P_ON_DELIVERED, 0);
    assert_int_equal(told->what.data_len, 0);
    assert_int_equal(told->what.check, Q2P_CHECK_ADDRESS);
    assert_string_equal(pipe.log, "A>B OPTIONS\nB>A OPTIONSFEEDBACK\n");
    pipe_free(&pipe);
}

/* Piece by piece and before, for two peers: the keys are those that a node makes itself. */
static void a_message_hashed_before_arrives_under_the_same_key(void **state)
{
    enum { LEN = 3000 };
    uint8_t *data = pipe_payload(LEN);
    struct q2p_digest digest;
    const struct q2p_content content = {data, LEN, &digest};

    (void)state;
    q2p_digest_init(&digest);
    for (size_t at = 0; at < LEN; at += 100)
        q2p_digest_add(&digest, data + at, 100);
    q2p_digest_add(&digest, NULL, 0);
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        struct q2p_hash hash[2], own;
        struct pipe pipe;

        start(&pipe, (enum q2p_dialect)dialect);
        pipe_add(&pipe, "10.0.0.3:3", &config);
        for (size_t to = 1; to < 3; to++) {
            assert_int_equal(q2p_node_send_hashed(pipe.nodes[0], pipe.now, &pipe.addrs[to],
                                                  &content, &hash[to - 1]),
                             Q2P_OK);
            assert_int_equal(
                q2p_node_send(pipe.nodes[0], pipe.now, &pipe.addrs[to], data, LEN, &own),
                Q2P_ERR_BUSY);
        }
        assert_int_equal(memcmp(&hash[0], &hash[1], sizeof hash[0]) == 0,
                         dialect == Q2P_DIALECT_CLASSIC);
        pipe_run(&pipe, Q2P_SECOND);
        for (size_t to = 1; to < 3; to++)
            assert_int_equal(pipe_find(&pipe, to, Q2P_ON_DELIVERED, 0)->what.check,
                             dialect == Q2P_DIALECT_CLASSIC ? Q2P_CHECK_DATA : Q2P_CHECK_ADDRESS);
        pipe_free(&pipe);
    }
    free(data);
}

static void a_message_hashed_wrong_is_corrupt(void **state)
{
    struct q2p_digest digest;
    const struct q2p_content content = {"data", 4, &digest};
    struct pipe pipe;

    (void)state;
    q2p_digest_init(&digest);
    q2p_digest_add(&digest, "date", 4);
    start(&pipe, Q2P_DIALECT_CLASSIC);
    q2p_node_send_hashed(pipe.nodes[0], pipe.now, &pipe.addrs[1], &content, NULL);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_CORRUPT), 1);
    pipe_free(&pipe);
}

/* The key is not the one of nothing: no transmission, only a question whether anybody is there. */
static void who_only_asks_is_answered_and_nobody_is_told(void **state)
{
    struct pipe pipe;
    struct q2p_message message = {.event = Q2P_EV_OPTIONS, .hash = {{1, 2, 3}}};
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    int len = q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_OPTIONS, &message);

    (void)state;
    start(&pipe, Q2P_DIALECT_OPTIONS);
    for (int i = 0; i < 40; i++) {
        struct q2p_datagram in = {pipe.addrs[0], bytes, (size_t)len}, out;
        struct q2p_packet packet;

        assert_int_equal(q2p_node_input(pipe.nodes[1], pipe.now, &in),
                         i < 32 ? Q2P_OK : Q2P_ERR_FULL); /* not more often than anything else */
        if (i >= 32)
            continue;
        assert_int_equal(q2p_node_output(pipe.nodes[1], pipe.now, &out), 1);
        assert_int_equal(out.len, 20);
        assert_int_equal(q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, out.bytes, out.len, out.len),
                         Q2P_OK);
        assert_int_equal(packet.event, Q2P_EV_OPTIONSFEEDBACK);
        assert_memory_equal(out.bytes + packet.hash_at.at, message.hash.bytes, Q2P_HASH_LEN);
        assert_int_equal(q2p_node_output(pipe.nodes[1], pipe.now, &out), 0);
    }
    pipe_run(&pipe, pipe.now + 20 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_RECEIVING), 0);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 0);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_EXPIRED), 0);
    pipe_free(&pipe);
}

/* A message of nothing keeps its key where others are made up, or every question would be one. */
static void a_question_is_no_message_where_keys_are_made_up(void **state)
{
    struct q2p_message message = {.event = Q2P_EV_OPTIONS, .hash = {{1, 2, 3}}};
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    int len = q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_OPTIONS, &message);
    struct pipe pipe;
    struct q2p_datagram in;

    (void)state;
    q2p_config_init(&config);
    config.dialect = Q2P_DIALECT_OPTIONS;
    config.verify = false;
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    pipe_add(&pipe, "10.0.0.2:2", &config);
    transfer(&pipe, "x", 1);
    transfer(&pipe, NULL, 0);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 2);
    in = (struct q2p_datagram){pipe.addrs[0], bytes, (size_t)len};
    assert_int_equal(q2p_node_input(pipe.nodes[1], pipe.now, &in), Q2P_OK);
    pipe_run(&pipe, pipe.now + 20 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_RECEIVING), 2);
    assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 2);
    pipe_free(&pipe);
}

/* The same key again is answered, so that its sender can end, and not delivered again. */
static void a_finished_key_is_remembered_for_a_while(void **state)
{
    struct pipe pipe;
    uint8_t *data = pipe_payload(3000);

    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        start(&pipe, (enum q2p_dialect)dialect);
        transfer(&pipe, data, 3000);
        pipe_run(&pipe, Q2P_SECOND);
        transfer(&pipe, data, 3000);
        pipe_run(&pipe, 2 * Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_SENT), 2);
        assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1);
        assert_int_equal(pipe_sent(&pipe, 'B', 'A', Q2P_EV_TRANSPORT_FAILED), 0);
        pipe_run(&pipe, 22 * Q2P_SECOND);
        transfer(&pipe, data, 3000);
        pipe_run(&pipe, 23 * Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 2);
        pipe_free(&pipe);
    }
    free(data);
}

static void a_key_made_with_an_address_we_do_not_know_is_delivered_unchecked(void **state)
{
    struct pipe pipe;

    (void)state;
    start(&pipe, Q2P_DIALECT_OPTIONS);
    pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f 01000000");
    pipe_hex(&pipe, 0, PEER, "0000 0a00 000102030405060708090a0b0c0d0e0f 00000000 78");
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_DELIVERED, 0)->what.check, Q2P_CHECK_NONE);
    /* the oldest options nodes make it of the data alone: MD5("x") */
    pipe_hex(&pipe, 0, PEER, "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000");
    pipe_hex(&pipe, 0, PEER, "0000 0a00 9dd4e461268c8034f5c8564e155c67a6 00000000 78");
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_DELIVERED, 1)->what.check, Q2P_CHECK_DATA);
    pipe_free(&pipe);
}

static void data_that_does_not_match_a_classic_key_is_corrupt(void **state)
{
    struct pipe pipe;
    const struct pipe_told *told;

    (void)state;
    start(&pipe, Q2P_DIALECT_CLASSIC);
    /* MD5("x") with "y" */
    pipe_hex(&pipe, 0, PEER, "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 79");
    told = pipe_find(&pipe, 0, Q2P_ON_CORRUPT, 0);
    assert_int_equal(told->what.check, Q2P_CHECK_WRONG);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_DELIVERED), 0);
    assert_int_equal(pipe_sent(&pipe, 'A', '?', Q2P_EV_TRANSPORT_FAILED), 1); /* its sender hears */
    pipe_hex(&pipe, 0, PEER, "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78");
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_DELIVERED), 1); /* and may try again */
    pipe_free(&pipe);
}

static void the_same_key_from_two_senders_is_two_transmissions(void **state)
{
    struct pipe pipe;

    (void)state;
    start(&pipe, Q2P_DIALECT_CLASSIC);
    pipe_hex(&pipe, 0, PEER, "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78");
    pipe_hex(&pipe, 0, "10.0.0.8:9",
             "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78");
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_DELIVERED), 2);
    pipe_free(&pipe);
}

/* Starts a transmission of two fragments from a source. */
static int begin(struct pipe *pipe, const char *from, uint8_t key, uint32_t length)
{
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {.event = Q2P_EV_TRANSPORT,
                                  .hash = {{key, (uint8_t)(key >> 4)}},
                                  .length = length,
                                  .body = body,
                                  .body_len = q2p_wire_share(length, 0)};

    return pipe_message(pipe, 0, from, Q2P_DIALECT_CLASSIC, &message);
}

static void too_many_from_one_are_refused_until_one_stands_still(void **state)
{
    struct pipe pipe;

    (void)state;
    start(&pipe, Q2P_DIALECT_CLASSIC);
    for (uint8_t i = 0; i < 16; i++)
        assert_int_equal(begin(&pipe, PEER, i, 1000), Q2P_OK);
    assert_int_equal(begin(&pipe, PEER, 16, 1000), Q2P_ERR_FULL);
    assert_int_equal(pipe_sent(&pipe, 'A', '?', Q2P_EV_TRANSPORT_FAILED), 1); /* no, it says */
    assert_int_equal(begin(&pipe, "10.0.0.8:9", 16, 1000), Q2P_OK);           /* others may */
    pipe_run(&pipe, 500 * Q2P_MILLISECOND);
    assert_int_equal(begin(&pipe, PEER, 17, 1000), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
    pipe_free(&pipe);
}

/* Not the one announced last, though nothing of it is here yet. */
static void the_longest_without_progress_makes_room_for_its_sender(void **state)
{
    struct pipe pipe;

    (void)state;
    start(&pipe, Q2P_DIALECT_CLASSIC);
    for (uint8_t i = 0; i < 15; i++)
        assert_int_equal(begin(&pipe, PEER, i, 1000), Q2P_OK);
    pipe_run(&pipe, 499 * Q2P_MILLISECOND);
    pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f e8030000");
    assert_int_equal(begin(&pipe, PEER, 15, 1000), Q2P_ERR_FULL);
    pipe_run(&pipe, 500 * Q2P_MILLISECOND);
    assert_int_equal(begin(&pipe, PEER, 16, 1000), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 0)->what.missing, 2);
    pipe_free(&pipe);
}

static void the_longest_without_progress_makes_room_for_all(void **state)
{
    struct pipe pipe;
    char from[32];

    (void)state;
    q2p_config_init(&config);
    config.incoming_max = 4;
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    /* one has had no fragment at all */
    pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f e8030000");
    for (int i = 0; i < 4; i++) {
        snprintf(from, sizeof from, "10.0.1.%d:9", i);
        assert_int_equal(begin(&pipe, from, 1, 1000), Q2P_OK);
    }
    assert_true(pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 0)->what.peer.ip[2] == 0);
    assert_int_equal(begin(&pipe, "10.0.1.9:9", 1, 1000), Q2P_OK);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 1)->what.peer.ip[3], 0);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 1)->what.missing, 2);
    pipe_free(&pipe);
}

static int add_fragment(struct pipe *pipe, const char *from, uint32_t length, uint32_t syn)
{
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {.event = Q2P_EV_TRANSPORT,
                                  .length = length,
                                  .syn = syn,
                                  .body = body,
                                  .body_len = q2p_wire_share(length, syn)};

    return pipe_message(pipe, 0, from, Q2P_DIALECT_CLASSIC, &message);
}

static void who_holds_most_memory_gives_way(void **state)
{
    struct pipe pipe;
    char from[32];
    int status = Q2P_OK;

    (void)state;
    q2p_config_init(&config);
    config.memory_max = 100000;
    config.length_max = 20000;
    pipe_init(&pipe);
    pipe_add(&pipe, "10.0.0.1:1", &config);
    pipe.quiet = true;
    for (int source = 0; source < 5; source++) { /* five hogs, each up to its share */
        snprintf(from, sizeof from, "10.0.1.%d:9", source);
        for (uint32_t syn = 0; syn < 40 && status == Q2P_OK; syn++)
            status = add_fragment(&pipe, from, 20000, 41 - syn);
        status = Q2P_OK;
    }
    assert_true(q2p_node_counters(pipe.nodes[0])->memory > 80000);
    assert_true(q2p_node_counters(pipe.nodes[0])->memory_peak <= 100000);
    for (uint32_t syn = 0; syn < 20; syn++) /* a modest one */
        assert_int_equal(add_fragment(&pipe, PEER, 9680, syn), Q2P_OK);
    assert_true(pipe_count(&pipe, 0, Q2P_ON_EXPIRED) >= 1);
    assert_true(q2p_node_counters(pipe.nodes[0])->memory_peak <= 100000);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CORRUPT), 1); /* complete: all zeros, wrong key */
    pipe_free(&pipe);
}

/* An original whose OPTIONSFEEDBACK was lost sends nothing until it is asked for fragments. */
static void a_lost_feedback_is_made_good_by_a_list(void **state)
{
    struct q2p_packet packet;
    struct pipe pipe;

    (void)state;
    start(&pipe, Q2P_DIALECT_OPTIONS);
    assert_int_equal(
        pipe_hex(&pipe, 1, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f 00280000"), Q2P_OK);
    pipe_run(&pipe, Q2P_MILLISECOND);
    pipe_read(&pipe.queue[0], &packet);
    assert_int_equal(packet.number, q2p_event_number(Q2P_DIALECT_OPTIONS, Q2P_EV_OPTIONSFEEDBACK));
    pipe_run(&pipe, 600 * Q2P_MILLISECOND);
    pipe_read(&pipe.queue[1], &packet);
    assert_int_equal(packet.event, Q2P_EV_TRANSPORT_FAILED);
    assert_in_range(packet.lost_count, 1, 3); /* 24 bytes came: no more than 72 may go */
    pipe_free(&pipe);
}

static void data_is_lent_until_the_next_call(void **state)
{
    struct pipe pipe;
    struct q2p_happening what;

    (void)state;
    start(&pipe, Q2P_DIALECT_CLASSIC);
    pipe.deaf = true;
    transfer(&pipe, "hello", 5);
    pipe_run(&pipe, Q2P_SECOND);
    assert_int_equal(q2p_node_happening(pipe.nodes[1], &what), 1);
    assert_int_equal(what.on, Q2P_ON_RECEIVING);
    assert_int_equal(q2p_node_happening(pipe.nodes[1], &what), 1);
    assert_int_equal(what.on, Q2P_ON_DELIVERED);
    assert_memory_equal(what.data, "hello", 5);
    assert_true(q2p_node_counters(pipe.nodes[1])->memory > 0);
    assert_int_equal(q2p_node_happening(pipe.nodes[1], &what), 0);
    assert_int_equal(q2p_node_counters(pipe.nodes[1])->memory, 0);
    pipe_free(&pipe);
}

static void too_long_a_transmission_is_refused_and_its_sender_told(void **state)
{
    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        struct pipe pipe;
        uint8_t *data = pipe_payload(5000);

        start(&pipe, (enum q2p_dialect)dialect);
        q2p_node_free(pipe.nodes[1]);
        config.length_max = 4999;
        assert_int_equal(q2p_node_new(&pipe.nodes[1], &config), Q2P_OK);
        transfer(&pipe, data, 5000);
        pipe_run(&pipe, Q2P_SECOND);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_FAILED), 1);
        assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_RECEIVING), 0);
        pipe_free(&pipe);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_arrives_whole_in_both_dialects),
        cmocka_unit_test(losses_are_repaired_and_duplicates_ignored),
        cmocka_unit_test(zero_bytes_are_delivered_at_once),
        cmocka_unit_test(a_message_hashed_before_arrives_under_the_same_key),
        cmocka_unit_test(a_message_hashed_wrong_is_corrupt),
        cmocka_unit_test(who_only_asks_is_answered_and_nobody_is_told),
        cmocka_unit_test(a_question_is_no_message_where_keys_are_made_up),
        cmocka_unit_test(a_finished_key_is_remembered_for_a_while),
        cmocka_unit_test(a_key_made_with_an_address_we_do_not_know_is_delivered_unchecked),
        cmocka_unit_test(data_that_does_not_match_a_classic_key_is_corrupt),
        cmocka_unit_test(the_same_key_from_two_senders_is_two_transmissions),
        cmocka_unit_test(too_many_from_one_are_refused_until_one_stands_still),
        cmocka_unit_test(the_longest_without_progress_makes_room_for_its_sender),
        cmocka_unit_test(the_longest_without_progress_makes_room_for_all),
        cmocka_unit_test(who_holds_most_memory_gives_way),
        cmocka_unit_test(a_lost_feedback_is_made_good_by_a_list),
        cmocka_unit_test(data_is_lent_until_the_next_call),
        cmocka_unit_test(too_long_a_transmission_is_refused_and_its_sender_told),
    };
    return cmocka_run_group_tests_name("q2p_recv", tests, NULL, NULL);
}
