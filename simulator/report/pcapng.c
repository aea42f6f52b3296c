/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng.c - section header, interface description and enhanced packet blocks (IETF draft
 * opsawg-pcapng), little endian; around each datagram a UDP, an IP and an Ethernet header with
 * locally administered MAC addresses made from the IP addresses.
 */
#include "pcapng.h"
#include "net_addr.h"

#include <assert.h>
#include <string.h>

enum block_type { BLOCK_SECTION = 0x0A0D0D0A, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum option_code {
    OPTION_COMMENT = 1,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_DESCRIPTION = 3,
    INTERFACE_RESOLUTION = 9,
    PACKET_FLAGS = 2,
    PACKET_ID = 5
};
#define LINKTYPE_ETHERNET 1
#define TEXT_MAX 255
#define IP_TTL 64
#define IP_UDP 17

#define ETHERNET_LEN 14
#define UDP_LEN 8
#define PACKET_LEN 28 /* of a packet block, before the frame */
#define FLAGS_BACK 24 /* the flags of a packet, before the end of its block */

/* A block under construction. */
struct block {
    uint8_t *bytes;
    size_t len;
};

static void put(struct block *block, const void *bytes, size_t len)
{
    memcpy(block->bytes + block->len, bytes, len);
    block->len += len;
}

static void put_little(struct block *block, uint64_t value, int len)
{
    for (int i = 0; i < len; i++, value >>= 8)
        block->bytes[block->len++] = (uint8_t)value;
}

static void pad(struct block *block)
{
    while (block->len % 4)
        block->bytes[block->len++] = 0;
}

static void put_option(struct block *block, enum option_code code, const void *bytes, size_t len)
{
    put_little(block, code, 2);
    put_little(block, len, 2);
    put(block, bytes, len);
    pad(block);
}

/* Long ones are cut, so that a block always fits. */
static void put_text(struct block *block, enum option_code code, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len > 0)
        put_option(block, code, text, len < TEXT_MAX ? len : TEXT_MAX);
}

void pcapng_flush(struct pcapng *out)
{
    if (out->used == 0)
        return; /* perhaps there is no file either */
    fwrite(out->buffer, 1, out->used, out->file);
    out->used = 0;
}

static struct block begin(struct pcapng *out, enum block_type type)
{
    if (sizeof out->buffer - out->used < PCAPNG_BLOCK_MAX)
        pcapng_flush(out);
    struct block block = {out->buffer + out->used, 0};
    put_little(&block, type, 4);
    put_little(&block, 0, 4); /* the length, known at the end */
    return block;
}

static void finish(struct pcapng *out, struct block *block)
{
    put_little(block, 0, 4); /* end of options */
    size_t total = block->len + 4;
    put_little(block, total, 4);
    block->len = 4;
    put_little(block, total, 4);
    out->used += total;
}

void pcapng_begin(struct pcapng *out, FILE *file, const char *application, const char *comment)
{
    out->file = file;
    out->interfaces = 0;
    out->used = 0;
    struct block block = begin(out, BLOCK_SECTION);
    put_little(&block, 0x1A2B3C4D, 4);
    put_little(&block, 1, 2);
    put_little(&block, 0, 2);
    put_little(&block, UINT64_MAX, 8); /* section length: to the end */
    put_text(&block, SECTION_APPLICATION, application);
    put_text(&block, OPTION_COMMENT, comment);
    finish(out, &block);
}

uint32_t pcapng_interface(struct pcapng *out, const char *name, const char *description)
{
    struct block block = begin(out, BLOCK_INTERFACE);
    put_little(&block, LINKTYPE_ETHERNET, 2);
    put_little(&block, 0, 2);
    put_little(&block, 0, 4); /* no snap length */
    put_text(&block, INTERFACE_NAME, name);
    put_text(&block, INTERFACE_DESCRIPTION, description);
    put_option(&block, INTERFACE_RESOLUTION, "\x09", 1); /* nanoseconds */
    finish(out, &block);
    return out->interfaces++;
}

/* ---- datagrams --------------------------------------------------------------------------- */

struct total {
    uint64_t words, carried;
};

static void add_word(struct total *total, const uint8_t bytes[8])
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    total->words += word;
    total->carried += total->words < word;
}

/* Of words of 16 bits, big endian; sums in any order of bytes are the same, but for that order.
 * What is carried out at the top comes in at the bottom, with words of any size. */
static uint32_t sum(const uint8_t *bytes, size_t len)
{
    uint8_t rest[8] = {0};
    struct total total = {0, 0};
    for (; len >= 64; bytes += 64, len -= 64)
        for (size_t at = 0; at < 64; at += 8)
            add_word(&total, bytes + at);
    for (; len >= sizeof rest; bytes += sizeof rest, len -= sizeof rest)
        add_word(&total, bytes);
    memcpy(rest, bytes, len);
    add_word(&total, rest);
    uint64_t all = (total.words & UINT32_MAX) + (total.words >> 32) + total.carried;
    all = (all & 0xFFFF) + (all >> 16 & 0xFFFF) + (all >> 32);
    all = (all & 0xFFFF) + (all >> 16);
    all = (all & 0xFFFF) + (all >> 16);
    uint8_t pair[2];
    uint16_t native = (uint16_t)all;
    memcpy(pair, &native, 2);
    return (uint32_t)pair[0] << 8 | pair[1];
}

static uint16_t fold(uint32_t total)
{
    total = (total & 0xFFFF) + (total >> 16);
    return (uint16_t) ~(total + (total >> 16));
}

/* ---- heads of frames: whole words, one after the other ---- */

static uint8_t *little32(uint8_t *at, uint32_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint8_t *big32(uint8_t *at, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    memcpy(at, bytes, 4);
    return at + 4;
}

static uint8_t *big16(uint8_t *at, uint32_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    memcpy(at, bytes, 2);
    return at + 2;
}

/* IPv4 addresses in an IPv6 header appear as ::ffff:a.b.c.d. */
static uint8_t *put_ip(uint8_t *at, const struct q2p_addr *addr, bool v6)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (v6 && addr->ip_len == 16) {
        memcpy(at, addr->ip, 16);
        return at + 16;
    }
    if (v6) {
        memcpy(at, mapped, sizeof mapped);
        at += sizeof mapped;
    }
    memcpy(at, addr->ip, 4);
    return at + 4;
}

static uint8_t *put_mac(uint8_t *at, const struct q2p_addr *addr)
{
    memcpy(at, "\x02\x71", 2);
    memcpy(at + 2, addr->ip + (addr->ip_len == 16 ? 12 : 0), 4);
    return at + 6;
}

static uint32_t sum_ip(const uint8_t *at)
{
    return (uint32_t)(at[0] << 8 | at[1]) + (uint32_t)(at[2] << 8 | at[3]);
}

/* All but interface, time, and what has to do with addresses. */
static void put_head(struct pcapng_payload *payload, bool v6)
{
    uint32_t len = PACKET_LEN + ETHERNET_LEN + (v6 ? 40u : 20u) + UDP_LEN;
    uint32_t frame_len = len - PACKET_LEN + payload->len, udp_len = payload->len + UDP_LEN;
    uint8_t *start = payload->block + PCAPNG_HEAD_MAX - len, *at = start + PACKET_LEN + 12;
    payload->head_len = len;
    payload->total = len + payload->len + payload->tail_len;
    little32(little32(start, BLOCK_PACKET), payload->total);
    little32(little32(start + 20, frame_len), frame_len);
    at = big16(at, v6 ? 0x86DD : 0x0800);
    if (v6) {
        at = big32(at, 6u << 28);
        big32(at, udp_len << 16 | IP_UDP << 8 | IP_TTL);
    } else {
        at = big32(at, 0x45u << 24 | (udp_len + 20));
        at = big32(at, 0x4000); /* don't fragment */
        big16(at, IP_TTL << 8 | IP_UDP);
    }
    little32(start + payload->total - 4, payload->total);
}

/* MACs, IPs, ports and checksums. */
static void put_addresses(struct pcapng_payload *payload, bool v6)
{
    const struct q2p_addr *src = &payload->src, *dst = &payload->dst;
    uint32_t udp_len = payload->len + UDP_LEN, addresses;
    uint8_t *at = payload->block + PCAPNG_HEAD_MAX - payload->head_len + PACKET_LEN;
    put_mac(put_mac(at, dst), src);
    at = payload->block + PCAPNG_HEAD_MAX - UDP_LEN;
    if (v6) {
        put_ip(put_ip(at - 32, src, v6), dst, v6);
        addresses = sum(at - 32, 32);
    } else {
        addresses = sum_ip(src->ip) + sum_ip(dst->ip);
        put_ip(put_ip(at - 8, src, v6), dst, v6);
        big16(at - 10, fold(0x4500 + udp_len + 20 + 0x4000 + (IP_TTL << 8 | IP_UDP) + addresses));
    }
    uint16_t check = fold(IP_UDP + 2 * udp_len + addresses + src->port + dst->port + payload->sum);
    at = big32(at, (uint32_t)src->port << 16 | dst->port);
    big32(at, udp_len << 16 | (check ? check : 0xFFFF));
}

void pcapng_keep(struct pcapng_payload *payload, const uint8_t *bytes, uint32_t len)
{
    payload->len = len;
    memcpy(payload->block + PCAPNG_HEAD_MAX, bytes, len);
}

void pcapng_prepare(struct pcapng_payload *payload, uint64_t id, const char *comment, size_t len)
{
    /* The frame has 14 bytes before its IP header, whose length is a multiple of 4. */
    uint32_t padding = (2u - payload->len) % 4;
    uint8_t *start = payload->block + PCAPNG_HEAD_MAX + payload->len, *at = start;
    memset(at, 0, 4);
    at += padding;
    if (len > TEXT_MAX)
        len = TEXT_MAX;
    if (len > 0) {
        at = little32(at, (uint32_t)len << 16 | OPTION_COMMENT);
        little32(at + (len & ~(size_t)3), 0); /* padding */
        memcpy(at, comment, len);
        at += (len + 3) & ~(size_t)3;
    }
    at = little32(little32(at, 4u << 16 | PACKET_FLAGS), 0);
    at = little32(at, 8u << 16 | PACKET_ID);
    at = little32(little32(at, (uint32_t)id), (uint32_t)(id >> 32));
    at = little32(at, 0) + 4; /* end of options, total length */
    payload->tail_len = (uint32_t)(at - start);
    payload->sum = sum(payload->block + PCAPNG_HEAD_MAX, payload->len);
    payload->head_len = 0;
}

void pcapng_note(struct pcapng_note *note, const char *text)
{
    struct block option = {note->option, 0};
    size_t len = strlen(text);
    put_option(&option, OPTION_COMMENT, text, len < PCAPNG_NOTE_MAX ? len : PCAPNG_NOTE_MAX);
    note->len = (uint32_t)option.len;
}

/* In place of the end of options and the total length at the end of a block. The new length. */
static uint32_t put_note(uint8_t *start, uint32_t total, const struct pcapng_note *note)
{
    uint8_t *at = start + total - 8;
    if (note->len <= 64)
        memcpy(at, note->option, 64); /* what is too much is overwritten */
    else
        memcpy(at, note->option, note->len);
    total += note->len;
    little32(little32(at + note->len, 0), total);
    little32(start + 4, total);
    return total;
}

/* Moves the head on to where the datagram is now. */
static void move(struct pcapng_payload *payload, const struct pcapng_datagram *datagram)
{
    bool v6 = datagram->src.ip_len == 16 || datagram->dst.ip_len == 16;
    bool was_v6 = payload->src.ip_len == 16 || payload->dst.ip_len == 16;
    payload->src = datagram->src;
    payload->dst = datagram->dst;
    if (payload->head_len == 0 || v6 != was_v6)
        put_head(payload, v6);
    put_addresses(payload, v6);
}

void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram)
{
    struct pcapng_payload *payload = datagram->payload;
    assert(datagram->interface < out->interfaces);
    if (payload->head_len == 0 || !net_addr_same(&payload->src, &datagram->src) ||
        !net_addr_same(&payload->dst, &datagram->dst))
        move(payload, datagram);
    if (sizeof out->buffer - out->used < PCAPNG_BLOCK_MAX)
        pcapng_flush(out);
    uint8_t *start = out->buffer + out->used;
    uint32_t total = payload->total;
    uint64_t t = (uint64_t)datagram->t_ns;
    memcpy(start, payload->block + PCAPNG_HEAD_MAX - payload->head_len, total);
    little32(start + 8, datagram->interface);
    little32(little32(start + 12, (uint32_t)(t >> 32)), (uint32_t)t);
    start[total - FLAGS_BACK] = datagram->out ? 2 : 1;
    if (datagram->note)
        total = put_note(start, total, datagram->note);
    out->used += total;
}
