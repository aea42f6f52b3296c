/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_q2p_attacks.c - datagrams that crash, mute or misuse the original program. After each the
 * node is alive and answering, has lost nothing, and has grown by a bounded amount only.
 * Attacks that other files test in passing are not repeated here.
 */
#include <q2p/node.h>

#include "pipe.h"
#include "scarce.h"

#define SEED "10.0.0.1:1"
#define EVIL "10.6.6.6:6"
#define KEY "000102030405060708090a0b0c0d0e0f"

static struct q2p_config config;
static void start(struct pipe *pipe)
{
    q2p_config_init(&config);
    config.alloc = alloc;
    bytes_held = bytes_peak = 0;
    pipe_init(pipe);
    pipe_add(pipe, "10.0.0.2:2", &config);
}

/* Alive: it still takes a transmission and delivers it; then everything is freed. */
static void end(struct pipe *pipe)
{
    size_t before;

    pipe_run(pipe, pipe->now + Q2P_SECOND);
    before = pipe_count(pipe, 0, Q2P_ON_DELIVERED);
    assert_int_equal(pipe_hex(pipe, 0, "10.0.0.77:7",
                              "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78"),
                     Q2P_OK);
    assert_int_equal(pipe_count(pipe, 0, Q2P_ON_DELIVERED), before + 1);
    pipe_free(pipe);
    assert_int_equal(bytes_held, 0);
}

/* Rows 1, 3, 14, 15, 18, 26: every event number that means something, and more, in every length. */
static void any_event_in_any_length(void **state)
{
    struct pipe pipe;
    uint8_t bytes[600];
    struct q2p_addr from = pipe_addr(EVIL);

    (void)state;
    start(&pipe);
    pipe.quiet = true;
    for (uint32_t event = 0; event < 70000; event = event < 20 ? event + 1 : event + 9973) {
        for (size_t len = 0; len <= sizeof bytes; len++) {
            memset(bytes, 0xa5, sizeof bytes);
            memcpy(bytes, (uint8_t[]){0, 0, (uint8_t)event, (uint8_t)(event >> 8)}, 4);
            pipe_input(&pipe, 0, &from, bytes, len);
            memset(bytes + 4, 0, sizeof bytes - 4);
            pipe_input(&pipe, 0, &from, bytes, len);
        }
    }
    assert_true(bytes_peak < 200000);
    end(&pipe);
}

static void row_2_a_foreign_network_is_answered_at_a_limited_rate(void **state)
{
    struct pipe pipe;
    char from[32];

    (void)state;
    start(&pipe);
    for (int i = 0; i < 100; i++)
        pipe_hex(&pipe, 0, EVIL, "3412 0000");
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_CONNECT_FAILED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_MISMATCH), 1);
    for (int i = 0; i < 100; i++) {
        snprintf(from, sizeof from, "10.6.7.%d:6", i);
        pipe_hex(&pipe, 0, from, "3412 0000");
    }
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_CONNECT_FAILED), 10);
    pipe_hex(&pipe, 0, "10.6.8.1:6", "3412 0700 41"); /* never an answer to CONNECT_FAILED */
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_CONNECT_FAILED), 10);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->foreign, 200);
    pipe_run(&pipe, 900 * Q2P_MILLISECOND); /* one a second to one address */
    pipe_hex(&pipe, 0, EVIL, "3412 0000");
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_CONNECT_FAILED), 10);
    pipe_run(&pipe, Q2P_SECOND);
    pipe_hex(&pipe, 0, EVIL, "3412 0000");
    assert_int_equal(pipe_sent(&pipe, '*', '*', Q2P_EV_CONNECT_FAILED), 11);
    end(&pipe);
}

static void row_4_a_node_without_seeds_takes_a_join(void **state)
{
    struct pipe pipe;

    (void)state;
    start(&pipe);
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, "0000 0000"), Q2P_OK);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.5:5", "0000 0600"), Q2P_ERR_ABSENT);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 1);
    end(&pipe);
}

/* A JOIN, and the answer to whether the joiner is there. */
static void join_and_answer(struct pipe *pipe, const char *from)
{
    pipe_hex(pipe, 0, from, "0000 0000");
    pipe_hex(pipe, 0, from, "0000 0600");
}

static void row_5_a_repeated_join_multiplies_nothing(void **state)
{
    struct pipe pipe;

    (void)state;
    start(&pipe);
    for (int i = 0; i < 5; i++) {
        char from[32];

        snprintf(from, sizeof from, "10.0.1.%d:5", i);
        join_and_answer(&pipe, from);
    }
    pipe_forget_log(&pipe);
    pipe_hex(&pipe, 0, EVIL, "0000 0000");
    pipe_hex(&pipe, 0, EVIL, "0000 0000");
    pipe_hex(&pipe, 0, EVIL, "0000 0000 77777777"); /* trailing bytes */
    assert_string_equal(pipe.log, "A>? CONNECT\n"); /* is it there? */
    pipe_hex(&pipe, 0, EVIL, "0000 0600");
    pipe_hex(&pipe, 0, EVIL, "0000 0600");
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCHREQUEST), 5);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_JOIN), 6);
    end(&pipe);
}

static void rows_6_and_7_peers_never_exceed_the_limit(void **state)
{
    struct pipe pipe;
    struct q2p_addr seed = pipe_addr(SEED);
    char text[64];

    (void)state;
    for (int open = 0; open <= 1; open++) {
        start(&pipe);
        q2p_node_free(pipe.nodes[0]);
        config.peers_max = 3;
        config.open = open;
        assert_int_equal(q2p_node_new(&pipe.nodes[0], &config), Q2P_OK);
        q2p_node_join(pipe.nodes[0], 0, &seed);
        for (int i = 0; i < 300; i++) {
            snprintf(text, sizeof text, "10.0.%d.%d:5", 1 + i / 100, i % 100);
            pipe_hex(&pipe, 0, text, i % 3 ? "0000 0500" : "0000 0600");
            assert_true(q2p_node_peers(pipe.nodes[0], NULL, 0) <= 3);
            if (i > 100)
                pipe_hex(&pipe, 0, text, "0000 0000");
            assert_true(q2p_node_peers(pipe.nodes[0], NULL, 0) <= 3);
            pipe_hex(&pipe, 0, SEED, "0000 0100 31302e302e302e393a39");
            pipe_hex(&pipe, 0, SEED, "0000 0400 31302e302e302e393a39");
        }
        pipe_hex(&pipe, 0, "10.0.0.9:9", "0000 0500");
        pipe_hex(&pipe, 0, "10.0.0.9:9", "0000 0600");
        assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 3);
        if (!open) /* unasked CONNECTs stored nobody: these came by JOIN */
            assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CONNECT), 0);
        end(&pipe);
    }
}

/* Rows 8, 9, 10: nobody but seeds makes us send anything to a third party. */
static void rows_8_to_10_third_parties_are_left_alone(void **state)
{
    static const char *const messages[] = {"0000 0100 31302e392e392e393a39",
                                           "0000 0400 31302e392e392e393a39",
                                           "0000 0300 31302e392e392e393a39"}; /* 10.9.9.9:9 */
    struct pipe pipe;

    (void)state;
    start(&pipe);
    join_and_answer(&pipe, EVIL);          /* a member by JOIN, but no seed of ours */
    pipe_hex(&pipe, 0, EVIL, "0000 0500"); /* even connected, but nobody vouched for it */
    pipe_forget_log(&pipe);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pipe_hex(&pipe, 0, EVIL, messages[i]), Q2P_ERR_ABSENT);
        assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.5:5", messages[i]), Q2P_ERR_ABSENT);
    }
    assert_int_equal(pipe.log_len, 0);
    pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0000");
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, messages[2]), Q2P_ERR_ABSENT);
    pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0600"); /* it did JOIN, EVIL was asked: now it may */
    pipe_hex(&pipe, 0, "10.0.0.5:5", "0000 0000"); /* a member, but nobody asked it */
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.5:5", messages[2]), Q2P_ERR_ABSENT);
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, messages[2]), Q2P_OK);
    end(&pipe);
}

static void rows_8_and_9_even_a_seed_names_few(void **state)
{
    struct pipe pipe;
    struct q2p_addr seed = pipe_addr(SEED);

    (void)state;
    start(&pipe);
    q2p_node_join(pipe.nodes[0], 0, &seed);
    for (int i = 0; i < 200; i++) {
        struct q2p_message message = {.event = Q2P_EV_TOUCHREQUEST,
                                      .address = {.ip = {10, 9, 9, (uint8_t)i}, .ip_len = 4}};

        message.address.port = 9;
        pipe_message(&pipe, 0, SEED, Q2P_DIALECT_CLASSIC, &message);
    }
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCH), 32); /* answers_max in a second */
    for (int i = 0; i < 50; i++) /* the same one again and again */
        pipe_hex(&pipe, 0, SEED, "0000 0100 31302e392e392e303a39");
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCH), 32);
    end(&pipe);
}

static void row_11_one_join_asks_few_members(void **state)
{
    struct pipe pipe;
    char from[32];

    (void)state;
    start(&pipe);
    for (int i = 0; i < 30; i++) {
        snprintf(from, sizeof from, "10.0.1.%d:5", i);
        join_and_answer(&pipe, from);
        pipe_run(&pipe, pipe.now + Q2P_SECOND);
    }
    pipe_run(&pipe, pipe.now + 10 * Q2P_SECOND);
    for (int i = 0; i < 30; i++) { /* all of them are still there */
        snprintf(from, sizeof from, "10.0.1.%d:5", i);
        pipe_hex(&pipe, 0, from, "0000 0600");
    }
    assert_int_equal(q2p_node_peers(pipe.nodes[0], NULL, 0), 30);
    pipe_forget_log(&pipe);
    pipe_hex(&pipe, 0, EVIL, "0000 0000");
    assert_string_equal(pipe.log, "A>? CONNECT\n"); /* nobody hears of it before it answers */
    pipe_hex(&pipe, 0, EVIL, "0000 0600");
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCHREQUEST), 8);
    for (int i = 0; i < 1000; i++) { /* JOINs of many addresses share one budget */
        snprintf(from, sizeof from, "10.6.%d.%d:6", i / 250, i % 250);
        join_and_answer(&pipe, from);
    }
    assert_in_range(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCHREQUEST), 8, 256);
    end(&pipe);
}

/* Rows 12, 13: only numbers, only addresses where a peer can be. */
static void rows_12_and_13_odd_addresses_are_refused(void **state)
{
    static const char *const odd[] = {
        "",          "garbage",       "10.0.0.9",        "10.0.0.9:0",  "10.0.0.9:99999",
        ":5",        "10.0.0.9:http", "10.0.0.9 :5",     "::1:5",       "255.255.255.255:5",
        "0.0.0.0:5", "224.0.0.1:5",   "10.0.0.2:2",      "localhost:5", "example.org:5",
        "[::]:5",    "[ff02::1]:5",   "10.0.0.9:5555555"};
    struct pipe pipe;
    struct q2p_addr seed = pipe_addr(SEED);
    uint8_t bytes[512];

    (void)state;
    start(&pipe);
    q2p_node_join(pipe.nodes[0], 0, &seed);
    pipe_flush(&pipe);
    pipe_forget_log(&pipe);
    for (uint8_t event = 1; event <= 4; event++) {
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            if (event == 2)
                continue;
            memcpy(bytes, (uint8_t[]){0, 0, event, 0}, 4);
            memcpy(bytes + 4, odd[i], strlen(odd[i]));
            assert_true(pipe_input(&pipe, 0, &seed, bytes, 4 + strlen(odd[i])) < 0);
        }
        memset(bytes + 4, '1', 500);
        if (event != 2)
            assert_int_equal(pipe_input(&pipe, 0, &seed, bytes, 504), Q2P_ERR_ADDRESS);
    }
    assert_int_equal(pipe.log_len, 0);
    end(&pipe);
}

/* Rows 16, 17: lists of strangers, also if they know the key. */
static void rows_16_and_17_a_stranger_gets_no_repairs(void **state)
{
    struct pipe pipe;
    struct q2p_addr peer = pipe_addr("10.0.0.9:9");
    uint8_t *data = pipe_payload(100000);
    uint32_t syns[Q2P_SYNS_MAX];
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT_FAILED, .lost = syns, .lost_count = Q2P_SYNS_MAX};

    (void)state;
    start(&pipe);
    for (uint32_t i = 0; i < Q2P_SYNS_MAX; i++)
        syns[i] = i;
    q2p_node_send(pipe.nodes[0], 0, &peer, data, 100000, &message.hash);
    pipe_run(&pipe, Q2P_SECOND);
    pipe_forget_log(&pipe);
    assert_int_equal(pipe_message(&pipe, 0, EVIL, Q2P_DIALECT_CLASSIC, &message), Q2P_ERR_ABSENT);
    message.hash.bytes[0] ^= 1;
    assert_int_equal(pipe_message(&pipe, 0, "10.0.0.9:9", Q2P_DIALECT_CLASSIC, &message),
                     Q2P_ERR_ABSENT);
    for (uint32_t i = 0; i < Q2P_SYNS_MAX; i++)
        syns[i] = UINT32_MAX - i % 3;
    message.hash.bytes[0] ^= 1;
    assert_int_equal(pipe_message(&pipe, 0, "10.0.0.9:9", Q2P_DIALECT_CLASSIC, &message),
                     Q2P_ERR_SYN);
    assert_int_equal(pipe.log_len, 0);
    pipe_run(&pipe, 20 * Q2P_SECOND);
    end(&pipe);
    free(data);
}

/* Rows 19, 20, 21, 29, 30, 31: a fragment is exactly its share of an open transmission. */
static void rows_19_to_31_only_exact_shares_count(void **state)
{
    struct pipe pipe;
    uint8_t bytes[800];
    struct q2p_addr from = pipe_addr("10.0.0.9:9");
    const struct q2p_counters *counters;

    (void)state;
    start(&pipe);
    counters = q2p_node_counters(pipe.nodes[0]);
    assert_int_equal(pipe_hex(&pipe, 0, "10.0.0.9:9", "0000 0800" KEY "c8030000"),
                     Q2P_OK); /* 968 */
    pipe_forget_log(&pipe);
    for (size_t body = 0; body <= 700; body++) {
        unit_datagram(bytes, sizeof bytes, "0000 0a00" KEY "00000000", 24 + body);
        if (body != 484)
            assert_true(pipe_input(&pipe, 0, &from, bytes, 24 + body) < 0);
    }
    unit_datagram(bytes, sizeof bytes, "0000 0a00" KEY "02000000", 24 + 484); /* beyond the end */
    assert_int_equal(pipe_input(&pipe, 0, &from, bytes, 24 + 484), Q2P_ERR_SYN);
    unit_datagram(bytes, sizeof bytes, "0000 0a00" KEY "ffffffff", 24 + 484);
    assert_true(pipe_input(&pipe, 0, &from, bytes, 24 + 484) < 0);
    assert_int_equal(counters->fragments_in, 0);
    /* classic resend of a transmission that nobody knows; an empty fragment; a contradiction */
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, "0000 0800" KEY "00000000 00000000 61"),
                     Q2P_ERR_ABSENT);
    assert_true(pipe_hex(&pipe, 0, EVIL, "0000 0800" KEY "01000000 00000000") < 0);
    assert_true(pipe_hex(&pipe, 0, EVIL, "0000 0800" KEY "01000000 05000000 61") < 0);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RECEIVING), 1);
    end(&pipe);
}

/* Rows 22, 23, 25 and the flood: announcing costs the announcer more than us. */
static void rows_22_and_23_an_announced_length_costs_nothing(void **state)
{
    struct pipe pipe;
    char from[32];
    uint8_t bytes[24] = {0, 0, 8, 0};
    struct q2p_addr addr;

    (void)state;
    start(&pipe);
    pipe.quiet = true;
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, "0000 0800" KEY "ffffffff"), Q2P_ERR_FULL);
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, "0000 0800" KEY "ffffffff 00000000 61"),
                     Q2P_ERR_SHARE);
    for (uint32_t i = 0; i < 20000; i++) { /* as long as allowed, from a thousand addresses */
        snprintf(from, sizeof from, "10.6.%u.%u:6", (unsigned)(i / 250 % 4), (unsigned)(i % 250));
        addr = pipe_addr(from);
        memcpy(bytes + 4, &i, sizeof i);
        memcpy(bytes + 20, "\0\0\0\4", 4);
        pipe_input(&pipe, 0, &addr, bytes, sizeof bytes);
    }
    assert_true(bytes_peak < 2000000);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->memory_peak, 0);
    pipe_run(&pipe, 20 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RECEIVING), pipe_count(&pipe, 0, Q2P_ON_EXPIRED));
    end(&pipe);
}

static void row_24_many_starts_of_one_address_are_capped(void **state)
{
    struct pipe pipe;
    uint8_t bytes[512] = {0, 0, 8, 0};
    struct q2p_addr from = pipe_addr(EVIL);

    (void)state;
    start(&pipe);
    pipe.quiet = true;
    memcpy(bytes + 20, "\xe8\3\0\0", 4);
    for (uint32_t i = 0; i < 20000; i++) {
        memcpy(bytes + 4, &i, sizeof i);
        pipe_input(&pipe, 0, &from, bytes, sizeof bytes);
        pipe.now += 100 * Q2P_MICROSECOND; /* two seconds in all */
    }
    assert_true(q2p_node_counters(pipe.nodes[0])->memory_peak <= 16 * 968);
    assert_true(bytes_peak < 100000);
    end(&pipe);
}

/* Row 27, 28: the data go to whom they are meant for. In test_q2p_send: the stranger's feedback.
 * Row 32: a stranger's fragment is none of the transmission. */
static void row_32_a_stranger_cannot_poison(void **state)
{
    struct pipe pipe;
    uint8_t bytes[512];
    struct q2p_addr from = pipe_addr("10.0.0.9:9"), evil = pipe_addr(EVIL);

    (void)state;
    start(&pipe);
    pipe_hex(&pipe, 0, "10.0.0.9:9", "0000 0800" KEY "c8030000");
    unit_datagram(bytes, sizeof bytes, "0000 0a00" KEY "01000000", 508);
    assert_int_equal(pipe_input(&pipe, 0, &evil, bytes, 508), Q2P_ERR_ABSENT);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->fragments_in, 0);
    assert_int_equal(pipe_input(&pipe, 0, &from, bytes, 508), Q2P_OK);
    end(&pipe);
}

/* Rows 33, 34: exactly one delivery, whatever comes later; no ghost asks for more. */
static void rows_33_and_34_duplicates_deliver_nothing(void **state)
{
    static const char x[] = "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78";
    struct pipe pipe;

    (void)state;
    start(&pipe);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pipe_hex(&pipe, 0, EVIL, x), Q2P_OK);
    pipe_run(&pipe, 19 * Q2P_SECOND);
    assert_int_equal(pipe_hex(&pipe, 0, EVIL, x), Q2P_OK);
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_DELIVERED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RECEIVING), 1);
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TRANSPORT_FAILED), 0);
    end(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_event_in_any_length),
        cmocka_unit_test(row_2_a_foreign_network_is_answered_at_a_limited_rate),
        cmocka_unit_test(row_4_a_node_without_seeds_takes_a_join),
        cmocka_unit_test(row_5_a_repeated_join_multiplies_nothing),
        cmocka_unit_test(rows_6_and_7_peers_never_exceed_the_limit),
        cmocka_unit_test(rows_8_to_10_third_parties_are_left_alone),
        cmocka_unit_test(rows_8_and_9_even_a_seed_names_few),
        cmocka_unit_test(row_11_one_join_asks_few_members),
        cmocka_unit_test(rows_12_and_13_odd_addresses_are_refused),
        cmocka_unit_test(rows_16_and_17_a_stranger_gets_no_repairs),
        cmocka_unit_test(rows_19_to_31_only_exact_shares_count),
        cmocka_unit_test(rows_22_and_23_an_announced_length_costs_nothing),
        cmocka_unit_test(row_24_many_starts_of_one_address_are_capped),
        cmocka_unit_test(row_32_a_stranger_cannot_poison),
        cmocka_unit_test(rows_33_and_34_duplicates_deliver_nothing),
    };
    return cmocka_run_group_tests_name("q2p_attacks", tests, NULL, NULL);
}
