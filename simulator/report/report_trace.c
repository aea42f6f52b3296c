/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_trace.c - a queue of sightings in the order of time, written as far as fates are known. */
#include "report_trace.h"
#include "net_addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/version.h>

#define ROOM 256      /* sightings, at first */
#define LATER 4       /* sightings: what they need is fetched */
#define RECORD_SOON 4 /* lines of memory; the rest the cache foresees */
#define UNWATCHED UINT32_MAX

/* A datagram; if its bytes change under way, one more. */
struct sim_record {
    struct sim_record *older; /* as it was before; or the next unused one */
    uint64_t digest;
    uint32_t waiting; /* sightings */
    bool settled;
    struct pcapng_payload payload;
};

/* At a NAT the last use of a mapping that was written, out or in: mostly the next one is the same.
 * At a host what became of what came in: it was delivered. Two lines of memory, as a rule. */
struct sim_note {
    _Alignas(SIM_LINE) struct q2p_addr inside, outside;
    enum net_use use;
    struct pcapng_note text; /* such as "10.0.0.2:10001 -> 198.51.100.1:10001 created" */
};

static struct sim_note *note_at(const struct report_trace *trace, uint32_t place, bool out)
{
    return &trace->notes[2 * place + out];
}

static void describe(const struct net *net, const struct net_place *place, char *out, size_t room)
{
    char addr[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(&place->addr, addr, sizeof addr);
    bool nat = net_is_nat(place), hidden = place->realm != NET_REALM_PUBLIC;
    if (nat)
        *strrchr(addr, ':') = '\0';
    snprintf(out, room, "%s %s%s%s", nat ? "outside of NAT" : "host", addr,
             hidden ? ", behind " : "",
             hidden ? net->places[net->gateways[place->realm]]->name : "");
}

static void make_fate(struct pcapng_note *note, enum net_fate fate, const char *where)
{
    char text[PCAPNG_NOTE_MAX + 1];
    snprintf(text, sizeof text, "%s%s%s", net_fate_sentence(fate), *where ? " " : "", where);
    pcapng_note(note, text);
}

void report_trace_begin(struct report_trace *trace, FILE *file, const struct net *net,
                        const char *comment, const bool *watched)
{
    char text[200];
    trace->arena = (struct sim_arena){0};
    trace->notes = sim_arena_take(&trace->arena, 2 * net->places_count * sizeof *trace->notes);
    trace->interfaces = sim_arena_take(&trace->arena, net->places_count * sizeof(uint32_t));
    trace->unused = NULL;
    trace->sightings = trace->first = trace->next = sim_alloc(ROOM * sizeof *trace->sightings);
    trace->end = trace->sightings + ROOM;
    setvbuf(file, NULL, _IONBF, 0); /* it gets many blocks at once */
    pcapng_begin(&trace->pcapng, file, "q2p-sim " Q2P_VERSION, comment);
    for (size_t i = 0; i < net->places_count; i++) {
        if (!net_is_nat(net->places[i]))
            make_fate(&note_at(trace, (uint32_t)i, false)->text, NET_FATE_DELIVERED,
                      net->places[i]->name);
        trace->interfaces[i] = UNWATCHED;
        if (watched && !watched[i])
            continue;
        describe(net, net->places[i], text, sizeof text);
        trace->interfaces[i] = pcapng_interface(&trace->pcapng, net->places[i]->name, text);
    }
}

static void take_record(struct report_trace *trace, struct sim_packet *packet)
{
    struct sim_record *record = trace->unused;
    if (record)
        trace->unused = record->older;
    else
        record = sim_arena_take(&trace->arena, sizeof *record);
    record->older = packet->record;
    record->digest = packet->digest;
    record->waiting = 0;
    record->settled = false;
    assert(packet->len <= PCAPNG_PAYLOAD_MAX);
    pcapng_keep(&record->payload, packet->id, packet->bytes, packet->len);
    packet->record = record;
}

/* Further on in the ring, less than once around. */
static struct report_sighting *after(const struct report_trace *trace, struct report_sighting *seen,
                                     size_t steps)
{
    size_t left = (size_t)(trace->end - seen);
    return steps < left ? seen + steps : trace->sightings + (steps - left);
}

/* It is full: the first one comes after the last one. */
static void make_room(struct report_trace *trace)
{
    size_t count = (size_t)(trace->end - trace->sightings);
    struct report_sighting *sightings = sim_alloc(2 * count * sizeof *sightings);
    for (size_t i = 0; i < count; i++)
        sightings[i] = *after(trace, trace->first, i);
    free(trace->sightings);
    trace->sightings = trace->first = sightings;
    trace->next = sightings + count;
    trace->end = sightings + 2 * count;
}

static void see(struct report_trace *trace, const struct net_sight *at,
                const struct sim_packet *packet, q2p_time now)
{
    struct report_sighting *seen = trace->next;
    seen->record = packet->record;
    seen->record->waiting++;
    seen->place = at->point;
    seen->datagram.interface = trace->interfaces[at->point];
    seen->datagram.out = at->out;
    seen->datagram.t_ns = now;
    seen->datagram.src = packet->src;
    seen->datagram.dst = packet->dst;
    seen->use = at->use;
    if (at->use != NET_USE_NONE)
        seen->inside = *at->inside;
    trace->next = after(trace, seen, 1);
    if (trace->next == trace->first)
        make_room(trace);
}

/* Apart, so that the usual case needs no stack. */
static __attribute__((noinline)) void see_first(struct report_trace *trace,
                                                const struct net_sight *at,
                                                struct sim_packet *packet, q2p_time now)
{
    take_record(trace, packet);
    see(trace, at, packet, now);
}

void report_trace_seen(struct report_trace *trace, const struct net_sight *at,
                       struct sim_packet *packet, q2p_time now)
{
    const struct sim_record *record = packet->record;
    if (trace->interfaces[at->point] == UNWATCHED)
        return;
    if (record && record->digest == packet->digest && record->payload.len == packet->len)
        see(trace, at, packet, now);
    else
        see_first(trace, at, packet, now);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void make_note(struct sim_note *note, const struct report_sighting *seen,
                      const struct q2p_addr *outside)
{
    char from[Q2P_ADDR_TEXT_MAX], to[Q2P_ADDR_TEXT_MAX], text[2 * Q2P_ADDR_TEXT_MAX + 32];
    note->inside = seen->inside;
    note->outside = *outside;
    note->use = seen->use;
    q2p_addr_print(&note->inside, from, sizeof from);
    q2p_addr_print(&note->outside, to, sizeof to);
    snprintf(text, sizeof text, "%s -> %s %s", from, to, net_use_word(note->use));
    pcapng_note(&note->text, text);
}

static const struct pcapng_note *note_of(const struct report_trace *trace,
                                         const struct report_sighting *seen)
{
    const struct pcapng_datagram *datagram = &seen->datagram;
    const struct q2p_addr *outside = datagram->out ? &datagram->src : &datagram->dst;
    struct sim_note *note = note_at(trace, seen->place, datagram->out);
    if (note->use != seen->use || !net_addr_same(&note->outside, outside) ||
        !net_addr_same(&note->inside, &seen->inside))
        make_note(note, seen, outside);
    return &note->text;
}

/* What will be written a little later. Past the last one it is what was there before. */
static void fetch_later(const struct report_trace *trace, struct report_sighting *first)
{
    const struct report_sighting *seen = after(trace, first, LATER);
    sim_fetch(after(trace, first, 2 * LATER), 2 * SIM_LINE);
    sim_fetch(seen->record, RECORD_SOON * SIM_LINE);
    if (seen->use != NET_USE_NONE)
        sim_fetch(note_at(trace, seen->place, seen->datagram.out), 2 * SIM_LINE);
}

static void write_settled(struct report_trace *trace)
{
    struct report_sighting *seen = trace->first;
    for (; seen != trace->next && seen->record->settled; seen = after(trace, seen, 1)) {
        struct sim_record *record = seen->record;
        fetch_later(trace, seen);
        pcapng_datagram(&trace->pcapng, &seen->datagram, &record->payload,
                        seen->use != NET_USE_NONE ? note_of(trace, seen) : NULL);
        if (--record->waiting == 0) {
            record->older = trace->unused;
            trace->unused = record;
        }
    }
    trace->first = seen;
}

static void settle(struct sim_record *record, const struct pcapng_note *fate)
{
    pcapng_prepare(&record->payload, fate);
    record->settled = true;
}

void report_trace_fate(struct report_trace *trace, struct sim_packet *packet, enum net_fate fate,
                       const char *where)
{
    struct pcapng_note made, *note = &made;
    if (!packet->record)
        return; /* nowhere where it was seen */
    if (fate == NET_FATE_DELIVERED)
        note = &note_at(trace, packet->to, false)->text;
    else
        make_fate(note, fate, where);
    for (struct sim_record *record = packet->record; record; record = record->older)
        settle(record, note);
    packet->record = NULL;
    write_settled(trace);
}

void report_trace_end(struct report_trace *trace)
{
    struct pcapng_note flying;
    make_fate(&flying, NET_FATE_FLYING, "");
    for (struct report_sighting *seen = trace->first; seen != trace->next;
         seen = after(trace, seen, 1))
        if (!seen->record->settled)
            settle(seen->record, &flying);
    write_settled(trace);
    pcapng_flush(&trace->pcapng);
    free(trace->sightings);
    sim_arena_free(&trace->arena);
}
