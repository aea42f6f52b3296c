/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng.h - writes pcapng files (libpcap cannot): several named interfaces, nanoseconds, comments
 * on packets. Ethernet, because it carries IPv4 and IPv6 alike and every reader takes it.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stdio.h>

#include <q2p/types.h>
#include <q2p/wire.h>

#define PCAPNG_PAYLOAD_MAX Q2P_DATAGRAM_MAX
#define PCAPNG_NOTE_MAX 124
#define PCAPNG_TAIL_MAX (PCAPNG_NOTE_MAX + 8)
#define PCAPNG_BLOCK_MAX (PCAPNG_PAYLOAD_MAX + 1024)

struct pcapng {
    FILE *file; /* borrowed */
    uint32_t interfaces;
    size_t used;
    uint8_t buffer[64 * PCAPNG_BLOCK_MAX]; /* blocks are made there; small, to stay in the cache */
};

/* What a datagram has in common wherever it is seen. */
struct pcapng_payload {
    uint64_t id;
    uint32_t len;             /* at most PCAPNG_PAYLOAD_MAX */
    uint32_t tail_len;        /* padding and comment, which follow the bytes */
    uint32_t ip_sum, udp_sum; /* for the checksums: all but addresses and ports */
    uint8_t bytes[PCAPNG_PAYLOAD_MAX + PCAPNG_TAIL_MAX];
};

/* A comment, made once for many datagrams. */
struct pcapng_note {
    uint32_t len; /* 0: none */
    uint8_t option[PCAPNG_NOTE_MAX + 4];
};

struct pcapng_datagram {
    q2p_time t_ns;
    struct q2p_addr src, dst;
    uint32_t interface;
    bool out; /* direction as seen by the owner of the interface */
};

/* Starts a file. Errors of writing show in ferror(file) at the end. */
void pcapng_begin(struct pcapng *out, FILE *file, const char *application, const char *comment);

/* Returns the new interface's number, from 0. All come before the first datagram. */
uint32_t pcapng_interface(struct pcapng *out, const char *name, const char *description);

void pcapng_note(struct pcapng_note *note, const char *text); /* cut at PCAPNG_NOTE_MAX */

/* Keeps at most PCAPNG_PAYLOAD_MAX bytes. The same datagram has the same id at every interface. */
void pcapng_keep(struct pcapng_payload *payload, uint64_t id, const uint8_t *bytes, uint32_t len);

/* The comment that a datagram has at every interface, before it is written at the first one. */
void pcapng_prepare(struct pcapng_payload *payload, const struct pcapng_note *comment);

/* note: one more comment, at this interface; NULL = none. */
void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram,
                     const struct pcapng_payload *payload, const struct pcapng_note *note);

/* Hands everything to the file, which stays the caller's. */
void pcapng_flush(struct pcapng *out);

#endif
