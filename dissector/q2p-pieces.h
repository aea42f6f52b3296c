/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-pieces.h - the fragments of one transmission as they come, in any order, each in constant
 * time. Memory follows what the capture holds, never what a message announces. Wireshark's own
 * reassembly walks a list for each fragment, which at 64,000 of them takes minutes.
 */
#ifndef Q2P_PIECES_H
#define Q2P_PIECES_H

#include "q2p-compat.h"

struct q2p_piece {
    uint32_t syn;
    uint32_t frame; /* the first one it came in; 0 = unused slot */
    uint8_t *body;  /* owned; NULL if the capture has cut it, or after q2p_pieces_join */
};

struct q2p_pieces {
    struct q2p_piece *slots; /* open addressing, 1 << bits of them */
    uint32_t count;
    uint8_t bits;
};

/* The piece of that number, or NULL; borrowed until the next one is added. */
const struct q2p_piece *q2p_pieces_find(const struct q2p_pieces *pieces, uint32_t syn);

/* Adds a piece whose number is not there yet. The body is copied; NULL = it is not known. */
void q2p_pieces_add(struct q2p_pieces *pieces, uint32_t syn, uint32_t frame, const uint8_t *body,
                    size_t body_len);

/*
 * Puts the bodies of all pieces, numbered 0 to count - 1, together: `length` bytes, in file scope.
 * Gives back NULL, and leaves all as it is, if one of the bodies is not known.
 */
uint8_t *q2p_pieces_join(struct q2p_pieces *pieces, uint32_t length);

/*
 * Writes the lowest numbers below `total` that are not there, `max` of them at the most, and
 * returns how many that were. Takes no more steps than there are pieces plus `max`.
 */
uint32_t q2p_pieces_missing(const struct q2p_pieces *pieces, uint32_t total, uint32_t *out,
                            uint32_t max);

#endif
