/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng.c - section header, interface description and enhanced packet blocks (IETF draft
 * opsawg-pcapng), little endian; around each datagram a UDP, an IP and an Ethernet header with
 * locally administered MAC addresses made from the IP addresses.
 */
#include "pcapng.h"

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
#define IP_TTL 64
#define IP_UDP 17

#define ETHERNET_LEN 14
#define UDP_LEN 8

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
        put_option(block, code, text, len < 255 ? len : 255);
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

/* What is carried out at the top comes in at the bottom, as with words of 16 bits. */
static uint64_t add_words(uint64_t total, const uint8_t bytes[16])
{
    uint64_t words[2];
    memcpy(words, bytes, sizeof words);
    total += words[0];
    total += total < words[0];
    total += words[1];
    return total + (total < words[1]);
}

/* Of words of 16 bits, big endian; sums in any order of bytes are the same, but for that order. */
static uint32_t sum(const uint8_t *bytes, size_t len)
{
    uint8_t rest[16] = {0};
    uint64_t total = 0;
    for (; len >= sizeof rest; bytes += sizeof rest, len -= sizeof rest)
        total = add_words(total, bytes);
    memcpy(rest, bytes, len);
    total = add_words(total, rest);
    while (total >> 16)
        total = (total & 0xFFFF) + (total >> 16);
    uint8_t pair[2];
    uint16_t native = (uint16_t)total;
    memcpy(pair, &native, 2);
    return (uint32_t)pair[0] << 8 | pair[1];
}

static uint16_t fold(uint32_t total)
{
    while (total >> 16)
        total = (total & 0xFFFF) + (total >> 16);
    return (uint16_t)~total;
}

/* ---- heads of frames: whole words, one after the other ---- */

static uint8_t *little32(uint8_t *at, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    memcpy(at, bytes, 4);
    return at + 4;
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

/* Ethernet, IP and UDP up to the payload. */
static uint8_t *put_frame(uint8_t *at, const struct pcapng_datagram *datagram, bool v6)
{
    const struct q2p_addr *src = datagram->src, *dst = datagram->dst;
    uint32_t udp_len = datagram->payload->len + UDP_LEN, addresses;
    at = put_mac(put_mac(at, dst), src);
    at = big16(at, v6 ? 0x86DD : 0x0800);
    if (v6) {
        at = big32(at, 6u << 28);
        at = big32(at, udp_len << 16 | IP_UDP << 8 | IP_TTL);
        at = put_ip(put_ip(at, src, v6), dst, v6);
        addresses = sum(at - 32, 32);
    } else {
        addresses = sum_ip(src->ip) + sum_ip(dst->ip);
        at = big32(at, 0x45u << 24 | (udp_len + 20));
        at = big32(at, 0x4000); /* don't fragment */
        at = big16(at, IP_TTL << 8 | IP_UDP);
        at = big16(at, fold(0x4500 + udp_len + 20 + 0x4000 + (IP_TTL << 8 | IP_UDP) + addresses));
        at = put_ip(put_ip(at, src, v6), dst, v6);
    }
    uint16_t check =
        fold(IP_UDP + 2 * udp_len + addresses + src->port + dst->port + datagram->payload->sum);
    at = big32(at, (uint32_t)src->port << 16 | dst->port);
    return big32(at, udp_len << 16 | (check ? check : 0xFFFF));
}

void pcapng_prepare(struct pcapng_payload *payload, uint64_t id, const char *comment)
{
    struct block tail = {payload->tail, 0};
    assert(payload->len <= PCAPNG_PAYLOAD_MAX);
    /* The frame has 14 bytes before its IP header, whose length is a multiple of 4. */
    uint32_t padding = (2u - payload->len) % 4;
    put(&tail, "\0\0\0", padding);
    payload->sum = sum(payload->bytes, payload->len);
    struct block options = {payload->tail + padding, 0};
    put_text(&options, OPTION_COMMENT, comment);
    payload->flags_at = padding + (uint32_t)options.len + 4;
    put_option(&options, PACKET_FLAGS, "\0\0\0\0", 4);
    put_little(&options, PACKET_ID, 2);
    put_little(&options, 8, 2);
    put_little(&options, id, 8);
    put_little(&options, 0, 8); /* end of options, total length */
    payload->tail_len = padding + (uint32_t)options.len;
}

void pcapng_note(struct pcapng_note *note, const char *text)
{
    struct block option = {note->option, 0};
    size_t len = strlen(text);
    put_option(&option, OPTION_COMMENT, text, len < PCAPNG_NOTE_MAX ? len : PCAPNG_NOTE_MAX);
    note->len = (uint32_t)option.len;
}

/* In place of the end of options and the total length, which come after it. */
static uint8_t *put_note(uint8_t *at, const struct pcapng_note *note)
{
    if (note->len <= 64)
        memcpy(at - 8, note->option, 64); /* what is too much is overwritten */
    else
        memcpy(at - 8, note->option, note->len);
    return little32(at - 8 + note->len, 0) + 4;
}

void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram)
{
    const struct pcapng_payload *payload = datagram->payload;
    assert(datagram->interface < out->interfaces);
    bool v6 = datagram->src->ip_len == 16 || datagram->dst->ip_len == 16;
    uint32_t frame_len = ETHERNET_LEN + (v6 ? 40u : 20u) + UDP_LEN + payload->len;
    uint64_t t = (uint64_t)datagram->t_ns;
    if (sizeof out->buffer - out->used < PCAPNG_BLOCK_MAX)
        pcapng_flush(out);
    uint8_t *start = out->buffer + out->used, *at = little32(start + 8, datagram->interface);
    at = little32(at, (uint32_t)(t >> 32));
    at = little32(at, (uint32_t)t);
    at = little32(little32(at, frame_len), frame_len);
    at = put_frame(at, datagram, v6);
    memcpy(at, payload->bytes, payload->len);
    at += payload->len;
    memcpy(at, payload->tail, payload->tail_len);
    at[payload->flags_at] = datagram->out ? 2 : 1;
    at += payload->tail_len;
    if (datagram->note)
        at = put_note(at, datagram->note);
    uint32_t total = (uint32_t)(at - start);
    little32(little32(start, BLOCK_PACKET), total);
    little32(start + total - 4, total);
    out->used += total;
}
