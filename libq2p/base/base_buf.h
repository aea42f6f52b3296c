/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_buf.h - the one bounded reader and the one bounded writer of little-endian bytes. Bounds
 * are checked here and nowhere else; whoever parses or builds a datagram goes through these. They
 * are inline, as every datagram passes through them, those of a capture several times.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <assert.h>
#include <string.h>

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

static inline void q2p__reader_init(struct q2p__reader *reader, const uint8_t *bytes, size_t have,
                                    size_t total)
{
    assert(have <= total && total <= UINT32_MAX);
    *reader = (struct q2p__reader){.bytes = bytes, .have = have, .total = total};
}

/* Moves past len bytes and says where they are; NULL if they are not all there. */
static inline const uint8_t *q2p__read_skip(struct q2p__reader *reader, size_t len,
                                            struct q2p_span *span)
{
    *span = (struct q2p_span){0, 0};
    if (reader->status != Q2P_OK)
        return NULL;
    if (len > reader->have - reader->at) {
        reader->status = len > reader->total - reader->at ? Q2P_ERR_SHORT : Q2P_ERR_CUT;
        return NULL;
    }
    *span = (struct q2p_span){(uint32_t)reader->at, (uint32_t)len};
    reader->at += len;
    return reader->bytes + span->at;
}

static inline uint32_t q2p__load_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline uint16_t q2p__read_u16(struct q2p__reader *reader, struct q2p_span *span)
{
    const uint8_t *bytes = q2p__read_skip(reader, 2, span);
    return (uint16_t)(bytes ? bytes[0] | bytes[1] << 8 : 0);
}

static inline uint32_t q2p__read_u32(struct q2p__reader *reader, struct q2p_span *span)
{
    const uint8_t *bytes = q2p__read_skip(reader, 4, span);
    return bytes ? q2p__load_u32(bytes) : 0;
}

/* The remainder, as far as it is at hand; returns its length on the wire. Never fails by itself,
 * but sets Q2P_ERR_CUT if some of it is not at hand. */
static inline size_t q2p__read_rest(struct q2p__reader *reader, struct q2p_span *span)
{
    *span = (struct q2p_span){0, 0};
    if (reader->status != Q2P_OK)
        return 0;
    size_t wire_len = reader->total - reader->at;
    q2p__read_skip(reader, reader->have - reader->at, span);
    if (reader->have < reader->total)
        reader->status = Q2P_ERR_CUT;
    return wire_len;
}

/* Writes into `room` bytes and counts on past them: `at` is the size needed in the end. */
struct q2p__writer {
    uint8_t *bytes;
    size_t room, at;
};

static inline void q2p__writer_init(struct q2p__writer *writer, uint8_t *bytes, size_t room)
{
    *writer = (struct q2p__writer){.bytes = bytes, .room = room};
}

/* What does not fit as a whole. */
void q2p__write_cut(struct q2p__writer *writer, const void *bytes, size_t len);

static inline void q2p__write_bytes(struct q2p__writer *writer, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    if (writer->at > writer->room || len > writer->room - writer->at) {
        q2p__write_cut(writer, bytes, len);
        return;
    }
    memcpy(writer->bytes + writer->at, bytes, len);
    writer->at += len;
}

static inline void q2p__write_u16(struct q2p__writer *writer, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    q2p__write_bytes(writer, bytes, sizeof bytes);
}

static inline void q2p__write_u32(struct q2p__writer *writer, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    q2p__write_bytes(writer, bytes, sizeof bytes);
}

#endif
