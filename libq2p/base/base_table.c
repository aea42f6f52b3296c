/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_table.c - open addressing with linear probing, at most three quarters full, and deletion by
 * moving back what follows, so that there are no tombstones to pile up.
 */
#include "base_table.h"

#include <assert.h>
#include <string.h>

#include <q2p/status.h>

#define FIRST_ROOM 4

static inline uint64_t turn(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

struct siphash {
    uint64_t a, b, c, d;
};

static inline void mix(struct siphash *v)
{
    v->a += v->b;
    v->b = turn(v->b, 13) ^ v->a;
    v->a = turn(v->a, 32);
    v->c += v->d;
    v->d = turn(v->d, 16) ^ v->c;
    v->a += v->d;
    v->d = turn(v->d, 21) ^ v->a;
    v->c += v->b;
    v->b = turn(v->b, 17) ^ v->c;
    v->c = turn(v->c, 32);
}

static inline void take_word(struct siphash *v, uint64_t word)
{
    v->d ^= word;
    mix(v);
    v->a ^= word;
}

/* Written out, as compilers make one load of it only then. */
static inline uint64_t eight_bytes(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
           (uint64_t)at[7] << 56;
}

uint64_t q2p__table_hash(const uint64_t secret[2], const void *bytes, size_t len)
{
    struct siphash v = {
        secret[0] ^ UINT64_C(0x736f6d6570736575), secret[1] ^ UINT64_C(0x646f72616e646f6d),
        secret[0] ^ UINT64_C(0x6c7967656e657261), secret[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *at = bytes;
    uint64_t last = (uint64_t)len << 56;

    for (size_t left = len; left >= 8; left -= 8, at += 8)
        take_word(&v, eight_bytes(at));
    for (size_t i = 0; i < len % 8; i++)
        last |= (uint64_t)at[i] << (8 * i);
    take_word(&v, last);
    v.c ^= 0xff;
    for (int i = 0; i < 3; i++)
        mix(&v);
    return v.a ^ v.b ^ v.c ^ v.d;
}

void q2p__table_init(struct q2p__table *table, const struct q2p_alloc *alloc,
                     const uint64_t secret[2])
{
    *table = (struct q2p__table){.alloc = alloc, .secret = secret};
}

void q2p__table_shape(struct q2p__table *table, size_t key_at, size_t key_len, size_t items_max)
{
    assert(table->used == 0);
    table->key_at = (uint16_t)key_at;
    table->key_len = (uint16_t)key_len;
    table->items_max = (uint32_t)items_max;
}

void q2p__table_clear(struct q2p__table *table)
{
    if (table->slots)
        table->alloc->resize(table->alloc->ctx, table->slots, table->room * sizeof *table->slots,
                             0);
    table->slots = NULL;
    table->recent = NULL;
    table->room = 0;
    table->used = 0;
}

static const void *key_of(const struct q2p__table *table, const void *item)
{
    return (const uint8_t *)item + table->key_at;
}

/* Where an item with this key is, or else the free slot where it would go. */
static uint32_t seek(const struct q2p__table *table, uint64_t hash, const void *key)
{
    uint32_t mask = table->room - 1;
    uint32_t i = (uint32_t)hash & mask;

    while (table->slots[i].item &&
           (table->slots[i].hash != hash ||
            memcmp(key_of(table, table->slots[i].item), key, table->key_len) != 0))
        i = (i + 1) & mask;
    return i;
}

void *q2p__table_find(const struct q2p__table *table, const void *key)
{
    if (table->used == 0)
        return NULL;
    return table->slots[seek(table, q2p__table_hash(table->secret, key, table->key_len), key)].item;
}

void *q2p__table_recall(struct q2p__table *table, const void *key)
{
    if (!table->recent || memcmp(key_of(table, table->recent), key, table->key_len) != 0)
        table->recent = q2p__table_find(table, key);
    return table->recent;
}

static int grow(struct q2p__table *table)
{
    struct q2p__table bigger = *table;
    size_t len;

    bigger.room = table->room ? table->room * 2 : FIRST_ROOM;
    len = bigger.room * sizeof *bigger.slots;
    bigger.slots = table->alloc->resize(table->alloc->ctx, NULL, 0, len);
    if (!bigger.slots)
        return Q2P_ERR_MEMORY;
    memset(bigger.slots, 0, len);
    for (uint32_t i = 0; i < table->room; i++) {
        struct q2p__table_slot *slot = &table->slots[i];

        if (slot->item)
            bigger.slots[seek(&bigger, slot->hash, key_of(table, slot->item))] = *slot;
    }
    q2p__table_clear(table);
    *table = bigger;
    return Q2P_OK;
}

int q2p__table_add(struct q2p__table *table, void *item)
{
    uint64_t hash = q2p__table_hash(table->secret, key_of(table, item), table->key_len);
    uint32_t i;

    if (table->used >= table->items_max)
        return Q2P_ERR_FULL;
    if ((table->used + 1) * UINT64_C(4) > table->room * UINT64_C(3) && grow(table) != Q2P_OK)
        return Q2P_ERR_MEMORY;
    i = seek(table, hash, key_of(table, item));
    assert(!table->slots[i].item);
    table->slots[i] = (struct q2p__table_slot){item, hash};
    table->used++;
    return Q2P_OK;
}

void q2p__table_drop(struct q2p__table *table, const void *item)
{
    uint32_t mask = table->room - 1;
    uint64_t hash = q2p__table_hash(table->secret, key_of(table, item), table->key_len);
    uint32_t hole;

    assert(table->used > 0);
    hole = seek(table, hash, key_of(table, item));
    assert(table->slots[hole].item == item);
    for (uint32_t i = (hole + 1) & mask; table->slots[i].item; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)table->slots[i].hash & mask;

        /* an item may move back into the hole if its home is not behind the hole */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].item = NULL;
    if (table->recent == item)
        table->recent = NULL;
    if (--table->used == 0)
        q2p__table_clear(table);
}

void *q2p__table_next(const struct q2p__table *table, uint32_t *cursor)
{
    while (*cursor < table->room) {
        void *item = table->slots[(*cursor)++].item;

        if (item)
            return item;
    }
    return NULL;
}
