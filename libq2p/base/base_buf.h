/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_buf.h - the one bounded reader and the one bounded writer of little-endian bytes. Bounds
 * are checked here and nowhere else; whoever parses or builds a datagram goes through these.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <q2p/status.h>
#include <q2p/types.h>

/*
 * Reads from the first `have` of `total` bytes. The first field that does not fit sets status:
 * Q2P_ERR_CUT if it was on the wire but is not at hand, else Q2P_ERR_SHORT. From then on every
 * field is 0 and every span empty.
 */
struct q2p__reader {
    const uint8_t *bytes;
    size_t have, total, at;
    int status;
};

void q2p__reader_init(struct q2p__reader *reader, const uint8_t *bytes, size_t have, size_t total);
uint16_t q2p__read_u16(struct q2p__reader *reader, struct q2p_span *span);
uint32_t q2p__read_u32(struct q2p__reader *reader, struct q2p_span *span);
void q2p__read_skip(struct q2p__reader *reader, size_t len, struct q2p_span *span);

/* The remainder, as far as it is at hand; returns its length on the wire. Never fails by itself,
 * but sets Q2P_ERR_CUT if some of it is not at hand. */
size_t q2p__read_rest(struct q2p__reader *reader, struct q2p_span *span);

uint32_t q2p__load_u32(const uint8_t *bytes);

/* Writes into `room` bytes and counts on past them: `at` is the size needed in the end. */
struct q2p__writer {
    uint8_t *bytes;
    size_t room, at;
};

void q2p__writer_init(struct q2p__writer *writer, uint8_t *bytes, size_t room);
void q2p__write_u16(struct q2p__writer *writer, uint16_t value);
void q2p__write_u32(struct q2p__writer *writer, uint32_t value);
void q2p__write_bytes(struct q2p__writer *writer, const void *bytes, size_t len);

#endif
