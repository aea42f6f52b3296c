/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_scn_read.c - scenario files: the schema, what is read, what is written back, what is wrong.
 * The wording of every error is in tests/scenario/bad. */
#define _GNU_SOURCE /* mkstemp, open_memstream */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <q2p/status.h>

#include "scn_resolve.h"
#include "scn_schema.h"

static char path[64];

static bool read_text(struct scenario *out, const char *text, struct scn_errors *errors)
{
    snprintf(path, sizeof path, "/tmp/q2p-scn-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    *errors = (struct scn_errors){0};
    bool fine = scn_read(out, path, errors);
    unlink(path);
    return fine;
}

static void read_good(struct scenario *out, const char *text)
{
    struct scn_errors errors;
    if (!read_text(out, text, &errors))
        fail_msg("line %d: %s", errors.items[0].line, errors.items[0].text);
    scn_errors_free(&errors);
}

static void assert_error(const char *text, int line, int column, const char *message)
{
    struct scenario scenario;
    struct scn_errors errors;
    assert_false(read_text(&scenario, text, &errors));
    assert_int_equal(errors.count, 1);
    assert_string_equal(errors.items[0].text, message);
    assert_int_equal(errors.items[0].line, line);
    assert_int_equal(errors.items[0].column, column);
    scn_errors_free(&errors);
    scn_free(&scenario);
}

static void every_row_of_the_schema_makes_sense(void **state)
{
    (void)state;
    static char object[sizeof(struct scenario) + sizeof(struct scn_node)];
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        bool explained = false;
        for (const struct scn_section *section = scn_sections; section->name; section++)
            explained |= strcmp(section->name, key->section) == 0;
        assert_true(explained);
        assert_true(strlen(key->help) > 5);
        for (const struct scn_key *other = scn_schema; other != key; other++)
            assert_false(strcmp(other->section, key->section) == 0 &&
                         strcmp(other->name, key->name) == 0);
        if (key->kind <= SCN_PAIR || !key->fallback || !*key->fallback || key->kind == SCN_PART)
            continue;
        struct scn_errors errors = {0};
        char text[64], printed[64];
        snprintf(text, sizeof text, "%s", key->fallback);
        struct scn_yaml value = {.shape = SCN_SCALAR, .text = text};
        assert_true(scn_value_read(key, &value, object, &errors));
        scn_value_write(key, object, printed, sizeof printed);
        if (strcmp(printed, "0") != 0) /* of nothing the unit is lost */
            assert_string_equal(printed, key->fallback);
    }
}

/* What the schema lets through, the library must take: its ends, one key at a time. */
static void the_library_takes_what_the_schema_allows(void **state)
{
    (void)state;
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        if (strcmp(key->section, "protocol") != 0 || key->kind == SCN_WORD || key->kind == SCN_BOOL)
            continue;
        for (int end = 0; end < 2; end++) {
            struct scn_protocol protocol = {0};
            struct scn_errors errors = {0};
            q2p_node *node = NULL;
            char text[40];
            const char *unit = key->kind == SCN_TIME ? "ns" : key->kind == SCN_SIZE ? "B" : "";
            int64_t value = end ? key->max : key->min;
            if (key->kind == SCN_RATE) {
                unit = "bit";
                value *= 8;
            }
            snprintf(text, sizeof text, "%lld%s", (long long)value, unit);
            struct scn_yaml yaml = {.shape = SCN_SCALAR, .text = text};
            scn_defaults("protocol", &protocol);
            assert_true(scn_value_read(key, &yaml, &protocol, &errors));
            if (q2p_node_new(&node, &protocol.config) != Q2P_OK)
                fail_msg("%s: %s is refused", key->name, text);
            q2p_node_free(node);
        }
    }
}

static void the_starter_is_a_good_scenario(void **state)
{
    (void)state;
    char *text;
    size_t len;
    struct scenario scenario;
    FILE *out = open_memstream(&text, &len);
    scn_starter(out);
    fclose(out);
    read_good(&scenario, text);
    assert_int_equal(scenario.nodes.count, 3);
    free(text);
    scn_free(&scenario);
}

static void a_node_has_the_protocol_of_the_file_and_its_own_on_top(void **state)
{
    (void)state;
    struct scenario scenario;
    read_good(&scenario, "protocol: {lost: 1s, peers-max: 5}\n"
                         "nodes:\n"
                         "  a: {at: 192.0.2.1:1}\n"
                         "  b: {at: 192.0.2.2:1, dialect: options, peers-max: 7}\n"
                         "  c: {at: 192.0.2.3:1, lost: 2s, profile: original}\n");
    struct scn_node *nodes = scenario.nodes.items;
    assert_int_equal(nodes[0].protocol.config.dialect, Q2P_DIALECT_CLASSIC);
    assert_int_equal(nodes[0].protocol.config.lost_ns, Q2P_SECOND);
    assert_int_equal(nodes[0].protocol.config.peers_max, 5);
    assert_int_equal(nodes[1].protocol.config.dialect, Q2P_DIALECT_OPTIONS);
    assert_int_equal(nodes[1].protocol.config.peers_max, 7);
    assert_int_equal(nodes[2].protocol.config.lost_ns, 2 * Q2P_SECOND); /* above the profile */
    assert_false(nodes[2].protocol.config.persist);
    scn_free(&scenario);
}

static void a_count_makes_many_nodes_with_addresses_counting_up(void **state)
{
    (void)state;
    struct scenario scenario;
    read_good(&scenario, "nodes:\n"
                         "  seed: {at: 192.0.2.1:1}\n"
                         "  crowd: {count: 300, at: 10.0.0.250:7, joins: seed}\n"
                         "expect:\n"
                         "  - {connected: [crowd-0, crowd-299]}\n");
    assert_int_equal(scenario.nodes.count, 301);
    struct scn_node *last = &scenario.nodes.items[300];
    assert_string_equal(last->name, "crowd-299");
    assert_int_equal(last->at.ip[2], 2);
    assert_int_equal(last->at.ip[3], 37);
    assert_int_equal(last->joins.items[0].index, 0);
    assert_int_equal(scenario.expect.items[0].connected[1].index, 300);
    scn_free(&scenario);
}

static void a_link_of_hidden_nodes_is_one_of_their_outermost_nats(void **state)
{
    (void)state;
    struct scenario scenario;
    read_good(&scenario, "nodes:\n"
                         "  a: {at: 10.0.0.1:1, behind: inner}\n"
                         "  b: {at: 192.0.2.2:1}\n"
                         "nats:\n"
                         "  inner: {outside: 100.64.0.1, behind: outer}\n"
                         "  outer: {outside: 198.51.100.1}\n"
                         "links: [{between: [a, b], loss: 5%}]\n");
    assert_int_equal(scenario.links.items[0].between[0].index, SCN_IS_NAT | 1);
    assert_int_equal(scenario.links.items[0].between[1].index, 1);
    assert_string_equal(scn_name(&scenario, SCN_IS_NAT | 1), "outer");
    scn_free(&scenario);
}

static char *write_text(const struct scenario *scenario)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    scn_write(scenario, out);
    fclose(out);
    return text;
}

static void what_is_written_reads_back_to_the_same(void **state)
{
    (void)state;
    struct scenario scenario, again;
    read_good(&scenario, "name: \"a: title\"\nseed: 5\nprotocol: {dialect: options}\n"
                         "nodes:\n"
                         "  a: {at: \"[fd77::1]:1\", joins: [b, c]}\n"
                         "  b: {at: \"[fd77::2]:1\", network-id: 0x12}\n"
                         "  c: {at: \"[fd77::3]:1\", profile: original, rate: 10Mbit}\n"
                         "  d: {at: 10.0.0.1:1, behind: n}\n"
                         "nats: {n: {outside: 198.51.100.1, mapping: address, forget-after: 30s}}\n"
                         "links: [{between: [b, n], delay: 1ms..2ms, loss: 0.5%}]\n"
                         "script:\n"
                         "  - {at: 1s, send: {from: a, to: b, size: 1KiB, as: x}}\n"
                         "  - {at: 2s, set: {link: [a, b], loss: 100%}}\n"
                         "  - {at: 3s, rebind: n}\n"
                         "expect:\n"
                         "  - {delivered: x, before: 5s}\n"
                         "  - {peers: 0..3, at: a}\n"
                         "  - {never: refused}\n");
    char *first = write_text(&scenario);
    read_good(&again, first);
    char *second = write_text(&again);
    assert_string_equal(first, second);
    assert_non_null(strstr(first, "set: {link: [a, b], loss: 100%}"));
    assert_non_null(strstr(first, "network-id: 18"));
    assert_true(again.nodes.items[2].protocol.config.rate == 1250000);
    free(first);
    free(second);
    scn_free(&scenario);
    scn_free(&again);
}

static void mistakes_are_pointed_at(void **state)
{
    (void)state;
#define NODES "nodes: {a: {at: 192.0.2.1:1}, b: {at: 192.0.2.2:1}}\n"
    assert_error("nodes: {a: {at: 192.0.2.1:1, dialetc: options}}\n", 1, 30,
                 "unknown key 'dialetc' (did you mean 'dialect'?)");
    assert_error("nodes: {a: {at: 192.0.2.1:1}, b: {at: 192.0.3.1:1, count: 1000000}}\n", 1, 31,
                 "more than 1000000 nodes in all");
    assert_error("nodes: {abcdefghijklmnopqrstuvwx: {at: 192.0.2.1:1}, "
                 "abcdefghijklmnopqrstuv: {at: 192.0.3.1:1, count: 11}}\n",
                 1, 54,
                 "bad name 'abcdefghijklmnopqrstuv': want a letter, then letters, digits, - or _, "
                 "up to 24 in all"); /* its last one would have 25 */
    assert_error(NODES "until: 5\n", 2, 8,
                 "bad value '5' for until: want a time such as 20ms, at least 1ms, up to 24h");
    assert_error(NODES "until: 5s\nuntil: 6s\n", 3, 1, "duplicate key 'until' (first in line 2)");
    assert_error(NODES "default: {loss: 1}\n", 2, 17,
                 "bad value '1' for loss: want a percentage such as 1%, up to 100%");
    assert_error(NODES "links: [{between: [a, c]}]\n", 2, 23, "no node or NAT is called 'c'");
    assert_error(NODES "expect: [{connected: [a, b], never: refused}]\n", 2, 10,
                 "want one of connected, not-connected, delivered, failed, seen, never, peers");
    assert_error("nodes: {a: {at: 192.0.2.1:1}, b: {at: 192.0.2.1:1}}\n", 1, 31,
                 "address 192.0.2.1:1 is taken (line 1)");
    assert_error("nodes: {a: {at: 10.0.0.1:1, behind: x}}\nnats:\n"
                 "  x: {outside: 192.0.2.1, behind: x}\n",
                 3, 3, "NAT 'x' is behind itself");
    assert_error("nodes: {a: {at: 10.0.0.1:1, behind: x}, b: {at: 192.0.2.9:1, joins: a}}\n"
                 "nats: {x: {outside: 192.0.2.1}}\n",
                 1, 69, "'a' cannot be a seed here: it is hidden behind NAT 'x'");
    assert_error("", 0, 0, "the file is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_schema_makes_sense),
        cmocka_unit_test(the_library_takes_what_the_schema_allows),
        cmocka_unit_test(the_starter_is_a_good_scenario),
        cmocka_unit_test(a_node_has_the_protocol_of_the_file_and_its_own_on_top),
        cmocka_unit_test(a_count_makes_many_nodes_with_addresses_counting_up),
        cmocka_unit_test(a_link_of_hidden_nodes_is_one_of_their_outermost_nats),
        cmocka_unit_test(what_is_written_reads_back_to_the_same),
        cmocka_unit_test(mistakes_are_pointed_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
