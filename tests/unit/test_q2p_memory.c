/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_q2p_memory.c - every single allocation of a whole life fails once: joining, punching,
 * sending, repairing, receiving. The node stays whole, and as everything is repeated, it gets
 * there all the same.
 */
#include <q2p/node.h>

#include "pipe.h"

static long allocations, fail_at, fail_count;
static size_t bytes_held;

static void *fail_once(void *ctx, void *old, size_t old_len, size_t new_len)
{
    (void)ctx;
    if (new_len > 0) {
        long n = allocations++;

        if (n >= fail_at && n < fail_at + fail_count)
            return NULL;
    }
    bytes_held += new_len - old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

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
static void live(enum q2p_dialect dialect, const uint8_t *data, size_t len)
{
    const struct q2p_addr addr = pipe_addr("10.0.0.2:2");
    struct q2p_config config;
    struct pipe pipe;

    q2p_config_init(&config);
    config.dialect = dialect;
    pipe_init(&pipe);
    pipe.quiet = true;
    pipe.lose = lose_some;
    pipe_add(&pipe, "10.0.0.1:1", &config);
    config.alloc.resize = fail_once; /* only this one has the bad memory */
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
    UNTIL_OK(q2p_node_send(pipe.nodes[1], pipe.now, &pipe.addrs[2], data, len, NULL));
    UNTIL_OK(q2p_node_send(pipe.nodes[2], pipe.now, &pipe.addrs[1], data, len - 1, NULL));
    UNTIL_OK(q2p_node_send(pipe.nodes[0], pipe.now, &pipe.addrs[1], data, 100, NULL));
    pipe_run(&pipe, 60 * Q2P_SECOND);
    assert_int_equal(pipe_count(&pipe, 2, Q2P_ON_DELIVERED), 1);
    /* a classic transmission of one fragment that is not taken in is lost, and nobody can know */
    assert_in_range(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1, 2);
    assert_memory_equal(pipe_find(&pipe, 2, Q2P_ON_DELIVERED, 0)->what.data, data, len);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(q2p_node_peers(pipe.nodes[i], NULL, 0), 2 + (i == 1 ? dead_seeds : 0));
    pipe_free(&pipe);
    assert_int_equal(bytes_held, 0);
}

static void any_allocation_may_fail(enum q2p_dialect dialect, long count)
{
    uint8_t *data = pipe_payload(30000);
    long total;

    allocations = 0;
    bytes_held = 0;
    fail_at = -1;
    fail_count = 0;
    live(dialect, data, 30000);
    total = allocations;
    assert_true(total > 25);
    fail_count = count;
    for (fail_at = 0; fail_at < total; fail_at++) {
        allocations = 0;
        live(dialect, data, 30000);
    }
    free(data);
}

static void any_allocation_may_fail_in_classic(void **state)
{
    (void)state;
    any_allocation_may_fail(Q2P_DIALECT_CLASSIC, 1);
}

static void any_allocation_may_fail_in_options(void **state)
{
    (void)state;
    any_allocation_may_fail(Q2P_DIALECT_OPTIONS, 1);
}

static void several_in_a_row_may_fail(void **state)
{
    (void)state;
    any_allocation_may_fail(Q2P_DIALECT_OPTIONS, 4);
}

static void any_allocation_may_fail_wherever_tables_grow(void **state)
{
    (void)state;
    for (dead_seeds = 1; dead_seeds <= 8; dead_seeds++)
        any_allocation_may_fail(dead_seeds % 2 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC, 1);
    dead_seeds = 0;
}

/* Both ends short of memory all the time: each call may fail, nothing leaks, and all comes to rest.
 */
static void *fail_often(void *ctx, void *old, size_t old_len, size_t new_len)
{
    uint64_t *random = ctx;

    if (dice_draw(random, 4) == 0 && new_len > 0)
        return NULL;
    bytes_held += new_len - old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

static void both_ends_may_be_short_of_memory(void **state)
{
    uint8_t *data = pipe_payload(60000);

    (void)state;
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
        cmocka_unit_test(both_ends_may_be_short_of_memory),
    };
    return cmocka_run_group_tests_name("q2p_memory", tests, NULL, NULL);
}
