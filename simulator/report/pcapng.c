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
#define TEXT_MAX 255
#define IP_TTL 64
#define IP_UDP 17

#define ETHERNET_LEN 14
#define IPV4_LEN 20
#define IPV6_LEN 40
#define UDP_LEN 8
#define NOTE_STEP 64  /* what notes are copied in */
#define PACKET_LEN 28 /* of a packet block, before the frame */

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

/* Of a block; there is room for one more then. */
static void end(struct pcapng *out, size_t len)
{
    out->used += len;
    if (out->used > sizeof out->buffer - PCAPNG_BLOCK_MAX)
        pcapng_flush(out);
}

static struct block begin(struct pcapng *out, enum block_type type)
{
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
    end(out, total);
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

/* ---- checksums: words of any size, in the machine's order of bytes; so is the sum -------- */

static uint32_t word(const uint8_t *at)
{
    uint32_t out;
    memcpy(&out, at, sizeof out);
    return out;
}

/* What is carried out at the top comes in at the bottom. */
static uint32_t fold(uint64_t total)
{
    return (uint32_t)((total + (total << 32 | total >> 32)) >> 32);
}

static uint16_t checksum(uint64_t total)
{
    uint32_t half = fold(total);
    return (uint16_t) ~((half + (half << 16 | half >> 16)) >> 16);
}

struct total {
    uint64_t words, carried;
};

static inline void add(struct total *total, const uint8_t bytes[8])
{
    uint64_t eight;
    memcpy(&eight, bytes, sizeof eight);
    total->words += eight;
    total->carried += total->words < eight;
}

static uint32_t sum(const uint8_t *bytes, size_t len)
{
    uint8_t rest[8] = {0};
    struct total total = {0, 0};
    for (; len >= 64; bytes += 64, len -= 64) {
        add(&total, bytes);
        add(&total, bytes + 8);
        add(&total, bytes + 16);
        add(&total, bytes + 24);
        add(&total, bytes + 32);
        add(&total, bytes + 40);
        add(&total, bytes + 48);
        add(&total, bytes + 56);
    }
    for (; len >= sizeof rest; bytes += sizeof rest, len -= sizeof rest)
        add(&total, bytes);
    memcpy(rest, bytes, len);
    add(&total, rest);
    return fold(fold(total.words) + total.carried);
}

/* ---- datagrams: whole words, one after the other ----------------------------------------- */

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

/* As a word of a sum. */
static uint32_t big16_word(uint32_t value)
{
    uint16_t out;
    big16((uint8_t *)&out, value);
    return out;
}

static void put_ethernet(uint8_t *at, const uint8_t dst[4], const uint8_t src[4])
{
    memcpy(at, "\x02\x71", 2);
    memcpy(at + 2, dst, 4);
    memcpy(at + 6, "\x02\x71", 2);
    memcpy(at + 8, src, 4);
}

/* addresses: the sum of them. */
static inline uint8_t *put_udp(uint8_t *at, const struct pcapng_datagram *datagram,
                               const struct pcapng_payload *payload, uint64_t addresses)
{
    uint32_t ports = (uint32_t)datagram->src.port << 16 | datagram->dst.port;
    big32(at, ports);
    uint16_t check = checksum(addresses + payload->udp_sum + word(at));
    if (check == 0)
        check = 0xFFFF;
    big16(at + 4, payload->len + UDP_LEN);
    memcpy(at + 6, &check, 2);
    return at + UDP_LEN;
}

static inline uint8_t *put_ipv4(uint8_t *at, const struct pcapng_datagram *datagram,
                                const struct pcapng_payload *payload)
{
    const uint8_t *src = datagram->src.ip, *dst = datagram->dst.ip;
    uint64_t addresses = (uint64_t)word(src) + word(dst);
    uint16_t check = checksum(addresses + payload->ip_sum);
    put_ethernet(at, dst, src);
    big32(at + 12, 0x0800u << 16 | 0x4500);
    big32(at + 16, (payload->len + IPV4_LEN + UDP_LEN) << 16);
    big32(at + 20, 0x4000u << 16 | IP_TTL << 8 | IP_UDP); /* don't fragment */
    memcpy(at + 24, &check, 2);
    memcpy(at + 26, src, 4);
    memcpy(at + 30, dst, 4);
    return put_udp(at + ETHERNET_LEN + IPV4_LEN, datagram, payload, addresses);
}

/* IPv4 addresses in an IPv6 header appear as ::ffff:a.b.c.d. */
static void put_ipv6_addr(uint8_t *at, const struct q2p_addr *addr)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    bool v6 = addr->ip_len == 16;
    memcpy(at, v6 ? addr->ip : mapped, 12);
    memcpy(at + 12, addr->ip + (v6 ? 12 : 0), 4);
}

static uint8_t *put_ipv6(uint8_t *at, const struct pcapng_datagram *datagram,
                         const struct pcapng_payload *payload)
{
    uint8_t *ip = at + ETHERNET_LEN;
    put_ipv6_addr(ip + 8, &datagram->src);
    put_ipv6_addr(ip + 24, &datagram->dst);
    put_ethernet(at, ip + 36, ip + 20);
    big16(at + 12, 0x86DD);
    big32(ip, 6u << 28);
    big32(ip + 4, (payload->len + UDP_LEN) << 16 | IP_UDP << 8 | IP_TTL);
    return put_udp(ip + IPV6_LEN, datagram, payload, sum(ip + 8, 32));
}

void pcapng_keep(struct pcapng_payload *payload, uint64_t id, const uint8_t *bytes, uint32_t len)
{
    uint32_t udp_len = len + UDP_LEN;
    payload->id = id;
    payload->len = len;
    payload->ip_sum = big16_word(0x4500 + 0x4000 + (IP_TTL << 8 | IP_UDP) + IPV4_LEN + udp_len);
    payload->udp_sum = fold((uint64_t)sum(bytes, len) + big16_word(IP_UDP + 2 * udp_len));
    memcpy(payload->bytes, bytes, len);
}

void pcapng_note(struct pcapng_note *note, const char *text)
{
    struct block option = {note->option, 0};
    size_t len = strlen(text);
    put_option(&option, OPTION_COMMENT, text, len < PCAPNG_NOTE_MAX ? len : PCAPNG_NOTE_MAX);
    note->len = (uint32_t)option.len;
}

/* What is too much of it is overwritten. */
static uint8_t *put_note(uint8_t *at, const struct pcapng_note *note)
{
    static_assert(sizeof note->option % NOTE_STEP == 0, "a note is read to the end of a step");
    for (uint32_t done = 0; done < note->len; done += NOTE_STEP)
        memcpy(at + done, note->option + done, NOTE_STEP);
    return at + note->len;
}

void pcapng_prepare(struct pcapng_payload *payload, const struct pcapng_note *comment)
{
    uint8_t *tail = payload->bytes + payload->len;
    uint32_t padding = (2u - payload->len) % 4; /* before it there are words, and half of one */
    little32(tail, 0);
    put_note(tail + padding, comment);
    payload->tail_len = padding + comment->len;
}

/* Around a frame, with the payload. */
static inline void put_block(struct pcapng *out, uint8_t *bytes,
                             const struct pcapng_datagram *datagram,
                             const struct pcapng_payload *payload, const struct pcapng_note *note)
{
    uint8_t *start = out->buffer + out->used, *at = bytes + payload->len + payload->tail_len;
    uint32_t frame_len = (uint32_t)(bytes - start) - PACKET_LEN + payload->len;
    uint64_t t = (uint64_t)datagram->t_ns;
    at = little32(little32(at, 4u << 16 | PACKET_FLAGS), datagram->out ? 2 : 1);
    at = little32(little32(at, 8u << 16 | PACKET_ID), (uint32_t)payload->id);
    at = little32(at, (uint32_t)(payload->id >> 32));
    if (note)
        at = put_note(at, note);
    at = little32(at, 0); /* end of options */
    uint32_t total = (uint32_t)(at + 4 - start);
    little32(at, total);
    at = little32(little32(little32(start, BLOCK_PACKET), total), datagram->interface);
    at = little32(little32(at, (uint32_t)(t >> 32)), (uint32_t)t);
    little32(little32(at, frame_len), frame_len);
    memcpy(bytes, payload->bytes, payload->len + payload->tail_len);
    end(out, total);
}

void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram,
                     const struct pcapng_payload *payload, const struct pcapng_note *note)
{
    uint8_t *frame = out->buffer + out->used + PACKET_LEN;
    assert(datagram->interface < out->interfaces);
    bool v6 = ((datagram->src.ip_len | datagram->dst.ip_len) & 16) != 0;
    uint8_t *bytes = v6 ? put_ipv6(frame, datagram, payload) : put_ipv4(frame, datagram, payload);
    put_block(out, bytes, datagram, payload, note);
}
