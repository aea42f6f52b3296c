/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_answer.c - what answers tell of a path: round trip, rate, loss, phases
 * (PROTOCOL.md 6.9). */
#include "one_path.h"

static void leave(q2p_time now, unsigned count)
{
    while (count-- > 0)
        q2p__path_sent(now, path);
}

static bool plain_answer(q2p_time now)
{
    return q2p__path_answered(node, now, path, &(struct q2p_packet){.token = 0});
}

static bool answer(q2p_time now, uint16_t token, uint32_t received)
{
    struct q2p_packet packet = {.token_at = {20, 2}, .received_at = {22, 4}, .token = token};

    packet.received = received;
    return q2p__path_answered(node, now, path, &packet);
}

static void the_first_round_trip_is_taken_as_it_is(void **state)
{
    (void)state;
    start(false);
    assert_int_equal(path->rtt, 50 * MS);
    assert_int_equal(path->rtt_min, 50 * MS);
    assert_int_equal(q2p__path_patience(path), 50 * MS + 4 * (path->rtt_var) + 10 * MS);
    end();
}

static void an_answer_to_nothing_is_none(void **state)
{
    uint16_t token;

    (void)state;
    start(true);
    assert_false(plain_answer(Q2P_SECOND));
    token = q2p__path_probe(node, Q2P_SECOND, path, false)->token;
    assert_false(plain_answer(Q2P_SECOND + MS));
    assert_false(answer(Q2P_SECOND + MS, (uint16_t)(token + 2), 0));
    assert_false(path->contact->proven);
    assert_true(answer(Q2P_SECOND + MS, token, 0));
    assert_true(path->contact->proven);
    assert_false(answer(Q2P_SECOND + MS, token, 0)); /* once */
    end();
}

/* The answer to the one before may only be late: so the next has a key of its own, whose answer
 * can be no other's (Karn). */
static void a_question_asked_again_has_a_key_of_its_own(void **state)
{
    struct q2p_hash key, other = {{1, 2, 3}};
    q2p_time now = Q2P_SECOND;

    (void)state;
    start(false);
    leave(now, 20);
    q2p__path_probe(node, now, path, true);
    assert_false(path->probes[0].alone);
    now += q2p__path_patience(path);
    assert_true(q2p__path_tick(node, now, path));
    assert_int_equal(path->probes_count, 0);
    assert_int_equal(path->contact->probes_lost, 1);
    leave(now, 10);
    q2p__path_probe(node, now, path, true);
    assert_true(path->probes[0].alone);
    q2p__path_key(node, &path->probes[0], &key);
    assert_false(plain_answer(now + MS)); /* of the first one, late, so it was not lost */
    assert_int_equal(path->contact->probes_lost, 0);
    assert_int_equal(path->contact->probes_heard, 1);
    assert_int_equal(path->acked, 0);
    assert_int_equal(path->rtt_min, 50 * MS);
    assert_int_equal(q2p__path_alone(node, now + 30 * MS, path, &other), Q2P_ERR_ABSENT);
    assert_int_equal(q2p__path_alone(node, now + 30 * MS, path, &key), Q2P_OK);
    assert_int_equal(path->rtt_min, 30 * MS);
    assert_int_equal(path->acked, 30);
    assert_int_equal(q2p__path_alone(node, now + 31 * MS, path, &key), Q2P_ERR_ABSENT); /* once */
    q2p__path_probe(node, now + 40 * MS, path, true);
    assert_false(path->probes[0].alone);
    end();
}

/* Standing still for want of an answer is no sign of what the way carries. */
static void a_lost_answer_does_not_lower_the_rate(void **state)
{
    q2p_time now = Q2P_SECOND;
    uint64_t rate;

    (void)state;
    start(false);
    for (int i = 0; i < 20; i++) {
        leave(now, 1000);
        q2p__path_probe(node, now, path, true);
        now += 50 * MS;
        plain_answer(now);
    }
    rate = path->rate;
    for (int i = 0; i < 20; i++) {
        struct q2p_hash key;

        leave(now, 1000);
        q2p__path_probe(node, now, path, true);
        now += q2p__path_patience(path);
        assert_true(q2p__path_tick(node, now, path));
        q2p__path_probe(node, now, path, true);
        now += 50 * MS;
        q2p__path_key(node, &path->probes[0], &key);
        assert_int_equal(q2p__path_alone(node, now, path, &key), Q2P_OK);
    }
    assert_int_equal(path->rate, rate);
    end();
}

static void a_token_tells_it_all_the_same(void **state)
{
    q2p_time now = Q2P_SECOND;
    uint16_t token;

    (void)state;
    start(true);
    leave(now, 1);
    q2p__path_probe(node, now, path, false);
    now += q2p__path_patience(path);
    assert_true(q2p__path_tick(node, now, path));
    token = q2p__path_probe(node, now, path, false)->token;
    answer(now + 20 * MS, token, 1);
    assert_int_equal(path->rtt_min, 20 * MS);
    end();
}

static void an_answer_takes_the_earlier_questions_with_it(void **state)
{
    uint16_t tokens[4];

    (void)state;
    start(true);
    for (int i = 0; i < 4; i++) {
        leave(Q2P_SECOND + i * MS, 10);
        tokens[i] = q2p__path_probe(node, Q2P_SECOND + i * MS, path, false)->token;
    }
    assert_false(answer(Q2P_SECOND + 52 * MS, tokens[2], 30)); /* ten more have left since */
    assert_int_equal(path->probes_count, 1);
    assert_int_equal(path->contact->probes_lost, 2);
    assert_int_equal(path->contact->probes_heard, 1);
    assert_false(answer(Q2P_SECOND + 53 * MS, tokens[1], 30));
    assert_int_equal(path->acked, 30);
    assert_true(answer(Q2P_SECOND + 53 * MS, tokens[3], 40));
    end();
}

static void silence_makes_patient_and_then_gives_up(void **state)
{
    q2p_time now = Q2P_SECOND, before = 0;

    (void)state;
    start(false);
    leave(now, 1);
    for (int i = 0; i < 6; i++) {
        assert_true(q2p__path_patience(path) > before);
        before = q2p__path_patience(path);
        q2p__path_probe(node, now, path, true);
        now += before;
        if (!q2p__path_tick(node, now, path))
            break;
    }
    q2p__path_probe(node, now, path, true);
    assert_false(q2p__path_tick(node, now + 20 * Q2P_SECOND, path)); /* keep_ns is 15 s */
    end();
}

static void who_answered_late_is_given_up_all_the_same(void **state)
{
    q2p_time now = Q2P_SECOND;

    (void)state;
    start(false);
    path->rtt_min = path->rtts_min[0] = Q2P_NEVER;   /* nothing known before */
    q2p__path_opened(now, path, 10 * Q2P_SECOND, 5); /* OPTIONS left 5 times more */
    do {
        q2p__path_probe(node, now, path, true);
        now += q2p__path_patience(path);
    } while (q2p__path_tick(node, now, path));
    assert_in_range(now, 15 * Q2P_SECOND, 60 * Q2P_SECOND);
    end();
}

/* 100 fragments in the 10 ms since the last answer: 512 bytes each. */
static void the_rate_is_what_arrived_in_the_time(void **state)
{
    (void)state;
    start(false);
    leave(Q2P_SECOND, 100);
    q2p__path_probe(node, Q2P_SECOND + MS, path, true);
    assert_true(plain_answer(Q2P_SECOND + 10 * MS));
    assert_int_equal(path->delivered, 100);
    assert_int_equal(path->rate, 100 * 512 * 100);
    end();
}

static void what_is_lost_has_not_arrived(void **state)
{
    (void)state;
    start(false);
    leave(Q2P_SECOND, 100);
    q2p__path_probe(node, Q2P_SECOND + MS, path, true);
    q2p__path_lost(node, Q2P_SECOND + 9 * MS, path, 40);
    plain_answer(Q2P_SECOND + 10 * MS);
    assert_int_equal(path->rate, 60 * 512 * 100);
    end();
}

static void what_the_receiver_counts_is_believed_up_to_what_was_sent(void **state)
{
    uint16_t token;

    (void)state;
    start(true);
    leave(Q2P_SECOND, 100);
    token = q2p__path_probe(node, Q2P_SECOND + MS, path, false)->token;
    answer(Q2P_SECOND + 10 * MS, token, 1000); /* it counts from somewhere */
    assert_int_equal(path->delivered, 100);
    leave(Q2P_SECOND + 10 * MS, 100);
    token = q2p__path_probe(node, Q2P_SECOND + 11 * MS, path, false)->token;
    answer(Q2P_SECOND + 20 * MS, token, 1070); /* 30 are lost */
    assert_int_equal(path->delivered, 170);
    token = q2p__path_probe(node, Q2P_SECOND + 21 * MS, path, false)->token;
    answer(Q2P_SECOND + 30 * MS, token, 900000); /* and a lie */
    assert_int_equal(path->delivered, 200);
    end();
}

/* One round of 10 ms in which so many fragments arrive after a round trip of so long. */
static void turn(q2p_time now, unsigned count, q2p_time rtt_ns)
{
    leave(now, count);
    q2p__path_probe(node, now, path, true);
    plain_answer(now + rtt_ns);
}

static void a_worse_rate_counts_after_a_while_only(void **state)
{
    q2p_time now = Q2P_SECOND;
    uint64_t best;

    (void)state;
    start(false);
    turn(now, 100, 50 * MS);
    best = path->rate;
    for (int i = 1; i <= 4; i++) {
        turn(now + i * 50 * MS, 10, 50 * MS);
        assert_int_equal(path->rate, best);
    }
    for (int i = 5; i <= 15; i++)
        turn(now + i * 50 * MS, 10, 50 * MS);
    assert_true(path->rate < best / 5);
    end();
}

static void who_has_less_to_send_is_not_slow(void **state)
{
    q2p_time now = Q2P_SECOND;
    uint64_t best;

    (void)state;
    start(false);
    turn(now, 100, 50 * MS);
    best = path->rate;
    for (int i = 1; i <= 20; i++) {
        turn(now + i * 50 * MS, 1, 50 * MS);
        q2p__path_idle(node, path);
    }
    assert_true(path->rate == best);
    end();
}

static void a_queue_ends_the_start_and_an_empty_one_begins_the_cruise(void **state)
{
    q2p_time now = Q2P_SECOND;

    (void)state;
    start(false);
    turn(now, 100, 50 * MS);
    assert_int_equal(path->phase, Q2P__PATH_START);
    now += 60 * MS;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(path->phase, Q2P__PATH_START);
        leave(now, 1000);
        q2p__path_probe(node, now, path, true);
        leave(now, i == 0 ? 1000 : 20000);
        now += 70 * MS;
        plain_answer(now); /* 20 ms of queue, and many still under way */
    }
    assert_int_equal(path->phase, Q2P__PATH_DOUBT);
    q2p__path_probe(node, now + MS, path, true);
    leave(now + MS, 20000);
    plain_answer(now += 71 * MS);
    assert_int_equal(path->phase, Q2P__PATH_DRAIN);
    q2p__path_probe(node, now + MS, path, true);
    plain_answer(now + 51 * MS);
    assert_int_equal(path->phase, Q2P__PATH_CRUISE);
    end();
}

static void a_queue_that_comes_and_goes_is_anothers(void **state)
{
    static const unsigned rtts_ms[] = {50, 70, 70, 60, 70, 70, 70, 60};
    static const enum q2p__path_phase phases[] = {Q2P__PATH_START, Q2P__PATH_START, Q2P__PATH_DOUBT,
                                                  Q2P__PATH_START, Q2P__PATH_START, Q2P__PATH_DOUBT,
                                                  Q2P__PATH_DOUBT, Q2P__PATH_DOUBT};
    uint16_t tokens[sizeof phases / sizeof phases[0]];
    q2p_time now = Q2P_SECOND;

    (void)state;
    start(true);
    for (unsigned i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        leave(now + 11 * i * MS, 1000);
        tokens[i] = q2p__path_probe(node, now + 11 * i * MS, path, false)->token;
    }
    leave(now + 90 * MS, 20000);
    for (unsigned i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        if (i == 7) /* no room for more was found, though */
            path->full_rate = path->rate;
        answer(now + (11 * i + rtts_ms[i]) * MS, tokens[i], 1000 * (i + 1));
        assert_int_equal(path->phase, phases[i]);
    }
    end();
}

static void a_rate_that_grows_no_more_ends_the_start(void **state)
{
    q2p_time now = Q2P_SECOND;
    int rounds = 0;

    (void)state;
    start(false);
    for (; path->phase == Q2P__PATH_START && rounds < 20; rounds++, now += 50 * MS)
        turn(now, 100, 50 * MS);
    assert_in_range(rounds, 4, 5); /* one that was faster, three that were not */
    end();
}

static void most_of_a_queue_is_left_by_who_has_it(void **state)
{
    q2p_time now = Q2P_SECOND;

    (void)state;
    start(false);
    while (path->phase != Q2P__PATH_CRUISE) {
        turn(now, 4000, 50 * MS);
        now += 50 * MS;
    }
    assert_false(path->congested);
    turn(now, 4000, 56 * MS); /* 6 ms of 4000 in 50 ms are 480 */
    turn(now + 60 * MS, 4000, 56 * MS);
    assert_true(path->congested);
    turn(now + 120 * MS, 4000, 50 * MS);
    turn(now + 180 * MS, 4000, 50 * MS);
    assert_false(path->congested);
    end();
}

static void in_classic_many_losses_halve_the_rate_and_few_do_not(void **state)
{
    uint64_t rate;

    (void)state;
    start(false);
    q2p__path_classic(node, Q2P_SECOND, path, q2p_wire_fragments(100000));
    rate = path->rate;
    assert_int_equal(rate, node->config.rate_classic);
    leave(Q2P_SECOND, 100);
    q2p__path_lost(node, Q2P_SECOND + 150 * MS, path, 20); /* at once */
    assert_int_equal(path->rate, rate / 2);
    path->rate = rate;
    leave(Q2P_SECOND + 150 * MS, 100);
    q2p__path_lost(node, Q2P_SECOND + 200 * MS, path, 5);
    assert_int_equal(path->rate, rate);
    leave(Q2P_SECOND + 300 * MS, 100);
    q2p__path_lost(node, Q2P_SECOND + 400 * MS, path, 50);
    assert_int_equal(path->rate, rate / 2);
    leave(Q2P_SECOND + 400 * MS, 100);
    q2p__path_lost(node, Q2P_SECOND + 401 * MS, path, 50); /* the same event */
    assert_int_equal(path->rate, rate / 2);
    leave(Q2P_SECOND + 3 * Q2P_SECOND, 1); /* two seconds without */
    assert_int_equal(path->rate, rate / 2 + rate / 4);
    assert_false(q2p__path_wants_probe(path, 10 * Q2P_SECOND));
    q2p__path_opened(20 * Q2P_SECOND, path, 50 * MS, 0); /* it has learned the other dialect */
    assert_int_equal(path->phase, Q2P__PATH_START);
    end();
}

/* How many leave at once, given all the time in the world and no answer. */
static unsigned leaves_without_answer(void)
{
    unsigned count = 0;

    for (; count < 10000 && q2p__path_may_send(node, Q2P_SECOND + count * Q2P_SECOND, path);
         count++)
        q2p__path_sent(Q2P_SECOND + count * Q2P_SECOND, path);
    return count;
}

static void without_an_answer_one_window_leaves(void **state)
{
    (void)state;
    start(false);
    assert_int_equal(leaves_without_answer(), 111);
    assert_true(q2p__path_wants_probe(path, Q2P_SECOND));
    end();
    start(true); /* somebody said that it knows the extension: it was not asked yet */
    assert_int_equal(leaves_without_answer(), 111);
    end();
    start(true);
    path->contact->proven = true;
    q2p__path_adjust(path);
    assert_int_equal(leaves_without_answer(), 504);
    end();
}

/* How many probes leave in the next 200 ms, if nothing is answered. */
static unsigned probes_without_answer(q2p_time now)
{
    for (q2p_time until = now + 200 * MS; now < until; now += MS)
        if (q2p__path_wants_probe(path, now))
            q2p__path_probe(node, now, path, false);
    return path->probes_count;
}

/* All waits for an answer that opens the window, so there is not only one question. */
static void one_lost_probe_does_not_keep_a_full_window_shut(void **state)
{
    (void)state;
    start(true);
    leave(Q2P_SECOND, 111);
    assert_false(q2p__path_may_send(node, Q2P_SECOND, path));
    assert_int_equal(probes_without_answer(Q2P_SECOND), 4);
    end();
    for (unsigned sent = 503; sent <= 504; sent++) {
        start(true);
        path->contact->proven = true;
        q2p__path_adjust(path);
        leave(Q2P_SECOND, sent);
        assert_int_equal(probes_without_answer(Q2P_SECOND), sent == 504 ? 4 : 1);
        end();
    }
}

/* The first of a volley is lost after its own patience, the others are not yet; once they are too,
 * the next volley waits for longer. */
static void a_probe_is_given_up_by_its_own_age(void **state)
{
    q2p_time patience_ns;

    (void)state;
    start(true);
    leave(Q2P_SECOND, 111);
    patience_ns = q2p__path_patience(path);
    assert_int_equal(probes_without_answer(Q2P_SECOND), 4);
    q2p__path_tick(node, Q2P_SECOND + patience_ns, path);
    assert_int_equal(path->probes_count, 3);
    assert_int_equal(path->backoff, 0);
    assert_false(q2p__path_wants_probe(path, Q2P_SECOND + patience_ns));
    q2p__path_tick(node, Q2P_SECOND + patience_ns * 2, path);
    assert_int_equal(path->probes_count, 0);
    assert_int_equal(path->backoff, 1);
    assert_int_equal(path->contact->probes_lost, 4);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_trip_is_taken_as_it_is),
        cmocka_unit_test(an_answer_to_nothing_is_none),
        cmocka_unit_test(a_question_asked_again_has_a_key_of_its_own),
        cmocka_unit_test(a_lost_answer_does_not_lower_the_rate),
        cmocka_unit_test(a_token_tells_it_all_the_same),
        cmocka_unit_test(an_answer_takes_the_earlier_questions_with_it),
        cmocka_unit_test(silence_makes_patient_and_then_gives_up),
        cmocka_unit_test(who_answered_late_is_given_up_all_the_same),
        cmocka_unit_test(the_rate_is_what_arrived_in_the_time),
        cmocka_unit_test(what_is_lost_has_not_arrived),
        cmocka_unit_test(what_the_receiver_counts_is_believed_up_to_what_was_sent),
        cmocka_unit_test(a_worse_rate_counts_after_a_while_only),
        cmocka_unit_test(who_has_less_to_send_is_not_slow),
        cmocka_unit_test(a_queue_ends_the_start_and_an_empty_one_begins_the_cruise),
        cmocka_unit_test(a_queue_that_comes_and_goes_is_anothers),
        cmocka_unit_test(a_rate_that_grows_no_more_ends_the_start),
        cmocka_unit_test(most_of_a_queue_is_left_by_who_has_it),
        cmocka_unit_test(in_classic_many_losses_halve_the_rate_and_few_do_not),
        cmocka_unit_test(without_an_answer_one_window_leaves),
        cmocka_unit_test(one_lost_probe_does_not_keep_a_full_window_shut),
        cmocka_unit_test(a_probe_is_given_up_by_its_own_age),
    };
    return cmocka_run_group_tests_name("q2p_answer", tests, NULL, NULL);
}
