/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cli_sending.c - one sending, seen from outside: 1000 bytes 'q' are SYN 0, 1 and 2. */
#include "unit.h"

#include <q2p/status.h>

#include "cli_sending.h"

#define MD5_DATA "eeff376d3cdf0eed91c5ffbd964dfc6d"
#define MD5_DATA_ADDRESS "1842ba8e3e0767192591c7590c575bcd" /* ... and 10.77.0.1:10000 */
#define SHA256_DATA "2e6bba1f3cf48fe45fa1c56e25b47fb622dde50eba1e17e0a72464e32bf4ab41"

static struct cli_sending *make(uint32_t length, const char *hash)
{
    struct cli_sending_key key = {.dst = {.ip = {10, 77, 0, 1}, .ip_len = 4, .port = 10000}};
    unit_hex(key.hash.bytes, Q2P_HASH_LEN, hash);
    struct cli_sending *sending = cli_sending_new(&key, Q2P_DIALECT_OPTIONS, length);
    assert_non_null(sending);
    return sending;
}

/* A fragment of `len` bytes, of which `have` are at hand. */
static int pass_cut(struct cli_sending *sending, uint32_t syn, size_t len, size_t have)
{
    uint8_t body[Q2P_DATAGRAM_MAX], bytes[2 * Q2P_DATAGRAM_MAX];
    memset(body, 'q', sizeof body);
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT, .syn = syn, .body = body, .body_len = len};
    size_t total = (size_t)q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_OPTIONS, &message);
    struct q2p_packet packet;
    q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, bytes, total - (len - have), total);
    return cli_sending_fragment(sending, &packet, bytes, total);
}

static int pass(struct cli_sending *sending, uint32_t syn, size_t len)
{
    return pass_cut(sending, syn, len, len);
}

static void list(struct cli_sending *sending, const uint32_t *lost, size_t count)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    struct q2p_message message = {
        .event = Q2P_EV_TRANSPORT_FAILED, .lost = lost, .lost_count = count};
    size_t len = (size_t)q2p_wire_write(bytes, sizeof bytes, Q2P_DIALECT_OPTIONS, &message);
    struct q2p_packet packet;
    assert_int_equal(q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, bytes, len, len), Q2P_OK);
    assert_int_equal(cli_sending_list(sending, &packet, bytes), Q2P_OK);
}

static void fragments_in_any_order_make_the_data(void **state)
{
    (void)state;
    struct cli_sending *sending = make(1000, MD5_DATA);
    assert_int_equal(cli_sending_missing(sending), 3);
    assert_int_equal(pass(sending, 2, 32), Q2P_OK);
    assert_int_equal(pass(sending, 0, 484), Q2P_OK);
    assert_false(cli_sending_whole(sending));
    assert_true(cli_sending_holds(sending, 2));
    assert_false(cli_sending_holds(sending, 1));
    assert_string_equal(sending->sha256, "");
    assert_int_equal(pass(sending, 1, 484), Q2P_OK);
    assert_true(cli_sending_whole(sending));
    assert_string_equal(sending->sha256, SHA256_DATA);
    assert_int_equal(sending->proof, CLI_KEY_DATA);
    assert_int_equal(sending->duplicates, 0);
    cli_sending_free(sending);
    cli_sending_free(NULL);
}

static void the_key_tells_what_it_was_made_of(void **state)
{
    (void)state;
    static const struct {
        const char *hash;
        enum cli_key_proof proof;
    } keys[] = {{MD5_DATA, CLI_KEY_DATA},
                {MD5_DATA_ADDRESS, CLI_KEY_ADDRESS},
                {"00112233445566778899aabbccddeeff", CLI_KEY_OTHER}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct cli_sending *sending = make(1000, keys[i].hash);
        assert_int_equal(sending->proof, CLI_KEY_OPEN);
        for (uint32_t syn = 0; syn < 3; syn++)
            pass(sending, syn, q2p_wire_share(1000, syn));
        assert_int_equal(sending->proof, keys[i].proof);
        cli_sending_free(sending);
    }
}

static void a_duplicate_changes_nothing(void **state)
{
    (void)state;
    struct cli_sending *sending = make(1000, MD5_DATA);
    pass(sending, 0, 484);
    size_t memory = sending->memory;
    assert_int_equal(pass(sending, 0, 484), Q2P_OK);
    assert_int_equal(sending->duplicates, 1);
    assert_int_equal(cli_sending_missing(sending), 2);
    assert_int_equal(sending->memory, memory);
    cli_sending_free(sending);
}

static void what_contradicts_the_length_is_not_taken(void **state)
{
    (void)state;
    struct cli_sending *sending = make(1000, MD5_DATA);
    assert_int_equal(pass(sending, 3, 1), Q2P_ERR_SYN);
    assert_int_equal(pass(sending, UINT32_MAX, 484), Q2P_ERR_SYN);
    assert_int_equal(pass(sending, 0, 483), Q2P_ERR_SHARE);
    assert_int_equal(pass(sending, 0, 485), Q2P_ERR_SHARE);
    assert_int_equal(pass(sending, 2, 33), Q2P_ERR_SHARE);
    assert_int_equal(cli_sending_missing(sending), 3);
    cli_sending_free(sending);
}

static void the_receivers_word_counts_until_the_fragment_passes_again(void **state)
{
    (void)state;
    struct cli_sending *sending = make(1000, MD5_DATA);
    static const uint32_t lost[] = {1, 2, 1, 9, UINT32_MAX};
    pass(sending, 0, 484);
    pass(sending, 1, 484);
    list(sending, lost, 5);
    assert_int_equal(cli_sending_missing(sending), 2);
    assert_false(cli_sending_holds(sending, 1));
    pass(sending, 2, 32);
    assert_false(cli_sending_whole(sending)); /* all have passed, one did not arrive */
    pass(sending, 1, 484);
    assert_true(cli_sending_whole(sending));
    assert_string_equal(sending->sha256, SHA256_DATA);

    list(sending, lost, 1); /* and it may say so again when all seemed well */
    assert_false(cli_sending_whole(sending));
    assert_int_equal(sending->lists, 2);
    pass(sending, 1, 484);
    assert_true(cli_sending_whole(sending));
    assert_string_equal(sending->sha256, SHA256_DATA);
    assert_int_equal(sending->duplicates, 0);
    cli_sending_free(sending);
}

static void an_announced_length_takes_no_memory(void **state)
{
    (void)state;
    struct cli_sending *sending = make(UINT32_MAX, MD5_DATA);
    assert_true(sending->memory < 1000);
    assert_int_equal(cli_sending_missing(sending), 8873900);
    pass(sending, 0, 484);
    assert_true(sending->memory < 4000);
    pass(sending, 8873899, q2p_wire_share(UINT32_MAX, 8873899)); /* a bit for each, at most */
    assert_true(sending->memory < 2000000);
    cli_sending_free(sending);
}

static void a_cut_capture_has_no_hash(void **state)
{
    (void)state;
    struct cli_sending *sending = make(1000, MD5_DATA);
    pass(sending, 0, 484);
    assert_int_equal(pass_cut(sending, 1, 484, 100), Q2P_OK);
    pass(sending, 2, 32);
    assert_true(cli_sending_whole(sending));
    assert_string_equal(sending->sha256, "");
    assert_int_equal(sending->proof, CLI_KEY_OPEN);
    cli_sending_free(sending);
}

static void nothing_is_never_whole(void **state)
{
    (void)state;
    struct cli_sending *sending = make(0, MD5_DATA);
    assert_false(cli_sending_whole(sending));
    assert_int_equal(cli_sending_missing(sending), 0);
    assert_int_equal(pass(sending, 0, 0), Q2P_ERR_SYN);
    cli_sending_free(sending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_in_any_order_make_the_data),
        cmocka_unit_test(the_key_tells_what_it_was_made_of),
        cmocka_unit_test(a_duplicate_changes_nothing),
        cmocka_unit_test(what_contradicts_the_length_is_not_taken),
        cmocka_unit_test(the_receivers_word_counts_until_the_fragment_passes_again),
        cmocka_unit_test(an_announced_length_takes_no_memory),
        cmocka_unit_test(a_cut_capture_has_no_hash),
        cmocka_unit_test(nothing_is_never_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
