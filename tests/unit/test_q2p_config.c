/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_config.c - defaults, bounds, older callers, the profile of the original. */
#include "q2p_config.h"

#include <q2p/status.h>

#include "unit.h"

static void the_defaults_are_valid_and_can_repair_a_loss(void **state)
{
    struct q2p_config config, taken;

    (void)state;
    q2p_config_init(&config);
    assert_int_equal(config.size, sizeof config);
    assert_int_equal(config.dialect, Q2P_DIALECT_CLASSIC);
    assert_int_equal(config.peers_max, 32);
    assert_true(config.timeout_ns >= 4 * config.lost_ns);
    assert_int_equal(q2p__config_take(&taken, &config), Q2P_OK);
    assert_non_null(taken.alloc.resize);
}

static void every_bound_is_kept(void **state)
{
    struct q2p_config config, taken;

    (void)state;
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        q2p_config_init(&config);                                                                  \
        config.field = (value);                                                                    \
        assert_int_equal(q2p__config_take(&taken, &config), Q2P_ERR_INVALID);                      \
    } while (0)
    REFUSED(dialect, Q2P_DIALECT_UNKNOWN);
    REFUSED(dialect, Q2P_DIALECT_EARLY);
    REFUSED(peers_max, 0);
    REFUSED(peers_max, 129);
    REFUSED(lost_ns, 0); /* the original floods with it: 72,000 datagrams in a second */
    REFUSED(timeout_ns, 0);
    REFUSED(remember_ns, -1);
    REFUSED(keep_ns, -1);
    REFUSED(burst, 0);
    REFUSED(length_max, 0);
    REFUSED(incoming_max, 0);
    REFUSED(incoming_peer_max, 0);
    REFUSED(outgoing_max, 0);
    REFUSED(retry_ns, 0);
    REFUSED(keepalive_ns, -1);
    REFUSED(silence_ns, -1);
#undef REFUSED
    q2p_config_init(&config);
    config.peers_max = 128;
    assert_int_equal(q2p__config_take(&taken, &config), Q2P_OK);
}

static void an_older_caller_gets_defaults_for_what_it_does_not_know(void **state)
{
    struct q2p_config config, taken;
    size_t older = offsetof(struct q2p_config, persist);

    (void)state;
    memset(&config, 0xaa, sizeof config);
    q2p_config_init_sized(&config, older);
    assert_int_equal(((uint8_t *)&config)[older], 0xaa); /* not ours to write */
    config.network_id = 7;
    assert_int_equal(q2p__config_take(&taken, &config), Q2P_OK);
    assert_int_equal(taken.network_id, 7);
    assert_int_equal(taken.retries_max, 6);
    assert_true(taken.persist);
    assert_int_equal(taken.size, sizeof taken);
}

static void a_newer_caller_is_understood_as_far_as_possible(void **state)
{
    struct {
        struct q2p_config config;
        uint64_t later[4];
    } newer;
    struct q2p_config taken;

    (void)state;
    memset(&newer, 0xaa, sizeof newer);
    q2p_config_init_sized(&newer.config, sizeof newer);
    assert_int_equal(q2p__config_take(&taken, &newer.config), Q2P_OK);
    assert_int_equal(taken.size, sizeof taken);
}

static void the_original_profile_sends_once_and_never_repairs(void **state)
{
    struct q2p_config config, taken;

    (void)state;
    q2p_config_init(&config);
    q2p_config_original(&config);
    assert_int_equal(config.lost_ns, 6 * Q2P_SECOND);
    assert_int_equal(config.timeout_ns, 5 * Q2P_SECOND);
    assert_true(config.timeout_total && config.open);
    assert_false(config.repair || config.persist);
    assert_true(config.keepalive_ns == 0 && config.silence_ns == 0);
    assert_int_equal(q2p__config_take(&taken, &config), Q2P_OK);
}

static void memory_comes_from_the_c_library_by_default(void **state)
{
    struct q2p_config config, taken;
    char *bytes;

    (void)state;
    q2p_config_init(&config);
    assert_int_equal(q2p__config_take(&taken, &config), Q2P_OK);
    bytes = taken.alloc.resize(NULL, NULL, 0, 3);
    assert_non_null(bytes);
    memcpy(bytes, "abc", 3);
    bytes = taken.alloc.resize(NULL, bytes, 3, 300);
    assert_memory_equal(bytes, "abc", 3);
    assert_null(taken.alloc.resize(NULL, bytes, 300, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_valid_and_can_repair_a_loss),
        cmocka_unit_test(every_bound_is_kept),
        cmocka_unit_test(an_older_caller_gets_defaults_for_what_it_does_not_know),
        cmocka_unit_test(a_newer_caller_is_understood_as_far_as_possible),
        cmocka_unit_test(the_original_profile_sends_once_and_never_repairs),
        cmocka_unit_test(memory_comes_from_the_c_library_by_default),
    };
    return cmocka_run_group_tests_name("q2p_config", tests, NULL, NULL);
}
