/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng.h - writes pcapng files (libpcap cannot): several named interfaces, nanoseconds, comments
 * on packets. Ethernet, because it carries IPv4 and IPv6 alike and every reader takes it.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stdio.h>

#include <q2p/types.h>

#define PCAPNG_PAYLOAD_MAX 2048
#define PCAPNG_NOTE_MAX 240
#define PCAPNG_BLOCK_MAX (PCAPNG_PAYLOAD_MAX + 1024)

struct pcapng {
    FILE *file; /* borrowed */
    uint32_t interfaces;
    size_t used;
    uint8_t buffer[8 * PCAPNG_BLOCK_MAX]; /* blocks are made there; small, to stay in the cache */
};

/* What a datagram has in common wherever it is seen: all that comes after the UDP header, made
 * once. */
struct pcapng_payload {
    const uint8_t *bytes; /* borrowed */
    uint32_t len;         /* at most PCAPNG_PAYLOAD_MAX */
    uint32_t sum;         /* for the checksum */
    uint32_t flags_at, tail_len;
    uint8_t tail[320]; /* padding and options */
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
    const struct q2p_addr *src, *dst;
    const struct pcapng_payload *payload;
    const struct pcapng_note *note; /* NULL = none */
};

/* Starts a file. Errors of writing show in ferror(file) at the end. */
void pcapng_begin(struct pcapng *out, FILE *file, const char *application, const char *comment);

/* Returns the new interface's number, from 0. All come before the first datagram. */
uint32_t pcapng_interface(struct pcapng *out, const char *name, const char *description);

/* bytes and len are set. The same datagram has the same id at every interface; comment may be NULL
 * and is cut at 255 bytes. */
void pcapng_prepare(struct pcapng_payload *payload, uint64_t id, const char *comment);
void pcapng_note(struct pcapng_note *note, const char *text); /* cut at PCAPNG_NOTE_MAX */
void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram);

/* Hands everything to the file, which stays the caller's. */
void pcapng_flush(struct pcapng *out);

#endif
