/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-pieces.c - a hash table from fragment number to the frame and the bytes it came with. All
 * memory is in file scope: it lives as long as the capture is open.
 */
#include "q2p-pieces.h"

#include <q2p/wire.h>

#define BITS_FIRST 3

/* Numbers come from strangers, who must not know which of them meet in one slot. */
static uint32_t slot_of(uint32_t syn, uint8_t bits)
{
    static uint32_t odd;

    if (odd == 0)
        odd = g_random_int() | 1;
    return (syn * odd) >> (32 - bits);
}

/* Where that number is, or where it would be put. */
static struct q2p_piece *find_slot(const struct q2p_pieces *pieces, uint32_t syn)
{
    uint32_t mask = (UINT32_C(1) << pieces->bits) - 1;
    uint32_t at = slot_of(syn, pieces->bits);

    while (pieces->slots[at].frame != 0 && pieces->slots[at].syn != syn)
        at = (at + 1) & mask;
    return &pieces->slots[at];
}

static void grow(struct q2p_pieces *pieces)
{
    struct q2p_pieces old = *pieces;

    pieces->bits = old.slots == NULL ? BITS_FIRST : (uint8_t)(old.bits + 1);
    pieces->slots =
        wmem_alloc0_array(wmem_file_scope(), struct q2p_piece, (size_t)1 << pieces->bits);
    if (old.slots == NULL)
        return;
    for (size_t i = 0; i < (size_t)1 << old.bits; i++)
        if (old.slots[i].frame != 0)
            *find_slot(pieces, old.slots[i].syn) = old.slots[i];
    wmem_free(wmem_file_scope(), old.slots);
}

const struct q2p_piece *q2p_pieces_find(const struct q2p_pieces *pieces, uint32_t syn)
{
    if (pieces->count == 0)
        return NULL;

    const struct q2p_piece *piece = find_slot(pieces, syn);
    return piece->frame != 0 ? piece : NULL;
}

void q2p_pieces_add(struct q2p_pieces *pieces, uint32_t syn, uint32_t frame, const uint8_t *body,
                    size_t body_len)
{
    if (pieces->slots == NULL || pieces->count >= (UINT32_C(3) << pieces->bits) / 4)
        grow(pieces);

    struct q2p_piece *slot = find_slot(pieces, syn);
    ws_assert(slot->frame == 0 && frame != 0);
    slot->syn = syn;
    slot->frame = frame;
    if (body != NULL)
        slot->body = (uint8_t *)wmem_memdup(wmem_file_scope(), body, body_len);
    pieces->count++;
}

uint8_t *q2p_pieces_join(struct q2p_pieces *pieces, uint32_t length)
{
    for (uint32_t syn = 0; syn < pieces->count; syn++)
        if (find_slot(pieces, syn)->body == NULL)
            return NULL;

    uint8_t *whole = (uint8_t *)wmem_alloc(wmem_file_scope(), length);
    for (uint32_t syn = 0; syn < pieces->count; syn++) {
        struct q2p_piece *piece = find_slot(pieces, syn);
        memcpy(whole + (size_t)syn * Q2P_FRAGMENT_LEN, piece->body, q2p_wire_share(length, syn));
        wmem_free(wmem_file_scope(), piece->body);
        piece->body = NULL;
    }
    return whole;
}

uint32_t q2p_pieces_missing(const struct q2p_pieces *pieces, uint32_t total, uint32_t *out,
                            uint32_t max)
{
    uint32_t found = 0;

    for (uint32_t syn = 0; syn < total && found < max; syn++)
        if (q2p_pieces_find(pieces, syn) == NULL)
            out[found++] = syn;
    return found;
}
