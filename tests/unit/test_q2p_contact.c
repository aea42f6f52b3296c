/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_contact.c - whom a node remembers, for how long, and in which dialect it speaks. */
#include "q2p_recv.h"

#include "pipe.h"

static struct q2p_config config;

static struct q2p_addr address(uint32_t i)
{
    struct q2p_addr addr = {
        .ip = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, .port = 5, .ip_len = 4};

    return addr;
}

static void start(struct pipe *pipe)
{
    q2p_config_init(&config);
    config.incoming_max = 4;
    config.outgoing_max = 8;
    config.peers_max = 2;
    pipe_init(pipe);
    pipe_add(pipe, "10.255.0.1:1", &config);
}

static int add_fragment(struct pipe *pipe, uint32_t source, uint32_t syn)
{
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {.event = Q2P_EV_TRANSPORT,
                                  .length = 20 * Q2P_FRAGMENT_LEN,
                                  .syn = syn,
                                  .body = body,
                                  .body_len = sizeof body};
    struct q2p_addr addr = address(source);
    char from[Q2P_ADDR_TEXT_MAX];

    assert_true(q2p_addr_print(&addr, from, sizeof from) > 0);
    return pipe_message(pipe, 0, from, Q2P_DIALECT_CLASSIC, &message);
}

static void the_longest_unheard_stranger_is_forgotten_first(void **state)
{
    struct pipe pipe;
    struct q2p__contact *contact;
    const uint32_t max = 2 + 4 + 8 + 64;

    (void)state;
    start(&pipe);
    for (uint32_t i = 0; i < max; i++) {
        struct q2p_addr addr = address(i);

        assert_int_equal(q2p__contact_make(pipe.nodes[0], &contact, &addr), Q2P_OK);
    }
    struct q2p_addr first = address(0), second = address(1), more = address(max);
    contact = q2p__contact_find(pipe.nodes[0], &first);
    q2p__contact_heard(pipe.nodes[0], contact, 1, Q2P_DIALECT_UNKNOWN);
    assert_int_equal(q2p__contact_make(pipe.nodes[0], &contact, &more), Q2P_OK);
    assert_non_null(q2p__contact_find(pipe.nodes[0], &first)); /* was heard since */
    assert_null(q2p__contact_find(pipe.nodes[0], &second));
    pipe_free(&pipe);
}

static void members_and_senders_are_never_forgotten(void **state)
{
    struct pipe pipe;
    struct q2p__contact *contact;
    struct q2p_addr seed = address(1000), sender = pipe_addr("10.9.9.9:9");

    (void)state;
    start(&pipe);
    q2p_node_join(pipe.nodes[0], 0, &seed);
    pipe_hex(&pipe, 0, "10.9.9.9:9",
             "0000 0800 000102030405060708090a0b0c0d0e0f e8030000"); /* a transmission is open */
    for (uint32_t i = 0; i < 500; i++) {
        struct q2p_addr addr = address(i);

        assert_int_equal(q2p__contact_make(pipe.nodes[0], &contact, &addr), Q2P_OK);
    }
    assert_non_null(q2p__contact_find(pipe.nodes[0], &seed));
    assert_non_null(q2p__contact_find(pipe.nodes[0], &sender));
    assert_int_equal(pipe.nodes[0]->contacts.used, 2 + 4 + 8 + 64);
    pipe_free(&pipe);
}

static void senders_are_not_walked_over_for_each_stranger(void **state)
{
    struct pipe pipe;
    struct q2p__contact *contact;

    (void)state;
    start(&pipe);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(add_fragment(&pipe, i, 0), Q2P_OK);
    for (uint32_t i = 4; i < 2 + 4 + 8 + 64 + 1; i++) {
        struct q2p_addr addr = address(i);

        assert_int_equal(q2p__contact_make(pipe.nodes[0], &contact, &addr), Q2P_OK);
    }
    contact = Q2P__LIST_ITEM(pipe.nodes[0]->strangers.next, struct q2p__contact, link);
    assert_int_equal(contact->open, 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct q2p_addr addr = address(i);

        assert_non_null(q2p__contact_find(pipe.nodes[0], &addr));
    }
    pipe_free(&pipe);
}

static void the_latest_proof_of_a_dialect_counts(void **state)
{
    struct pipe pipe;
    struct q2p_addr addr = pipe_addr("10.9.9.9:9");
    struct q2p_peer peer;

    (void)state;
    start(&pipe);
    assert_int_equal(q2p__contact_dialect(pipe.nodes[0], &addr), Q2P_DIALECT_CLASSIC);
    pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0000"); /* JOIN: proves nothing, but makes a member */
    pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0800 000102030405060708090a0b0c0d0e0f 00000000");
    assert_int_equal(q2p__contact_dialect(pipe.nodes[0], &addr), Q2P_DIALECT_OPTIONS);
    pipe_hex(&pipe, 0, "10.9.9.9:9", "0000 0500");
    assert_int_equal(q2p__contact_dialect(pipe.nodes[0], &addr), Q2P_DIALECT_OPTIONS);
    assert_int_equal(q2p_node_peers(pipe.nodes[0], &peer, 1), 1);
    assert_int_equal(peer.dialect, Q2P_DIALECT_OPTIONS);
    pipe_hex(&pipe, 0, "10.9.9.9:9",
             "0000 0800 9dd4e461268c8034f5c8564e155c67a6 01000000 00000000 78");
    assert_int_equal(q2p__contact_dialect(pipe.nodes[0], &addr), Q2P_DIALECT_CLASSIC);
    pipe_free(&pipe);
}

static void one_that_connects_may_take_the_place_of_a_silent_peer(void **state)
{
    struct pipe pipe;
    struct q2p__contact *contacts[3];

    (void)state;
    start(&pipe);
    for (uint32_t i = 0; i < 3; i++) {
        struct q2p_addr addr = address(i);

        q2p__contact_make(pipe.nodes[0], &contacts[i], &addr);
    }
    for (int i = 0; i < 2; i++) {
        contacts[i]->heard_at = i; /* 0 is silent the longest, but connected */
        assert_int_equal(q2p__contact_enroll(pipe.nodes[0], contacts[i], 0, true), Q2P_OK);
    }
    contacts[0]->connected = contacts[1]->connected = true;
    q2p_time later = 100 * Q2P_SECOND;
    assert_false(q2p__contact_room(pipe.nodes[0], later, false)); /* not for a mere JOIN */
    assert_true(q2p__contact_room(pipe.nodes[0], later, true));
    contacts[1]->connected = false; /* who never connected goes first */
    assert_int_equal(q2p__contact_enroll(pipe.nodes[0], contacts[2], later, true), Q2P_OK);
    assert_true(contacts[0]->member && contacts[2]->member && !contacts[1]->member);
    assert_int_equal(contacts[2]->slot, 1); /* its place is taken over */
    contacts[2]->heard_at = later;
    contacts[0]->heard_at = later;
    assert_int_equal(q2p__contact_enroll(pipe.nodes[0], contacts[1], later, true), Q2P_ERR_FULL);
    pipe_free(&pipe);
}

/* However often keep-alives are sent: nobody gives way who was heard within 30 s. */
static void who_was_heard_half_a_minute_ago_keeps_its_place(void **state)
{
    struct pipe pipe;
    struct q2p__contact *contact;

    (void)state;
    start(&pipe);
    q2p_node_free(pipe.nodes[0]);
    config.keepalive_ns = Q2P_SECOND;
    assert_int_equal(q2p_node_new(&pipe.nodes[0], &config), Q2P_OK);
    for (uint32_t i = 0; i < 2; i++) {
        struct q2p_addr addr = address(i);

        q2p__contact_make(pipe.nodes[0], &contact, &addr);
        contact->heard_at = 0;
        assert_int_equal(q2p__contact_enroll(pipe.nodes[0], contact, 0, false), Q2P_OK);
    }
    assert_false(q2p__contact_room(pipe.nodes[0], 30 * Q2P_SECOND - 1, true));
    assert_true(q2p__contact_room(pipe.nodes[0], 30 * Q2P_SECOND, true));
    pipe_free(&pipe);
}

/* Who knows neither cannot choose addresses or keys that collide. */
static void every_table_has_the_secret_of_its_node(void **state)
{
    uint64_t secrets[2][2];

    (void)state;
    q2p_config_init(&config);
    for (uint64_t seed = 0; seed < 2; seed++) {
        q2p_node *node;

        config.seed = seed;
        assert_int_equal(q2p_node_new(&node, &config), Q2P_OK);
        assert_ptr_equal(node->contacts.secret, node->secret);
        assert_ptr_equal(node->incoming.secret, node->secret);
        assert_ptr_equal(node->finished.secret, node->secret);
        assert_ptr_equal(node->outgoing.secret, node->secret);
        memcpy(secrets[seed], node->secret, sizeof secrets[seed]);
        q2p_node_free(node);
    }
    for (int i = 0; i < 2; i++)
        assert_int_not_equal(secrets[0][i], secrets[1][i]);
    assert_int_not_equal(secrets[0][0], secrets[0][1]);
}

static void the_budget_of_one_address_fills_up_again(void **state)
{
    struct pipe pipe;
    struct q2p__contact *contact;
    struct q2p_addr addr = address(1);
    int allowed = 0;

    (void)state;
    start(&pipe);
    q2p__contact_make(pipe.nodes[0], &contact, &addr);
    for (int i = 0; i < 100; i++)
        allowed += q2p__contact_may(pipe.nodes[0], contact, 0);
    assert_int_equal(allowed, 32);
    for (int i = 0; i < 100; i++)
        allowed += q2p__contact_may(pipe.nodes[0], contact, Q2P_SECOND / 4);
    assert_int_equal(allowed, 32 + 8);
    pipe.nodes[0]->config.answers_max = 0; /* no limit */
    for (int i = 0; i < 100; i++)
        allowed += q2p__contact_may(pipe.nodes[0], contact, Q2P_SECOND / 4);
    assert_int_equal(allowed, 32 + 8 + 100);
    pipe_free(&pipe);
}

/* Who has filled the memory must not make every further fragment cost a walk over all that is
 * there: here it could find none. */
static void who_holds_most_memory_is_not_searched_for(void **state)
{
    enum { SOURCES = 1000, HOG = 500 };
    struct q2p__incoming *incoming;
    struct q2p_addr hog = address(HOG);
    struct pipe pipe;
    uint32_t cursor = 0;

    (void)state;
    q2p_config_init(&config);
    config.memory_max = (SOURCES + 1) * 4 * Q2P_FRAGMENT_LEN;
    config.length_max = 20 * Q2P_FRAGMENT_LEN;
    pipe_init(&pipe);
    pipe_add(&pipe, "10.255.0.1:1", &config);
    for (uint32_t source = 0; source < SOURCES; source++) /* room for 4, but 8 of the hog */
        for (uint32_t syn = 0; syn < (source == HOG ? 5 : 3); syn++)
            assert_int_equal(add_fragment(&pipe, source, syn), Q2P_OK);
    assert_int_equal(q2p_node_counters(pipe.nodes[0])->memory, config.memory_max);
    while ((incoming = q2p__table_next(&pipe.nodes[0]->incoming, &cursor)))
        q2p__list_drop(&incoming->link);
    assert_int_equal(add_fragment(&pipe, 1, 3), Q2P_OK);
    assert_int_equal(add_fragment(&pipe, 1, 4), Q2P_ERR_MEMORY); /* as much as the hog has */
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 0);
    assert_int_equal(add_fragment(&pipe, SOURCES, 0), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
    assert_true(q2p_addr_equal(&pipe_find(&pipe, 0, Q2P_ON_EXPIRED, 0)->what.peer, &hog));
    assert_int_equal(add_fragment(&pipe, 1, 4), Q2P_OK); /* into what the hog has left */
    assert_int_equal(add_fragment(&pipe, 1, 5), Q2P_OK);
    assert_int_equal(pipe_count(&pipe, 0, Q2P_ON_EXPIRED), 1);
    pipe_free(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_unheard_stranger_is_forgotten_first),
        cmocka_unit_test(members_and_senders_are_never_forgotten),
        cmocka_unit_test(senders_are_not_walked_over_for_each_stranger),
        cmocka_unit_test(the_latest_proof_of_a_dialect_counts),
        cmocka_unit_test(one_that_connects_may_take_the_place_of_a_silent_peer),
        cmocka_unit_test(who_was_heard_half_a_minute_ago_keeps_its_place),
        cmocka_unit_test(every_table_has_the_secret_of_its_node),
        cmocka_unit_test(the_budget_of_one_address_fills_up_again),
        cmocka_unit_test(who_holds_most_memory_is_not_searched_for),
    };
    return cmocka_run_group_tests_name("q2p_contact", tests, NULL, NULL);
}
