/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_trace.h - the capture of a run: one interface per place, each datagram at every place it
 * passes, with its fate as comment, and at NATs the mapping that it used. Sightings wait, in the
 * order of time, until the fate is known; bytes are kept once per datagram.
 */
#ifndef REPORT_TRACE_H
#define REPORT_TRACE_H

#include "net_route.h"
#include "pcapng.h"

struct report_sighting {
    struct sim_record *record;
    struct pcapng_datagram datagram;
    uint32_t place;
    struct q2p_addr inside; /* whose mapping of a NAT is used */
    enum net_use use;
};

struct report_trace {
    struct pcapng pcapng;
    struct sim_arena arena; /* records and notes */
    struct sim_record *unused;
    struct report_sighting *sightings, *end; /* a ring, never full */
    struct report_sighting *first, *next;    /* the same: nothing waits */
    struct sim_note *notes;                  /* of each place, in and out */
    uint32_t *interfaces;                    /* of each place */
};

/* Interfaces are the places of net, which must be complete; those that are watched, by number, or
 * all if that is NULL. */
void report_trace_begin(struct report_trace *trace, FILE *file, const struct net *net,
                        const char *comment, const bool *watched);
void report_trace_seen(struct report_trace *trace, const struct net_sight *at,
                       struct sim_packet *packet, q2p_time now);
void report_trace_fate(struct report_trace *trace, struct sim_packet *packet, enum net_fate fate,
                       const char *where);

/* Writes what still waits, and frees; the file stays the caller's. */
void report_trace_end(struct report_trace *trace);

#endif
