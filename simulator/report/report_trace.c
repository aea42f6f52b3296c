/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_trace.c - a queue of sightings in the order of time, written as far as fates are known. */
#include "report_trace.h"

#include <stdlib.h>
#include <string.h>

#include <q2p/version.h>

struct sim_record {
    struct sim_record *next;  /* in the queue */
    struct sim_record *older; /* of the same packet */
    uint32_t place;
    bool out, settled;
    enum net_fate fate;
    const char *where;
    q2p_time t_ns;
    uint64_t id;
    struct q2p_addr src, dst;
    uint32_t len;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

static void describe(const struct net *net, const struct net_place *place, char *out, size_t room)
{
    char addr[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(&place->addr, addr, sizeof addr);
    bool nat = place->inner != NET_NOWHERE, hidden = place->realm != NET_REALM_PUBLIC;
    if (nat)
        *strrchr(addr, ':') = '\0';
    snprintf(out, room, "%s %s%s%s", nat ? "outside of NAT" : "host", addr,
             hidden ? ", behind " : "",
             hidden ? net->places[net->gateways[place->realm]]->name : "");
}

void report_trace_begin(struct report_trace *trace, FILE *file, const struct net *net,
                        const char *comment)
{
    char text[200];
    *trace = (struct report_trace){0};
    pcapng_begin(&trace->pcapng, file, "q2p-sim " Q2P_VERSION, comment);
    for (size_t i = 0; i < net->places_count; i++) {
        describe(net, net->places[i], text, sizeof text);
        pcapng_interface(&trace->pcapng, net->places[i]->name, text);
    }
}

void report_trace_seen(struct report_trace *trace, uint32_t place, bool out,
                       struct sim_packet *packet, q2p_time now)
{
    struct sim_record *record = trace->unused;
    if (record)
        trace->unused = record->next;
    else
        record = sim_alloc(sizeof *record);
    record->next = NULL;
    record->older = packet->record;
    record->place = place;
    record->out = out;
    record->settled = false;
    record->t_ns = now;
    record->id = packet->id;
    record->src = packet->src;
    record->dst = packet->dst;
    record->len = packet->len;
    memcpy(record->bytes, packet->bytes, packet->len);
    packet->record = record;
    if (trace->last)
        trace->last->next = record;
    else
        trace->first = record;
    trace->last = record;
}

static void write_first(struct report_trace *trace)
{
    char comment[120];
    struct sim_record *record = trace->first;
    snprintf(comment, sizeof comment, "%s%s%s", net_fate_sentence(record->fate),
             *record->where ? " " : "", record->where);
    struct pcapng_datagram datagram = {
        .interface = record->place,
        .out = record->out,
        .t_ns = record->t_ns,
        .id = record->id,
        .src = &record->src,
        .dst = &record->dst,
        .bytes = record->bytes,
        .len = record->len,
        .comment = comment,
    };
    pcapng_datagram(&trace->pcapng, &datagram);
    trace->first = record->next;
    if (!trace->first)
        trace->last = NULL;
    record->next = trace->unused;
    trace->unused = record;
}

void report_trace_fate(struct report_trace *trace, struct sim_packet *packet, enum net_fate fate,
                       const char *where)
{
    for (struct sim_record *record = packet->record; record; record = record->older) {
        record->fate = fate;
        record->where = where;
        record->settled = true;
    }
    packet->record = NULL;
    while (trace->first && trace->first->settled)
        write_first(trace);
}

void report_trace_end(struct report_trace *trace)
{
    while (trace->first) {
        if (!trace->first->settled) {
            trace->first->fate = NET_FATE_FLYING;
            trace->first->where = "";
        }
        write_first(trace);
    }
    while (trace->unused) {
        struct sim_record *next = trace->unused->next;
        free(trace->unused);
        trace->unused = next;
    }
}
