/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_q2p_pile.c - fragments in any order become the message; memory grows with what came. */
#include "q2p_pile.h"

#include <stdlib.h>

#include <q2p/status.h>
#include <q2p/wire.h>

#include "scarce.h"
#include "unit.h"

static void share_of(uint8_t out[Q2P_FRAGMENT_LEN], uint32_t syn)
{
    for (uint32_t i = 0; i < Q2P_FRAGMENT_LEN; i++)
        out[i] = (uint8_t)(syn * 31 + i * 7 + (syn >> 8));
}

static int add(struct q2p__pile *pile, uint32_t syn, size_t len)
{
    uint8_t body[Q2P_FRAGMENT_LEN];

    share_of(body, syn);
    return q2p__pile_add(pile, &alloc, syn, body, len);
}

static void assert_in_order(const uint8_t *message, uint32_t total, size_t last_len)
{
    uint8_t body[Q2P_FRAGMENT_LEN];

    for (uint32_t syn = 0; syn < total; syn++) {
        share_of(body, syn);
        assert_memory_equal(message + (size_t)syn * Q2P_FRAGMENT_LEN, body,
                            syn + 1 < total ? Q2P_FRAGMENT_LEN : last_len);
    }
}

/* Adds all fragments in the order that `of` says and looks at the result. */
static void check_order(uint32_t total, uint32_t (*of)(uint32_t i, uint32_t total))
{
    struct q2p__pile pile;
    uint8_t *message;
    size_t room;

    allocations_left = 1000;
    bytes_held = 0;
    q2p__pile_init(&pile, total, 99);
    for (uint32_t i = 0; i < total; i++) {
        uint32_t syn = of(i, total);
        size_t would = q2p__pile_would_hold(&pile, syn);

        assert_false(q2p__pile_has(&pile, syn));
        assert_int_equal(add(&pile, syn, syn + 1 < total ? Q2P_FRAGMENT_LEN : 5), Q2P_OK);
        assert_true(q2p__pile_has(&pile, syn));
        assert_int_equal(q2p__pile_held(&pile), would);
        assert_int_equal(bytes_held, would);
        /* at most twice what came, and 48 bytes a fragment to find it again */
        assert_true(would <= (i + 1) * (2 * Q2P_FRAGMENT_LEN + 48) + 512);
    }
    assert_int_equal(pile.gap, total);
    q2p__pile_sort(&pile);
    message = q2p__pile_take(&pile, &alloc, &room);
    assert_int_equal(bytes_held, room);
    assert_in_order(message, total, 5);
    scarce_resize(NULL, message, room, 0);
}

static uint32_t forwards(uint32_t i, uint32_t total)
{
    (void)total;
    return i;
}

static uint32_t backwards(uint32_t i, uint32_t total)
{
    return total - 1 - i;
}

static uint32_t two_swapped(uint32_t i, uint32_t total)
{
    return i == total / 2 ? i + 1 : i == total / 2 + 1 ? i - 1 : i;
}

static uint32_t strided(uint32_t i, uint32_t total)
{
    return (uint32_t)((uint64_t)i * 7919 % total); /* total must not be a multiple of 7919 */
}

static uint32_t first_last(uint32_t i, uint32_t total)
{
    return i + 1 < total ? i + 1 : 0;
}

/* One of `every` fragments comes after all others. */
static uint32_t late(uint32_t i, uint32_t total, uint32_t every)
{
    uint32_t in_time = total - total / every;

    return i < in_time ? i + i / (every - 1) : (i - in_time) * every + every - 1;
}

static uint32_t few_late(uint32_t i, uint32_t total)
{
    return late(i, total, 50);
}

/* As many as may have no place before it is wasted. */
static uint32_t some_late(uint32_t i, uint32_t total)
{
    return late(i, total, 16);
}

static uint32_t many_late(uint32_t i, uint32_t total)
{
    return late(i, total, 9);
}

/* The first hole is filled before there are many. */
static uint32_t filled_then_late(uint32_t i, uint32_t total)
{
    if (total <= 40)
        return i;
    return i < 40 ? (i == 20 ? 21 : i == 21 ? 20 : i) : 40 + late(i - 40, total - 40, 3);
}

/* In runs of 10, each backwards. */
static uint32_t jumbled(uint32_t i, uint32_t total)
{
    return i < total / 10 * 10 ? i / 10 * 10 + 9 - i % 10 : i;
}

static void any_order_of_arrival_becomes_the_message(void **state)
{
    const uint32_t totals[] = {1, 2, 3, 17, 64, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        check_order(totals[i], forwards);
        check_order(totals[i], backwards);
        check_order(totals[i], strided);
        check_order(totals[i], first_last);
        check_order(totals[i], few_late);
        check_order(totals[i], some_late);
        check_order(totals[i], many_late);
        check_order(totals[i], filled_then_late);
        check_order(totals[i], jumbled);
        if (totals[i] > 3)
            check_order(totals[i], two_swapped);
    }
}

static void where_few_are_missing_each_is_at_home(void **state)
{
    struct q2p__pile pile;

    (void)state;
    allocations_left = 100;
    bytes_held = 0;
    q2p__pile_init(&pile, 1000, 1);
    for (uint32_t i = 0; i < 980; i++)
        assert_int_equal(add(&pile, few_late(i, 1000), 484), Q2P_OK);
    assert_null(pile.index);
    assert_int_equal(pile.gap, 49);
    for (uint32_t syn = 0; syn < 1000; syn++)
        if (syn % 50 != 49)
            assert_int_equal(pile.bytes[syn * 484 + 1], (uint8_t)(syn * 31 + 7 + (syn >> 8)));
    q2p__pile_free(&pile, &alloc);
    assert_int_equal(bytes_held, 0);
}

static void where_many_are_missing_no_place_is_kept_for_them(void **state)
{
    struct q2p__pile pile;

    (void)state;
    allocations_left = 100;
    bytes_held = 0;
    q2p__pile_init(&pile, 1000, 1);
    for (uint32_t i = 0; i < 889; i++)
        assert_int_equal(add(&pile, many_late(i, 1000), 484), Q2P_OK);
    assert_non_null(pile.index);
    assert_null(pile.here);
    assert_int_equal(pile.gap, 8);
    q2p__pile_free(&pile, &alloc);
    assert_int_equal(bytes_held, 0);
}

static void an_announced_length_takes_no_memory(void **state)
{
    struct q2p__pile pile;

    (void)state;
    allocations_left = 100;
    bytes_held = 0;
    q2p__pile_init(&pile, 8874000, 1);
    assert_int_equal(bytes_held, 0);
    assert_int_equal(add(&pile, 8873999, 3), Q2P_OK);
    assert_true(bytes_held < 1024);
    q2p__pile_free(&pile, &alloc);
    assert_int_equal(bytes_held, 0);
}

static void missing_ones_are_found_in_bounded_steps(void **state)
{
    struct q2p__pile pile;
    uint32_t syns[4], cursor = 0;

    (void)state;
    allocations_left = 100;
    q2p__pile_init(&pile, 10, 1);
    for (uint32_t syn = 0; syn < 10; syn += 2)
        assert_int_equal(add(&pile, syn, 484), Q2P_OK);
    assert_int_equal(q2p__pile_missing(&pile, &cursor, 10, syns, 4), 4);
    assert_int_equal(syns[0], 1);
    assert_int_equal(syns[3], 7);
    assert_int_equal(q2p__pile_missing(&pile, &cursor, 10, syns, 4), 1);
    assert_int_equal(syns[0], 9);
    assert_int_equal(q2p__pile_missing(&pile, &cursor, 10, syns, 4), 0);
    q2p__pile_free(&pile, &alloc);
}

static void fail_once(uint32_t (*of)(uint32_t i, uint32_t total), int limit)
{
    struct q2p__pile pile;
    uint8_t *message;
    size_t room;

    bytes_held = 0;
    q2p__pile_init(&pile, 100, 5);
    allocations_left = limit;
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t syn = of(i, 100);
        int status = add(&pile, syn, syn < 99 ? 484 : 5);

        if (status == Q2P_ERR_MEMORY) { /* and now there is some again */
            assert_false(q2p__pile_has(&pile, syn));
            assert_int_equal(bytes_held, q2p__pile_held(&pile));
            allocations_left = 1000;
            status = add(&pile, syn, syn < 99 ? 484 : 5);
        }
        assert_int_equal(status, Q2P_OK);
    }
    q2p__pile_sort(&pile);
    message = q2p__pile_take(&pile, &alloc, &room);
    assert_in_order(message, 100, 5);
    scarce_resize(NULL, message, room, 0);
    assert_int_equal(bytes_held, 0);
}

static void without_memory_the_pile_stays_as_it_was(void **state)
{
    (void)state;
    for (int limit = 0; limit < 40; limit++) {
        fail_once(strided, limit);
        fail_once(few_late, limit);
        fail_once(many_late, limit);
        fail_once(filled_then_late, limit);
        fail_once(jumbled, limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_arrival_becomes_the_message),
        cmocka_unit_test(where_few_are_missing_each_is_at_home),
        cmocka_unit_test(where_many_are_missing_no_place_is_kept_for_them),
        cmocka_unit_test(an_announced_length_takes_no_memory),
        cmocka_unit_test(missing_ones_are_found_in_bounded_steps),
        cmocka_unit_test(without_memory_the_pile_stays_as_it_was),
    };
    return cmocka_run_group_tests_name("q2p_pile", tests, NULL, NULL);
}
