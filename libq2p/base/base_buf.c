/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_buf.c - bounded little-endian writing; see base_buf.h for the contract. */
#include "base_buf.h"

#include <string.h>

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
