/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_pieces.h - IP packets that came as fragments. */
#ifndef CLI_PIECES_H
#define CLI_PIECES_H

#include "base_buf.h"
#include "cli_capture.h"

#define CLI_PIECES_MAX 16 /* packets put together at a time */
#define CLI_PIECE_UNIT 8  /* every fragment but the last has whole units of so many bytes */

/* One IP packet's header, as far as UDP cares. */
struct cli_piece {
    struct q2p_addr src, dst;
    uint8_t protocol;
    uint32_t id;
    size_t at; /* of this fragment in the whole payload */
    bool more;
};

struct cli_pieces {
    struct partial *partials[CLI_PIECES_MAX]; /* NULL: never needed */
};

/*
 * Adds what the reader has left as one fragment, of frame number `frame`; true when its packet is
 * whole, and then the reader reads all of that. What can never become whole counts in flaws.
 */
bool cli_pieces_add(struct cli_pieces *pieces, const struct cli_piece *piece, uint64_t frame,
                    struct cli_flaws *flaws, struct q2p__reader *reader);

/* Counts what is not whole. */
void cli_pieces_flaws(const struct cli_pieces *pieces, struct cli_flaws *flaws);

void cli_pieces_free(struct cli_pieces *pieces);

#endif
