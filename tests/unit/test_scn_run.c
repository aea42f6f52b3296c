/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_scn_run.c - runs as functions of file and seed, and oracles that can fail. */
#define _GNU_SOURCE /* mkstemp */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scn_run.h"

#define TWO_PEERS                                                                                  \
    "until: 10s\n"                                                                                 \
    "nodes:\n"                                                                                     \
    "  a: {at: 192.0.2.1:1}\n"                                                                     \
    "  b: {at: 192.0.2.2:1, joins: a}\n"
#define REST                                                                                       \
    "default: {delay: 10ms..30ms, loss: 10%}\n"                                                    \
    "script: [{at: 1s, send: {from: b, to: a, size: 20KiB, as: x}}]\n"                             \
    "expect: [{delivered: x}]\n"

static void start(struct scn_run *run, const struct scenario *scenario, uint64_t seed)
{
    assert_null(scn_run_init(run, scenario, seed));
}

static uint64_t trace_of(const char *text, uint64_t seed, uint64_t *first_host)
{
    struct scenario scenario;
    struct scn_run run;
    load(&scenario, text);
    start(&run, &scenario, seed);
    scn_run_play(&run, Q2P_NEVER);
    assert_true(scn_run_judge(&run));
    assert_true(run.fates[NET_FATE_LOST] > 0);
    *first_host = run.hosts[0].host.trace;
    uint64_t out = run.trace_hash;
    scn_run_free(&run);
    scn_free(&scenario);
    return out;
}

static void a_run_is_a_function_of_file_and_seed(void **state)
{
    (void)state;
    uint64_t host;
    uint64_t once = trace_of(TWO_PEERS REST, 1, &host);
    assert_true(trace_of(TWO_PEERS REST, 1, &host) == once);
    assert_true(trace_of(TWO_PEERS REST, 2, &host) != once);
}

/* 600 nodes have more events than a plain heap is used for. */
static void another_queue_gives_the_same_run(void **state)
{
    (void)state;
    uint64_t hashes[2];
    for (int plain = 0; plain <= 1; plain++) {
        struct scenario scenario;
        struct scn_run run;
        load(&scenario, "until: 2s\ndefault: {delay: 5ms..50ms, loss: 5%}\nnodes:\n"
                        "  seed: {at: 203.0.113.1:10000}\n"
                        "  node: {at: 10.0.0.1:10001, count: 600, joins: seed}\n");
        start(&run, &scenario, 1);
        run.world.queue.plain = plain;
        scn_run_play(&run, Q2P_NEVER);
        assert_true(scn_run_judge(&run));
        assert_true((run.world.queue.days_count > 0) == !plain);
        hashes[plain] = run.trace_hash;
        scn_run_free(&run);
        scn_free(&scenario);
    }
    assert_true(hashes[0] == hashes[1]);
}

static void another_node_changes_nobodys_luck(void **state)
{
    (void)state;
    uint64_t without, with;
    trace_of(TWO_PEERS REST, 1, &without);
    trace_of(TWO_PEERS "  c: {at: 192.0.2.3:1}\n  d: {at: 192.0.2.4:1, joins: c}\n" REST, 1, &with);
    assert_true(with == without);
}

static void playing_in_slices_is_the_same_run(void **state)
{
    (void)state;
    struct scenario scenario;
    struct scn_run run;
    uint64_t host, whole = trace_of(TWO_PEERS REST, 3, &host);
    load(&scenario, TWO_PEERS REST);
    start(&run, &scenario, 3);
    for (q2p_time t = 0; t <= 10 * Q2P_SECOND; t += 7 * Q2P_MILLISECOND)
        scn_run_play(&run, t);
    scn_run_play(&run, Q2P_NEVER);
    scn_run_judge(&run);
    assert_true(run.trace_hash == whole);
    assert_int_equal(run.world.now, 10 * Q2P_SECOND);
    scn_run_free(&run);
    scn_free(&scenario);
}

/* Plays with something turned wrong behind the judge's back, so that the oracle must speak. */
static void assert_violation(void (*spoil)(struct scenario *, struct scn_run *),
                             const char *beginning)
{
    struct scenario scenario;
    struct scn_run run;
    load(&scenario, TWO_PEERS REST);
    start(&run, &scenario, 1);
    spoil(&scenario, &run);
    scn_run_play(&run, Q2P_NEVER);
    assert_false(scn_run_judge(&run));
    if (strncmp(run.violation, beginning, strlen(beginning)) != 0)
        fail_msg("the oracle says: %s", run.violation);
    scn_run_free(&run);
    scn_free(&scenario);
}

static void spoil_nothing_sent(struct scenario *scenario, struct scn_run *run)
{
    (void)scenario;
    run->hosts[0].number = 1; /* a delivers as if it were b */
}

static void spoil_limit(struct scenario *scenario, struct scn_run *run)
{
    (void)run;
    scenario->nodes.items[0].protocol.config.peers_max = 0;
}

static void spoil_twice(struct scenario *scenario, struct scn_run *run)
{
    (void)scenario;
    run->transfers[0].delivered_ns = 0;
}

static void spoil_oversize(struct scenario *scenario, struct scn_run *run)
{
    (void)scenario;
    run->hosts[1].host.oversize = 1;
}

static void spoil_rest(struct scenario *scenario, struct scn_run *run)
{
    (void)scenario;
    run->hosts[1].host.restless = true;
    run->transfers[0].data[0] = 0;
}

static void spoil_arrived(struct scenario *scenario, struct scn_run *run)
{
    (void)scenario;
    run->transfers[0].arrived = malloc(16); /* freed with the run */
    memset(run->transfers[0].arrived, 0xff, 16);
}

/* The way is cut while some of it is there: the receiver gives up. */
static void spoil_count(struct scenario *scenario, struct scn_run *run)
{
    scenario->until_ns = 60 * Q2P_SECOND;
    scn_run_play(run, Q2P_SECOND + 15 * Q2P_MILLISECOND);
    net_set_default(&run->net, &(struct net_link_config){.cut = true});
    assert_true(run->transfers[0].arrived_count > 0);
    run->transfers[0].arrived_count++;
}

static void spoil_memory(struct scenario *scenario, struct scn_run *run)
{
    (void)run;
    scenario->nodes.items[0].protocol.config.memory_max = 4000;
}

static void spoil_end(struct scenario *scenario, struct scn_run *run)
{
    scenario->until_ns = 1000 * Q2P_SECOND;
    run->hosts[1].number = 0; /* what b tells of its sending is taken for a's */
}

static void oracles_speak_when_something_is_wrong(void **state)
{
    (void)state;
    assert_violation(spoil_nothing_sent, "delivered is what was sent: b got");
    assert_violation(spoil_limit, "peers within the limit: a has 1 of 0");
    assert_violation(spoil_twice, "delivered once: a got 'x' again");
    assert_violation(spoil_oversize, "no datagram over 512 bytes: b made 1");
    assert_violation(spoil_rest, "time goes on: b asks");
    assert_violation(spoil_arrived, "lists name what is missing: a lists ");
    assert_violation(spoil_count, "who gives up says what is missing: a says ");
    assert_violation(spoil_memory, "memory within its bound: a held ");
    assert_violation(spoil_end, "transmissions end: 'x' is still held by b");
}

static void altered_bytes_are_noticed(void **state)
{
    (void)state;
    struct scenario scenario;
    struct scn_run run;
    load(&scenario, TWO_PEERS REST);
    start(&run, &scenario, 1);
    scn_run_play(&run, Q2P_SECOND + 5 * Q2P_MILLISECOND); /* sent, not there yet */
    uint8_t *real = run.transfers[0].data, *other = calloc(1, 20480);
    memcpy(other, real, 20480);
    other[20479] ^= 1;
    run.transfers[0].data = other;
    scn_run_play(&run, Q2P_NEVER);
    assert_false(scn_run_judge(&run));
    assert_string_equal(run.violation, "delivered is what was sent: a got 'x' altered");
    run.transfers[0].data = real;
    free(other);
    scn_run_free(&run);
    scn_free(&scenario);
}

static void a_send_that_the_node_refuses_has_failed(void **state)
{
    (void)state;
    struct scenario scenario;
    struct scn_run run;
    load(&scenario, "protocol: {outgoing-max: 1}\n" TWO_PEERS "script:\n"
                    "  - {at: 1s, send: {from: b, to: a, size: 20KiB, as: x}}\n"
                    "  - {at: 1s, send: {from: b, to: a, size: 20KiB, as: y}}\n"
                    "expect: [{delivered: x}, {failed: y, before: 1s}, {delivered: y}]\n");
    start(&run, &scenario, 1);
    scn_run_play(&run, Q2P_NEVER);
    assert_false(scn_run_judge(&run));
    assert_true(run.verdicts[0].ok);
    assert_true(run.verdicts[1].ok);
    assert_false(run.verdicts[2].ok);
    assert_string_equal(run.verdicts[2].why, "table is at its configured limit at 1000 ms");
    scn_run_free(&run);
    scn_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_a_function_of_file_and_seed),
        cmocka_unit_test(another_queue_gives_the_same_run),
        cmocka_unit_test(another_node_changes_nobodys_luck),
        cmocka_unit_test(playing_in_slices_is_the_same_run),
        cmocka_unit_test(oracles_speak_when_something_is_wrong),
        cmocka_unit_test(a_send_that_the_node_refuses_has_failed),
        cmocka_unit_test(altered_bytes_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
