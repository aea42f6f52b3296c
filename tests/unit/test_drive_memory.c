/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_drive_memory.c - blocks of all sizes keep their bytes, however they grow and shrink. */
#include "unit.h"

#include <stdint.h>

#include <q2p/drive.h>

#define MIB ((size_t)1 << 20)

static struct q2p_alloc alloc;

static int setup(void **state)
{
    (void)state;
    q2p_drive_memory(&alloc);
    return 0;
}

static void fill(uint8_t *bytes, size_t from, size_t to)
{
    for (size_t at = from; at < to; at++)
        bytes[at] = (uint8_t)(at * 7 + at / 4096);
}

/* Bytes below `kept` as they were filled; the rest can be written. */
static uint8_t *resize_and_check(uint8_t *old, size_t old_len, size_t new_len)
{
    size_t kept = old_len < new_len ? old_len : new_len;
    uint8_t *bytes = alloc.resize(alloc.ctx, old, old_len, new_len);
    assert_non_null(bytes);
    for (size_t at = 0; at < kept; at++)
        if (bytes[at] != (uint8_t)(at * 7 + at / 4096))
            fail_msg("byte %zu changed from %zu to %zu", at, old_len, new_len);
    fill(bytes, kept, new_len);
    return bytes;
}

static void a_block_keeps_its_bytes_at_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,           484,         100000,  2 * MIB,  4 * MIB - 1,
                                   4 * MIB,     4 * MIB + 1, 5 * MIB, 10 * MIB, 40 * MIB + 484,
                                   6 * MIB + 1, 6 * MIB,     3 * MIB, 8 * MIB,  100};
    uint8_t *bytes = NULL;
    size_t len = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bytes = resize_and_check(bytes, len, sizes[i]);
        len = sizes[i];
    }
    assert_null(alloc.resize(alloc.ctx, bytes, len, 0));
}

static void large_blocks_do_not_touch_each_other(void **state)
{
    (void)state;
    enum { BLOCKS = 4 };
    uint8_t *bytes[BLOCKS] = {NULL};
    for (size_t len = 4 * MIB; len <= 8 * MIB; len += 2 * MIB + 4095)
        for (int i = 0; i < BLOCKS; i++) {
            size_t before = bytes[i] ? len - 2 * MIB - 4095 : 0;
            bytes[i] = resize_and_check(bytes[i], before, len);
        }
    for (int i = 0; i < BLOCKS; i++)
        assert_null(alloc.resize(alloc.ctx, bytes[i], 6 * MIB + 4095, 0));
}

static void what_the_system_does_not_have_is_told(void **state)
{
    (void)state;
    uint8_t *bytes = resize_and_check(NULL, 0, 8 * MIB);
    assert_null(alloc.resize(alloc.ctx, NULL, 0, SIZE_MAX / 4));
    assert_null(alloc.resize(alloc.ctx, bytes, 8 * MIB, SIZE_MAX / 4));
    bytes = resize_and_check(bytes, 8 * MIB, 9 * MIB); /* it is still there */
    assert_null(alloc.resize(alloc.ctx, bytes, 9 * MIB, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_block_keeps_its_bytes_at_every_size, setup),
        cmocka_unit_test_setup(large_blocks_do_not_touch_each_other, setup),
        cmocka_unit_test_setup(what_the_system_does_not_have_is_told, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
