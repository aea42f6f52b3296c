/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sweep.c - results in order whoever makes them, parts that make the whole, crashes. */
#define _GNU_SOURCE /* mkstemp */
#include "scenario.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim_world.h"
#include "swarm.h"
#include "sweep.h"

#define LOSSY                                                                                      \
    "until: 5s\n"                                                                                  \
    "protocol: {profile: original}\n"                                                              \
    "nodes: {a: {at: 192.0.2.1:1}, b: {at: 192.0.2.2:1, joins: a}}\n"                              \
    "default: {loss: 50%}\n"                                                                       \
    "expect: [{peers: 1, at: a}]\n"

struct seen {
    uint64_t runs, passed, hash, crashed;
    uint64_t numbers[500];
};

static void take(void *ctx, uint64_t run, const struct sweep_result *result)
{
    struct seen *seen = ctx;
    seen->numbers[seen->runs++] = run;
    seen->passed += result->ok;
    seen->crashed += result->state == SWEEP_CRASHED;
    seen->hash = sim_mix(seen->hash, result->trace_hash);
    assert_true(result->ok == (*result->why == '\0'));
}

static struct seen sweep(const struct scenario *variants, uint32_t count, unsigned jobs,
                         uint32_t shard, uint32_t shards)
{
    struct seen seen = {0};
    struct sweep_plan plan = {.variants = variants,
                              .variants_count = count,
                              .seed = 1,
                              .seeds = 100,
                              .shard = shard,
                              .shards = shards,
                              .jobs = jobs,
                              .result = take,
                              .ctx = &seen};
    assert_true(sweep_run(&plan));
    return seen;
}

static void any_number_of_jobs_gives_the_same(void **state)
{
    (void)state;
    struct scenario scenario;
    load(&scenario, LOSSY);
    struct seen one = sweep(&scenario, 1, 1, 0, 1), seven = sweep(&scenario, 1, 7, 0, 1);
    assert_memory_equal(&one, &seven, sizeof one);
    assert_int_equal(one.runs, 100);
    assert_true(one.passed > 25 && one.passed < 75);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(one.numbers[i], i);
    struct seen part = sweep(&scenario, 1, 2, 1, 3);
    assert_int_equal(part.runs, 33);
    assert_int_equal(part.numbers[32], 97);
    scn_free(&scenario);
}

static void a_run_that_crashes_is_a_result(void **state)
{
    (void)state;
    struct scenario scenarios[3];
    struct scn_node *nodes;
    load(&scenarios[0], LOSSY);
    scenarios[1] = scenarios[2] = scenarios[0];
    nodes = scenarios[0].nodes.items;
    signal(SIGSEGV, SIG_DFL);        /* cmocka's would go on with the next test, in the worker */
    scenarios[1].nodes.items = NULL; /* the runs of this one crash */
    struct seen seen = sweep(scenarios, 3, 2, 0, 25); /* 4 runs of each */
    assert_int_equal(seen.runs, 12);
    assert_int_equal(seen.crashed, 4);
    assert_int_equal(seen.numbers[11], 275);
    scenarios[0].nodes.items = nodes;
    scn_free(&scenarios[0]);
}

static void a_swarm_leaves_the_scenario_as_it_was(void **state)
{
    (void)state;
    struct scenario scenario;
    struct sweep_result before = {0}, swarm = {0}, after = {0};
    load(&scenario, LOSSY);
    sweep_one(&scenario, 3, false, &before);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sweep_result again = {0};
        memset(&swarm, 0, sizeof swarm);
        sweep_one(&scenario, seed, true, &swarm);
        sweep_one(&scenario, seed, true, &again);
        assert_memory_equal(&swarm, &again, sizeof swarm);
        assert_true(swarm.ok); /* expectations do not count */
    }
    sweep_one(&scenario, 3, false, &after);
    assert_memory_equal(&before, &after, sizeof before);
    scn_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_jobs_gives_the_same),
        cmocka_unit_test(a_run_that_crashes_is_a_result),
        cmocka_unit_test(a_swarm_leaves_the_scenario_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
