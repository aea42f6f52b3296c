/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng.h - writes pcapng files (libpcap cannot): several named interfaces, nanoseconds, comments
 * on packets. Ethernet, because it carries IPv4 and IPv6 alike and every reader takes it.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stdio.h>

#include <q2p/types.h>

struct pcapng {
    FILE *file; /* borrowed */
    uint32_t interfaces;
};

struct pcapng_datagram {
    uint32_t interface;
    bool out; /* direction as seen by the owner of the interface */
    q2p_time t_ns;
    uint64_t id; /* the same datagram has it at every interface */
    const struct q2p_addr *src, *dst;
    const uint8_t *bytes; /* UDP payload */
    size_t len;           /* at most PCAPNG_PAYLOAD_MAX */
    const char *comment;
};

#define PCAPNG_PAYLOAD_MAX 2048

/* Starts a file. Errors of writing show in ferror(file) at the end. */
void pcapng_begin(struct pcapng *out, FILE *file, const char *application, const char *comment);

/* Returns the new interface's number, from 0. All come before the first datagram. */
uint32_t pcapng_interface(struct pcapng *out, const char *name, const char *description);
void pcapng_datagram(struct pcapng *out, const struct pcapng_datagram *datagram);

#endif
