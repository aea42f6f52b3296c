/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_pieces.c - puts IP packets together. What a host would make of fragments that contradict each
 * other, nobody can tell from outside, so nothing is made of them.
 */
#include "cli_pieces.h"

#include <stdlib.h>
#include <string.h>

enum {
    PACKET_MAX = 65535, /* bytes of one */
    UNIT = CLI_PIECE_UNIT
};

/* An IP packet of which some fragments came. Their offsets count units. */
struct partial {
    struct q2p_addr src, dst;
    uint32_t id;
    uint64_t first; /* frame number of the first fragment */
    uint64_t used;  /* ... and of the latest; 0: free */
    size_t end;     /* of the payload; 0: the last fragment has not come */
    size_t far;     /* how far fragments reach */
    size_t units;   /* that came */
    bool spoiled;   /* fragments contradict each other */
    bool came[PACKET_MAX / UNIT + 1];
    uint8_t bytes[PACKET_MAX];
};

static void tear(struct cli_flaws *flaws, uint64_t first)
{
    flaws->torn++;
    if (!flaws->torn_first || first < flaws->torn_first)
        flaws->torn_first = first;
}

static uint64_t last_use(const struct partial *partial)
{
    return partial ? partial->used : 0;
}

void cli_pieces_flaws(const struct cli_pieces *pieces, struct cli_flaws *flaws)
{
    for (size_t i = 0; i < CLI_PIECES_MAX; i++)
        if (last_use(pieces->partials[i]))
            tear(flaws, pieces->partials[i]->first);
}

void cli_pieces_free(struct cli_pieces *pieces)
{
    for (size_t i = 0; i < CLI_PIECES_MAX; i++)
        free(pieces->partials[i]);
}

/* NULL: no memory. */
static struct partial *find_partial(struct cli_pieces *pieces, const struct cli_piece *piece,
                                    uint64_t frame, struct cli_flaws *flaws)
{
    struct partial **place = pieces->partials, *oldest;
    for (size_t i = 0; i < CLI_PIECES_MAX; i++) {
        struct partial *each = pieces->partials[i];
        if (last_use(each) && each->id == piece->id && q2p_addr_equal(&each->src, &piece->src) &&
            q2p_addr_equal(&each->dst, &piece->dst))
            return each;
        if (last_use(each) < last_use(*place))
            place = &pieces->partials[i];
    }
    oldest = *place ? *place : calloc(1, sizeof *oldest);
    if (!oldest)
        return NULL;
    *place = oldest;
    if (oldest->used)
        tear(flaws, oldest->first);
    oldest->first = frame;
    oldest->src = piece->src;
    oldest->dst = piece->dst;
    oldest->id = piece->id;
    oldest->end = oldest->far = oldest->units = 0;
    oldest->spoiled = false;
    memset(oldest->came, 0, sizeof oldest->came);
    return oldest;
}

/*
 * Can it be of this packet? All but the last are of whole units, nothing lies behind the last, and
 * what overlaps has the same bytes; in IPv6 only copies may (RFC 5722).
 */
static bool fits(const struct partial *partial, const struct cli_piece *piece, const uint8_t *bytes,
                 size_t len)
{
    size_t end = piece->at + len, units = 0, came = 0;
    if (piece->more ? len % UNIT != 0 : partial->far > end)
        return false;
    if (partial->end && (piece->more ? end > partial->end : end != partial->end))
        return false;
    for (size_t at = piece->at; at < end; at += UNIT, units++) {
        if (!partial->came[at / UNIT])
            continue;
        came++;
        if (memcmp(partial->bytes + at, bytes + (at - piece->at),
                   end - at < UNIT ? end - at : UNIT) != 0)
            return false;
    }
    return piece->src.ip_len == 4 || came == 0 || came == units;
}

bool cli_pieces_add(struct cli_pieces *pieces, const struct cli_piece *piece, uint64_t frame,
                    struct cli_flaws *flaws, struct q2p__reader *reader)
{
    size_t len = reader->have - reader->at;
    if (piece->at + len > PACKET_MAX || reader->have < reader->total) {
        tear(flaws, frame);
        return false;
    }
    struct partial *partial = find_partial(pieces, piece, frame, flaws);
    if (!partial)
        return false;
    partial->used = frame;
    partial->spoiled |= !fits(partial, piece, reader->bytes + reader->at, len);
    if (partial->spoiled)
        return false;
    memcpy(partial->bytes + piece->at, reader->bytes + reader->at, len);
    if (piece->at + len > partial->far)
        partial->far = piece->at + len;
    for (size_t unit = piece->at / UNIT; unit * UNIT < piece->at + len; unit++) {
        partial->units += !partial->came[unit];
        partial->came[unit] = true;
    }
    if (!piece->more)
        partial->end = piece->at + len;
    if (!partial->end || partial->units < (partial->end + UNIT - 1) / UNIT)
        return false;
    partial->used = 0;
    q2p__reader_init(reader, partial->bytes, partial->end, partial->end);
    return true;
}
