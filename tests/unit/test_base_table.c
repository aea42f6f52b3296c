/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base_table.c - the table of items by key, its hash, and how it behaves out of memory. */
#include "base_table.h"

#include <stdlib.h>

#include <q2p/status.h>

#include "scarce.h"
#include "unit.h"

struct item {
    uint32_t other;
    uint8_t key[8];
};

static const uint64_t secret[2] = {1, 2};

static void make(struct q2p__table *table, size_t items_max)
{
    allocations_left = 1000;
    q2p__table_init(table, &alloc, secret);
    q2p__table_shape(table, offsetof(struct item, key), sizeof(((struct item *)0)->key), items_max);
}

static struct item *fill(struct q2p__table *table, uint32_t count)
{
    struct item *items = calloc(count, sizeof *items);

    assert_non_null(items);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(items[i].key, &i, sizeof i);
        assert_int_equal(q2p__table_add(table, &items[i]), Q2P_OK);
    }
    return items;
}

/* The values are those of other programs: CPython 3.11 with a secret of 0, and the reference
 * vectors with the secret 00 01 ... 0f. */
static void the_hash_is_siphash_1_3(void **state)
{
    const uint64_t zero[2] = {0, 0};
    const uint64_t counted[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t bytes[40];

    (void)state;
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    assert_int_equal(q2p__table_hash(zero, "abcdefg", 7), UINT64_C(0x6db12aae9070f506));
    assert_int_equal(q2p__table_hash(zero, "abcdefgh", 8), UINT64_C(0x3f7b849c0b8e35ea));
    assert_int_equal(q2p__table_hash(zero, bytes, 40), UINT64_C(0x95bc321ab41d8206));
    assert_int_equal(q2p__table_hash(counted, bytes, 0), UINT64_C(0xabac0158050fc4dc));
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
    struct q2p__table table;
    struct item *items;
    uint8_t absent[8] = {0xff, 0xff, 0xff, 0xff};

    (void)state;
    make(&table, 5000);
    assert_null(q2p__table_find(&table, absent));
    items = fill(&table, 5000);
    for (uint32_t i = 0; i < 5000; i++)
        assert_ptr_equal(q2p__table_find(&table, items[i].key), &items[i]);
    assert_null(q2p__table_find(&table, absent));
    q2p__table_clear(&table);
    free(items);
}

static void dropping_leaves_all_others_findable(void **state)
{
    struct q2p__table table;
    struct item *items;

    (void)state;
    make(&table, 1000);
    items = fill(&table, 1000);
    for (uint32_t i = 0; i < 1000; i += 3)
        q2p__table_drop(&table, &items[i]);
    for (uint32_t i = 0; i < 1000; i++)
        assert_ptr_equal(q2p__table_find(&table, items[i].key), i % 3 ? &items[i] : NULL);
    for (uint32_t i = 0; i < 1000; i++)
        if (i % 3)
            q2p__table_drop(&table, &items[i]);
    assert_int_equal(table.used, 0);
    assert_null(table.slots); /* an empty table holds no memory */
    free(items);
}

static void a_full_table_says_so(void **state)
{
    struct q2p__table table;
    struct item *items, more = {.key = {0xee}};

    (void)state;
    make(&table, 10);
    items = fill(&table, 10);
    assert_int_equal(q2p__table_add(&table, &more), Q2P_ERR_FULL);
    assert_null(q2p__table_find(&table, more.key));
    q2p__table_clear(&table);
    free(items);
}

static void without_memory_nothing_changes(void **state)
{
    struct q2p__table table;
    struct item *items, more = {.key = {0xee}};

    (void)state;
    make(&table, 100);
    items = fill(&table, 6); /* three quarters of the first eight */
    allocations_left = 0;
    assert_int_equal(q2p__table_add(&table, &more), Q2P_ERR_MEMORY);
    for (uint32_t i = 0; i < 6; i++)
        assert_ptr_equal(q2p__table_find(&table, items[i].key), &items[i]);
    assert_null(q2p__table_find(&table, more.key));
    q2p__table_clear(&table);
    free(items);
}

static void walking_meets_every_item_once(void **state)
{
    struct q2p__table table;
    struct item *items, *item;
    uint32_t cursor = 0, count = 0;

    (void)state;
    make(&table, 100);
    items = fill(&table, 50);
    while ((item = q2p__table_next(&table, &cursor))) {
        item->other++;
        count++;
    }
    assert_int_equal(count, 50);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(items[i].other, 1);
    q2p__table_clear(&table);
    free(items);
}

static void another_secret_orders_otherwise(void **state)
{
    const uint64_t other[2] = {3, 4};

    (void)state;
    assert_int_not_equal(q2p__table_hash(secret, "key", 3), q2p__table_hash(other, "key", 3));
}

/* Steps from where items want to be to where they are: what a search costs. */
static uint64_t steps(const uint64_t of_secret[2], struct item *items, uint32_t count)
{
    struct q2p__table table;
    uint64_t sum = 0;

    make(&table, count);
    table.secret = of_secret;
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(q2p__table_add(&table, &items[i]), Q2P_OK);
    for (uint32_t i = 0; i < table.room; i++)
        if (table.slots[i].item)
            sum += (i - (uint32_t)table.slots[i].hash) & (table.room - 1);
    q2p__table_clear(&table);
    return sum;
}

/* 10,000 keys that whoever knew one secret has chosen to collide are like any in another. */
static void chosen_keys_cost_no_more_than_others(void **state)
{
    const uint64_t known[2] = {0, 0};
    uint32_t count = 10000, found = 0;
    struct item *chosen = calloc(count, sizeof *chosen), *others = calloc(count, sizeof *others);
    uint64_t usual;

    (void)state;
    assert_true(chosen && others);
    for (uint32_t i = 0; i < count; i++)
        memcpy(others[i].key, &i, sizeof i);
    for (uint64_t i = 0; found < count; i++) {
        memcpy(chosen[found].key, &i, sizeof i);
        found += (q2p__table_hash(known, &i, sizeof i) & 0x3fff) < 0x100;
    }
    usual = steps(secret, others, count);
    assert_in_range(usual, 1, 3 * (uint64_t)count);
    assert_in_range(steps(secret, chosen, count), 1, 2 * usual);
    assert_true(steps(known, chosen, count) > 100 * usual); /* if the secret were no secret */
    free(chosen);
    free(others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_siphash_1_3),
        cmocka_unit_test(what_was_added_is_found_and_nothing_else),
        cmocka_unit_test(dropping_leaves_all_others_findable),
        cmocka_unit_test(a_full_table_says_so),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(walking_meets_every_item_once),
        cmocka_unit_test(another_secret_orders_otherwise),
        cmocka_unit_test(chosen_keys_cost_no_more_than_others),
    };
    return cmocka_run_group_tests_name("base_table", tests, NULL, NULL);
}
