/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_scn_vary.c - variants: how many, which values, where they land, what is refused. */
#define _GNU_SOURCE /* mkstemp */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scn_schema.h"
#include "scn_vary.h"

#define NODES                                                                                      \
    "nodes:\n"                                                                                     \
    "  a: {at: 192.0.2.1:1}\n"                                                                     \
    "  b: {at: 192.0.2.2:1, joins: a}\n"                                                           \
    "links: [{between: [a, b], delay: 1ms}]\n"

static bool load(struct scenario *out, const char *text, uint32_t variant, char *error, size_t room)
{
    char path[] = "/tmp/q2p-vary-XXXXXX";
    struct scn_errors errors = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    bool fine = scn_read_variant(out, path, variant, &errors);
    unlink(path);
    snprintf(error, room, "%s", fine ? "" : errors.items[0].text);
    scn_errors_free(&errors);
    return fine;
}

static void all_combinations_are_variants_the_last_key_fastest(void **state)
{
    (void)state;
    static const char text[] = NODES "vary:\n"
                                     "  links.1.delay: [2ms, 3ms]\n"
                                     "  protocol.lost: [1s, 2s, 3s]\n"
                                     "  nodes.b.start: [7s]\n";
    for (uint32_t variant = 0; variant <= 6; variant++) {
        struct scenario scenario;
        char error[200], print[200], wanted[200] = "";
        if (!load(&scenario, text, variant, error, sizeof error))
            fail_msg("%s", error);
        assert_int_equal(scenario.variants, 6);
        unsigned delay = variant == 0 ? 1 : variant <= 3 ? 2 : 3, lost = (variant - 1) % 3 + 1;
        assert_int_equal(scenario.nodes.items[1].protocol.config.lost_ns,
                         variant ? lost * Q2P_SECOND : 500 * Q2P_MILLISECOND);
        assert_int_equal(scenario.nodes.items[1].start_ns, variant ? 7 * Q2P_SECOND : 0);
        if (variant > 0)
            snprintf(wanted, sizeof wanted, "links.1.delay=%ums protocol.lost=%us nodes.b.start=7s",
                     delay, lost);
        scn_vary_print(scenario.yaml, variant, print, sizeof print);
        assert_string_equal(print, wanted);
        scn_free(&scenario);
    }
}

static void assert_refused(const char *vary, uint32_t variant, const char *wanted)
{
    struct scenario scenario;
    char text[400], error[200];
    snprintf(text, sizeof text, NODES "vary: %s\n", vary);
    assert_false(load(&scenario, text, variant, error, sizeof error));
    assert_string_equal(error, wanted);
    scn_free(&scenario);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_refused("[a]", 0, "vary wants SECTION.KEY: [VALUE, ...] for each");
    assert_refused("{default.loss: 5%}", 0, "want a list of values, such as [1%, 5%]");
    assert_refused("{default.loss: []}", 0, "want a list of values, such as [1%, 5%]");
    assert_refused("{default.loss: [[1%]]}", 0, "want a plain value");
    assert_refused("{default.loss: [1%]}", 2, "there is no variant 2; there are 1");
    assert_refused("{nodes.c.start: [1s]}", 1,
                   "'nodes.c.start' is no place for a value in this file");
    assert_refused("{links.2.delay: [1s]}", 1,
                   "'links.2.delay' is no place for a value in this file");
    assert_refused("{links.x: [1s]}", 1, "'links.x' is no place for a value in this file");
    assert_refused("{nodes.b: [1s]}", 1, "'nodes.b' is no place for a value in this file");
    assert_refused("{nodes..start: [1s]}", 1,
                   "'nodes..start' is no place for a value in this file");
    assert_refused("{default.los: [1%]}", 1, "unknown key 'los' (did you mean 'loss'?)");
}

static void too_many_combinations_are_refused(void **state)
{
    (void)state;
    char text[4000] = NODES "vary: {default.loss: [0", error[200];
    struct scenario scenario;
    size_t len = strlen(text);
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", %d%%", i % 50);
    len += (size_t)snprintf(text + len, sizeof text - len, "], protocol.lost: [1s");
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", %ds", i + 2);
    snprintf(text + len, sizeof text - len, "]}\n");
    assert_false(load(&scenario, text, 0, error, sizeof error));
    assert_string_equal(error, "more than 10000 combinations");
    scn_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_combinations_are_variants_the_last_key_fastest),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(too_many_combinations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
