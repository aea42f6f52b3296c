/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_tap.c - what the network reports: understands datagrams, and tells the judge, the capture,
 * the ladder and the story. */
#include <string.h>

#include "scn_run.h"

/* The one doubt (PROTOCOL.md 4) is solved by who started the transmission. */
static void read_packet(struct scn_run *run, const struct sim_packet *packet,
                        struct q2p_packet *read)
{
    enum q2p_dialect dialect = q2p_wire_dialect(packet->bytes, packet->len, packet->len);
    if (dialect != Q2P_DIALECT_UNKNOWN) {
        q2p_wire_read(read, dialect, packet->bytes, packet->len, packet->len);
    } else {
        q2p_wire_read(read, Q2P_DIALECT_CLASSIC, packet->bytes, packet->len, packet->len);
        if (read->hash_at.len != sizeof(struct q2p_hash))
            return;
    }
    if (read->event != Q2P_EV_OPTIONS && dialect != Q2P_DIALECT_UNKNOWN)
        return;
    struct q2p_hash hash;
    memcpy(&hash, packet->bytes + read->hash_at.at, sizeof hash);
    struct scn_transfer *transfer = scn_run_transfer(run, SCN_NONE, SCN_NONE, &hash);
    if (transfer && read->event == Q2P_EV_OPTIONS)
        transfer->options = true;
    else if (transfer && transfer->options)
        q2p_wire_read(read, Q2P_DIALECT_OPTIONS, packet->bytes, packet->len, packet->len);
}

/* Which transmission it is about, too: lists and feedback come from the receiver. */
static struct report_said understand(struct scn_run *run, const struct sim_packet *packet,
                                     struct q2p_packet *read)
{
    /* cppcheck-suppress ctuuninitvar ; its address alone, the next line fills it */
    struct report_said said = {read, REPORT_NONE};
    read_packet(run, packet, read);
    if (!run->story || read->hash_at.len != sizeof(struct q2p_hash))
        return said;
    struct q2p_hash hash;
    memcpy(&hash, packet->bytes + read->hash_at.at, sizeof hash);
    bool forth = read->event == Q2P_EV_OPTIONS || read->event == Q2P_EV_TRANSPORT;
    uint32_t who = packet->from - run->first_place;
    const struct scn_transfer *transfer =
        scn_run_transfer(run, forth ? who : SCN_NONE, forth ? SCN_NONE : who, &hash);
    if (transfer)
        said.transfer = (uint32_t)(transfer - run->transfers);
    return said;
}

void scn_tap_seen(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now)
{
    struct scn_run *run = ctx;
    bool leaves_host = at->out && !net_is_nat(run->net.places[at->point]);
    run->sent += leaves_host;
    if (run->trace)
        report_trace_seen(run->trace, at, packet, now);
    if (!leaves_host)
        return;
    struct q2p_packet read;
    struct report_said said = understand(run, packet, &read);
    scn_answers_said(run, packet, &read);
    scn_oracle_sent(run, packet, &read);
    if (run->story)
        report_story_sent(run->story, &said, packet, now);
}

void scn_tap_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                  q2p_time now)
{
    struct scn_run *run = ctx;
    run->fates[fate]++;
    if (run->trace)
        report_trace_fate(run->trace, packet, fate, where);
    if (fate != NET_FATE_DELIVERED && !run->ladder && !run->story)
        return;
    struct q2p_packet read;
    struct report_said said = understand(run, packet, &read);
    if (fate == NET_FATE_DELIVERED) {
        scn_answers_heard(run, packet, &read);
        scn_oracle_arrived(run, packet, &read);
    }
    enum q2p_event event = read.event;
    if (run->story)
        report_story_fate(run->story, &said, packet, &(struct report_end){fate, where, now});
    if (fate == NET_FATE_DELIVERED && run->reads_events)
        scn_expect_event(run, packet->to - run->first_place, q2p_event_name(event));
    enum q2p_shape shape = q2p_event_shape(event);
    if (!run->ladder ||
        (shape != Q2P_SHAPE_BARE && shape != Q2P_SHAPE_ADDRESS && shape != Q2P_SHAPE_TEXT))
        return;
    struct report_row row = {.sent_ns = packet->sent_ns,
                             .fate_ns = now,
                             .id = packet->id,
                             .from = packet->from,
                             .to = packet->to,
                             .event = event,
                             .fate = fate,
                             .where = where};
    if (fate != NET_FATE_DELIVERED)
        row.to = net_who(&run->net, packet->from, &packet->dst);
    report_ladder_add(run->ladder, &row);
}

void scn_tap_mapped(void *ctx, uint32_t place, const struct net_nat_made *made)
{
    struct scn_run *run = ctx;
    if (run->mapped)
        run->mapped(run->ctx, run->net.places[place], made);
}

void scn_run_tell(struct scn_run *run, struct report_story *story)
{
    report_story_init(story, &run->net, run->scenario->until_ns, run->transfers_count);
    for (size_t i = 0; i < run->transfers_count; i++) {
        const struct scn_send *send = run->transfers[i].send;
        report_story_transfer(story, i, run->first_place + send->from.index,
                              run->first_place + send->to.index, send->size);
    }
    run->story = story;
}
