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
#define PCAPNG_NOTE_MAX 240
#define PCAPNG_BLOCK_MAX (PCAPNG_PAYLOAD_MAX + 1024)

struct pcapng {
    FILE *file; /* borrowed */
    uint32_t interfaces;
    size_t used;
    uint8_t buffer[32 * PCAPNG_BLOCK_MAX]; /* blocks are made there; small, to stay in the cache */
};

#define PCAPNG_HEAD_MAX 96 /* the payload comes then: of the block, Ethernet, IPv6, UDP */
#define PCAPNG_TAIL_MAX 320

/* What a datagram has in common wherever it is seen: a whole block, made once but for its head,
 * which is made again when the addresses have changed. */
struct pcapng_payload {
    uint32_t len;                       /* at most PCAPNG_PAYLOAD_MAX */
    uint32_t sum;                       /* for the checksum */
    uint32_t tail_len, head_len, total; /* head_len 0: there is no head yet */
    struct q2p_addr src, dst;           /* as the head has them */
    uint8_t block[PCAPNG_HEAD_MAX + PCAPNG_PAYLOAD_MAX + PCAPNG_TAIL_MAX];
};

/* One more comment, for one interface only, made once for many datagrams. */
struct pcapng_note {
    uint32_t len;
    uint8_t option[PCAPNG_NOTE_MAX + 8];
};

struct pcapng_datagram {
    uint32_t interface;
    bool out; /* direction as seen by the owner of the interface */
    q2p_time t_ns;
    struct q2p_addr src, dst;
    struct pcapng_payload *payload;
    const struct pcapng_note *note; /* NULL = none */
};

/* Starts a file. Errors of writing show in ferror(file) at the end. */
void pcapng_begin(struct pcapng *out, FILE *file, const char *application, const char *comment);

/* Returns the new interface's number, from 0. All come before the first datagram. */
uint32_t pcapng_interface(struct pcapng *out, const char *name, const char *description);

/* Keeps at most PCAPNG_PAYLOAD_MAX bytes; what comes with them is prepared later. */
void pcapng_keep(struct pcapng_payload *payload, const uint8_t *bytes, uint32_t len);

/* The same datagram has the same id at every interface; a comment of no length is none, and it is
 * cut at 255 bytes. */
void pcapng_prepare(struct pcapng_payload *payload, uint64_t id, const char *comment, size_t len);
void pcapng_note(struct pcapng_note *note, const char *text); /* cut at PCAPNG_NOTE_MAX */
void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram);

/* Hands everything to the file, which stays the caller's. */
void pcapng_flush(struct pcapng *out);

#endif
