/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-pieces.c - a hash table of pages, each with the frames and bodies of 16 neighbours. Bodies
 * lie in cells of one size that all transmissions share; what was put together gives its cells
 * back, so that a capture of many transmissions holds no more than their data. All memory is in
 * file scope.
 */
#include "q2p-pieces.h"

#include <q2p/wire.h>

#define BITS_FIRST 1
#define PAGE_PIECES 16
#define SLAB_CELLS 256

struct q2p__page {
    uint32_t number;              /* SYN / PAGE_PIECES */
    uint32_t frames[PAGE_PIECES]; /* 0 = has not come */
    uint32_t cells[PAGE_PIECES];  /* 0 = no body here */
};

/* What belongs to the open capture. */
static struct {
    uint8_t **slabs; /* cells, SLAB_CELLS in each; cell 0 is never used */
    uint32_t slab_count, slab_room;
    uint32_t used, unused; /* cells ever used; first of the list of those given back, 0 = none */
} file;

void q2p_pieces_begin(void)
{
    memset(&file, 0, sizeof file);
    file.used = 1;
}

static uint8_t *cell_at(uint32_t cell)
{
    return file.slabs[cell / SLAB_CELLS] + (size_t)(cell % SLAB_CELLS) * Q2P_FRAGMENT_LEN;
}

static uint32_t take_cell(void)
{
    uint32_t cell = file.unused;

    if (cell != 0) {
        memcpy(&file.unused, cell_at(cell), sizeof file.unused);
        return cell;
    }
    if (file.used / SLAB_CELLS >= file.slab_count) {
        if (file.slab_count == file.slab_room) {
            file.slab_room = MAX(16, file.slab_room * 2);
            file.slabs = (uint8_t **)wmem_realloc(wmem_file_scope(), file.slabs,
                                                  file.slab_room * sizeof *file.slabs);
        }
        file.slabs[file.slab_count++] =
            (uint8_t *)wmem_alloc(wmem_file_scope(), (size_t)SLAB_CELLS * Q2P_FRAGMENT_LEN);
    }
    return file.used++;
}

static void give_back(uint32_t cell)
{
    memcpy(cell_at(cell), &file.unused, sizeof file.unused);
    file.unused = cell;
}

/* Numbers come from strangers, who must not know which of them meet in one slot. */
static uint32_t slot_of(uint32_t number, uint8_t bits)
{
    static uint32_t odd;

    if (odd == 0)
        odd = g_random_int() | 1;
    return (number * odd) >> (32 - bits);
}

/* Where the page of that number is, or where it would be put. */
static struct q2p__page **find_slot(const struct q2p_pieces *pieces, uint32_t number)
{
    uint32_t mask = (UINT32_C(1) << pieces->bits) - 1;
    uint32_t at = slot_of(number, pieces->bits);

    while (pieces->pages[at] != NULL && pieces->pages[at]->number != number)
        at = (at + 1) & mask;
    return &pieces->pages[at];
}

static void grow(struct q2p_pieces *pieces)
{
    struct q2p_pieces old = *pieces;

    pieces->bits = old.pages == NULL ? BITS_FIRST : (uint8_t)(old.bits + 1);
    pieces->pages =
        wmem_alloc0_array(wmem_file_scope(), struct q2p__page *, (size_t)1 << pieces->bits);
    if (old.pages == NULL)
        return;
    for (size_t i = 0; i < (size_t)1 << old.bits; i++)
        if (old.pages[i] != NULL)
            *find_slot(pieces, old.pages[i]->number) = old.pages[i];
    wmem_free(wmem_file_scope(), old.pages);
}

static struct q2p__page *page_of(const struct q2p_pieces *pieces, uint32_t syn)
{
    return pieces->count == 0 ? NULL : *find_slot(pieces, syn / PAGE_PIECES);
}

uint32_t q2p_pieces_frame(const struct q2p_pieces *pieces, uint32_t syn)
{
    const struct q2p__page *page = page_of(pieces, syn);

    return page == NULL ? 0 : page->frames[syn % PAGE_PIECES];
}

const uint8_t *q2p_pieces_body(const struct q2p_pieces *pieces, uint32_t syn)
{
    const struct q2p__page *page = page_of(pieces, syn);

    if (page == NULL || page->frames[syn % PAGE_PIECES] == 0)
        return NULL;
    if (pieces->whole != NULL)
        return pieces->whole + (size_t)syn * Q2P_FRAGMENT_LEN;
    uint32_t cell = page->cells[syn % PAGE_PIECES];
    if (cell != 0)
        return cell_at(cell);
    return syn == pieces->tail_syn ? pieces->tail : NULL;
}

void q2p_pieces_add(struct q2p_pieces *pieces, uint32_t syn, uint32_t frame, const uint8_t *body,
                    size_t body_len)
{
    struct q2p__page *page = page_of(pieces, syn);
    uint32_t at = syn % PAGE_PIECES;

    if (page == NULL) {
        if (pieces->pages == NULL || pieces->page_count >= (UINT32_C(3) << pieces->bits) / 4)
            grow(pieces);
        page = wmem_new0(wmem_file_scope(), struct q2p__page);
        page->number = syn / PAGE_PIECES;
        *find_slot(pieces, page->number) = page;
        pieces->page_count++;
    }
    ws_assert(page->frames[at] == 0 && frame != 0 && body_len <= Q2P_FRAGMENT_LEN);
    page->frames[at] = frame;
    pieces->count++;
    if (body == NULL) {
        pieces->cut = true;
    } else if (body_len < Q2P_FRAGMENT_LEN) {
        pieces->tail_syn = syn;
        pieces->tail = (uint8_t *)wmem_memdup(wmem_file_scope(), body, body_len);
    } else {
        page->cells[at] = take_cell();
        memcpy(cell_at(page->cells[at]), body, body_len);
    }
}

const uint8_t *q2p_pieces_join(struct q2p_pieces *pieces, uint32_t length)
{
    if (pieces->whole != NULL || pieces->cut)
        return pieces->whole;

    uint8_t *whole = (uint8_t *)wmem_alloc(wmem_file_scope(), length);
    for (uint32_t syn = 0; syn < pieces->count; syn++) {
        struct q2p__page *page = page_of(pieces, syn);
        uint32_t cell = page->cells[syn % PAGE_PIECES];

        memcpy(whole + (size_t)syn * Q2P_FRAGMENT_LEN, cell != 0 ? cell_at(cell) : pieces->tail,
               q2p_wire_share(length, syn));
        if (cell != 0)
            give_back(cell);
        page->cells[syn % PAGE_PIECES] = 0;
    }
    wmem_free(wmem_file_scope(), pieces->tail);
    pieces->tail = NULL;
    pieces->whole = whole;
    return whole;
}

uint32_t q2p_pieces_missing(const struct q2p_pieces *pieces, uint32_t total, uint32_t *out,
                            uint32_t max)
{
    uint32_t found = 0;

    for (uint32_t syn = 0; syn < total && found < max; syn++)
        if (q2p_pieces_frame(pieces, syn) == 0)
            out[found++] = syn;
    return found;
}
