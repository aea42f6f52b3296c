/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_addr.h - addresses as keys of tables, inlined: several look-ups per datagram. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <string.h>

#include <q2p/types.h>

/* Of the address without its port. Not for traces: depends on the machine's order of bytes. */
static inline uint64_t net_ip_hash(const struct q2p_addr *addr)
{
    uint64_t words[2];
    memcpy(words, addr->ip, sizeof words);
    uint64_t z = words[0] * UINT64_C(0x9fb21c651e98df25) ^ words[1] * UINT64_C(0xbf58476d1ce4e5b9);
    z ^= (uint64_t)addr->scope_id << 8 | addr->ip_len;
    return (z ^ z >> 32) * UINT64_C(0x94d049bb133111eb);
}

static inline uint64_t net_port_hash(uint64_t ip_hash, uint16_t port)
{
    uint64_t z = (ip_hash ^ port) * UINT64_C(0x9e3779b97f4a7c15);
    return z ^ z >> 32;
}

static inline uint64_t net_addr_hash(const struct q2p_addr *addr)
{
    return net_port_hash(net_ip_hash(addr), addr->port);
}

/* Ports and scopes do not count. */
static inline bool net_ip_same(const struct q2p_addr *a, const struct q2p_addr *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a->ip, sizeof x);
    memcpy(y, b->ip, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (uint64_t)(a->ip_len ^ b->ip_len)) == 0;
}

/* 8 bytes of it: one after the other they are compared in registers. */
static inline uint64_t net_addr_word(const struct q2p_addr *addr, size_t at)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)addr + at, sizeof word);
    return word;
}

static inline bool net_addr_same(const struct q2p_addr *a, const struct q2p_addr *b)
{
    return ((net_addr_word(a, 0) ^ net_addr_word(b, 0)) |
            (net_addr_word(a, 8) ^ net_addr_word(b, 8)) |
            (net_addr_word(a, 16) ^ net_addr_word(b, 16))) == 0;
}

/* Of all of it, cheaper: for keys that go on mixing it, as one of their parts. */
static inline uint64_t net_addr_blend(const struct q2p_addr *addr)
{
    return net_addr_word(addr, 0) * UINT64_C(0x9fb21c651e98df25) ^
           net_addr_word(addr, 8) * UINT64_C(0xbf58476d1ce4e5b9) ^
           net_addr_word(addr, 16) * UINT64_C(0x9e3779b97f4a7c15);
}

#endif
