/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - the few types that everything shares: time, address, key, span, allocator. */
#ifndef Q2P_TYPES_H
#define Q2P_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds since any epoch the caller likes, at most 2^62 (146 years) from it; it must not run
 * backwards. */
typedef int64_t q2p_time;
#define Q2P_NEVER INT64_MAX
#define Q2P_MICROSECOND INT64_C(1000)
#define Q2P_MILLISECOND INT64_C(1000000)
#define Q2P_SECOND INT64_C(1000000000)

/* Where a field sits in a datagram, in bytes. len 0 = the field is not there. */
struct q2p_span {
    uint32_t at;
    uint32_t len;
};

/*
 * An IPv4 or IPv6 UDP endpoint. Unused bytes are zero, so that two addresses are equal exactly
 * if memcmp says so. An IPv4-mapped IPv6 address is always kept as IPv4.
 */
struct q2p_addr {
    uint8_t ip[16];    /* network order; IPv4 uses the first 4 bytes */
    uint32_t scope_id; /* interface of a link-local IPv6 address, else 0; never printed */
    uint16_t port;     /* host order, 0..65535 */
    uint8_t ip_len;    /* 4, 16, or 0 = no address */
    uint8_t zero;      /* always 0 */
};

#define Q2P_ADDR_TEXT_MAX 64 /* bytes, with the terminating NUL; PROTOCOL.md 3.2 */

/*
 * Reads "a.b.c.d:port" or "[v6]:port", nothing else: no names, no zones, no blanks, port 1..65535
 * (PROTOCOL.md 3.2). text need not be terminated. Returns Q2P_OK or Q2P_ERR_ADDRESS.
 */
int q2p_addr_parse(struct q2p_addr *out, const char *text, size_t len);

/*
 * Prints an address as the wire has it (RFC 5952 form, brackets around IPv6), NUL-terminated.
 * Returns the length without NUL, or Q2P_ERR_ROOM. Q2P_ADDR_TEXT_MAX bytes are always enough.
 * An address with ip_len 0 prints as "-".
 */
int q2p_addr_print(const struct q2p_addr *addr, char *out, size_t room);

bool q2p_addr_equal(const struct q2p_addr *a, const struct q2p_addr *b);

/*
 * True if a peer could be reached there: not unspecified, multicast, reserved, broadcast, nor
 * port 0. Private and loopback ranges are fine: Q2P lives in laboratories too.
 */
bool q2p_addr_usable(const struct q2p_addr *addr);

/* The key of a transmission (PROTOCOL.md 6.1). */
#define Q2P_HASH_LEN 16
struct q2p_hash {
    uint8_t bytes[Q2P_HASH_LEN];
};

/*
 * Memory for one node. resize(ctx, NULL, 0, n) allocates, resize(ctx, p, n, 0) frees and returns
 * NULL, anything else is realloc; old_len is what was asked for before. NULL means: no memory.
 */
struct q2p_alloc {
    void *ctx;
    void *(*resize)(void *ctx, void *old, size_t old_len, size_t new_len);
};

#ifdef __cplusplus
}
#endif
#endif
