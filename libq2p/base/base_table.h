/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_table.h - finds items by a key of bytes that lies inside them. Open addressing; the hash is
 * SipHash-1-3 with a secret, so that nobody outside can choose keys that collide. The table holds
 * pointers only: items belong to the caller, and their key must not change while they are in.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <q2p/types.h>

struct q2p__table_slot {
    void *item; /* NULL = free */
    uint64_t hash;
};

struct q2p__table {
    struct q2p__table_slot *slots;
    void *recent;                  /* recalled last, or NULL */
    const struct q2p_alloc *alloc; /* borrowed for the table's life, as is the secret */
    const uint64_t *secret;        /* two of them */
    uint32_t used;
    uint32_t room; /* slots: 0 or a power of two */
    uint32_t items_max;
    uint16_t key_at; /* where the key starts in an item */
    uint16_t key_len;
};

/* A table without items; takes no memory before the first one. */
void q2p__table_init(struct q2p__table *table, const struct q2p_alloc *alloc,
                     const uint64_t secret[2]);

/* Which bytes of an item are its key, and how many items there may be. */
void q2p__table_shape(struct q2p__table *table, size_t key_at, size_t key_len, size_t items_max);

/* Frees the table, not the items. */
void q2p__table_clear(struct q2p__table *table);

/* The item with this key, or NULL. */
void *q2p__table_find(const struct q2p__table *table, const void *key);

/* The same, quicker if it is the one that was recalled last: datagrams come in runs. */
void *q2p__table_recall(struct q2p__table *table, const void *key);

/* Adds an item whose key is not there yet. Q2P_OK, Q2P_ERR_FULL or Q2P_ERR_MEMORY. */
int q2p__table_add(struct q2p__table *table, void *item);

/* Takes out an item that is there. */
void q2p__table_drop(struct q2p__table *table, const void *item);

/* Walks over all items: *cursor starts at 0; NULL at the end. Nothing may be added or dropped
 * meanwhile. */
void *q2p__table_next(const struct q2p__table *table, uint32_t *cursor);

/* SipHash-1-3 of some bytes. */
uint64_t q2p__table_hash(const uint64_t secret[2], const void *bytes, size_t len);

#endif
