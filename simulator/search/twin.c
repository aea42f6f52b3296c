/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twin.c - plays both runs in slices of virtual time and compares what the network saw in each
 * slice, so that memory is bounded by what happens in one.
 */
#include "twin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SLICES 1000

struct event {
    q2p_time at;
    uint64_t id, digest;
    struct q2p_addr src, dst;
    uint32_t point; /* NET_NOWHERE: a fate */
    uint32_t len;
    enum net_fate fate;
    bool out;
    char text[28]; /* the message, or where it ended */
};

struct log {
    struct scn_run *run;
    struct net_tap tap; /* who listened before */
    struct event *events;
    size_t count, room;
};

static struct event *add(struct log *log, const struct sim_packet *packet, q2p_time now)
{
    if (log->count == log->room)
        log->events = sim_grow(log->events, &log->room, sizeof *log->events);
    struct event *event = &log->events[log->count++];
    memset(event, 0, sizeof *event); /* padding, too: events are compared as bytes */
    event->at = now;
    event->id = packet->id;
    event->digest = packet->digest;
    event->src = packet->src;
    event->dst = packet->dst;
    event->len = packet->len;
    event->point = NET_NOWHERE;
    return event;
}

static void seen(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now)
{
    struct log *log = ctx;
    struct event *event = add(log, packet, now);
    struct q2p_packet read;
    q2p_wire_read(&read, Q2P_DIALECT_CLASSIC, packet->bytes, packet->len, packet->len);
    event->point = at->point;
    event->out = at->out;
    snprintf(event->text, sizeof event->text, "%s", q2p_event_name(read.event));
    log->tap.seen(log->tap.ctx, at, packet, now);
}

static void end(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                q2p_time now)
{
    struct log *log = ctx;
    struct event *event = add(log, packet, now);
    event->fate = fate;
    snprintf(event->text, sizeof event->text, "%s", where);
    log->tap.fate(log->tap.ctx, packet, fate, where, now);
}

static void listen(struct log *log, struct scn_run *run)
{
    *log = (struct log){.run = run, .tap = run->tap};
    run->tap.ctx = log;
    run->tap.seen = seen;
    run->tap.fate = end;
    run->tap.mapped = NULL; /* what comes of it is seen */
}

static void describe(const struct log *log, size_t at, char *out, size_t room)
{
    char src[Q2P_ADDR_TEXT_MAX], dst[Q2P_ADDR_TEXT_MAX];
    if (at >= log->count) {
        snprintf(out, room, "nothing");
        return;
    }
    const struct event *event = &log->events[at];
    q2p_addr_print(&event->src, src, sizeof src);
    q2p_addr_print(&event->dst, dst, sizeof dst);
    int len = snprintf(out, room, "at %" PRId64 ".%09ds: ", event->at / Q2P_SECOND,
                       (int)(event->at % Q2P_SECOND));
    if (event->point == NET_NOWHERE)
        snprintf(out + len, room - (size_t)len, "%" PRIu32 " bytes from %s to %s %s %s", event->len,
                 src, dst, net_fate_sentence(event->fate), event->text);
    else
        snprintf(out + len, room - (size_t)len, "%s %s %s of %" PRIu32 " bytes from %s to %s",
                 log->run->net.places[event->point]->name, event->out ? "sends" : "gets",
                 event->text, event->len, src, dst);
}

/* What nodes make of the same datagrams is in their traces. */
static const char *odd_node(const struct log logs[2])
{
    for (size_t i = 0; i < logs[0].run->scenario->nodes.count; i++)
        if (logs[0].run->hosts[i].host.trace != logs[1].run->hosts[i].host.trace)
            return logs[0].run->scenario->nodes.items[i].name;
    return NULL;
}

static bool compare(struct log logs[2], char *out, size_t room)
{
    size_t at = 0;
    while (at < logs[0].count && at < logs[1].count &&
           memcmp(&logs[0].events[at], &logs[1].events[at], sizeof *logs->events) == 0)
        at++;
    if (at == logs[0].count && at == logs[1].count) {
        const char *name = odd_node(logs);
        if (name)
            snprintf(out, room, "before %" PRId64 ".%09ds: %s notes something else",
                     logs[0].run->world.now / Q2P_SECOND,
                     (int)(logs[0].run->world.now % Q2P_SECOND), name);
        return !name;
    }
    char texts[2][240];
    for (int i = 0; i < 2; i++)
        describe(&logs[i], at, texts[i], sizeof texts[i]);
    snprintf(out, room, "first  %s\nsecond %s", texts[0], texts[1]);
    return false;
}

bool twin_compare(struct scn_run runs[2], char *out, size_t room)
{
    struct log logs[2];
    q2p_time until = runs[0].scenario->until_ns;
    bool same = true;
    for (int i = 0; i < 2; i++)
        listen(&logs[i], &runs[i]);
    for (int slice = 1; same && slice <= SLICES; slice++) {
        for (int i = 0; i < 2; i++) {
            logs[i].count = 0;
            scn_run_play(&runs[i], slice < SLICES ? until / SLICES * slice : until);
        }
        same = compare(logs, out, room);
    }
    for (int i = 0; i < 2; i++) {
        runs[i].tap = logs[i].tap;
        free(logs[i].events);
        scn_run_judge(&runs[i]);
    }
    return same;
}
