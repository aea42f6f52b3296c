/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_passes.c - how often and when fragments leave to originals, which cannot ask for what is
 * lost in time, and in classic can die of what comes at the wrong time (PROTOCOL.md 6.9). */
#include "one_path.h"

static void who_cannot_ask_gets_passes_for_what_may_be_lost(void **state)
{
    (void)state;
    start(false);
    assert_int_equal(q2p__path_passes(path, 10000, 5),
                     1); /* perhaps it can, and did not say so yet */
    path->acked = 1;
    assert_int_equal(q2p__path_passes(path, 10000, 5), 3); /* 1 % may well be: 100, 1, 0.01 */
    assert_int_equal(q2p__path_passes(path, 100, 5), 2);
    assert_int_equal(q2p__path_passes(path, 5, 5), 1);
    path->contact->probes_lost = 1;
    path->contact->probes_heard = 100;
    assert_int_equal(q2p__path_passes(path, 10000, 8), 4); /* perhaps 3.9 %: 390, 15, 0.6, 0.02 */
    assert_int_equal(q2p__path_passes(path, 10000, 3), 3);
    path->contact->probes_heard = 9;
    assert_int_equal(q2p__path_passes(path, 10000, 8), 5); /* so few say little: 5 % */
    assert_int_equal(q2p__path_passes(path, 1, 5), 1);
    path->contact->extends = true; /* that one asks in time */
    assert_int_equal(q2p__path_passes(path, 10000, 5), 1);
    end();
}

static void many_answers_tell_how_many_passes_are_enough(void **state)
{
    static const struct {
        uint16_t lost, heard;
        unsigned passes;
    } rows[] = {{0, 400, 3},   {0, 2200, 3},   {0, 2600, 2},   {1, 2400, 3},
                {40, 1960, 3}, {195, 1805, 5}, {380, 1620, 6}, {1000, 1000, 8}};

    (void)state;
    start(false);
    path->acked = 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        path->contact->probes_lost = rows[i].lost;
        path->contact->probes_heard = rows[i].heard;
        assert_int_equal(q2p__path_passes(path, 20662, 8), rows[i].passes);
    }
    end();
}

/* Answers to OPTIONS of one transmission look the same, and an original remembers all others. */
static void what_only_counts_is_settled_by_the_next_answer_that_is_known(void **state)
{
    struct q2p_packet packet = {.event = Q2P_EV_OPTIONSFEEDBACK};
    struct q2p_hash key;

    (void)state;
    start(false);
    assert_false(q2p__path_wants_count(path));
    path->sent = 16;
    assert_false(q2p__path_wants_count(path)); /* nothing was answered yet: it may be one of ours */
    path->acked = 1;
    assert_true(q2p__path_wants_count(path));
    for (int i = 0; i < 10; i++)
        q2p__path_ask(path);
    assert_false(q2p__path_wants_count(path));
    q2p__path_probe(node, Q2P_SECOND, path, true);
    assert_true(path->probes[0].alone);
    for (int i = 0; i < 7; i++)
        q2p__path_answered(node, Q2P_SECOND + 50 * MS, path, &packet);
    assert_int_equal(path->acked, 1);
    assert_int_equal(path->contact->probes_heard, 0);
    q2p__path_key(node, &path->probes[0], &key);
    assert_int_equal(q2p__path_alone(node, Q2P_SECOND + 50 * MS, path, &key), Q2P_OK);
    assert_int_equal(path->acked, 16);
    assert_int_equal(path->contact->probes_heard, 8);
    assert_int_equal(path->contact->probes_lost, 3);
    path->rtt_min = 100 * Q2P_MICROSECOND;
    path->sent = 100;
    assert_false(q2p__path_wants_count(path)); /* on one host nothing depends on it */
    end();
}

static void over_a_long_way_several_probes_are_under_way(void **state)
{
    q2p_time now = Q2P_SECOND + MS;
    struct q2p_hash key;

    (void)state;
    start(false);
    path->sent = 13;
    assert_true(q2p__path_wants_probe(path, now));
    q2p__path_probe(node, now, path, true);
    assert_false(path->probes[0].alone);
    path->sent += 16;
    assert_false(q2p__path_wants_probe(path, now + 6 * MS));
    assert_true(q2p__path_wants_probe(path, now + 7 * MS)); /* an eighth of 50 ms */
    q2p__path_probe(node, now + 7 * MS, path, true);
    assert_true(path->probes[1].alone); /* its answer shall not be taken for the first one's */
    q2p__path_key(node, &path->probes[1], &key);
    assert_int_equal(q2p__path_alone(node, now + 60 * MS, path, &key), Q2P_OK);
    assert_int_equal(path->acked, 29);
    assert_int_equal(path->probes_count, 0);
    assert_int_equal(path->contact->probes_lost, 1);
    end();
}

static void over_a_short_way_a_probe_leaves_each_half_window(void **state)
{
    struct q2p_packet packet = {.event = Q2P_EV_OPTIONSFEEDBACK};

    (void)state;
    start(false);
    path->rtt_min = 100 * Q2P_MICROSECOND;
    path->sent = 13;
    q2p__path_probe(node, Q2P_SECOND, path, true);
    path->sent = 100;
    assert_false(q2p__path_wants_probe(path, Q2P_SECOND + MS)); /* one at a time */
    q2p__path_answered(node, Q2P_SECOND + MS, path, &packet);
    path->probed = path->sent - path->window / 2 + 1;
    assert_false(q2p__path_wants_probe(path, Q2P_SECOND + MS));
    path->probed--;
    assert_true(q2p__path_wants_probe(path, Q2P_SECOND + MS));
    q2p__path_probe(node, Q2P_SECOND, path, true);
    assert_false(path->probes[0].alone);
    end();
}

/* Whether or not something else is on the way there. */
static void where_the_round_trip_is_known_options_are_repeated_sooner(void **state)
{
    (void)state;
    for (int ended = 0; ended < 2; ended++) {
        struct q2p_datagram out;
        struct q2p_addr peer;

        start(false);
        peer = path->contact->addr;
        path->contact->dialect = Q2P_DIALECT_OPTIONS;
        if (ended)
            q2p__path_leave(node, path);
        assert_int_equal(q2p_node_send(node, Q2P_SECOND, &peer, "hello", 5, NULL), Q2P_OK);
        assert_int_equal(q2p_node_output(node, Q2P_SECOND, &out), 1);
        assert_int_equal(out.len, 24);
        /* 50, four times 18.75, 10 */
        assert_int_equal(q2p_node_deadline(node), Q2P_SECOND + 135 * MS);
        if (ended)
            q2p_node_free(node);
        else
            end();
    }
}

static void on_one_host_nothing_is_lost_unless_it_shows(void **state)
{
    (void)state;
    start(false);
    path->rtt_min = 100 * Q2P_MICROSECOND;
    path->contact->probes_lost = 9; /* a busy host */
    assert_int_equal(q2p__path_passes(path, 10000, 5), 1);
    path->contact->fell_short = 1;
    path->contact->probes_lost = 0;
    assert_int_equal(q2p__path_passes(path, 10000, 8), 5);
    path->contact->lacked = 100; /* a tenth, perhaps an eighth: 1250, 156, 20, 2.4, 0.3, 0.04 */
    assert_int_equal(q2p__path_passes(path, 10000, 8), 6);
    path->contact->fell_short = 0;
    assert_int_equal(q2p__path_passes(path, 10000, 8), 1);
    end();
}

static void what_was_lost_long_ago_counts_less(void **state)
{
    (void)state;
    start(false);
    q2p__path_count(path, 100, 1000);
    q2p__path_count(path, 0, 8000);
    assert_int_equal(path->contact->probes_lost, 50);
    assert_int_equal(path->contact->probes_heard, 4500);
    end();
}

/* It walks what its timer ends after 6 s, and dies of what its program takes in meanwhile. */
static void in_classic_nothing_leaves_while_a_timer_of_the_original_is_due(void **state)
{
    static const struct {
        q2p_time at;
        bool may;
    } rows[] = {{5899 * MS, true}, {5900 * MS, false}, {6299 * MS, false}, {6300 * MS, true},
                {7399 * MS, true}, {7400 * MS, false}, {7799 * MS, false}, {7800 * MS, true}};

    (void)state;
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path, 1);
    q2p__path_opens(Q2P_SECOND, path, 1);
    q2p__path_opens(Q2P_SECOND + 1500 * MS, path, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        q2p_time now = Q2P_SECOND + rows[i].at;

        assert_int_equal(q2p__path_may_send(node, now, path), rows[i].may);
        if (!rows[i].may) /* and it is woken when that is over */
            assert_int_equal(path->timer.at, rows[i].at < 7 * Q2P_SECOND ? Q2P_SECOND + 6300 * MS
                                                                         : Q2P_SECOND + 7800 * MS);
    }
    end();
}

static void in_classic_what_is_long_leaves_within_four_seconds(void **state)
{
    (void)state;
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path, q2p_wire_fragments(10000000));
    assert_in_range(path->rate, 10000000 / 4 * 512 / 484, 10000000 / 4 * 512 / 484 + 512);
    end();
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path,
                      q2p_wire_fragments(1000000000)); /* cannot be in time anyway */
    assert_int_equal(path->rate, 16 << 20);
    end();
}

/* That nothing was listed in time says something of what is under way, not of the next one. */
static void in_classic_each_has_the_rate_that_it_needs(void **state)
{
    uint32_t fragments = q2p_wire_fragments(10000000);
    struct q2p__link one;
    uint64_t rate;

    (void)state;
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path, fragments);
    rate = path->rate;
    q2p__path_sent(Q2P_SECOND + 6000 * MS - 1, path); /* an original would say nothing so far */
    assert_int_equal(path->rate, rate);
    q2p__path_sent(Q2P_SECOND + 6000 * MS, path);
    assert_int_equal(path->rate, rate * 3 / 2);
    q2p__list_init(&one);
    q2p__list_append(&path->sending, &one);
    q2p__path_classic(node, Q2P_SECOND + 6000 * MS, path, fragments); /* beside another */
    assert_int_equal(path->rate, rate * 3 / 2 + rate);
    q2p__list_drop(&one);
    q2p__path_classic(node, Q2P_SECOND + 6000 * MS, path, fragments); /* alone */
    assert_int_equal(path->rate, rate);
    end();
}

/* It makes room for all when the first one comes, while its socket holds 166 datagrams. */
static void in_classic_who_makes_room_for_a_long_one_gets_no_more_than_a_window(void **state)
{
    unsigned left = 0;

    (void)state;
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path, q2p_wire_fragments(10000000));
    for (q2p_time now = Q2P_SECOND; now < Q2P_SECOND + 20 * MS; now += MS / 10) {
        for (; q2p__path_may_send(node, now, path); left++) {
            if (left == 0)
                q2p__path_opens(now, path, q2p_wire_fragments(10000000));
            q2p__path_sent(now, path);
        }
    }
    assert_in_range(left, 100, 111);
    end();
}

static void a_timer_is_not_forgotten_for_later_ones(void **state)
{
    (void)state;
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path, 1);
    for (int i = 0; i < 8; i++)
        q2p__path_opens(Q2P_SECOND + i * 800 * MS, path, 1);
    assert_false(q2p__path_may_send(node, Q2P_SECOND + 6000 * MS, path));
    assert_int_equal(path->timer.at, Q2P_SECOND + 6300 * MS);
    end();
}

/* The first fragment is listed, and left again when this says. */
static q2p_time repair(q2p_time now, const struct q2p_hash *hash)
{
    const uint32_t first = 0;
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT_FAILED, .hash = *hash, .lost = &first, .lost_count = 1};
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    int len = q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_CLASSIC, &message);
    struct q2p_datagram datagram = {path->contact->addr, bytes, (size_t)len};

    assert_int_equal(q2p_node_input(node, now, &datagram), Q2P_OK);
    while (q2p_node_output(node, now, &datagram) == 0) {
        now = q2p_node_deadline(node);
        q2p_node_tick(node, now);
    }
    return now;
}

/* Where an original has given up, and that was lost, a repair opens it anew, and its timer, too. */
static void in_classic_a_repair_may_open_what_was_given_up(void **state)
{
    static const struct {
        q2p_time listed_at, left_at;
        bool opens;
    } rows[] = {{3001 * MS, 3001 * MS, false}, {6001 * MS, 6300 * MS, true}};
    uint8_t data[500] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct q2p_datagram out;
        struct q2p_hash hash;

        start(false);
        assert_int_equal(
            q2p_node_send(node, Q2P_SECOND, &path->contact->addr, data, sizeof data, &hash),
            Q2P_OK);
        while (q2p_node_output(node, Q2P_SECOND, &out) == 1)
            ;
        assert_int_equal(repair(Q2P_SECOND + rows[i].listed_at, &hash),
                         Q2P_SECOND + rows[i].left_at);
        assert_int_equal(q2p__path_may_send(node, Q2P_SECOND + rows[i].left_at + 6000 * MS, path),
                         !rows[i].opens);
        assert_int_equal(q2p_node_cancel(node, &path->contact->addr, &hash), Q2P_OK);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_ask_gets_passes_for_what_may_be_lost),
        cmocka_unit_test(many_answers_tell_how_many_passes_are_enough),
        cmocka_unit_test(what_only_counts_is_settled_by_the_next_answer_that_is_known),
        cmocka_unit_test(over_a_long_way_several_probes_are_under_way),
        cmocka_unit_test(over_a_short_way_a_probe_leaves_each_half_window),
        cmocka_unit_test(where_the_round_trip_is_known_options_are_repeated_sooner),
        cmocka_unit_test(on_one_host_nothing_is_lost_unless_it_shows),
        cmocka_unit_test(what_was_lost_long_ago_counts_less),
        cmocka_unit_test(in_classic_nothing_leaves_while_a_timer_of_the_original_is_due),
        cmocka_unit_test(a_timer_is_not_forgotten_for_later_ones),
        cmocka_unit_test(in_classic_a_repair_may_open_what_was_given_up),
        cmocka_unit_test(in_classic_what_is_long_leaves_within_four_seconds),
        cmocka_unit_test(in_classic_each_has_the_rate_that_it_needs),
        cmocka_unit_test(in_classic_who_makes_room_for_a_long_one_gets_no_more_than_a_window),
    };

    return cmocka_run_group_tests_name("q2p_passes", tests, NULL, NULL);
}
