/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cli_story.c - what is concluded from datagrams between A, B and a seed. B's port is nothing
 * special, the seed's is 10000. Transmissions have 1000 bytes: SYN 0, 1 and 2.
 */
#include "unit.h"

#include <stdlib.h>

#include <q2p/status.h>

#include "cli_story.h"

static const struct q2p_addr A = {.ip = {10, 0, 0, 1}, .ip_len = 4, .port = 20001},
                             B = {.ip = {10, 0, 0, 2}, .ip_len = 4, .port = 20002},
                             SEED = {.ip = {10, 0, 0, 9}, .ip_len = 4, .port = 10000};

enum {
    TALES_MAX = 32,
    EARLY = Q2P_DIALECT_EARLY,
    CLASSIC = Q2P_DIALECT_CLASSIC,
    OPTIONS = Q2P_DIALECT_OPTIONS
};

/* What was told, and the story while it goes on. */
struct fixture {
    struct cli_story *story;
    struct cli_item told[TALES_MAX];
    struct cli_sending sendings[TALES_MAX];
    size_t count;
    struct cli_totals totals;
    uint64_t frames;
};

static struct fixture it;

static void tell(void *ctx, const struct cli_item *item)
{
    struct fixture *fixture = ctx;
    assert_true(fixture->count < TALES_MAX);
    fixture->told[fixture->count] = *item;
    if (item->sending)
        fixture->sendings[fixture->count] = *item->sending;
    fixture->told[fixture->count].sending = &fixture->sendings[fixture->count];
    fixture->count++;
}

static void begin(size_t memory_max, size_t items_max)
{
    memset(&it, 0, sizeof it);
    struct cli_story_config config = {
        .port = 10000, .memory_max = memory_max, .items_max = items_max, .tell = tell, .ctx = &it};
    assert_int_equal(cli_story_new(&it.story, &config), Q2P_OK);
}

static int setup(void **state)
{
    (void)state;
    begin(1 << 20, 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cli_story_free(it.story);
    it.story = NULL;
    return 0;
}

static void end(void)
{
    cli_story_end(it.story, &it.totals);
}

static void send_bytes(const struct q2p_addr *src, const struct q2p_addr *dst, const uint8_t *bytes,
                       size_t len)
{
    struct cli_datagram in = {.t_ns = (int64_t)++it.frames,
                              .frame = it.frames,
                              .src = *src,
                              .dst = *dst,
                              .bytes = bytes,
                              .have = len,
                              .total = len};
    assert_int_equal(cli_story_datagram(it.story, &in), Q2P_OK);
}

static void send_hex(const struct q2p_addr *src, const struct q2p_addr *dst, const char *hex)
{
    uint8_t bytes[1024];
    send_bytes(src, dst, bytes, unit_hex(bytes, sizeof bytes, hex));
}

static void send_message(const struct q2p_addr *src, const struct q2p_addr *dst, int dialect,
                         struct q2p_message message)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    message.hash.bytes[0] = 0xaa;
    int len = q2p_wire_write(bytes, sizeof bytes, (enum q2p_dialect)dialect, &message);
    assert_true(len > 0);
    send_bytes(src, dst, bytes, (size_t)len);
}

static void send_event(const struct q2p_addr *src, const struct q2p_addr *dst, enum q2p_event event)
{
    send_message(src, dst, OPTIONS, (struct q2p_message){.event = event, .address = *src});
}

/* A to B: fragment of 1000 bytes with this length field. */
static void fragment(int dialect, uint32_t length, uint32_t syn)
{
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    send_message(&A, &B, dialect,
                 (struct q2p_message){.event = Q2P_EV_TRANSPORT,
                                      .length = length,
                                      .syn = syn,
                                      .body = body,
                                      .body_len = q2p_wire_share(1000, syn)});
}

/* B to A. */
static void lost(int dialect, const uint32_t *syns, size_t count)
{
    send_message(
        &B, &A, dialect,
        (struct q2p_message){.event = Q2P_EV_TRANSPORT_FAILED, .lost = syns, .lost_count = count});
}

static void start_options(void)
{
    send_message(&A, &B, OPTIONS, (struct q2p_message){.event = Q2P_EV_OPTIONS, .length = 1000});
    send_message(&B, &A, OPTIONS, (struct q2p_message){.event = Q2P_EV_OPTIONSFEEDBACK});
}

static void fragments(int dialect, uint32_t first, uint32_t last)
{
    for (uint32_t syn = first; syn <= last; syn++)
        fragment(dialect, dialect == OPTIONS ? 0 : 1000, syn);
}

static void assert_told(size_t at, enum cli_tale tale, const struct q2p_addr *a,
                        const struct q2p_addr *b)
{
    assert_true(at < it.count);
    assert_int_equal(it.told[at].tale, tale);
    assert_true(q2p_addr_equal(&it.told[at].a, a));
    assert_true(q2p_addr_equal(&it.told[at].b, b));
}

static void assert_sending(size_t at, enum cli_verdict verdict, uint32_t missing)
{
    assert_told(at, CLI_TALE_TRANSMISSION, &A, &B);
    assert_int_equal(it.told[at].verdict, verdict);
    assert_int_equal(it.told[at].missing, missing);
}

static void a_connect_and_its_answer_connect_once(void **state)
{
    (void)state;
    send_event(&A, &SEED, Q2P_EV_JOIN);
    send_event(&A, &SEED, Q2P_EV_JOIN);
    send_event(&B, &SEED, Q2P_EV_JOIN);
    send_event(&B, &A, Q2P_EV_CONNECTED); /* answers nothing */
    for (int i = 0; i < 3; i++) {
        send_event(&A, &B, Q2P_EV_CONNECT);
        send_event(&B, &A, Q2P_EV_CONNECTED);
        send_event(&B, &A, Q2P_EV_CONNECT);
        send_event(&A, &B, Q2P_EV_CONNECTED);
    }
    end();
    assert_int_equal(it.count, 3);
    assert_told(0, CLI_TALE_JOIN, &A, &SEED);
    assert_int_equal(it.told[0].times, 2);
    assert_told(1, CLI_TALE_JOIN, &B, &SEED);
    assert_told(2, CLI_TALE_CONNECTED, &A, &B);
    assert_int_equal(it.told[2].frame, 6);
    assert_int_equal(it.totals.q2p, it.frames);
}

static void weak_signs_count_once_there_is_proof(void **state)
{
    (void)state;
    send_event(&A, &B, Q2P_EV_JOIN); /* four bytes of which three are 0: could be anything */
    end();
    assert_int_equal(it.count, 0);
    assert_int_equal(it.totals.datagrams, 1);
    assert_int_equal(it.totals.q2p, 0);
    teardown(NULL);

    setup(NULL);
    send_event(&A, &B, Q2P_EV_JOIN);
    send_event(&B, &A, Q2P_EV_TOUCHREQUEST);
    end();
    assert_int_equal(it.count, 1);
    assert_told(0, CLI_TALE_JOIN, &A, &B);
    assert_int_equal(it.totals.q2p, 2);
}

static void other_peoples_udp_is_left_alone(void **state)
{
    (void)state;
    static const struct q2p_addr dns = {.ip = {10, 0, 0, 3}, .ip_len = 4, .port = 53};
    send_hex(&A, &dns,
             "abcd 0100 0001 0000 0000 0000 03777777 076578616d706c65 03636f6d 00 00010001");
    send_hex(&dns, &A, "ff");
    end();
    assert_int_equal(it.count, 0);
    assert_int_equal(it.totals.datagrams, 2);
    assert_int_equal(it.totals.q2p, 0);
}

static void every_dialect_is_put_together(void **state)
{
    (void)state;
    fragments(CLASSIC, 0, 2);
    end();
    assert_int_equal(it.count, 1);
    assert_sending(0, CLI_VERDICT_WHOLE, 0);
    assert_int_equal(it.sendings[0].dialect, CLASSIC);
    assert_string_equal(it.sendings[0].sha256,
                        "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53");
    teardown(NULL);

    setup(NULL);
    start_options();
    fragments(OPTIONS, 0, 2);
    end();
    assert_int_equal(it.count, 1);
    assert_sending(0, CLI_VERDICT_WHOLE, 0);
    assert_int_equal(it.sendings[0].dialect, OPTIONS);
    teardown(NULL);

    setup(NULL); /* 1 byte: event 7, key, length 1, SYN 0; then an empty list, event 8 */
    send_hex(&A, &B, "0000 0700 aa000000000000000000000000000000 01000000 00000000 71");
    send_hex(&B, &A, "0000 0800 aa000000000000000000000000000000");
    end();
    assert_int_equal(it.count, 1);
    assert_sending(0, CLI_VERDICT_GAVE_UP_WHOLE, 0);
    assert_int_equal(it.sendings[0].dialect, EARLY);
}

static void what_comes_behind_the_receivers_last_word_is_late(void **state)
{
    (void)state;
    static const uint32_t one = 1;
    start_options();
    fragment(OPTIONS, 0, 0);
    fragment(OPTIONS, 0, 2);
    lost(OPTIONS, &one, 1);
    lost(OPTIONS, NULL, 0);
    fragment(OPTIONS, 0, 1);
    end();
    assert_int_equal(it.count, 1);
    assert_sending(0, CLI_VERDICT_GAVE_UP, 1);
    assert_int_equal(it.sendings[0].late, 1);
    assert_int_equal(it.sendings[0].lists, 1);
    teardown(NULL);

    setup(NULL); /* the same in classic: 20 bytes of event 9 are no OPTIONSFEEDBACK here */
    fragment(CLASSIC, 1000, 0);
    lost(CLASSIC, NULL, 0);
    fragment(CLASSIC, 0, 1);
    end();
    assert_int_equal(it.count, 1);
    assert_sending(0, CLI_VERDICT_GAVE_UP, 2);
    assert_int_equal(it.sendings[0].late, 1);
}

static void a_classic_resend_has_length_0_and_counts(void **state)
{
    (void)state;
    fragments(CLASSIC, 1, 2);
    fragment(CLASSIC, 0, 0);
    end();
    assert_sending(0, CLI_VERDICT_WHOLE, 0);
    assert_int_equal(it.count, 1);
}

static void each_whole_sending_of_the_same_data_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fragments(CLASSIC, 0, 2);
    fragment(CLASSIC, 1000, 1); /* only a repetition */
    end();
    assert_int_equal(it.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_sending(i, CLI_VERDICT_WHOLE, 0);
    assert_int_equal(it.totals.repeated, 1);
}

static void a_receiver_that_takes_a_straggler_for_new_is_believed(void **state)
{
    (void)state;
    static const uint32_t rest[] = {0, 2};
    fragments(CLASSIC, 0, 2);
    fragment(CLASSIC, 1000, 1);
    lost(CLASSIC, rest, 2);
    lost(CLASSIC, NULL, 0);
    end();
    assert_int_equal(it.count, 2);
    assert_sending(0, CLI_VERDICT_WHOLE, 0);
    assert_sending(1, CLI_VERDICT_GAVE_UP, 2);
}

static void a_receiver_of_another_network_takes_nothing(void **state)
{
    (void)state;
    uint8_t body[1] = {'q'};
    struct q2p_message foreign = {
        .event = Q2P_EV_TRANSPORT, .network_id = 7, .length = 1, .body = body, .body_len = 1};
    send_message(&A, &B, CLASSIC, foreign);
    send_message(&B, &A, CLASSIC,
                 (struct q2p_message){.event = Q2P_EV_CONNECT_FAILED,
                                      .network_id = 3,
                                      .body = Q2P_REASON_MISMATCH,
                                      .body_len = strlen(Q2P_REASON_MISMATCH)});
    end();
    assert_int_equal(it.count, 2);
    assert_sending(0, CLI_VERDICT_FOREIGN, 1);
    assert_told(1, CLI_TALE_MISMATCH, &A, &B);
    assert_int_equal(it.told[1].network_id, 7);
    assert_int_equal(it.told[1].other_id, 3);
}

static void classic_is_not_heard_by_who_only_speaks_options(void **state)
{
    (void)state;
    fragments(CLASSIC, 0, 2);
    send_message(&B, &A, OPTIONS, (struct q2p_message){.event = Q2P_EV_OPTIONS, .length = 5});
    end();
    assert_int_equal(it.count, 2);
    assert_sending(0, CLI_VERDICT_UNHEARD, 3);
    teardown(NULL);

    setup(NULL); /* but whoever has spoken classic to anybody understands it */
    fragments(CLASSIC, 0, 2);
    send_message(&B, &SEED, CLASSIC, (struct q2p_message){.event = Q2P_EV_TEST});
    send_message(&B, &A, OPTIONS, (struct q2p_message){.event = Q2P_EV_OPTIONS, .length = 5});
    end();
    assert_sending(0, CLI_VERDICT_WHOLE, 0);
}

static void a_length_of_0_is_announced_and_no_more(void **state)
{
    (void)state;
    send_message(&A, &B, OPTIONS, (struct q2p_message){.event = Q2P_EV_OPTIONS});
    send_message(&B, &A, OPTIONS, (struct q2p_message){.event = Q2P_EV_OPTIONSFEEDBACK});
    send_event(&A, &SEED, Q2P_EV_JOIN);
    send_event(&B, &SEED, Q2P_EV_JOIN);
    end();
    assert_sending(0, CLI_VERDICT_EMPTY, 0);
}

static void fragments_without_a_start_are_orphans(void **state)
{
    (void)state;
    send_event(&A, &SEED, Q2P_EV_JOIN);
    fragments(OPTIONS, 0, 2);
    lost(OPTIONS, NULL, 0);
    end();
    assert_int_equal(it.count, 2);
    assert_told(1, CLI_TALE_ORPHAN, &A, &B);
    assert_int_equal(it.sendings[1].late, 3);
    assert_int_equal(it.totals.transmissions, 0);
    assert_int_equal(it.totals.unmatched, 1);
}

static void what_is_malformed_is_told_in_the_dialect_known_at_the_end(void **state)
{
    (void)state;
    send_hex(&A, &SEED, "00");
    send_hex(&A, &SEED, "0000 0b00 aabb"); /* options: a list too short; classic: no such event */
    send_event(&A, &SEED, Q2P_EV_JOIN);
    send_message(&SEED, &A, OPTIONS, (struct q2p_message){.event = Q2P_EV_TEST});
    send_hex(&A, &SEED, "0000 6300");
    end();
    assert_int_equal(it.count, 4);
    assert_told(0, CLI_TALE_MALFORMED, &A, &SEED);
    assert_int_equal(it.told[0].status, Q2P_ERR_SHORT);
    assert_int_equal(it.told[1].status, Q2P_ERR_SHORT);
    assert_int_equal(it.told[1].dialect, OPTIONS);
    assert_told(2, CLI_TALE_JOIN, &A, &SEED);
    assert_int_equal(it.told[3].status, Q2P_ERR_UNKNOWN);
    assert_int_equal(it.totals.malformed, 3);
}

static void a_fragment_that_contradicts_its_start_is_malformed(void **state)
{
    (void)state;
    start_options();
    fragment(OPTIONS, 0, 0);
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    send_message(
        &A, &B, OPTIONS,
        (struct q2p_message){.event = Q2P_EV_TRANSPORT, .syn = 9, .body = body, .body_len = 484});
    send_event(&A, &SEED, Q2P_EV_JOIN);
    end();
    assert_int_equal(it.count, 3);
    assert_sending(0, CLI_VERDICT_MISSING, 2);
    assert_told(1, CLI_TALE_MALFORMED, &A, &B);
    assert_int_equal(it.told[1].status, Q2P_ERR_SYN);
}

static void too_much_to_remember_is_told_early(void **state)
{
    (void)state;
    teardown(NULL);
    begin(4000, 1000); /* not enough for two transmissions of which two fragments have come */
    uint8_t body[Q2P_FRAGMENT_LEN] = {0};
    for (uint8_t i = 0; i < 4; i++) {
        struct q2p_addr to = B;
        to.port = (uint16_t)(30000 + i);
        for (uint32_t syn = 0; syn < 2; syn++)
            send_message(&A, &to, CLASSIC,
                         (struct q2p_message){.event = Q2P_EV_TRANSPORT,
                                              .length = 1000,
                                              .syn = syn,
                                              .body = body,
                                              .body_len = 484});
    }
    assert_true(it.count >= 2 && it.count < 4);
    end();
    assert_int_equal(it.count, 4);
    assert_int_equal(it.totals.transmissions, 4);
    assert_true(it.totals.early >= 2);
    teardown(NULL);

    begin(1 << 20, 8); /* eight happenings, addresses and pairs */
    for (uint16_t i = 0; i < 100; i++) {
        struct q2p_addr from = A;
        from.port = (uint16_t)(20000 + i);
        send_event(&from, &SEED, Q2P_EV_JOIN);
    }
    end();
    assert_int_equal(it.count, 7);
    assert_int_equal(it.totals.early, 93);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_connect_and_its_answer_connect_once),
        CASE(weak_signs_count_once_there_is_proof),
        CASE(other_peoples_udp_is_left_alone),
        CASE(every_dialect_is_put_together),
        CASE(what_comes_behind_the_receivers_last_word_is_late),
        CASE(a_classic_resend_has_length_0_and_counts),
        CASE(each_whole_sending_of_the_same_data_is_told),
        CASE(a_receiver_that_takes_a_straggler_for_new_is_believed),
        CASE(a_receiver_of_another_network_takes_nothing),
        CASE(classic_is_not_heard_by_who_only_speaks_options),
        CASE(a_length_of_0_is_announced_and_no_more),
        CASE(fragments_without_a_start_are_orphans),
        CASE(what_is_malformed_is_told_in_the_dialect_known_at_the_end),
        CASE(a_fragment_that_contradicts_its_start_is_malformed),
        CASE(too_much_to_remember_is_told_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
