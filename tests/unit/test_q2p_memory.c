/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_q2p_memory.c - every single allocation of a whole life fails once: joining, punching,
 * sending, repairing, receiving, meeting strangers. The node stays whole, and as everything is
 * repeated, it gets there all the same.
 */
#include <q2p/node.h>

#include "pipe.h"
#include "scarce.h"

#define LEN 30000

static bool lose_some(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    (void)datagram;
    return dice_draw(&pipe->random, 10) == 0;
}

/* Repeats a call as an application would. */
#define UNTIL_OK(call)                                                                             \
    do {                                                                                           \
        int status_ = (call);                                                                      \
        int tries_ = 0;                                                                            \
        while (status_ == Q2P_ERR_MEMORY && tries_++ < 1000)                                       \
            status_ = (call);                                                                      \
        assert_int_equal(status_, Q2P_OK);                                                         \
    } while (0)

/* Seeds that do not answer, so that tables grow at other places. */
static size_t dead_seeds;

/* Whether all came about although some allocation failed. */
static void live(enum q2p_dialect dialect)
{
    uint8_t *data = pipe_payload(LEN);
    const struct q2p_addr addr = pipe_addr("10.0.0.2:2");
    struct q2p_config config;
    struct pipe pipe;

    q2p_config_init(&config);
    config.dialect = dialect;
    pipe_init(&pipe);
    pipe.quiet = true;
    pipe.lose = lose_some;
    pipe_add(&pipe, "10.0.0.1:1", &config);
    config.alloc = alloc; /* only this one has the bad memory */
    pipe.addrs[pipe.nodes_count++] = addr;
    UNTIL_OK(q2p_node_new(&pipe.nodes[1], &config));
    UNTIL_OK(q2p_node_own(pipe.nodes[1], &addr));
    config.alloc.resize = NULL;
    pipe_add(&pipe, "10.0.0.3:3", &config);
    for (size_t i = 0; i < dead_seeds; i++) {
        struct q2p_addr dead = {.ip = {10, 9, 0, (uint8_t)(1 + i)}, .port = 1, .ip_len = 4};

        UNTIL_OK(q2p_node_join(pipe.nodes[1], 0, &dead));
    }
    UNTIL_OK(q2p_node_join(pipe.nodes[1], 0, &pipe.addrs[0]));
    UNTIL_OK(q2p_node_join(pipe.nodes[2], 0, &pipe.addrs[0]));
    UNTIL_OK(q2p_node_join(pipe.nodes[2], 0, &pipe.addrs[1])); /* so it is a seed, too */
    pipe_run(&pipe, Q2P_SECOND);
    UNTIL_OK(q2p_node_send(pipe.nodes[1], pipe.now, &pipe.addrs[2], data, LEN, NULL));
    UNTIL_OK(q2p_node_send(pipe.nodes[2], pipe.now, &pipe.addrs[1], data, LEN - 1, NULL));
    UNTIL_OK(q2p_node_send(pipe.nodes[0], pipe.now, &pipe.addrs[1], data, 100, NULL));
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 2, Q2P_ON_DELIVERED), 1);
    /* a classic transmission of one fragment that is not taken in is lost, and nobody can know */
    assert_in_range(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1, 2);
    assert_memory_equal(pipe_find(&pipe, 2, Q2P_ON_DELIVERED, 0)->what.data, data, LEN);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(q2p_node_peers(pipe.nodes[i], NULL, 0), 2 + (i == 1 ? dead_seeds : 0));
    pipe_free(&pipe);
    assert_int_equal(bytes_held, 0);
    free(data);
}

static void any_allocation_may_fail(void (*life)(enum q2p_dialect), enum q2p_dialect dialect,
                                    long count)
{
    long total;

    allocations_left = LONG_MAX;
    life(dialect);
    total = LONG_MAX - allocations_left;
    assert_true(total > 10);
    for (long fail_at = 0; fail_at < total; fail_at++) {
        allocations_left = fail_at;
        refusals_left = count;
        life(dialect);
    }
}

static void any_allocation_may_fail_in_classic(void **state)
{
    (void)state;
    any_allocation_may_fail(live, Q2P_DIALECT_CLASSIC, 1);
}

static void any_allocation_may_fail_in_options(void **state)
{
    (void)state;
    any_allocation_may_fail(live, Q2P_DIALECT_OPTIONS, 1);
}

static void several_in_a_row_may_fail(void **state)
{
    (void)state;
    any_allocation_may_fail(live, Q2P_DIALECT_OPTIONS, 4);
}

static void any_allocation_may_fail_wherever_tables_grow(void **state)
{
    (void)state;
    for (dead_seeds = 1; dead_seeds <= 8; dead_seeds++)
        any_allocation_may_fail(live, dead_seeds % 2 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC,
                                1);
    dead_seeds = 0;
}

#define KEY "000102030405060708090a0b0c0d0e0f"
#define SEED "10.0.0.1:1"

/* What a node does for those it does not know, and where it is sent to. */
static void meet(enum q2p_dialect dialect)
{
    static const char *const said[][2] = {
        {"10.6.6.1:6", "3412 0000"},                             /* another network */
        {"10.6.6.3:6", "0000 0800 " KEY "00000000"},             /* only asks */
        {"10.6.6.4:6", "0000 0800 " KEY "c8030000"},             /* OPTIONS */
        {"10.6.6.5:6", "0000 0800 " KEY "01000000 00000000 61"}, /* classic, corrupt */
        {"10.6.6.6:6", "0000 0000"},                             /* JOIN */
        {SEED, "0000 0100 31302e302e302e393a39"},                /* to 10.0.0.9:9 */
        {SEED, "0000 0400 31302e302e302e383a39"},                /* to 10.0.0.8:9 */
        {"10.0.0.8:10", "0000 0200"},                            /* ... by another port */
        {SEED, "0000 0400 3139382e35312e3130302e393a39"},        /* to 198.51.100.9:9 */
        {"10.1.1.1:9", "0000 0500"},                             /* ... by a hairpin */
        {SEED, "3412 0700 41"}};                                 /* and why not */
    struct q2p_config config;
    struct pipe pipe;
    struct q2p_addr seed = pipe_addr(SEED);

    q2p_config_init(&config);
    config.dialect = dialect;
    config.alloc = alloc;
    pipe_init(&pipe);
    pipe.addrs[pipe.nodes_count++] = pipe_addr("10.0.0.2:2");
    UNTIL_OK(q2p_node_new(&pipe.nodes[0], &config));
    UNTIL_OK(q2p_node_own(pipe.nodes[0], &pipe.addrs[0]));
    UNTIL_OK(q2p_node_join(pipe.nodes[0], 0, &seed));
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        int status = pipe_hex(&pipe, 0, said[i][0], said[i][1]);

        for (int tries = 0; status == Q2P_ERR_MEMORY && tries < 9; tries++) {
            pipe_run(&pipe, pipe.now + Q2P_SECOND); /* some answers are so rare */
            status = pipe_hex(&pipe, 0, said[i][0], said[i][1]);
        }
        if (status != Q2P_OK)
            fail_msg("%s: %s", said[i][1], q2p_status_text(status));
    }
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_RECEIVING), 2);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_CORRUPT), 1);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->memory, 0);
    pipe_free(&pipe);
    assert_int_equal(bytes_held, 0);
}

static void any_allocation_for_strangers_may_fail(void **state)
{
    (void)state;
    any_allocation_may_fail(meet, Q2P_DIALECT_CLASSIC, 1);
    any_allocation_may_fail(meet, Q2P_DIALECT_OPTIONS, 3);
}

/* An application that resends, and a list so long that it is told in nine parts. */
static void resend(enum q2p_dialect dialect)
{
    enum { FRAGMENTS = 1000 };
    uint8_t *data = pipe_payload(FRAGMENTS * Q2P_FRAGMENT_LEN);
    uint8_t list[20 + 4 * FRAGMENTS] = {0};
    struct q2p_addr peer = pipe_addr("10.0.0.9:9");
    struct q2p_message answer = {.event = Q2P_EV_OPTIONSFEEDBACK};
    const uint32_t syns[] = {0, 7, 999};
    struct q2p_config config;
    struct pipe pipe;
    int status;

    q2p_config_init(&config);
    config.dialect = dialect;
    config.repair = config.probe = false;
    config.alloc = alloc;
    pipe_init(&pipe);
    pipe.addrs[pipe.nodes_count++] = pipe_addr("10.0.0.2:2");
    UNTIL_OK(q2p_node_new(&pipe.nodes[0], &config));
    UNTIL_OK(
        q2p_node_send(pipe.nodes[0], 0, &peer, data, FRAGMENTS * Q2P_FRAGMENT_LEN, &answer.hash));
    list[2] = (uint8_t)q2p_event_number(dialect, Q2P_EV_TRANSPORT_FAILED);
    memcpy(list + 4, &answer.hash, Q2P_HASH_LEN);
    for (uint32_t syn = 0; syn < FRAGMENTS; syn++)
        memcpy(list + 20 + 4 * syn, (uint8_t[]){(uint8_t)syn, (uint8_t)(syn >> 8), 0, 0}, 4);
    if (dialect == Q2P_DIALECT_OPTIONS)
        UNTIL_OK(pipe_message(&pipe, 0, "10.0.0.9:9", dialect, &answer));
    pipe_run(&pipe, Q2P_SECOND);
    pipe_forget_log(&pipe);
    do
        status = q2p_node_resend(pipe.nodes[0], pipe.now, &peer, &answer.hash, syns, 3);
    while (status == Q2P_ERR_MEMORY);
    assert_int_equal(status, 3);
    UNTIL_OK(pipe_input(&pipe, 0, &peer, list, sizeof list));
    assert_in_range(pipe_count(&pipe, 0, Q2P_ON_LOST), 8, 9);
    pipe_run(&pipe, 2 * Q2P_SECOND);
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TRANSPORT), 3);
    pipe_free(&pipe);
    assert_int_equal(bytes_held, 0);
    free(data);
}

static void any_allocation_for_lists_may_fail(void **state)
{
    (void)state;
    any_allocation_may_fail(resend, Q2P_DIALECT_CLASSIC, 1);
    any_allocation_may_fail(resend, Q2P_DIALECT_OPTIONS, 1);
}

/* Both ends short of memory all the time: each call may fail, nothing leaks, and all comes to rest.
 */
static void *fail_often(void *ctx, void *old, size_t old_len, size_t new_len)
{
    if (dice_draw(ctx, 4) == 0 && new_len > 0)
        return NULL;
    return scarce_resize(NULL, old, old_len, new_len);
}

static void both_ends_may_be_short_of_memory(void **state)
{
    uint8_t *data = pipe_payload(60000);

    (void)state;
    allocations_left = LONG_MAX;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t random = seed;
        struct q2p_config config;
        struct pipe pipe;

        q2p_config_init(&config);
        config.dialect = seed % 2 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC;
        config.alloc = (struct q2p_alloc){&random, fail_often};
        pipe_init(&pipe);
        pipe.quiet = true;
        pipe.lose = lose_some;
        for (size_t i = 0; i < 2; i++) {
            pipe.addrs[pipe.nodes_count++] = pipe_addr(i ? "10.0.0.2:2" : "10.0.0.1:1");
            UNTIL_OK(q2p_node_new(&pipe.nodes[i], &config));
            UNTIL_OK(q2p_node_own(pipe.nodes[i], &pipe.addrs[i]));
        }
        UNTIL_OK(q2p_node_join(pipe.nodes[1], 0, &pipe.addrs[0]));
        UNTIL_OK(q2p_node_send(pipe.nodes[0], 0, &pipe.addrs[1], data, 60000, NULL));
        UNTIL_OK(q2p_node_send(pipe.nodes[1], 0, &pipe.addrs[0], data, 50000, NULL));
        pipe_run(&pipe, 120 * Q2P_SECOND);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(q2p_node_counters(pipe.nodes[i])->memory, 0);
            assert_int_equal(
                pipe_count(&pipe, i, Q2P_ON_RELEASED) + pipe_count(&pipe, i, Q2P_ON_FAILED), 1);
            assert_in_range(pipe_count(&pipe, i, Q2P_ON_DELIVERED), 0, 1);
        }
        pipe_free(&pipe);
        assert_int_equal(bytes_held, 0);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail_in_classic),
        cmocka_unit_test(any_allocation_may_fail_in_options),
        cmocka_unit_test(several_in_a_row_may_fail),
        cmocka_unit_test(any_allocation_may_fail_wherever_tables_grow),
        cmocka_unit_test(any_allocation_for_strangers_may_fail),
        cmocka_unit_test(any_allocation_for_lists_may_fail),
        cmocka_unit_test(both_ends_may_be_short_of_memory),
    };
    return cmocka_run_group_tests_name("q2p_memory", tests, NULL, NULL);
}
