/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_blocks.c - walks over the blocks of a pcapng file, one at a time in bounded memory. What a
 * block says is believed only within the block; a broken frame of blocks ends the file.
 */
#define _DEFAULT_SOURCE /* u_char, for pcap.h */
#include "cli_blocks.h"

#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include <q2p/status.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a, /* the same in either byte order */
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_NAME = 2,
    OPTION_RESOLUTION = 9,
    OPTION_OFFSET = 14,
    MICROSECONDS = 6,
    BLOCK_HEAD = 8,       /* type, length */
    BLOCK_ENDS = 12,      /* and the length again */
    BLOCK_MAX = 16 << 20, /* as libpcap */
    INTERFACES_MAX = 4096,
    NAME_MAX_LEN = 64,
    FRACTION_BITS = 34 /* so many times a billion fit in 64 bits */
};

struct interface {
    uint16_t link_type;
    uint8_t resolution;
    uint32_t snap_len;
    int64_t offset_s;
    char name[NAME_MAX_LEN];
};

struct cli_blocks {
    FILE *file;
    bool swapped;
    uint8_t *block; /* its body, behind type and length */
    size_t len, room;
    struct interface *interfaces;
    uint32_t count, most; /* in this section; in any */
};

static const struct {
    uint16_t type; /* LINKTYPE_, in files */
    int link;      /* DLT_, in programs */
} links[] = {{0, DLT_NULL},   {1, DLT_EN10MB}, {101, DLT_RAW},       {108, DLT_LOOP},
             {228, DLT_IPV4}, {229, DLT_IPV6}, {113, DLT_LINUX_SLL}, {276, DLT_LINUX_SLL2}};

static int link_of(uint16_t type)
{
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].type == type)
            return links[i].link;
    return -1;
}

struct cli_blocks *cli_blocks_new(FILE *file)
{
    struct cli_blocks *pcapng = calloc(1, sizeof *pcapng);
    if (pcapng)
        pcapng->file = file;
    return pcapng;
}

void cli_blocks_free(struct cli_blocks *pcapng)
{
    if (!pcapng)
        return;
    free(pcapng->interfaces);
    free(pcapng->block);
    free(pcapng);
}

uint32_t cli_blocks_interfaces(const struct cli_blocks *pcapng)
{
    return pcapng->most;
}

const char *cli_blocks_name(const struct cli_blocks *pcapng, uint32_t interface)
{
    return interface < pcapng->count ? pcapng->interfaces[interface].name : "";
}

/* ---- numbers, in the byte order of the section ---------------------------------------------- */

static uint16_t load16(const struct cli_blocks *pcapng, size_t at)
{
    const uint8_t *b = pcapng->block + at;
    return (uint16_t)(pcapng->swapped ? b[0] << 8 | b[1] : b[1] << 8 | b[0]);
}

static uint32_t swap32(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

static uint32_t little32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t load32(const struct cli_blocks *pcapng, size_t at)
{
    uint32_t value = little32(pcapng->block + at);
    return pcapng->swapped ? swap32(value) : value;
}

/* ---- blocks --------------------------------------------------------------------------------- */

static int complain(char why[CLI_WHY_MAX], const char *what)
{
    snprintf(why, CLI_WHY_MAX, "%s", what);
    return Q2P_ERR_INVALID;
}

static bool read_bytes(struct cli_blocks *pcapng, void *out, size_t len)
{
    return fread(out, 1, len, pcapng->file) == len;
}

static int make_room(struct cli_blocks *pcapng, size_t len)
{
    if (len <= pcapng->room)
        return Q2P_OK;
    size_t room = len < 65536 ? 65536 : len;
    uint8_t *block = realloc(pcapng->block, room);
    if (!block)
        return Q2P_ERR_MEMORY;
    pcapng->block = block;
    pcapng->room = room;
    return Q2P_OK;
}

/* The next block as a whole; 1, 0 at the end of the file, or what is wrong. */
static int read_block(struct cli_blocks *pcapng, uint32_t *type, char why[CLI_WHY_MAX])
{
    uint8_t head[BLOCK_HEAD], magic[4];
    size_t got = fread(head, 1, sizeof head, pcapng->file), already = 0;
    if (got == 0 && feof(pcapng->file))
        return 0;
    if (got < sizeof head)
        return complain(why, "the file ends inside a block");
    *type = little32(head);
    if (*type == BLOCK_SECTION) { /* which tells how to read its own length */
        if (!read_bytes(pcapng, magic, already = sizeof magic))
            return complain(why, "the file ends inside a block");
        pcapng->swapped = little32(magic) != BYTE_ORDER_MAGIC;
        if (pcapng->swapped && swap32(little32(magic)) != BYTE_ORDER_MAGIC)
            return complain(why, "a section without the byte-order magic");
    }
    uint32_t len = little32(head + 4);
    if (pcapng->swapped) {
        len = swap32(len);
        *type = swap32(*type);
    }
    if (len % 4 != 0 || len < BLOCK_ENDS + already || len > BLOCK_MAX)
        return complain(why, "a block has an impossible length");
    if (make_room(pcapng, len) < 0) {
        complain(why, q2p_status_text(Q2P_ERR_MEMORY));
        return Q2P_ERR_MEMORY;
    }
    memcpy(pcapng->block, magic, already);
    if (!read_bytes(pcapng, pcapng->block + already, len - BLOCK_HEAD - already))
        return complain(why, "the file ends inside a block");
    pcapng->len = len - BLOCK_ENDS;
    return load32(pcapng, pcapng->len) == len ? 1
                                              : complain(why, "a block has two different lengths");
}

/* Options are type, length, value padded to 4 bytes; those that do not fit end the list. */
static void read_options(const struct cli_blocks *pcapng, size_t at, struct interface *out)
{
    while (at + 4 <= pcapng->len) {
        unsigned type = load16(pcapng, at), len = load16(pcapng, at + 2);
        const uint8_t *value = pcapng->block + at + 4;
        if (type == 0 || len > pcapng->len - at - 4)
            return;
        if (type == OPTION_RESOLUTION && len == 1)
            out->resolution = *value;
        if (type == OPTION_OFFSET && len == 8) {
            uint32_t one = load32(pcapng, at + 4), other = load32(pcapng, at + 8);
            uint64_t offset =
                pcapng->swapped ? (uint64_t)one << 32 | other : (uint64_t)other << 32 | one;
            memcpy(&out->offset_s, &offset, sizeof offset);
        }
        if (type == OPTION_NAME)
            snprintf(out->name, sizeof out->name, "%.*s", (int)len, (const char *)value);
        at += 4 + (len + 3) / 4 * 4;
    }
}

static int read_interface(struct cli_blocks *pcapng, char why[CLI_WHY_MAX])
{
    if (pcapng->len < 8)
        return complain(why, "the description of an interface is too short");
    if (pcapng->count == INTERFACES_MAX)
        return complain(why, "more than 4096 interfaces");
    size_t room = (pcapng->count + 1) * sizeof *pcapng->interfaces;
    struct interface *interfaces = realloc(pcapng->interfaces, room);
    if (!interfaces) {
        complain(why, q2p_status_text(Q2P_ERR_MEMORY));
        return Q2P_ERR_MEMORY;
    }
    pcapng->interfaces = interfaces;
    struct interface *out = &interfaces[pcapng->count++];
    *out = (struct interface){
        .link_type = load16(pcapng, 0), .snap_len = load32(pcapng, 4), .resolution = MICROSECONDS};
    read_options(pcapng, 8, out);
    if (pcapng->count > pcapng->most)
        pcapng->most = pcapng->count;
    return Q2P_OK;
}

/* ---- packets -------------------------------------------------------------------------------- */

/* A damaged file may say any time: sums and differences of what comes out must not overflow. */
static int64_t nanoseconds(const struct interface *interface, uint64_t units)
{
    uint64_t seconds, nanos, per_second = 1, most = INT64_MAX / 2 / Q2P_SECOND;
    unsigned power = interface->resolution & 0x7f;
    if (interface->resolution & 0x80) {
        uint64_t fraction = power < 64 ? units & ((UINT64_C(1) << power) - 1) : units;
        seconds = power < 64 ? units >> power : 0;
        unsigned excess = power > FRACTION_BITS ? power - FRACTION_BITS : 0;
        fraction = excess < 64 ? fraction >> excess : 0;
        nanos = fraction * (uint64_t)Q2P_SECOND >> (power - excess);
    } else {
        for (unsigned i = 0; i < power && i < 19; i++)
            per_second *= 10;
        seconds = units / per_second;
        nanos = units % per_second;
        nanos = power <= 9 ? nanos * ((uint64_t)Q2P_SECOND / per_second)
                           : nanos / (per_second / (uint64_t)Q2P_SECOND);
    }
    if (seconds > most || interface->offset_s > (int64_t)most)
        return INT64_MAX / 2;
    int64_t whole = (int64_t)seconds +
                    (interface->offset_s < -(int64_t)most ? -(int64_t)most : interface->offset_s);
    if (whole > (int64_t)most)
        return INT64_MAX / 2;
    return whole < 0 ? 0 : whole * Q2P_SECOND + (int64_t)nanos;
}

/* Of the three kinds of packet, where each has its fields. False: the block is too short. */
static bool read_packet(const struct cli_blocks *pcapng, uint32_t type,
                        struct cli_blocks_frame *out)
{
    bool simple = type == BLOCK_SIMPLE_PACKET;
    size_t body_at = simple ? 4 : 20, body_len = pcapng->len - body_at;
    if (pcapng->len < body_at)
        return false;
    *out = (struct cli_blocks_frame){.bytes = pcapng->block + body_at, .link = -1};
    if (!simple)
        out->interface = type == BLOCK_PACKET ? load32(pcapng, 0) : load16(pcapng, 0);
    out->total = load32(pcapng, body_at - 4);
    out->have = simple ? out->total : load32(pcapng, 12);
    if (out->interface < pcapng->count) {
        const struct interface *interface = &pcapng->interfaces[out->interface];
        out->link_type = interface->link_type;
        out->link = link_of(interface->link_type);
        if (!simple)
            out->t_ns =
                nanoseconds(interface, (uint64_t)load32(pcapng, 4) << 32 | load32(pcapng, 8));
        else if (interface->snap_len && out->have > interface->snap_len)
            out->have = interface->snap_len;
    }
    if (out->have > out->total)
        out->have = out->total;
    if (out->have > body_len)
        out->have = body_len;
    return true;
}

int cli_blocks_next(struct cli_blocks *pcapng, struct cli_blocks_frame *out, char why[CLI_WHY_MAX])
{
    uint32_t type;
    int status;
    while ((status = read_block(pcapng, &type, why)) == 1) {
        switch (type) {
        case BLOCK_SECTION:
            pcapng->count = 0;
            break;
        case BLOCK_INTERFACE:
            status = read_interface(pcapng, why);
            if (status < 0)
                return status;
            break;
        case BLOCK_PACKET:
        case BLOCK_OLD_PACKET:
        case BLOCK_SIMPLE_PACKET:
            return read_packet(pcapng, type, out) ? 1
                                                  : complain(why, "a packet's block is too short");
        default:
            break;
        }
    }
    return status;
}
