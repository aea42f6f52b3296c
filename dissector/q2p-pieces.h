/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p-pieces.h - the fragments of one transmission as they come, in any order, each in constant
 * time. Memory follows what the capture holds, never what a message announces: about 10 bytes for
 * a fragment beyond its body. Wireshark's own reassembly walks a list for each fragment, which at
 * 64,000 of them takes minutes.
 */
#ifndef Q2P_PIECES_H
#define Q2P_PIECES_H

#include "q2p-compat.h"

struct q2p__page;

struct q2p_pieces {
    struct q2p__page **pages; /* by number, open addressing, 1 << bits of them */
    uint32_t page_count;
    uint32_t count;
    uint8_t bits;
    bool cut; /* the body of one of them is not known: the capture has cut it */
    uint32_t tail_syn;
    uint8_t *tail;  /* body of the one that is shorter than the others, or NULL */
    uint8_t *whole; /* all of them, once put together */
};

/* Forgets the bodies of another capture. */
void q2p_pieces_begin(void);

/* The first frame in which the piece of that number came; 0 = it has not come. */
uint32_t q2p_pieces_frame(const struct q2p_pieces *pieces, uint32_t syn);

/* Its body; NULL if it is not known. Borrowed until the next call with these pieces. */
const uint8_t *q2p_pieces_body(const struct q2p_pieces *pieces, uint32_t syn);

/* Adds a piece that is not there yet. The body is copied; NULL = it is not known. Only one piece
 * may be shorter than a full fragment. */
void q2p_pieces_add(struct q2p_pieces *pieces, uint32_t syn, uint32_t frame, const uint8_t *body,
                    size_t body_len);

/*
 * The bodies of all pieces, numbered 0 to count - 1, put together: `length` bytes in file scope.
 * NULL if one of the bodies is not known.
 */
const uint8_t *q2p_pieces_join(struct q2p_pieces *pieces, uint32_t length);

/*
 * Writes the lowest numbers below `total` that are not there, `max` of them at the most, and
 * returns how many that were. Takes no more steps than there are pieces plus `max`.
 */
uint32_t q2p_pieces_missing(const struct q2p_pieces *pieces, uint32_t total, uint32_t *out,
                            uint32_t max);

#endif
