/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_q2p_defence.c - what others can make a node do, in figures: bytes held, bytes sent for bytes
 * that came, and that an honest peer is served all the while (libq2p/README.md, `What others can
 * make a node do`). Single datagrams that hurt the original are in test_q2p_attacks.c. It has more
 * than 500 lines: a case per threat.
 */
#include <stdio.h>

#include "pipe.h"
#include "siege.h"

#define MIB (UINT64_C(1) << 20)
#define VICTIM 7 /* who did nothing */

static struct q2p_config config;

static void start(struct siege *siege, enum q2p_dialect dialect)
{
    q2p_config_init(&config);
    config.dialect = dialect;
    config.seed = 4711;
    siege_init(siege, &config);
    assert_int_equal(q2p_node_join(siege->nodes[1], 0, &siege->addrs[0]), Q2P_OK);
    siege_run(siege, 10 * Q2P_MILLISECOND);
}

/* Something to send that was not sent before. */
static const uint8_t *fresh(size_t *len)
{
    static uint8_t data[30000];
    static uint32_t number;

    number++;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    memcpy(data, &number, sizeof number);
    *len = sizeof data;
    return data;
}

static void send_both_ways(struct siege *siege)
{
    size_t len;
    const uint8_t *data = fresh(&len);

    for (int i = 0; i < 2; i++)
        assert_int_equal(
            q2p_node_send(siege->nodes[i], siege->now, &siege->addrs[!i], data, len, NULL), Q2P_OK);
}

static void assert_served(const struct siege *siege, unsigned times)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(siege->told[i][Q2P_ON_DELIVERED], times);
}

/* Well-formed, within bounds, and after a while as empty as before. */
static void end(struct siege *siege)
{
    unsigned before = siege->told[1][Q2P_ON_DELIVERED];

    siege_run(siege, siege->now + 60 * Q2P_SECOND);
    send_both_ways(siege);
    siege_run(siege, siege->now + 20 * Q2P_SECOND);
    assert_int_equal(siege->told[1][Q2P_ON_DELIVERED], before + 1);
    assert_int_equal(siege->unread, 0);
    assert_true(siege->held_peak <= siege_bound(&config));
    assert_int_equal(q2p_node_counters(siege->nodes[0])->memory, 0);
    siege_free(siege);
    assert_int_equal(siege->held, 0);
}

/* Nobody got more than three bytes for one that came from there, headers not counted. */
static void assert_no_reflection(const struct siege *siege)
{
    for (unsigned i = 0; i < SIEGE_ADDRS; i++)
        if (siege->evil[i].bytes_out > 3 * siege->evil[i].bytes_in)
            fail_msg("address %u got %u bytes for %u", i, (unsigned)siege->evil[i].bytes_out,
                     (unsigned)siege->evil[i].bytes_in);
}

static void threat_1_every_event_number_in_any_length(void **state)
{
    static const size_t lengths[] = {0, 3, 4, 8, 20, 24, 28, 508, 600};
    struct siege siege;
    uint8_t bytes[600];

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    memset(bytes, 0, sizeof bytes);
    for (uint32_t event = 0; event <= UINT16_MAX; event++) {
        memcpy(bytes + 2, (uint8_t[]){(uint8_t)event, (uint8_t)(event >> 8)}, 2);
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            memset(bytes + 4, (int)(event + i) * 37, sizeof bytes - 4);
            siege_throw(&siege, event, bytes, lengths[i]);
        }
    }
    end(&siege);
}

static void threat_2_a_million_announcements_hold_nothing(void **state)
{
    struct siege siege;
    struct q2p_message message = {.event = Q2P_EV_OPTIONS};
    size_t before;

    (void)state;
    start(&siege, Q2P_DIALECT_OPTIONS);
    before = siege.held;
    for (uint32_t i = 0; i < 1000000; i++) {
        if (i % 100000 == 0)
            send_both_ways(&siege);
        memcpy(message.hash.bytes, &i, sizeof i);
        message.length = i % 2 ? UINT32_MAX : config.length_max;
        if (siege_say(&siege, i % 1000, Q2P_DIALECT_OPTIONS, &message) == Q2P_OK)
            assert_int_equal(message.length, config.length_max);
        if (i % 100 == 0)
            siege_run(&siege, siege.now + Q2P_MILLISECOND);
    }
    siege_run(&siege, siege.now + 5 * Q2P_SECOND);
    assert_served(&siege, 10);
    assert_true(siege.held_peak - before <= 8 * MIB);
    assert_no_reflection(&siege);
    end(&siege);
}

/* Fragments of as many transmissions as one address may have: a quarter of the memory, no more; and
 * others come in meanwhile. */
static void threat_2_one_address_holds_no_more_than_its_share(void **state)
{
    struct siege siege;
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT, .length = 100000, .body = body, .body_len = sizeof body};
    const struct q2p_counters *counters;
    size_t most = 0;

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    q2p_node_free(siege.nodes[0]);
    config.memory_max = MIB;
    config.length_max = 100000;
    assert_int_equal(q2p_node_new(&siege.nodes[0], &config), Q2P_OK);
    counters = q2p_node_counters(siege.nodes[0]);
    for (uint32_t i = 0; i < 16 * 200; i++) {
        message.hash.bytes[0] = (uint8_t)(i % 16);
        message.syn = i / 16;
        siege_say(&siege, 0, Q2P_DIALECT_CLASSIC, &message);
        most = counters->memory > most ? counters->memory : most;
    }
    assert_in_range(most, MIB / 5, MIB / 4);
    send_both_ways(&siege);
    siege_run(&siege, siege.now + Q2P_SECOND);
    assert_served(&siege, 1);
    end(&siege);
}

static void threat_3_open_transmissions_are_few(void **state)
{
    struct siege siege;
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT, .length = 100000, .body = body, .body_len = sizeof body};
    const unsigned *told = siege.told[0]; /* cppcheck-suppress uninitvar ; no more than its place */

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    for (uint32_t i = 0; i < 100; i++) {
        memcpy(message.hash.bytes, &i, sizeof i);
        siege_say(&siege, 0, Q2P_DIALECT_CLASSIC, &message);
    }
    assert_int_equal(told[Q2P_ON_RECEIVING], 16); /* of one address */
    send_both_ways(&siege);
    for (uint32_t i = 100; i < 100000; i++) {
        memcpy(message.hash.bytes, &i, sizeof i);
        siege_say(&siege, 1 + i % 500, Q2P_DIALECT_CLASSIC, &message);
        if (i % 100 == 0)
            siege_run(&siege, siege.now + Q2P_MILLISECOND);
        assert_true(told[Q2P_ON_RECEIVING] - told[Q2P_ON_EXPIRED] - told[Q2P_ON_DELIVERED] <=
                    config.incoming_max); /* of all */
    }
    siege_run(&siege, siege.now + 5 * Q2P_SECOND);
    assert_served(&siege, 1);
    assert_no_reflection(&siege);
    end(&siege);
}

/* Every message, of this network and of another, from 50,000 addresses each. */
static void threat_4_nothing_is_reflected(void **state)
{
    struct siege siege;
    uint8_t body[100] = {0};

    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        start(&siege, (enum q2p_dialect)dialect);
        for (uint32_t i = 0; i < 100000; i++) {
            struct q2p_message message = {.event = (enum q2p_event)(i / 2 % Q2P_EV_UNKNOWN),
                                          .network_id = (uint16_t)(i % 2 * 99),
                                          .length = 100000,
                                          .syn = i % 5,
                                          .address = siege_addr(VICTIM),
                                          .body = body,
                                          .body_len = sizeof body};
            uint8_t bytes[Q2P_DATAGRAM_MAX];
            int len;

            memcpy(message.hash.bytes, &i, sizeof i);
            len = q2p_wire_write(bytes, sizeof bytes, (enum q2p_dialect)dialect, &message);
            if (len > 0)
                siege_throw(&siege, i % 50000, bytes, (size_t)len);
            if (i % 10 == 0)
                siege_run(&siege, siege.now + Q2P_MILLISECOND);
        }
        assert_no_reflection(&siege);
        assert_in_range(siege.refusals, 10, 11 * 10); /* ten a second */
        end(&siege);
    }
}

/* A seed that means ill sends us to one address a hundred times a second, then to many. */
static void threat_5_a_seed_can_send_us_to_few(void **state)
{
    struct siege siege;
    struct q2p_addr seed = siege_addr(0);
    uint64_t first;

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    q2p_node_join(siege.nodes[0], siege.now, &seed);
    for (int i = 0; i < 20000; i++) {
        struct q2p_message message = {.event = i % 2 ? Q2P_EV_TOUCHREQUEST : Q2P_EV_CONNECTREQUEST,
                                      .address = siege_addr(VICTIM)};

        siege_say(&siege, 0, Q2P_DIALECT_CLASSIC, &message);
        siege_run(&siege, siege.now + 10 * Q2P_MILLISECOND);
    }
    first = siege.evil[VICTIM].count_out;
    assert_in_range(first, 1, 200); /* once a second */
    for (uint32_t i = 0; i < 20000; i++) {
        struct q2p_message message = {.event = Q2P_EV_TOUCHREQUEST,
                                      .address = siege_addr(1000 + i)};

        siege_say(&siege, 0, Q2P_DIALECT_CLASSIC, &message);
        if (i % 10 == 0)
            siege_run(&siege, siege.now + 10 * Q2P_MILLISECOND);
    }
    for (unsigned i = 0; i < 20000; i++) {
        assert_true(siege.evil[1000 + i].count_out <= 7);
        first += siege.evil[1000 + i].count_out > 0;
    }
    assert_in_range(first, 1, 400); /* 64 at a time, for 16 s each */
    end(&siege);
}

static uint64_t victim_bytes, victim_count;

static bool count_victim(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    (void)pipe;
    if (datagram->to.ip[1] == 66) {
        victim_bytes += datagram->len;
        victim_count++;
    }
    return datagram->to.ip[1] == 66;
}

static const uint8_t join[4] = {0}, calling[4] = {0, 0, 5, 0}, connected[4] = {0, 0, 6, 0};

/* A seed with thirty members, like it or as the original; what goes to the victim is counted. */
static void start_seed(struct pipe *pipe, bool originals)
{
    struct q2p_config member;

    q2p_config_init(&config);
    q2p_config_init(&member);
    if (originals)
        q2p_config_original(&member);
    pipe_init(pipe);
    pipe->quiet = true;
    pipe->lose = count_victim;
    for (int i = 0; i < 31; i++) {
        char text[32];

        snprintf(text, sizeof text, "10.0.0.%d:1", i + 1);
        pipe_add(pipe, text, i > 0 ? &member : &config);
        if (i > 0)
            q2p_node_join(pipe->nodes[i], pipe->now, &pipe->addrs[0]);
        pipe_run(pipe, pipe->now + 3 * Q2P_SECOND);
    }
    pipe_run(pipe, pipe->now + 20 * Q2P_SECOND);
    victim_bytes = victim_count = 0;
}

/* JOINs in somebody's name: what the seed and its members all send there, others joining as well.
 */
static void threat_6_a_forged_join_brings_three_bytes_for_one(void **state)
{
    struct q2p_addr victim = siege_addr(VICTIM);
    struct pipe pipe;

    (void)state;
    start_seed(&pipe, false);
    pipe_input(&pipe, 0, &victim, join, sizeof join);
    pipe_run(&pipe, pipe.now + 200 * Q2P_SECOND);
    print_message("%u bytes in %u datagrams\n", (unsigned)victim_bytes, (unsigned)victim_count);
    assert_in_range(victim_bytes, 4, 3 * sizeof join);
    for (unsigned i = 0; i < 100; i++) { /* JOIN is not all that can be forged */
        pipe_input(&pipe, 0, &victim, i % 4 == 3 ? calling : join, sizeof join);
        pipe_run(&pipe, pipe.now + (i % 9 + 1) * 100 * Q2P_MILLISECOND);
        if (i == 50) {
            pipe_add(&pipe, "10.0.0.77:1", &config);
            q2p_node_join(pipe.nodes[31], pipe.now, &pipe.addrs[0]);
        }
        assert_true(victim_bytes <= 3 * (i + 2) * sizeof join);
    }
    pipe_run(&pipe, pipe.now + 200 * Q2P_SECOND);
    print_message("%u bytes for 404\n", (unsigned)victim_bytes);
    assert_true(victim_bytes <= 3 * 101 * sizeof join);
    pipe_free(&pipe);
}

/* A thousand JOINs a second in as many names: no member hears of any, and who is there joins. */
static void threat_6_forged_joins_do_not_reach_the_members(void **state)
{
    struct pipe pipe;
    struct q2p_addr from;

    (void)state;
    start_seed(&pipe, false);
    pipe.quiet = false;
    for (unsigned i = 0; i < 10000; i++) {
        from = siege_addr(1000 + i);
        pipe_input(&pipe, 0, &from, join, sizeof join);
        pipe_run(&pipe, pipe.now + Q2P_MILLISECOND);
    }
    assert_int_equal(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCHREQUEST), 0);
    pipe_add(&pipe, "10.0.0.77:1", &config);
    q2p_node_join(pipe.nodes[31], pipe.now, &pipe.addrs[0]);
    pipe_run(&pipe, pipe.now + 20 * Q2P_SECOND);
    assert_int_equal(q2p_node_peers(pipe.nodes[31], NULL, 0), 31);
    pipe_free(&pipe);
}

/* JOIN of a victim, and its answer to the seed that asks whether it is there. */
static void forge_both(struct pipe *pipe, bool originals)
{
    struct q2p_addr victim = siege_addr(VICTIM);

    start_seed(pipe, originals);
    pipe_input(pipe, 0, &victim, join, sizeof join);
    pipe_input(pipe, 0, &victim, connected, sizeof connected);
    pipe_run(pipe, pipe->now + 200 * Q2P_SECOND);
    print_message("%u bytes in %u datagrams\n", (unsigned)victim_bytes, (unsigned)victim_count);
}

/* Originals do not say whether a joiner has come, so each of them is named to it twice. */
static void threat_6_a_forged_answer_brings_no_more_of_originals(void **state)
{
    struct pipe pipe;

    (void)state;
    forge_both(&pipe, true);
    assert_in_range(victim_bytes, 4, 1200);
    assert_in_range(victim_count, 1, 1 + 30 * (1 + 2)); /* CONNECT; TOUCH and CONNECTREQUEST */
    pipe_free(&pipe);
}

/* Whoever forges the answer, too, has a bound beyond that: nothing in Q2P can tell it. */
static void threat_6_a_forged_answer_has_an_end(void **state)
{
    struct q2p_addr from;
    struct pipe pipe;

    (void)state;
    forge_both(&pipe, false);
    assert_in_range(victim_bytes, 4, 2000);
    assert_in_range(victim_count, 1, 3 + 8 * 7 * 2 + 32 + 8);
    pipe.quiet = false;
    for (unsigned i = 0; i < 10000; i++) { /* a thousand a second in as many names */
        from = siege_addr(1000 + i);
        pipe_input(&pipe, 0, &from, join, sizeof join);
        pipe_input(&pipe, 0, &from, connected, sizeof connected);
        pipe_run(&pipe, pipe.now + Q2P_MILLISECOND);
    }
    assert_in_range(pipe_sent(&pipe, 'A', '*', Q2P_EV_TOUCHREQUEST), 1, 11 * 256);
    pipe_free(&pipe);
}

static void threat_7_peers_stay_in_their_places(void **state)
{
    struct siege siege;
    struct q2p_peer peers[128];

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    for (uint32_t i = 0; i < 100000; i++) {
        siege_throw(&siege, i % SIEGE_ADDRS, i % 3 ? calling : connected, 4);
        assert_true(q2p_node_peers(siege.nodes[0], NULL, 0) <= config.peers_max);
        if (i % 100 == 0)
            siege_run(&siege, siege.now + Q2P_MILLISECOND);
    }
    assert_int_equal(q2p_node_peers(siege.nodes[0], NULL, 0), 1); /* the honest one */
    assert_int_equal(siege.told[0][Q2P_ON_CONNECT] + siege.told[0][Q2P_ON_CONNECTED], 0);
    for (uint32_t i = 0; i < 100000; i++) {
        siege_throw(&siege, i % 5000, i % 2 ? calling : join, 4);
        assert_true(q2p_node_peers(siege.nodes[0], NULL, 0) <= config.peers_max);
        if (i % 100 == 0)
            siege_run(&siege, siege.now + 100 * Q2P_MILLISECOND);
    }
    assert_int_equal(q2p_node_peers(siege.nodes[0], peers, 128), config.peers_max);
    assert_true(q2p_addr_equal(&peers[0].addr, &siege.addrs[1]));
    end(&siege);
}

/* While a punch is at work, words from inside may have come by a hairpin: whoever says CONNECT gets
 * two for one, a few times, and becomes a peer only by CONNECTED. */
static void threat_7_a_hairpin_is_no_door(void **state)
{
    struct siege siege;
    struct q2p_addr seed = siege_addr(0);
    struct q2p_message message = {.event = Q2P_EV_CONNECTREQUEST,
                                  .address = {.ip = {198, 51, 100, 9}, .port = 9, .ip_len = 4}};
    uint64_t answered = 0;

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    q2p_node_join(siege.nodes[0], siege.now, &seed);
    for (uint32_t i = 0; i < 100000; i++) {
        if (i % 1000 == 0)
            siege_say(&siege, 0, Q2P_DIALECT_CLASSIC, &message);
        siege_throw(&siege, 1 + i % 5000, calling, 4);
        if (i % 100 == 0)
            siege_run(&siege, siege.now + 10 * Q2P_MILLISECOND);
    }
    assert_int_equal(q2p_node_peers(siege.nodes[0], NULL, 0), 2); /* the honest one, the seed */
    for (unsigned i = 1; i <= 5000; i++) {
        assert_true(siege.evil[i].bytes_out <= 2 * siege.evil[i].bytes_in);
        answered += siege.evil[i].count_out > 0;
    }
    assert_in_range(answered, 1, 5000);
    assert_int_equal(siege.told[0][Q2P_ON_CONNECT] + siege.told[0][Q2P_ON_CONNECTED], 0);
    end(&siege);
}

static void threat_8_data_go_to_nobody_else(void **state)
{
    struct siege siege;
    struct q2p_message message = {.event = Q2P_EV_OPTIONSFEEDBACK};
    struct q2p_addr victim = siege_addr(VICTIM);
    size_t len;
    const uint8_t *data = fresh(&len);

    (void)state;
    start(&siege, Q2P_DIALECT_OPTIONS);
    q2p_node_send(siege.nodes[0], siege.now, &victim, data, len, &message.hash);
    for (unsigned i = 0; i < 10000; i++) {
        if (i != VICTIM)
            siege_say(&siege, i, Q2P_DIALECT_OPTIONS, &message);
        siege_run(&siege, siege.now + 10 * Q2P_MILLISECOND);
    }
    for (unsigned i = 0; i < SIEGE_ADDRS; i++)
        assert_int_equal(siege.evil[i].fragments, 0);
    assert_in_range(siege.evil[VICTIM].count_out, 1, 9); /* OPTIONS, and its repetitions */
    siege.evil[VICTIM].bytes_out = 0;                    /* nobody asked for them but we */
    assert_no_reflection(&siege);
    end(&siege);
}

/* The answer was forged, and nobody hears the data: one window of 56 KB, and the questions; also if
 * what is forged claims to know the extension, as it does not know our tokens. */
static void threat_8_who_never_answers_gets_one_window(void **state)
{
    struct q2p_addr victim = siege_addr(VICTIM);
    uint8_t *data = pipe_payload(1 << 20);

    (void)state;
    for (int how = 0; how < 3; how++) {
        struct siege siege;
        struct q2p_message message = {.event = Q2P_EV_OPTIONSFEEDBACK};

        start(&siege, Q2P_DIALECT_OPTIONS);
        q2p_node_send(siege.nodes[0], siege.now, &victim, data, 1 << 20, &message.hash);
        siege_run(&siege, siege.now + Q2P_MILLISECOND);
        message.extended = how > 0;
        message.state = Q2P_STATE_OPEN;
        if (how == 2) {
            message.event = Q2P_EV_OPTIONS;
            siege_say(&siege, VICTIM, Q2P_DIALECT_OPTIONS, &message);
            message.event = Q2P_EV_OPTIONSFEEDBACK;
        }
        for (uint16_t token = 0; token < 20; token++) {
            message.token = token;
            siege_say(&siege, VICTIM, Q2P_DIALECT_OPTIONS, &message);
            siege_run(&siege, siege.now + 50 * Q2P_MILLISECOND);
            if (how == 0)
                break;
        }
        siege_run(&siege, siege.now + 100 * Q2P_SECOND);
        assert_in_range(siege.evil[VICTIM].fragments * Q2P_DATAGRAM_MAX, 1, 56 * 1024);
        assert_int_equal(siege.told[0][Q2P_ON_FAILED], 1);
        end(&siege);
    }
    free(data);
}

/* An original that somebody says knows the extension still gets all: it answers plain questions. */
static void threat_8_a_forged_extension_stops_nothing(void **state)
{
    struct siege siege;
    struct q2p_message message = {.event = Q2P_EV_OPTIONS, .extended = true, .token = 1};
    struct q2p_addr original = siege_addr(VICTIM);
    uint8_t *data = pipe_payload(1 << 20);
    uint64_t answered = 0;

    (void)state;
    start(&siege, Q2P_DIALECT_OPTIONS);
    q2p_node_send(siege.nodes[0], siege.now, &original, data, 1 << 20, &message.hash);
    siege_run(&siege, siege.now + Q2P_MILLISECOND);
    siege_say(&siege, VICTIM, Q2P_DIALECT_OPTIONS, &message);
    message.event = Q2P_EV_OPTIONSFEEDBACK;
    message.extended = false;
    for (int i = 0; i < 6000; i++) {
        message.hash = siege.evil[VICTIM].asked_about;
        for (; answered < siege.evil[VICTIM].asked; answered++)
            siege_say(&siege, VICTIM, Q2P_DIALECT_OPTIONS, &message);
        siege_run(&siege, siege.now + 5 * Q2P_MILLISECOND);
    }
    assert_true(siege.evil[VICTIM].fragments >= q2p_wire_fragments(1 << 20));
    end(&siege);
    free(data);
}

static void threat_9_forged_lists_have_an_end(void **state)
{
    struct siege siege;
    uint32_t syns[Q2P_SYNS_MAX];
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT_FAILED, .lost = syns, .lost_count = Q2P_SYNS_MAX};
    struct q2p_addr victim = siege_addr(VICTIM);
    uint64_t total, sent;
    size_t len;
    const uint8_t *data = fresh(&len);

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    total = q2p_wire_fragments((uint32_t)len);
    q2p_node_send(siege.nodes[0], siege.now, &victim, data, len, &message.hash);
    siege_run(&siege, siege.now + Q2P_SECOND);
    for (uint32_t i = 0; i < 100000; i++) {
        for (uint32_t k = 0; k < Q2P_SYNS_MAX; k++)
            syns[k] = (i + k) % (uint32_t)total;
        sent = siege.evil[VICTIM].fragments;
        siege_say(&siege, i % 2 ? VICTIM : VICTIM + 1, Q2P_DIALECT_CLASSIC, &message);
        siege_run(&siege, siege.now + Q2P_MILLISECOND / 10);
        assert_true(siege.evil[VICTIM].fragments - sent <= total);
    }
    assert_true(siege.evil[VICTIM].fragments > total);
    assert_true(siege.evil[VICTIM].fragments <= total + 4 * total); /* once, and four repairs */
    assert_int_equal(siege.evil[VICTIM + 1].count_out, 0);
    end(&siege);
}

/* Lists are no answers: whatever they say is lost, no more than the window leaves. */
static void threat_9_forged_lists_open_no_window(void **state)
{
    struct siege siege;
    uint32_t syns[Q2P_SYNS_MAX];
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT_FAILED, .lost = syns, .lost_count = Q2P_SYNS_MAX};
    struct q2p_addr victim = siege_addr(VICTIM);
    uint8_t *data = pipe_payload(1 << 20);

    (void)state;
    for (uint32_t i = 0; i < Q2P_SYNS_MAX; i++)
        syns[i] = i;
    start(&siege, Q2P_DIALECT_OPTIONS);
    q2p_node_send(siege.nodes[0], siege.now, &victim, data, 1 << 20, &message.hash);
    siege_run(&siege, siege.now + Q2P_MILLISECOND);
    for (int i = 0; i < 10000; i++) {
        siege_say(&siege, VICTIM, Q2P_DIALECT_OPTIONS, &message);
        siege_run(&siege, siege.now + Q2P_MILLISECOND);
    }
    assert_in_range(siege.evil[VICTIM].fragments * Q2P_DATAGRAM_MAX, 1, 56 * 1024);
    end(&siege);
    free(data);
}

/* Fragments of a stranger under the right key; then under the sender's address, too. */
static void threat_10_what_is_injected_is_never_told_as_true(void **state)
{
    static const char *const sources[] = {"10.6.6.6:6", "10.0.0.1:1"};
    uint8_t *data = pipe_payload(200000), body[Q2P_FRAGMENT_LEN];
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT, .length = 200000, .body = body, .body_len = sizeof body};

    (void)state;
    for (int source = 0; source < 2; source++) {
        struct pipe pipe;

        q2p_config_init(&config);
        config.rate = MIB;
        pipe_init(&pipe);
        pipe.quiet = true;
        pipe_add(&pipe, "10.0.0.1:1", &config);
        pipe_add(&pipe, "10.0.0.2:1", &config);
        q2p_node_send(pipe.nodes[0], 0, &pipe.addrs[1], data, 200000, &message.hash);
        pipe_run(&pipe, 5 * Q2P_MILLISECOND);
        for (uint32_t i = 0; i < 10000; i++) {
            memset(body, (int)i, sizeof body);
            message.syn = i % 413;
            pipe_message(&pipe, 1, sources[source], Q2P_DIALECT_CLASSIC, &message);
            if (i % 50 == 0)
                pipe_run(&pipe, pipe.now + Q2P_MILLISECOND);
        }
        pipe_run(&pipe, 60 * Q2P_SECOND);
        if (source == 0) {
            assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 1);
            assert_memory_equal(pipe_find(&pipe, 1, Q2P_ON_DELIVERED, 0)->what.data, data, 200000);
        } else {
            assert_true(pipe_count(&pipe, 1, Q2P_ON_CORRUPT) > 0);
            assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 0);
        }
        pipe_free(&pipe);
    }
    free(data);
}

static unsigned doubled_percent;

static bool double_some(struct pipe *pipe, const struct pipe_datagram *datagram)
{
    if (dice_draw(&pipe->random, 100) >= doubled_percent)
        return false;
    if (pipe->queue_end == pipe->queue_room)
        pipe->queue = pipe_grow(pipe->queue, &pipe->queue_room, sizeof *pipe->queue);
    pipe->queue[pipe->queue_end++] = *datagram;
    return false;
}

static void threat_11_doubled_datagrams_deliver_once(void **state)
{
    uint8_t *data = pipe_payload(40000);

    (void)state;
    for (int dialect = Q2P_DIALECT_CLASSIC; dialect <= Q2P_DIALECT_OPTIONS; dialect++) {
        for (doubled_percent = 0; doubled_percent <= 50; doubled_percent += 10) {
            struct pipe pipe;

            q2p_config_init(&config);
            config.dialect = (enum q2p_dialect)dialect;
            pipe_init(&pipe);
            pipe.quiet = true;
            pipe.lose = double_some;
            pipe_add(&pipe, "10.0.0.1:1", &config);
            pipe_add(&pipe, "10.0.0.2:1", &config);
            for (size_t len = 1; len <= 40000; len = len * 3 + 1)
                q2p_node_send(pipe.nodes[0], 0, &pipe.addrs[1], data, len, NULL);
            pipe_run(&pipe, 60 * Q2P_SECOND);
            assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_RECEIVING), 10);
            assert_int_equal(pipe_count(&pipe, 1, Q2P_ON_DELIVERED), 10);
            pipe_free(&pipe);
        }
    }
    free(data);
}

static void threat_12_who_stands_still_holds_nothing_for_long(void **state)
{
    struct siege siege;
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT, .length = 1000000, .body = body, .body_len = sizeof body};

    (void)state;
    start(&siege, Q2P_DIALECT_CLASSIC);
    for (uint32_t i = 0; i < 1024; i++) {
        memcpy(message.hash.bytes, &i, sizeof i);
        siege_say(&siege, i, Q2P_DIALECT_CLASSIC, &message);
    }
    assert_int_equal(siege.told[0][Q2P_ON_RECEIVING], 1024);
    assert_true(q2p_node_counters(siege.nodes[0])->memory >= 1024 * Q2P_FRAGMENT_LEN);
    siege_run(&siege, siege.now + config.timeout_ns + config.lost_ns);
    assert_int_equal(siege.told[0][Q2P_ON_EXPIRED], 1024);
    assert_int_equal(q2p_node_counters(siege.nodes[0])->memory, 0);
    assert_no_reflection(&siege);
    end(&siege);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threat_1_every_event_number_in_any_length),
        cmocka_unit_test(threat_2_a_million_announcements_hold_nothing),
        cmocka_unit_test(threat_2_one_address_holds_no_more_than_its_share),
        cmocka_unit_test(threat_3_open_transmissions_are_few),
        cmocka_unit_test(threat_4_nothing_is_reflected),
        cmocka_unit_test(threat_5_a_seed_can_send_us_to_few),
        cmocka_unit_test(threat_6_a_forged_join_brings_three_bytes_for_one),
        cmocka_unit_test(threat_6_forged_joins_do_not_reach_the_members),
        cmocka_unit_test(threat_6_a_forged_answer_has_an_end),
        cmocka_unit_test(threat_6_a_forged_answer_brings_no_more_of_originals),
        cmocka_unit_test(threat_7_peers_stay_in_their_places),
        cmocka_unit_test(threat_7_a_hairpin_is_no_door),
        cmocka_unit_test(threat_8_data_go_to_nobody_else),
        cmocka_unit_test(threat_8_who_never_answers_gets_one_window),
        cmocka_unit_test(threat_8_a_forged_extension_stops_nothing),
        cmocka_unit_test(threat_9_forged_lists_have_an_end),
        cmocka_unit_test(threat_9_forged_lists_open_no_window),
        cmocka_unit_test(threat_10_what_is_injected_is_never_told_as_true),
        cmocka_unit_test(threat_11_doubled_datagrams_deliver_once),
        cmocka_unit_test(threat_12_who_stands_still_holds_nothing_for_long),
    };
    return cmocka_run_group_tests_name("q2p_defence", tests, NULL, NULL);
}
