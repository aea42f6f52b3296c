/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_report.c - lists of what is missing: when, what, how many, and how it ends. */
#include <q2p/node.h>

#include "link.h"
#include "pipe.h"

#define PEER "10.0.0.9:9"

static struct q2p_config config;

static void start(struct pipe *pipe)
{
    pipe_init(pipe);
    pipe_add(pipe, "10.0.0.1:1", &config);
}

static int fragment(struct pipe *pipe, uint32_t length, uint32_t syn)
{
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {.event = Q2P_EV_TRANSPORT,
                                  .hash = {{1, 2, 3}},
                                  .length = length,
                                  .syn = syn,
                                  .body = body,
                                  .body_len = q2p_wire_share(length, syn)};

    return pipe_message(pipe, 0, PEER, Q2P_DIALECT_CLASSIC, &message);
}

/* The lists sent so far as text: "seconds:syn,syn seconds:-" (- is the empty one). */
static const char *lists(const struct pipe *pipe, char out[512])
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < pipe->queue_end; i++) {
        struct q2p_packet packet;
        double seconds = (double)(pipe->queue[i].at - PIPE_DELAY_NS) / (double)Q2P_SECOND;

        assert_int_equal(pipe_read(&pipe->queue[i], &packet), Q2P_OK);
        assert_int_equal(packet.event, Q2P_EV_TRANSPORT_FAILED);
        at += (size_t)snprintf(out + at, 512 - at, "%s%.1f:%s", at ? " " : "", seconds,
                               packet.lost_count ? "" : "-");
        for (uint32_t k = 0; k < packet.lost_count; k++)
            at += (size_t)snprintf(out + at, 512 - at, "%s%u", k ? "," : "",
                                   (unsigned)q2p_wire_lost(&packet, pipe->queue[i].bytes, k));
    }
    return out;
}

/* Six fragments, of which only the one numbered 2 arrives: the timers of the original, measured. */
static void the_original_lists_and_ends_at_these_times(void **state)
{
    static const struct {
        q2p_time lost, timeout;
        const char *sent;
    } rows[] = {
        {6, 5, "6.0:0,1,3,4,5 6.0:-"},
        {3, 10, "3.0:0,1,3,4,5 6.0:0,1,3,4,5 9.0:0,1,3,4,5 12.0:0,1,3,4,5 12.0:-"},
        {1, 4, "1.0:0,1,3,4,5 2.0:0,1,3,4,5 3.0:0,1,3,4,5 4.0:0,1,3,4,5 4.0:-"},
        {2, 3, "2.0:0,1,3,4,5 4.0:0,1,3,4,5 4.0:-"},
        {4, 2, "4.0:0,1,3,4,5 4.0:-"},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pipe pipe;

        q2p_config_init(&config);
        q2p_config_original(&config);
        config.lost_ns = rows[i].lost * Q2P_SECOND;
        config.timeout_ns = rows[i].timeout * Q2P_SECOND;
        start(&pipe);
        assert_int_equal(fragment(&pipe, 2900, 2), Q2P_OK);
        pipe_run(&pipe, 60 * Q2P_SECOND);
        assert_string_equal(lists(&pipe, text), rows[i].sent);
        assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
        pipe_free(&pipe);
    }
}

static void by_default_it_ends_ten_seconds_after_the_last_progress(void **state)
{
    struct pipe pipe;
    const struct pipe_told *told;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    fragment(&pipe, 2900, 2);
    pipe_run(&pipe, 9 * Q2P_SECOND);
    fragment(&pipe, 2900, 0);
    fragment(&pipe, 2900, 0); /* a duplicate is no progress */
    pipe_run(&pipe, 18900 * Q2P_MILLISECOND);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 0);
    fragment(&pipe, 2900, 2);
    pipe_run(&pipe, 60 * Q2P_SECOND);
    told = pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 0);
    assert_int_equal(told->at, 19 * Q2P_SECOND);
    assert_int_equal(told->what.missing, 4);
    assert_int_equal(told->what.syns_count, 4);
    assert_int_equal(told->what.syns[0], 1);
    assert_int_equal(told->what.syns[3], 5);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->memory, 0);
    assert_int_equal(q2p_node_deadline(pipe.nodes[0]), Q2P_NEVER);
    pipe_free(&pipe);
}

static void while_fragments_come_only_gaps_are_listed(void **state)
{
    struct pipe pipe;
    char text[512];

    (void)state;
    q2p_config_init(&config);
    config.early = false; /* the regular rounds alone */
    start(&pipe);
    fragment(&pipe, 2900, 0);
    pipe_run(&pipe, 400 * Q2P_MILLISECOND);
    fragment(&pipe, 2900, 2); /* 3 to 5 may still be on their way */
    pipe_run(&pipe, 600 * Q2P_MILLISECOND);
    assert_string_equal(lists(&pipe, text), "0.5:1");
    pipe_run(&pipe, 1100 * Q2P_MILLISECOND);
    assert_string_equal(lists(&pipe, text), "0.5:1 1.0:1,3,4,5");
    pipe_free(&pipe);
}

static void a_round_is_a_few_full_datagrams_lowest_first(void **state)
{
    struct pipe pipe;
    struct q2p_packet packet;
    uint32_t expected = 0;

    (void)state;
    q2p_config_init(&config);
    config.early = false; /* the regular rounds alone */
    start(&pipe);
    for (uint32_t syn = 4000; syn < 4100; syn++)
        fragment(&pipe, 2000000, syn);
    pipe_run(&pipe, 500 * Q2P_MILLISECOND);
    assert_int_equal(pipe.queue_end, 8);
    for (size_t i = 0; i < 8; i++) {
        pipe_read(&pipe.queue[i], &packet);
        assert_int_equal(pipe.queue[i].len, 512);
        assert_int_equal(packet.lost_count, 123);
        for (uint32_t k = 0; k < 123; k++)
            assert_int_equal(q2p_wire_lost(&packet, pipe.queue[i].bytes, k), expected++);
    }
    pipe_free(&pipe);
}

/* Somebody with a forged address must not make us send more than three bytes for one. */
static void never_more_than_three_bytes_for_one(void **state)
{
    struct pipe pipe;
    size_t in = 0, out = 0;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    pipe_hex(&pipe, 0, PEER, "0000 0800 000102030405060708090a0b0c0d0e0f 00000004"); /* 64 MiB */
    in += 24;
    pipe_run(&pipe, 60 * Q2P_SECOND);
    for (size_t i = 0; i < pipe.queue_end; i++)
        out += pipe.queue[i].len;
    assert_true(out <= 3 * in);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
    assert_int_equal(pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 0)->what.syns_count, 123);
    pipe_forget_log(&pipe);
    pipe.queue_end = pipe.queue_first = 0;
    in = out = 0;
    fragment(&pipe, 60000000, 5);
    in += 512;
    pipe_run(&pipe, 120 * Q2P_SECOND);
    for (size_t i = 0; i < pipe.queue_end; i++)
        out += pipe.queue[i].len;
    assert_in_range(out, 1000, 3 * in);
    pipe_free(&pipe);
}

static void a_late_tick_makes_one_round_of_many(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    config.early = false; /* the regular rounds alone */
    start(&pipe);
    fragment(&pipe, 2900, 2);
    pipe.now = 5200 * Q2P_MILLISECOND; /* the machine slept */
    q2p_node_tick(pipe.nodes[0], pipe.now);
    pipe_flush(&pipe);
    assert_int_equal(pipe.queue_end, 1);
    assert_int_equal(q2p_node_deadline(pipe.nodes[0]), 5500 * Q2P_MILLISECOND);
    pipe_free(&pipe);
}

static void while_it_ends_nothing_more_is_taken(void **state)
{
    struct pipe pipe;
    struct q2p_datagram out;

    (void)state;
    q2p_config_init(&config);
    config.early = false; /* the regular rounds alone */
    start(&pipe);
    fragment(&pipe, 2900, 2);
    pipe_run(&pipe, 9900 * Q2P_MILLISECOND);
    pipe.now = 10 * Q2P_SECOND;
    q2p_node_tick(pipe.nodes[0], pipe.now); /* given up; its last lists are not fetched yet */
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->expired, 1);
    pipe_listen(&pipe, 0);
    {
        uint8_t body[Q2P_FRAGMENT_LEN] = {0}, bytes[Q2P_DATAGRAM_MAX];
        struct q2p_message message = {.event = Q2P_EV_TRANSPORT,
                                      .hash = {{1, 2, 3}},
                                      .length = 2900,
                                      .body = body,
                                      .body_len = 484};
        struct q2p_datagram in = {pipe_addr(PEER), bytes, 512};

        q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_CLASSIC, &message);
        assert_int_equal(q2p_node_input(pipe.nodes[0], pipe.now, &in), Q2P_ERR_ABSENT);
    }
    assert_int_equal(q2p_node_output(pipe.nodes[0], pipe.now, &out), 1);
    assert_int_equal(out.len, 20 + 4 * 5);
    assert_int_equal(q2p_node_output(pipe.nodes[0], pipe.now, &out), 1);
    assert_int_equal(out.len, 20);
    assert_int_equal(q2p_node_output(pipe.nodes[0], pipe.now, &out), 0);
    pipe_free(&pipe);
}

/* ---- early lists; a round trip is taken for 100 ms as long as nothing else is known ---- */

#define LENGTH 29000 /* 60 fragments */

/* At this time this one comes. */
static void comes(struct pipe *pipe, unsigned ms, uint32_t syn)
{
    pipe_run(pipe, ms * Q2P_MILLISECOND);
    fragment(pipe, LENGTH, syn);
}

static void begins(struct pipe *pipe)
{
    q2p_config_init(&config);
    start(pipe);
    comes(pipe, 0, 0);
}

/* When this one is listed first, in ms after `since`. */
static unsigned listed_after(struct pipe *pipe, unsigned since, uint32_t syn)
{
    pipe_run(pipe, (since + 400) * Q2P_MILLISECOND);
    for (size_t i = 0; i < pipe->queue_end; i++) {
        struct q2p_packet packet;

        assert_int_equal(pipe_read(&pipe->queue[i], &packet), Q2P_OK);
        for (uint32_t k = 0; k < packet.lost_count; k++)
            if (q2p_wire_lost(&packet, pipe->queue[i].bytes, k) == syn)
                return (unsigned)((pipe->queue[i].at - PIPE_DELAY_NS) / Q2P_MILLISECOND) - since;
    }
    return 0;
}

static void a_hole_is_listed_after_a_sixteenth_of_a_round_trip(void **state)
{
    struct pipe pipe;

    (void)state;
    begins(&pipe);
    comes(&pipe, 10, 2);
    comes(&pipe, 12, 4); /* soon after the first hole: listed as late after that one's list */
    assert_int_equal(listed_after(&pipe, 10, 1), 6);
    assert_int_equal(listed_after(&pipe, 10, 3), 12);
    pipe_free(&pipe);
}

static void where_one_came_late_others_get_a_quarter_and_then_as_long(void **state)
{
    static const struct {
        unsigned late, wait;
    } rows[] = {{2, 25}, {5, 25}, {20, 25}, {28, 35}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pipe pipe;

        begins(&pipe);
        comes(&pipe, 10, 2);
        comes(&pipe, 10 + rows[i].late, 1); /* the last two were asked for, a moment ago */
        comes(&pipe, 50, 4);
        assert_int_equal(listed_after(&pipe, 50, 3), rows[i].wait);
        pipe_free(&pipe);
    }
}

static void what_comes_a_round_trip_after_its_list_was_lost(void **state)
{
    struct pipe pipe;

    (void)state;
    begins(&pipe);
    comes(&pipe, 10, 2);
    comes(&pipe, 116, 1);
    comes(&pipe, 150, 4);
    assert_int_equal(listed_after(&pipe, 150, 3), 6);
    pipe_free(&pipe);
}

static void patience_has_a_bound(void **state)
{
    struct pipe pipe;

    (void)state;
    begins(&pipe);
    for (uint32_t i = 0; i < 8; i++) { /* later and later, always before its repair can be here */
        comes(&pipe, 300 * i + 10, 3 * i + 3);
        comes(&pipe, 300 * i + 10 + 20 * (i + 1), 3 * i + 2);
        comes(&pipe, 300 * i + 200, 3 * i + 1);
    }
    comes(&pipe, 2400, 40);
    assert_in_range(listed_after(&pipe, 2400, 39), 75, 120); /* a round trip */
    pipe_free(&pipe);
}

static void what_is_late_no_more_is_forgotten(void **state)
{
    struct pipe pipe;

    (void)state;
    begins(&pipe);
    comes(&pipe, 10, 2);
    comes(&pipe, 12, 1);
    for (uint32_t i = 0; i < 40; i++)
        comes(&pipe, 100 + 100 * i, 3 + i);
    comes(&pipe, 4100, 44);
    assert_int_equal(listed_after(&pipe, 4100, 43), 6);
    pipe_free(&pipe);
}

/* ---- the first round trip; the end is listed after two, and 10 ms ---- */

static uint32_t length = LENGTH;

static void options_come(struct pipe *pipe, unsigned ms, bool extended)
{
    struct q2p_message message = {.event = Q2P_EV_OPTIONS,
                                  .hash = {{1, 2, 3}},
                                  .length = length,
                                  .extended = extended,
                                  .token = 7};

    pipe_run(pipe, ms * Q2P_MILLISECOND);
    pipe_message(pipe, 0, PEER, Q2P_DIALECT_OPTIONS, &message);
}

static void options_fragment(struct pipe *pipe, unsigned ms, uint32_t syn)
{
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {.event = Q2P_EV_TRANSPORT,
                                  .hash = {{1, 2, 3}},
                                  .syn = syn,
                                  .body = body,
                                  .body_len = sizeof body};

    pipe_run(pipe, ms * Q2P_MILLISECOND);
    pipe_message(pipe, 0, PEER, Q2P_DIALECT_OPTIONS, &message);
}

static void the_first_fragment_tells_the_round_trip(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    options_come(&pipe, 0, false);
    options_fragment(&pipe, 20, 0);
    assert_int_equal(listed_after(&pipe, 20, 59), 50);
    pipe_free(&pipe);
}

static void who_knows_us_asks_again_because_an_answer_was_lost(void **state)
{
    struct pipe pipe;

    (void)state;
    q2p_config_init(&config);
    start(&pipe);
    options_come(&pipe, 0, false);
    options_come(&pipe, 1, true);
    options_come(&pipe, 70, false);
    options_fragment(&pipe, 90, 0);
    assert_int_equal(listed_after(&pipe, 90, 59), 50);
    pipe_free(&pipe);
}

/* A stranger asks again after 110 ms in any case; until it has heard that we know the extension. */
static void of_a_stranger_its_first_question_tells(void **state)
{
    struct pipe pipe;

    (void)state;
    for (int asks = 0; asks < 2; asks++) {
        q2p_config_init(&config);
        start(&pipe);
        options_come(&pipe, 0, false);
        options_come(&pipe, 110, false);
        options_fragment(&pipe, 130, 0);
        if (asks)
            options_come(&pipe, 150, true);
        assert_int_equal(listed_after(&pipe, 130, 59), asks ? 50 : 210);
        pipe_free(&pipe);
    }
}

/* An original sends again at once all that is listed; who knows the extension paces it. */
static void who_paces_is_told_of_more_at_a_time(void **state)
{
    (void)state;
    for (int paces = 0; paces < 2; paces++) {
        struct pipe pipe;
        size_t before;

        q2p_config_init(&config);
        start(&pipe);
        length = 20000000;
        options_come(&pipe, 0, false);
        length = LENGTH;
        if (paces)
            options_come(&pipe, 10, true);
        for (uint32_t syn = 0; syn < 100; syn++)
            options_fragment(&pipe, 20, syn);
        options_fragment(&pipe, 21, 20000);
        before = pipe.queue_end;
        pipe_run(&pipe, 25 * Q2P_MILLISECOND);
        assert_int_equal(pipe.queue_end - before, paces ? 64 : 8);
        pipe_free(&pipe);
    }
}

/* 10 to 30 ms each way, and nothing is lost. */
static void what_was_overtaken_is_not_asked_for(void **state)
{
    uint64_t again = 0, out = 0;
    uint8_t *data = test_calloc(1, 3000000);

    (void)state;
    for (unsigned draw = 0; draw < 10; draw++) {
        struct link link;

        q2p_config_init(&config);
        config.dialect = Q2P_DIALECT_OPTIONS;
        config.rate = 0;
        link_init(&link, 25000000, 20 * Q2P_MILLISECOND, 4000000, 0);
        link.jitter_ns = 10 * Q2P_MILLISECOND;
        link.random += draw * UINT64_C(0x9e3779b97f4a7c15);
        link_add(&link, &config);
        link_add(&link, &config);
        q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, draw % 2 ? 3000000 : 100000, NULL);
        link_run(&link, 20 * Q2P_SECOND);
        assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
        again += q2p_node_counters(link.nodes[0])->fragments_resent;
        out += q2p_node_counters(link.nodes[0])->fragments_out;
        link_free(&link);
    }
    print_message("%llu of %llu sent again\n", (unsigned long long)again, (unsigned long long)out);
    assert_in_range(again, 0, out / 100);
    test_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_original_lists_and_ends_at_these_times),
        cmocka_unit_test(by_default_it_ends_ten_seconds_after_the_last_progress),
        cmocka_unit_test(while_fragments_come_only_gaps_are_listed),
        cmocka_unit_test(a_round_is_a_few_full_datagrams_lowest_first),
        cmocka_unit_test(never_more_than_three_bytes_for_one),
        cmocka_unit_test(a_late_tick_makes_one_round_of_many),
        cmocka_unit_test(while_it_ends_nothing_more_is_taken),
        cmocka_unit_test(a_hole_is_listed_after_a_sixteenth_of_a_round_trip),
        cmocka_unit_test(where_one_came_late_others_get_a_quarter_and_then_as_long),
        cmocka_unit_test(what_comes_a_round_trip_after_its_list_was_lost),
        cmocka_unit_test(patience_has_a_bound),
        cmocka_unit_test(what_is_late_no_more_is_forgotten),
        cmocka_unit_test(what_was_overtaken_is_not_asked_for),
        cmocka_unit_test(the_first_fragment_tells_the_round_trip),
        cmocka_unit_test(who_knows_us_asks_again_because_an_answer_was_lost),
        cmocka_unit_test(of_a_stranger_its_first_question_tells),
        cmocka_unit_test(who_paces_is_told_of_more_at_a_time),
    };
    return cmocka_run_group_tests_name("q2p_report", tests, NULL, NULL);
}
