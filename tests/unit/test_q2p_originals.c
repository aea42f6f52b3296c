/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_originals.c - what originals get over a link that loses, which cannot ask in time. */
#include <stdio.h>

#include "q2p_contact.h"
#include "wide_link.h"

/* Of ten transmissions to a receiver as the original, without extension and early lists, whose
 * first list comes too late: how many arrive, once, within so many attempts? */
static unsigned arrive(enum q2p_dialect dialect, size_t len, unsigned loss, int attempts)
{
    struct q2p_config config, original;
    unsigned delivered = 0;

    for (unsigned seed = 0; seed < 10; seed++) {
        struct link link;
        uint8_t *data = make_data(len, seed);

        config_options(&config);
        config_options(&original);
        config.dialect = original.dialect = dialect;
        q2p_config_original(&original);
        link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, loss);
        link.random += seed * 77;
        link_add(&link, &config);
        link_add(&link, &original);
        for (int i = 0; i < attempts && link.counts[1][Q2P_ON_DELIVERED] == 0; i++) {
            q2p_node_send(link.nodes[0], link.now, &link.addrs[1], data, len, NULL);
            link_run(&link, link.now + 20 * Q2P_SECOND);
        }
        assert_in_range(q2p_node_counters(link.nodes[0])->fragments_resent, 0,
                        (uint64_t)attempts * 7 * q2p_wire_fragments((uint32_t)len));
        assert_in_range(link.counts[1][Q2P_ON_DELIVERED], 0, 1);
        delivered += link.counts[1][Q2P_ON_DELIVERED] == 1;
        link_free(&link);
        free(data);
    }
    print_message("%u of 10 delivered within %d attempts\n", delivered, attempts);
    return delivered;
}

static void an_original_gets_passes_where_much_is_lost(void **state)
{
    (void)state;
    assert_in_range(arrive(Q2P_DIALECT_OPTIONS, 2000000, 50, 2), 9, 10);
}

static void an_original_gets_passes_before_a_loss_shows(void **state)
{
    (void)state;
    assert_in_range(arrive(Q2P_DIALECT_OPTIONS, 2000000, 10, 1), 9, 10);
}

static void a_classic_original_gets_passes_once_it_has_given_up(void **state)
{
    (void)state;
    assert_in_range(arrive(Q2P_DIALECT_CLASSIC, 1000000, 10, 1), 0, 1);
    assert_in_range(arrive(Q2P_DIALECT_CLASSIC, 1000000, 10, 2), 9, 10);
    assert_in_range(arrive(Q2P_DIALECT_CLASSIC, 1000000, 50, 2), 8, 10);
    assert_in_range(arrive(Q2P_DIALECT_CLASSIC, 4000000, 10, 2), 9, 10);
    assert_in_range(arrive(Q2P_DIALECT_CLASSIC, 4000000, 100, 2), 8, 10);
}

static void a_classic_original_that_gives_up_tells_how_much_is_lost(void **state)
{
    struct q2p_config config, original;
    struct link link;
    uint16_t lacked;
    uint8_t *data = make_data(1000000, 8);

    (void)state;
    config_options(&config);
    config_options(&original);
    config.dialect = original.dialect = Q2P_DIALECT_CLASSIC;
    config.passes_max = 2;
    q2p_config_original(&original);
    link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 100);
    link.random += 77; /* both datagrams of the list arrive */
    link_add(&link, &config);
    link_add(&link, &original);
    q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 1000000, NULL);
    link_run(&link, 20 * Q2P_SECOND);
    assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 0);
    lacked = q2p__contact_find(link.nodes[0], &link.addrs[1])->lacked;
    assert_in_range(lacked, 70, 120);
    /* two passes are too few, of which what is lacking then tells less */
    q2p_node_send(link.nodes[0], link.now, &link.addrs[1], data, 1000000, NULL);
    link_run(&link, link.now + 20 * Q2P_SECOND);
    assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 0);
    assert_int_equal(q2p__contact_find(link.nodes[0], &link.addrs[1])->lacked, lacked + 50);
    link_free(&link);
    free(data);
}

/* A long list comes in pieces of one datagram, and is lost with any of them. */
static void a_giving_up_without_a_list_says_that_a_tenth_is_lost(void **state)
{
    struct q2p_message end = {.event = Q2P_EV_TRANSPORT_FAILED};
    struct q2p_config config;
    uint8_t *data = make_data(1000000, 9), bytes[Q2P_DATAGRAM_MAX];
    struct q2p_datagram came = {.bytes = bytes};
    struct link link;

    (void)state;
    config_options(&config);
    config.dialect = Q2P_DIALECT_CLASSIC;
    link_init(&link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 1000);
    link_add(&link, &config);
    link_add(&link, &config);
    q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 1000000, &end.hash);
    link_run(&link, 6 * Q2P_SECOND);
    came.len = (size_t)q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_CLASSIC, &end);
    came.peer = link.addrs[1];
    assert_int_equal(q2p_node_input(link.nodes[0], link.now, &came), Q2P_OK);
    assert_int_equal(q2p__contact_find(link.nodes[0], &link.addrs[1])->lacked, 100);
    link_free(&link);
    free(data);
}

static void ten_percent_of_loss_need_six_passes(void **state)
{
    (void)state;
    assert_in_range(arrive(Q2P_DIALECT_OPTIONS, 4000000, 100, 2), 9, 10);
}

/* From a node of ours to one as the original, in options, where nothing is lost. */
static void open_link(struct link *link)
{
    struct q2p_config config, original;

    config_options(&config);
    config_options(&original);
    q2p_config_original(&original);
    link_init(link, LINK_RATE, LINK_DELAY, LINK_QUEUE, 0);
    link_add(link, &config);
    link_add(link, &original);
}

/* Fragments that leave for one of an original over the whole way, in thousandths. */
static unsigned leave_for_each(size_t len)
{
    struct link link;
    uint8_t *data = make_data(len, 6);
    uint64_t out;

    open_link(&link);
    link.stop = stop_delivered;
    assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, len, NULL), Q2P_OK);
    link_run(&link, 6 * Q2P_SECOND);
    assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
    out = q2p_node_counters(link.nodes[0])->fragments_out;
    print_message("%llu left, %lld ms, dropped %llu\n", (unsigned long long)out,
                  (long long)(link.now / Q2P_MILLISECOND),
                  (unsigned long long)link.ways[0].dropped);
    assert_in_range(link.now, 0, (q2p_time)(len * 1000 / CEILING * 3 + 500) * Q2P_MILLISECOND);
    link_free(&link);
    free(data);
    return (unsigned)(out * 1000 / q2p_wire_fragments((uint32_t)len));
}

static void where_nothing_is_lost_two_passes_are_enough_if_that_could_show(void **state)
{
    (void)state;
    assert_in_range(leave_for_each(10000000), 1999, 2000);
    assert_in_range(leave_for_each(500000), 2990, 3000); /* too few answers */
}

static void an_original_gets_nothing_that_only_we_know(void **state)
{
    struct link link;
    uint8_t *data = make_data(1000000, 5);
    uint64_t fragments;

    (void)state;
    open_link(&link);
    assert_int_equal(q2p_node_send(link.nodes[0], 0, &link.addrs[1], data, 1000000, NULL), Q2P_OK);
    link_run(&link, 60 * Q2P_SECOND);
    assert_int_equal(link.counts[1][Q2P_ON_DELIVERED], 1);
    assert_int_equal(link.counts[0][Q2P_ON_ARRIVED], 0);
    /* three passes, as it cannot ask, and the last fragment once */
    fragments = 3 * (uint64_t)q2p_wire_fragments(1000000) - 2;
    assert_int_equal(q2p_node_counters(link.nodes[0])->fragments_out, fragments);
    /* one OPTIONS at a time: each was answered, by 20 bytes */
    assert_int_equal(link.ways[1].bytes, link.ways[1].sent * 20);
    assert_int_equal(link.ways[0].sent, link.ways[1].sent + fragments);
    link_free(&link);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_original_gets_passes_where_much_is_lost),
        cmocka_unit_test(an_original_gets_passes_before_a_loss_shows),
        cmocka_unit_test(a_classic_original_gets_passes_once_it_has_given_up),
        cmocka_unit_test(a_classic_original_that_gives_up_tells_how_much_is_lost),
        cmocka_unit_test(a_giving_up_without_a_list_says_that_a_tenth_is_lost),
        cmocka_unit_test(ten_percent_of_loss_need_six_passes),
        cmocka_unit_test(where_nothing_is_lost_two_passes_are_enough_if_that_could_show),
        cmocka_unit_test(an_original_gets_nothing_that_only_we_know),
    };

    return cmocka_run_group_tests_name("q2p_originals", tests, NULL, NULL);
}
