/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_path.c - how fast, how fair and how careful transmissions are on a link. */
#include <stdio.h>

#include "wide_link.h"

#define DRAWS 5

/* So many bytes leave over a link that is set up but for its two nodes. */
static void send_over(struct link *link, unsigned draw, const uint8_t *data, size_t len)
{
    struct q2p_config config;

    config_options(&config);
    link->random += draw * UINT64_C(0x9e3779b97f4a7c15);
    link_add(link, &config);
    link_add(link, &config);
    link->stop = stop_delivered;
    assert_int_equal(q2p_node_send(link->nodes[0], 0, &link->addrs[1], data, len, NULL), Q2P_OK);
}

/* Thousandths of the ceiling that one transmission reached, from its first OPTIONS on. */
static unsigned goodput(size_t len, unsigned loss, unsigned draw)
{
    struct link link;
    uint8_t *data = make_data(len, loss);
    unsigned share;

    link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, loss);
    send_over(&link, draw, data, len);
    link_run(&link, 60 * Q2P_SECOND);
    assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
    assert_in_range(link.ways[0].dropped, 0, LINK_HOLDS); /* whatever was lost on the way */
    share = (unsigned)(len * UINT64_C(1000000000) / CEILING * 1000 / (uint64_t)link.now);
    print_message("%zu bytes, loss %u: %u of 1000, %lld ms, out %llu (+%llu again), dropped %llu, "
                  "answers %llu\n",
                  len, loss, share, (long long)(link.now / Q2P_MILLISECOND),
                  (unsigned long long)link.ways[0].sent,
                  (unsigned long long)q2p_node_counters(link.nodes[0])->fragments_resent,
                  (unsigned long long)link.ways[0].dropped, (unsigned long long)link.ways[1].sent);
    link_free(&link);
    free(data);
    return share;
}

static void thirty_megabytes_use_the_link(void **state)
{
    (void)state;
    assert_in_range(goodput(30000000, 0, 0), 820, 1000);
}

static int compare(const void *a, const void *b)
{
    return (int)*(const unsigned *)a - (int)*(const unsigned *)b;
}

/* What gets lost is drawn anew each time: the worst first. */
static void draw(size_t len, unsigned loss, unsigned shares[DRAWS])
{
    for (unsigned i = 0; i < DRAWS; i++)
        shares[i] = goodput(len, loss, i);
    qsort(shares, DRAWS, sizeof shares[0], compare);
}

static void one_percent_of_loss_costs_little(void **state)
{
    unsigned shares[DRAWS];

    (void)state;
    draw(30000000, 10, shares);
    assert_in_range(shares[DRAWS / 2], 770, 1000);
    assert_in_range(shares[0], shares[DRAWS - 1] * 80 / 100, shares[DRAWS - 1]);
}

static void five_percent_of_loss_cost_less_than_half(void **state)
{
    unsigned shares[DRAWS];

    (void)state;
    draw(30000000, 50, shares);
    assert_in_range(shares[DRAWS / 2], 650, 1000);
    assert_in_range(shares[0], shares[DRAWS - 1] * 80 / 100, shares[DRAWS - 1]);
}

static void ten_megabytes_start_fast(void **state)
{
    (void)state;
    assert_in_range(goodput(10000000, 0, 0), 620, 1000);
}

/* Until it is there, in the slowest of so many draws. */
static q2p_time slowest(unsigned draws, size_t len, q2p_time delay_ns, q2p_time jitter_ns)
{
    uint8_t *data = make_data(len, 0);
    q2p_time worst = 0;

    for (unsigned draw = 0; draw < draws; draw++) {
        struct link link;

        link_init(&link, LINK_RATE, delay_ns, LINK_RATE * 2 * (uint64_t)delay_ns / Q2P_SECOND, 0);
        link.jitter_ns = (uint64_t)jitter_ns;
        send_over(&link, draw, data, len);
        link_run(&link, 20 * Q2P_SECOND);
        if (link.now > worst)
            worst = link.now;
        link_free(&link);
    }
    free(data);
    print_message("%zu bytes, the slowest of %u: %lld ms\n", len, draws,
                  (long long)(worst / Q2P_MILLISECOND));
    return worst;
}

/* Ways of 5 to 25 ms: most answers take longer than the quickest one, and nothing is queued yet. */
static void delays_that_vary_do_not_end_the_start(void **state)
{
    (void)state;
    assert_in_range(slowest(20, 1000000, 15 * Q2P_MILLISECOND, 10 * Q2P_MILLISECOND), 0,
                    300 * Q2P_MILLISECOND);
}

/* Half of it would be under way, if a round trip took no longer than the quickest one. */
static void delays_that_vary_leave_no_way_idle(void **state)
{
    (void)state;
    assert_in_range(slowest(3, 30000000, 15 * Q2P_MILLISECOND, 10 * Q2P_MILLISECOND), 0,
                    2500 * Q2P_MILLISECOND);
}

/* Answers that overtake each other tell of less and less taken in. */
static void answers_out_of_order_show_no_higher_rate(void **state)
{
    (void)state;
    assert_in_range(slowest(4, 5000000, 2 * Q2P_MILLISECOND, 2 * Q2P_MILLISECOND), 0,
                    Q2P_SECOND / 2);
}

/* OPTIONS twice at once, as by a host that was busy for as long as it waits for the answer: with
 * the hash of a large transmission, say. There are two answers, and a probe between them. */
static void an_opening_answered_twice_is_no_short_way(void **state)
{
    struct q2p_config config;
    uint8_t *data = make_data(10000000, 5);

    (void)state;
    for (int extends = 0; extends < 2; extends++) {
        struct link link;

        config_options(&config);
        link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 0);
        link_add(&link, &config);
        config.extend = extends;
        link_add(&link, &config);
        link.stop = stop_delivered;
        assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 10000000, NULL),
                         Q2P_OK);
        link.now = config.retry_ns;
        link_run(&link, 60 * Q2P_SECOND);
        print_message("extends %d: %lld ms\n", extends, (long long)(link.now / Q2P_MILLISECOND));
        assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
        assert_true(link.now - config.retry_ns < (extends ? 1 : 3) * Q2P_SECOND);
        link_free(&link);
    }
    free(data);
}

/* Thousandths: 1000 if two senders get the same in the 10 s from the second's start on. */
static unsigned jain(q2p_time start, const uint8_t *data)
{
    static const size_t len = 400000000;
    struct q2p_config config;
    struct link link;
    uint64_t got[2], sum;
    unsigned index;

    config_options(&config);
    config.verify = false;
    link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 0);
    for (int i = 0; i < 4; i++)
        link_add(&link, &config);
    assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, len, NULL), Q2P_OK);
    link_run(&link, start);
    assert_int_equal(q2p_node_send(link.nodes[2], start, &link.addrs[3], data, len, NULL), Q2P_OK);
    got[0] = q2p_node_counters(link.nodes[1])->fragments_in;
    link_run(&link, start + 10 * Q2P_SECOND);
    got[0] = q2p_node_counters(link.nodes[1])->fragments_in - got[0];
    got[1] = q2p_node_counters(link.nodes[3])->fragments_in;
    sum = got[0] + got[1];
    index = (unsigned)(sum * sum * 1000 / 2 / (got[0] * got[0] + got[1] * got[1]));
    print_message("from %lld ms: %llu, %llu, jain %u of 1000, sum %llu of 1000, dropped %llu\n",
                  (long long)(start / Q2P_MILLISECOND), (unsigned long long)got[0],
                  (unsigned long long)got[1], index,
                  (unsigned long long)(sum * Q2P_FRAGMENT_LEN * 100 / CEILING),
                  (unsigned long long)link.ways[0].dropped);
    assert_true(sum * Q2P_FRAGMENT_LEN * 100 / CEILING >= 850);
    link_free(&link);
    return index;
}

/* What the first one just does when the second begins must not decide. */
static void two_senders_share_a_link(void **state)
{
    uint8_t *data = make_data(400000000, 1);

    (void)state;
    for (int draw = 0; draw < DRAWS; draw++)
        assert_true(jain((1065 + 65 * draw) * Q2P_MILLISECOND, data) >= 900);
    free(data);
}

/* When each fragment left last, and the least time between two of a kind. */
static q2p_time left_at[20000], least_ns;

static bool watch_fragments(struct link *link, const struct q2p_datagram *out)
{
    struct q2p_packet packet;

    q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, out->bytes, out->len, out->len);
    if (packet.event == Q2P_EV_TRANSPORT) {
        assert_true(packet.syn < sizeof left_at / sizeof left_at[0]);
        if (left_at[packet.syn] >= 0 && link->now - left_at[packet.syn] < least_ns)
            least_ns = link->now - left_at[packet.syn];
        left_at[packet.syn] = link->now;
    }
    return false;
}

static void what_is_lost_leaves_again_once_in_a_round_trip(void **state)
{
    struct q2p_config config;
    struct link link;
    uint8_t *data = make_data(5000000, 4);

    (void)state;
    memset(left_at, -1, sizeof left_at);
    least_ns = Q2P_NEVER;
    config_options(&config);
    link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 200);
    link_add(&link, &config);
    link_add(&link, &config);
    link.stop = stop_delivered;
    link.swallow = watch_fragments;
    assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 5000000, NULL), Q2P_OK);
    link_run(&link, 60 * Q2P_SECOND);
    assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
    print_message("again after %lld ms\n", (long long)(least_ns / Q2P_MILLISECOND));
    assert_true(least_ns >= 2 * LINK_DELAY && least_ns < Q2P_SECOND);
    link_free(&link);
    free(data);
}

/* Answers the first OPTIONS and nothing else, and counts the bytes of fragments. */
static size_t swallowed;

static bool swallow_fragments(struct link *link, const struct q2p_datagram *out)
{
    struct q2p_packet packet;

    (void)link;
    q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, out->bytes, out->len, out->len);
    if (packet.event == Q2P_EV_TRANSPORT)
        swallowed += out->len;
    return true;
}

static void who_never_answers_gets_one_window_and_no_more(void **state)
{
    struct q2p_config config;
    struct link link;
    uint8_t feedback[Q2P_DATAGRAM_MAX], *data = make_data(10000000, 3);
    struct q2p_message message = {.event = Q2P_EV_OPTIONSFEEDBACK};
    struct q2p_datagram in = {.bytes = feedback};

    (void)state;
    swallowed = 0;
    config_options(&config);
    link_init(&link, 0, LINK_DELAY, 0, 0);
    link_add(&link, &config);
    link_add(&link, &config);
    link.swallow = swallow_fragments;
    assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 10000000, &message.hash),
                     Q2P_OK);
    link_run(&link, 50 * Q2P_MILLISECOND);
    in.peer = link.addrs[1];
    in.len = (size_t)q2p_wire_write(feedback, sizeof feedback, Q2P_DIALECT_OPTIONS, &message);
    assert_int_equal(q2p_node_input(link.nodes[0], link.now, &in), Q2P_OK);
    link_run(&link, 120 * Q2P_SECOND);
    print_message("%zu bytes of fragments\n", swallowed);
    assert_in_range(swallowed, 50000, 56 * 1024 - 4 * Q2P_EXTENDED_LEN); /* and its probes */
    assert_int_equal(link.counts[0][Q2P_ON_FAILED], 1);
    assert_int_equal(q2p_node_deadline(link.nodes[0]), Q2P_NEVER);
    link_free(&link);
    free(data);
}

static size_t unheard; /* questions after it fell silent */

static bool fall_silent(struct link *link, const struct q2p_datagram *out)
{
    if (link->now < 900 * Q2P_MILLISECOND)
        return false;
    unheard += out->len == Q2P_EXTENDED_LEN;
    return true;
}

static void who_falls_silent_is_asked_less_and_less(void **state)
{
    struct q2p_config config;
    struct link link;
    uint8_t *data = make_data(30000000, 4);

    (void)state;
    unheard = 0;
    config_options(&config);
    link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 0);
    link_add(&link, &config);
    link_add(&link, &config);
    link.swallow = fall_silent;
    assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 30000000, NULL), Q2P_OK);
    link_run(&link, 120 * Q2P_SECOND);
    print_message("%zu questions, failed at %lld ms\n", unheard,
                  (long long)(link.times[0][Q2P_ON_FAILED] / Q2P_MILLISECOND));
    assert_in_range(unheard, 10, 80); /* volleys of four, at doubled distances up to 2 s */
    assert_in_range(link.times[0][Q2P_ON_FAILED], 15 * Q2P_SECOND, 25 * Q2P_SECOND);
    assert_int_equal(q2p_node_deadline(link.nodes[0]), Q2P_NEVER);
    link_free(&link);
    free(data);
}

static void the_sender_learns_that_it_arrived(void **state)
{
    static const size_t lens[] = {0, 1, 484, 485, 100000};
    struct q2p_config config;

    (void)state;
    for (unsigned loss = 0; loss <= 200; loss += 50) {
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            struct link link;
            uint8_t *data = make_data(lens[i] + 1, loss);

            config_options(&config);
            link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, loss);
            link.random += i;
            link_add(&link, &config);
            link_add(&link, &config);
            assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, lens[i], NULL),
                             Q2P_OK);
            link_run(&link, 60 * Q2P_SECOND);
            assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
            assert_int_equal(link.counts[0][Q2P_ON_RELEASED], 1);
            assert_int_equal(link.counts[0][Q2P_ON_FAILED], 0);
            if (loss <= 50 && lens[i] > 0) { /* and soon */
                assert_int_equal(link.counts[0][Q2P_ON_ARRIVED], 1);
                assert_in_range(link.times[0][Q2P_ON_RELEASED], 0, 2 * Q2P_SECOND);
            }
            link_free(&link);
            free(data);
        }
    }
}

/* How often memory is touched per fragment would be a time; turns of the loop are not. */
static void many_transmissions_share_one_rate(void **state)
{
    static const size_t counts[] = {10, 2000};
    struct q2p_config config;

    (void)state;
    for (size_t c = 0; c < 2; c++) {
        struct link link;
        size_t count = counts[c], len = 4000000 / count;
        uint8_t *data = make_data(4000000, 9);

        config_options(&config);
        config.outgoing_max = config.incoming_max = config.incoming_peer_max = 2048;
        link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 0);
        link_add(&link, &config);
        link_add(&link, &config);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(
                q2p_node_send(link.nodes[0], link.now, &link.addrs[1], data + i * len, len, NULL),
                Q2P_OK);
            if (i % 100 == 99)
                link_run(&link, link.now + Q2P_MILLISECOND);
        }
        link_run(&link, 30 * Q2P_SECOND);
        print_message("%zu transmissions: %zu delivered at %lld ms, %llu datagrams out\n", count,
                      link.counts[1][Q2P_ON_DELIVERED],
                      (long long)(link.times[1][Q2P_ON_DELIVERED] / Q2P_MILLISECOND),
                      (unsigned long long)link.ways[0].sent);
        assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], count);
        link_free(&link);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_megabytes_use_the_link),
        cmocka_unit_test(one_percent_of_loss_costs_little),
        cmocka_unit_test(five_percent_of_loss_cost_less_than_half),
        cmocka_unit_test(ten_megabytes_start_fast),
        cmocka_unit_test(delays_that_vary_do_not_end_the_start),
        cmocka_unit_test(delays_that_vary_leave_no_way_idle),
        cmocka_unit_test(answers_out_of_order_show_no_higher_rate),
        cmocka_unit_test(an_opening_answered_twice_is_no_short_way),
        cmocka_unit_test(two_senders_share_a_link),
        cmocka_unit_test(what_is_lost_leaves_again_once_in_a_round_trip),
        cmocka_unit_test(who_never_answers_gets_one_window_and_no_more),
        cmocka_unit_test(who_falls_silent_is_asked_less_and_less),
        cmocka_unit_test(the_sender_learns_that_it_arrived),
        cmocka_unit_test(many_transmissions_share_one_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
