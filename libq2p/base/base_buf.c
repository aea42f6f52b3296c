/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_buf.c - bounded little-endian reading and writing; see base_buf.h for the contract. */
#include "base_buf.h"

#include <assert.h>
#include <string.h>

void q2p__reader_init(struct q2p__reader *reader, const uint8_t *bytes, size_t have, size_t total)
{
    assert(have <= total && total <= UINT32_MAX);
    *reader = (struct q2p__reader){.bytes = bytes, .have = have, .total = total};
}

/* Moves past len bytes and says where they are; NULL if they are not all there. */
static const uint8_t *take(struct q2p__reader *reader, size_t len, struct q2p_span *span)
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

uint16_t q2p__read_u16(struct q2p__reader *reader, struct q2p_span *span)
{
    const uint8_t *bytes = take(reader, 2, span);
    return (uint16_t)(bytes ? bytes[0] | bytes[1] << 8 : 0);
}

uint32_t q2p__read_u32(struct q2p__reader *reader, struct q2p_span *span)
{
    const uint8_t *bytes = take(reader, 4, span);
    return bytes ? q2p__load_u32(bytes) : 0;
}

void q2p__read_skip(struct q2p__reader *reader, size_t len, struct q2p_span *span)
{
    take(reader, len, span);
}

size_t q2p__read_rest(struct q2p__reader *reader, struct q2p_span *span)
{
    size_t wire_len = reader->total - reader->at;
    bool cut = reader->have < reader->total;

    if (reader->status != Q2P_OK)
        wire_len = 0;
    take(reader, reader->status == Q2P_OK ? reader->have - reader->at : 0, span);
    if (reader->status == Q2P_OK && cut)
        reader->status = Q2P_ERR_CUT;
    return wire_len;
}

uint32_t q2p__load_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

void q2p__writer_init(struct q2p__writer *writer, uint8_t *bytes, size_t room)
{
    *writer = (struct q2p__writer){.bytes = bytes, .room = room};
}

void q2p__write_bytes(struct q2p__writer *writer, const void *bytes, size_t len)
{
    size_t left = writer->at < writer->room ? writer->room - writer->at : 0;
    size_t fits = len < left ? len : left;

    if (fits > 0)
        memcpy(writer->bytes + writer->at, bytes, fits);
    writer->at += len;
}

void q2p__write_u16(struct q2p__writer *writer, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    q2p__write_bytes(writer, bytes, sizeof bytes);
}

void q2p__write_u32(struct q2p__writer *writer, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    q2p__write_bytes(writer, bytes, sizeof bytes);
}
