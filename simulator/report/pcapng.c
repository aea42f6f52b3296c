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

/* A block under construction; long texts are cut so that it always fits. */
struct block {
    uint8_t bytes[PCAPNG_PAYLOAD_MAX + 1024];
    size_t len;
};

static void put(struct block *block, const void *bytes, size_t len)
{
    assert(len <= sizeof block->bytes - block->len);
    memcpy(block->bytes + block->len, bytes, len);
    block->len += len;
}

static void put_little(struct block *block, uint64_t value, int len)
{
    uint8_t bytes[8];
    for (int i = 0; i < len; i++, value >>= 8)
        bytes[i] = (uint8_t)value;
    put(block, bytes, (size_t)len);
}

static void put_big(struct block *block, uint32_t value, int len)
{
    uint8_t bytes[4];
    for (int i = len - 1; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
    put(block, bytes, (size_t)len);
}

static void pad(struct block *block)
{
    while (block->len % 4)
        put(block, "", 1);
}

static void put_option(struct block *block, enum option_code code, const void *bytes, size_t len)
{
    put_little(block, code, 2);
    put_little(block, len, 2);
    put(block, bytes, len);
    pad(block);
}

static void put_text(struct block *block, enum option_code code, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len > 0)
        put_option(block, code, text, len < 255 ? len : 255);
}

static void begin(struct block *block, enum block_type type)
{
    block->len = 0;
    put_little(block, type, 4);
    put_little(block, 0, 4); /* the length, known at the end */
}

static void finish(struct pcapng *out, struct block *block)
{
    put_little(block, 0, 4); /* end of options */
    size_t total = block->len + 4;
    put_little(block, total, 4);
    block->len = 4;
    put_little(block, total, 4);
    fwrite(block->bytes, 1, total, out->file);
}

void pcapng_begin(struct pcapng *out, FILE *file, const char *application, const char *comment)
{
    struct block block;
    *out = (struct pcapng){.file = file};
    begin(&block, BLOCK_SECTION);
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
    struct block block;
    begin(&block, BLOCK_INTERFACE);
    put_little(&block, LINKTYPE_ETHERNET, 2);
    put_little(&block, 0, 2);
    put_little(&block, 0, 4); /* no snap length */
    put_text(&block, INTERFACE_NAME, name);
    put_text(&block, INTERFACE_DESCRIPTION, description);
    put_option(&block, INTERFACE_RESOLUTION, "\x09", 1); /* nanoseconds */
    finish(out, &block);
    return out->interfaces++;
}

static uint32_t sum(uint32_t start, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        start += (i % 2) ? bytes[i] : (uint32_t)bytes[i] << 8;
    return start;
}

static uint16_t fold(uint32_t total)
{
    while (total >> 16)
        total = (total & 0xFFFF) + (total >> 16);
    return (uint16_t)~total;
}

/* IPv4 addresses in an IPv6 header appear as ::ffff:a.b.c.d. */
static void put_ip(struct block *block, const struct q2p_addr *addr, bool v6)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (v6 && addr->ip_len == 4)
        put(block, mapped, sizeof mapped);
    put(block, addr->ip, v6 && addr->ip_len == 16 ? 16 : 4);
}

static void put_mac(struct block *block, const struct q2p_addr *addr)
{
    put(block, "\x02\x71", 2);
    put(block, addr->ip + (addr->ip_len == 16 ? 12 : 0), 4);
}

static void put_frame(struct block *block, const struct pcapng_datagram *datagram)
{
    const struct q2p_addr *src = datagram->src, *dst = datagram->dst;
    bool v6 = src->ip_len == 16 || dst->ip_len == 16;
    uint32_t udp_len = (uint32_t)datagram->len + 8;
    put_mac(block, dst);
    put_mac(block, src);
    put_big(block, v6 ? 0x86DD : 0x0800, 2);

    size_t ip_at = block->len, addresses_len = v6 ? 32 : 8;
    if (v6) {
        put_big(block, 6u << 28, 4);
        put_big(block, udp_len, 2);
        put_big(block, IP_UDP << 8 | IP_TTL, 2);
    } else {
        put_big(block, 0x45u << 24 | (udp_len + 20), 4);
        put_big(block, 0x4000, 4); /* don't fragment */
        put_big(block, IP_TTL << 24 | IP_UDP << 16, 4);
    }
    put_ip(block, src, v6);
    put_ip(block, dst, v6);
    if (!v6) {
        uint16_t check = fold(sum(0, block->bytes + ip_at, 20));
        block->bytes[ip_at + 10] = (uint8_t)(check >> 8);
        block->bytes[ip_at + 11] = (uint8_t)check;
    }

    size_t udp_at = block->len;
    put_big(block, src->port, 2);
    put_big(block, dst->port, 2);
    put_big(block, udp_len, 2);
    put_big(block, 0, 2);
    put(block, datagram->bytes, datagram->len);
    uint32_t total = sum(IP_UDP + udp_len, block->bytes + udp_at - addresses_len, addresses_len);
    uint16_t check = fold(sum(total, block->bytes + udp_at, udp_len));
    check = check ? check : 0xFFFF;
    block->bytes[udp_at + 6] = (uint8_t)(check >> 8);
    block->bytes[udp_at + 7] = (uint8_t)check;
}

void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram)
{
    struct block block;
    assert(datagram->len <= PCAPNG_PAYLOAD_MAX && datagram->interface < out->interfaces);
    bool v6 = datagram->src->ip_len == 16 || datagram->dst->ip_len == 16;
    uint64_t frame_len = 14 + (v6 ? 40u : 20u) + 8 + datagram->len, t = (uint64_t)datagram->t_ns;
    begin(&block, BLOCK_PACKET);
    put_little(&block, datagram->interface, 4);
    put_little(&block, t >> 32, 4);
    put_little(&block, t & 0xFFFFFFFF, 4);
    put_little(&block, frame_len, 4);
    put_little(&block, frame_len, 4);
    put_frame(&block, datagram);
    pad(&block);
    put_text(&block, OPTION_COMMENT, datagram->comment);
    put_option(&block, PACKET_FLAGS, datagram->out ? "\2\0\0\0" : "\1\0\0\0", 4);
    uint8_t id[8];
    for (int i = 0; i < 8; i++)
        id[i] = (uint8_t)(datagram->id >> 8 * i);
    put_option(&block, PACKET_ID, id, sizeof id);
    finish(out, &block);
}
