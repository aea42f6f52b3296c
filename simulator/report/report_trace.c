/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_trace.c - a queue of sightings in the order of time, written as far as fates are known. */
#include "report_trace.h"
#include "net_addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/version.h>

#define LATER 4 /* sightings */

/* A datagram; if its bytes change under way, one more. */
struct sim_record {
    struct sim_record *older; /* as it was before; or the next unused one */
    uint64_t id, digest;
    uint32_t waiting; /* sightings */
    bool settled;
    struct pcapng_payload payload;
};

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

void report_trace_begin(struct report_trace *trace, FILE *file, const struct net *net,
                        const char *comment)
{
    char text[200];
    trace->unused = NULL;
    trace->sightings = NULL;
    trace->first = trace->count = trace->room = 0;
    trace->notes_count = 2 * net->places_count;
    trace->notes = sim_alloc(trace->notes_count * sizeof(struct sim_note *));
    pcapng_begin(&trace->pcapng, file, "q2p-sim " Q2P_VERSION, comment);
    for (size_t i = 0; i < net->places_count; i++) {
        describe(net, net->places[i], text, sizeof text);
        pcapng_interface(&trace->pcapng, net->places[i]->name, text);
    }
}

static struct sim_record *take_record(struct report_trace *trace, struct sim_packet *packet)
{
    struct sim_record *record = trace->unused;
    if (record)
        trace->unused = record->older;
    else
        record = sim_alloc(sizeof *record);
    record->older = packet->record;
    record->id = packet->id;
    record->digest = packet->digest;
    record->waiting = 0;
    record->settled = false;
    assert(packet->len <= PCAPNG_PAYLOAD_MAX);
    pcapng_keep(&record->payload, packet->bytes, packet->len);
    packet->record = record;
    return record;
}

static struct report_sighting *sighting(const struct report_trace *trace, size_t number)
{
    return &trace->sightings[(trace->first + number) & (trace->room - 1)];
}

static void make_room(struct report_trace *trace)
{
    size_t room = trace->room ? 2 * trace->room : 256;
    struct report_sighting *sightings = sim_alloc(room * sizeof *sightings);
    for (size_t i = 0; i < trace->count; i++)
        sightings[i] = *sighting(trace, i);
    free(trace->sightings);
    trace->sightings = sightings;
    trace->first = 0;
    trace->room = room;
}

void report_trace_seen(struct report_trace *trace, const struct net_sight *at,
                       struct sim_packet *packet, q2p_time now)
{
    struct sim_record *record = packet->record;
    if (!record || record->digest != packet->digest || record->payload.len != packet->len)
        record = take_record(trace, packet);
    if (trace->count == trace->room)
        make_room(trace);
    record->waiting++;
    struct report_sighting *seen = sighting(trace, trace->count++);
    seen->record = record;
    seen->datagram.interface = at->point;
    seen->datagram.out = at->out;
    seen->datagram.t_ns = now;
    seen->datagram.src = packet->src;
    seen->datagram.dst = packet->dst;
    seen->datagram.payload = &record->payload;
    seen->datagram.note = NULL;
    seen->use = at->use;
    if (at->use != NET_USE_NONE)
        seen->inside = *at->inside;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The last use of a mapping that was written at a NAT, out or in; mostly the next one is the
 * same. */
struct sim_note {
    struct q2p_addr inside, outside;
    enum net_use use;
    struct pcapng_note text; /* such as "10.0.0.2:10001 -> 198.51.100.1:10001 created" */
};

static struct sim_note **slot_of(const struct report_trace *trace,
                                 const struct report_sighting *seen)
{
    return &trace->notes[2 * seen->datagram.interface + seen->datagram.out];
}

static const struct q2p_addr *outside_of(const struct report_sighting *seen)
{
    return seen->datagram.out ? &seen->datagram.src : &seen->datagram.dst;
}

static struct sim_note *make_note(const struct report_sighting *seen, struct sim_note *note)
{
    char from[Q2P_ADDR_TEXT_MAX], to[Q2P_ADDR_TEXT_MAX], text[PCAPNG_NOTE_MAX];
    if (!note)
        note = sim_alloc(sizeof *note);
    note->inside = seen->inside;
    note->outside = *outside_of(seen);
    note->use = seen->use;
    q2p_addr_print(&note->inside, from, sizeof from);
    q2p_addr_print(&note->outside, to, sizeof to);
    snprintf(text, sizeof text, "%s -> %s %s", from, to, net_use_word(note->use));
    pcapng_note(&note->text, text);
    return note;
}

static const struct pcapng_note *note_of(struct report_trace *trace,
                                         const struct report_sighting *seen)
{
    struct sim_note **slot = slot_of(trace, seen), *note = *slot;
    if (!note || note->use != seen->use || !net_addr_same(&note->outside, outside_of(seen)) ||
        !net_addr_same(&note->inside, &seen->inside))
        *slot = note = make_note(seen, note);
    return &note->text;
}

/* The one that will be written a little later: what comes after its start the cache foresees. */
static void fetch_later(const struct report_trace *trace)
{
    if (trace->count <= LATER)
        return;
    const struct report_sighting *seen = sighting(trace, LATER);
    sim_fetch(seen->record, 4 * SIM_LINE);
    if (seen->use != NET_USE_NONE)
        sim_fetch(*slot_of(trace, seen), 2 * SIM_LINE);
}

static void write_first(struct report_trace *trace)
{
    struct report_sighting *seen = sighting(trace, 0);
    struct sim_record *record = seen->record;
    fetch_later(trace);
    if (seen->use != NET_USE_NONE)
        seen->datagram.note = note_of(trace, seen);
    pcapng_datagram(&trace->pcapng, &seen->datagram);
    trace->first = (trace->first + 1) & (trace->room - 1);
    trace->count--;
    if (--record->waiting > 0)
        return;
    record->older = trace->unused;
    trace->unused = record;
}

static void settle(struct sim_record *record, enum net_fate fate, const char *where)
{
    char comment[120];
    const char *sentence = net_fate_sentence(fate);
    size_t len = strlen(sentence), where_len = strlen(where);
    if (where_len > sizeof comment - 2 - len)
        where_len = sizeof comment - 2 - len;
    memcpy(comment, sentence, len);
    if (where_len > 0)
        comment[len++] = ' ';
    memcpy(comment + len, where, where_len);
    pcapng_prepare(&record->payload, record->id, comment, len + where_len);
    record->settled = true;
}

void report_trace_fate(struct report_trace *trace, struct sim_packet *packet, enum net_fate fate,
                       const char *where)
{
    for (struct sim_record *record = packet->record; record; record = record->older)
        settle(record, fate, where);
    packet->record = NULL;
    while (trace->count > 0 && sighting(trace, 0)->record->settled)
        write_first(trace);
}

void report_trace_end(struct report_trace *trace)
{
    while (trace->count > 0) {
        if (!sighting(trace, 0)->record->settled)
            settle(sighting(trace, 0)->record, NET_FATE_FLYING, "");
        write_first(trace);
    }
    pcapng_flush(&trace->pcapng);
    while (trace->unused) {
        struct sim_record *next = trace->unused->older;
        free(trace->unused);
        trace->unused = next;
    }
    free(trace->sightings);
    for (size_t i = 0; i < trace->notes_count; i++)
        free(trace->notes[i]);
    free(trace->notes);
}
