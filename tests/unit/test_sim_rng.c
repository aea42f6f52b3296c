/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sim_rng.c - the dice of the simulator: streams by name. */
#include "unit.h"

#include "sim_rng.h"

static void the_generator_is_xoshiro256starstar(void **state)
{
    (void)state;
    struct sim_rng rng = {{1, 2, 3, 4}}; /* its authors' reference outputs */
    assert_int_equal(sim_rng_next(&rng), 11520);
    assert_int_equal(sim_rng_next(&rng), 0);
    assert_int_equal(sim_rng_next(&rng), 1509978240);
    assert_true(sim_rng_next(&rng) == UINT64_C(1215971899390074240));
}

static void a_stream_is_a_function_of_seed_and_name(void **state)
{
    (void)state;
    struct sim_rng a, b, name, seed;
    sim_rng_init(&a, 7, "link:alice>bob/loss");
    sim_rng_init(&b, 7, "link:alice>bob/loss");
    sim_rng_init(&name, 7, "link:bob>alice/loss");
    sim_rng_init(&seed, 8, "link:alice>bob/loss");
    for (int i = 0; i < 100; i++) {
        uint64_t draw = sim_rng_next(&a);
        assert_true(draw == sim_rng_next(&b));
        assert_true(draw != sim_rng_next(&name));
        assert_true(draw != sim_rng_next(&seed));
    }
}

static void draws_below_a_bound_are_uniform(void **state)
{
    (void)state;
    struct sim_rng rng;
    int count[10] = {0};
    double chi = 0;
    sim_rng_init(&rng, 1, "uniform");
    for (int i = 0; i < 100000; i++)
        count[sim_rng_below(&rng, 10)]++;
    for (int i = 0; i < 10; i++)
        chi += (count[i] - 10000.0) * (count[i] - 10000.0) / 10000.0;
    assert_true(chi < 40); /* 9 degrees of freedom: 1e-5 */
    for (int i = 0; i < 100; i++)
        assert_int_equal(sim_rng_below(&rng, 1), 0);
}

static void filling_more_bytes_changes_none_of_the_first(void **state)
{
    (void)state;
    uint8_t little[13], much[64];
    struct sim_rng a, b;
    sim_rng_init(&a, 3, "send:picture");
    b = a;
    sim_rng_fill(&a, little, sizeof little);
    sim_rng_fill(&b, much, sizeof much);
    assert_memory_equal(little, much, sizeof little);
}

static void a_hash_sees_order_length_and_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[40] = {0};
    uint64_t empty = sim_mix_bytes(0, bytes, sizeof bytes);
    assert_true(empty != sim_mix_bytes(0, bytes, sizeof bytes - 1));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        assert_true(empty != sim_mix_bytes(0, bytes, sizeof bytes));
        bytes[i] = 0;
    }
    assert_true(sim_mix(sim_mix(0, 1), 2) != sim_mix(sim_mix(0, 2), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_xoshiro256starstar),
        cmocka_unit_test(a_stream_is_a_function_of_seed_and_name),
        cmocka_unit_test(draws_below_a_bound_are_uniform),
        cmocka_unit_test(filling_more_bytes_changes_none_of_the_first),
        cmocka_unit_test(a_hash_sees_order_length_and_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
