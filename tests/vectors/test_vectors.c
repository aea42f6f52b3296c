/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_vectors.c - reads every datagram of wire.json with the codec, compares each field and each
 * span with what the file says, and writes it back where the file says that this gives the same
 * bytes. tests/scapy reads the same file with a decoder of its own.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <q2p/status.h>
#include <q2p/wire.h>

/* One vector with its bytes. */
struct vector {
    const json_t *json;
    uint8_t *bytes; /* allocated to the byte, so that a sanitizer sees every step too far */
    size_t have, total;
    enum q2p_dialect dialect;
};

static long number_of(const json_t *json, const char *key, long otherwise)
{
    const json_t *value = json_object_get(json, key);
    return value ? (long)json_integer_value(value) : otherwise;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

/* "0000 0800 5a*484": hex, each word repeated as often as it says. Returns the length. */
static size_t unhex(const char *text, uint8_t *out)
{
    size_t len = 0;

    while (*text) {
        size_t start = len, word;
        for (unsigned value; isxdigit((unsigned char)*text); text += 2, len++)
            if (sscanf(text, "%2x", &value) == 1 && out)
                out[len] = (uint8_t)value;
        word = len - start;
        if (*text == '*') {
            char *end;
            for (unsigned long times = strtoul(text + 1, &end, 10); times > 1; times--, len += word)
                if (out)
                    memcpy(out + len, out + start, word);
            text = end;
        }
        text += *text == ' ';
    }
    return len;
}

static int set_up(void **state)
{
    struct vector *vector = *state;
    const char *hex = text_of(vector->json, "hex");

    vector->have = unhex(hex, NULL);
    vector->bytes = malloc(vector->have ? vector->have : 1);
    unhex(hex, vector->bytes);
    vector->total = (size_t)number_of(vector->json, "total", (long)vector->have);
    for (int i = Q2P_DIALECT_UNKNOWN; i <= Q2P_DIALECT_OPTIONS; i++)
        if (strcmp(q2p_dialect_name((enum q2p_dialect)i), text_of(vector->json, "dialect")) == 0)
            vector->dialect = (enum q2p_dialect)i;
    return 0;
}

static int tear_down(void **state)
{
    struct vector *vector = *state;
    free(vector->bytes);
    return 0;
}

static void compare_span(const struct vector *vector, const char *name, struct q2p_span span)
{
    const json_t *wanted = json_object_get(json_object_get(vector->json, "spans"), name);
    long at = wanted ? (long)json_integer_value(json_array_get(wanted, 0)) : 0;
    long len = wanted ? (long)json_integer_value(json_array_get(wanted, 1)) : 0;

    if (span.len != len || (len > 0 && span.at != at))
        fail_msg("span of %s is [%u, %u], not [%ld, %ld]", name, span.at, span.len, at, len);
}

static void compare_spans(const struct vector *vector, const struct q2p_packet *packet)
{
    compare_span(vector, "network_id", packet->network_id_at);
    compare_span(vector, "event", packet->event_at);
    compare_span(vector, "address", packet->address_at);
    compare_span(vector, "reason", packet->reason_at);
    compare_span(vector, "hash", packet->hash_at);
    compare_span(vector, "length", packet->length_at);
    compare_span(vector, "syn", packet->syn_at);
    compare_span(vector, "body", packet->body_at);
    compare_span(vector, "lost", packet->lost_at);
    compare_span(vector, "state", packet->state_at);
    compare_span(vector, "token", packet->token_at);
    compare_span(vector, "received", packet->received_at);
    compare_span(vector, "trailing", packet->trailing_at);
}

static void compare_values(const struct vector *vector, const struct q2p_packet *packet)
{
    const json_t *json = vector->json, *lost = json_object_get(json, "lost");
    const char *hash = text_of(json, "hash"), *reason = text_of(json, "reason");
    char address[Q2P_ADDR_TEXT_MAX];
    uint8_t key[Q2P_HASH_LEN];

    assert_int_equal(packet->network_id, number_of(json, "network_id", 0));
    assert_int_equal(packet->number, number_of(json, "number", 0));
    assert_int_equal(packet->length, number_of(json, "length", 0));
    assert_int_equal(packet->syn, number_of(json, "syn", 0));
    assert_int_equal(packet->state, number_of(json, "state", 0));
    assert_int_equal(packet->token, number_of(json, "token", 0));
    assert_int_equal(packet->received, number_of(json, "received", 0));
    assert_int_equal(packet->lost_count, number_of(json, "lost_count", 0));
    for (size_t i = 0; i < json_array_size(lost); i++)
        assert_int_equal(q2p_wire_lost(packet, vector->bytes, (uint32_t)i),
                         json_integer_value(json_array_get(lost, i)));
    q2p_addr_print(&packet->address, address, sizeof address);
    assert_string_equal(address, json_object_get(json, "address") ? text_of(json, "address") : "-");
    if (*hash) {
        assert_int_equal(unhex(hash, key), sizeof key);
        assert_memory_equal(vector->bytes + packet->hash_at.at, key, sizeof key);
    }
    if (*reason)
        assert_memory_equal(vector->bytes + packet->reason_at.at, reason, strlen(reason));
}

static void compare_guesses(const struct vector *vector)
{
    static const char *const likeness[] = {"none", "weak", "strong"};
    const char *tells = text_of(vector->json, "tells"), *like = text_of(vector->json, "likeness");

    if (*tells)
        assert_string_equal(
            q2p_dialect_name(q2p_wire_dialect(vector->bytes, vector->have, vector->total)), tells);
    if (*like)
        assert_string_equal(likeness[q2p_wire_likeness(vector->bytes, vector->have, vector->total)],
                            like);
}

/* The message that the packet is, to be written again. */
static void compare_written(const struct vector *vector, const struct q2p_packet *packet)
{
    const uint8_t *bytes = vector->bytes;
    struct q2p_span body = packet->body_at.len ? packet->body_at : packet->reason_at;
    struct q2p_message message = {.event = packet->event,
                                  .network_id = packet->network_id,
                                  .length = packet->length,
                                  .syn = packet->syn,
                                  .address = packet->address,
                                  .extended = packet->token_at.len > 0,
                                  .state = packet->state,
                                  .token = packet->token,
                                  .received = packet->received,
                                  .body = bytes + body.at,
                                  .body_len = body.len};
    uint32_t *lost = calloc(packet->lost_count + 1, sizeof *lost);
    uint8_t *out = malloc(vector->have);

    if (packet->hash_at.len > 0)
        memcpy(message.hash.bytes, bytes + packet->hash_at.at, Q2P_HASH_LEN);
    for (uint32_t i = 0; i < packet->lost_count; i++)
        lost[i] = q2p_wire_lost(packet, bytes, i);
    message.lost = lost;
    message.lost_count = packet->lost_count;

    assert_int_equal(q2p_wire_write(out, vector->have, vector->dialect, &message), vector->have);
    assert_memory_equal(out, bytes, vector->have);
    memset(out, 0xee, vector->have); /* no room for the last byte: it tells, and keeps off */
    assert_int_equal(q2p_wire_write(out, vector->have - 1, vector->dialect, &message),
                     vector->have);
    assert_int_equal(out[vector->have - 1], 0xee);
    assert_int_equal(q2p_wire_write(out, vector->have, Q2P_DIALECT_EARLY, &message),
                     Q2P_ERR_UNKNOWN);
    free(out);
    free(lost);
}

static void vector_reads_as_it_says(void **state)
{
    struct vector *vector = *state;
    struct q2p_packet packet;
    int status =
        q2p_wire_read(&packet, vector->dialect, vector->bytes, vector->have, vector->total);

    assert_string_equal(q2p_status_name(status), text_of(vector->json, "status"));
    assert_string_equal(q2p_event_name(packet.event), text_of(vector->json, "event"));
    compare_spans(vector, &packet);
    compare_values(vector, &packet);
    compare_guesses(vector);
    if (json_is_true(json_object_get(vector->json, "writes")))
        compare_written(vector, &packet);
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *file = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    const json_t *list = json_object_get(file, "vectors");
    size_t count = json_array_size(list);

    if (count == 0) {
        fprintf(stderr, "usage: test_vectors WIRE.JSON (%s)\n", argc == 2 ? error.text : "missing");
        return 2;
    }
    struct vector *vectors = calloc(count, sizeof *vectors);
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    for (size_t i = 0; i < count; i++) {
        vectors[i].json = json_array_get(list, i);
        tests[i] = (struct CMUnitTest){text_of(vectors[i].json, "name"), vector_reads_as_it_says,
                                       set_up, tear_down, &vectors[i]};
    }
    int failed = _cmocka_run_group_tests("wire.json", tests, count, NULL, NULL);
    free(tests);
    free(vectors);
    json_decref(file);
    return failed != 0;
}
