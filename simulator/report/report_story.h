/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_story.h - what the page about a run is made of, collected while it runs, in bounded
 * memory: control messages one by one, fragments as bursts, bytes over time, delays, punches.
 */
#ifndef REPORT_STORY_H
#define REPORT_STORY_H

#include "hist.h"
#include "net_route.h"

#define REPORT_NONE UINT32_MAX
#define REPORT_BINS 4000         /* of time, for bytes */
#define REPORT_MESSAGES_MAX 4000 /* later ones are only counted */
#define REPORT_BURSTS_MAX 24     /* of a transmission; the last one takes the rest */
#define REPORT_PUNCHES_MAX 400
#define REPORT_PROGRESS 64 /* points of a transmission's way to complete */

/* A datagram that is no fragment. */
struct report_message {
    q2p_time sent_ns, fate_ns;
    uint64_t id;
    uint32_t from, to; /* places; to NET_NOWHERE: nobody has that address */
    enum q2p_event event;
    enum net_fate fate;
    const char *where;
    struct q2p_addr dst, src; /* as sent to; as it stood where it ended */
    uint32_t transfer;        /* which it is about, or REPORT_NONE */
    uint32_t lost_count;      /* of a list */
};

/* Fragments of one transmission that left one after the other, all new or all again. */
struct report_burst {
    q2p_time first_ns, last_ns; /* sent */
    uint32_t sent, gone;        /* gone: did not arrive */
    bool again;
};

struct report_transfer {
    uint32_t from, to;                                     /* places */
    uint32_t fragments, sent, again, gone, lists, arrived; /* arrived: each counts once */
    q2p_time first_ns, last_ns;                            /* sent; Q2P_NEVER = nothing was */
    q2p_time progress_ns[REPORT_PROGRESS + 1]; /* so many parts have arrived; else Q2P_NEVER */
    enum q2p_dialect dialect;
    uint8_t *seen; /* a bit each: has left once, and behind these: has arrived */
    struct report_burst bursts[REPORT_BURSTS_MAX];
    uint32_t bursts_count;
    bool listed; /* a list came since the newest burst */
};

/* A newcomer is brought together with a known node. */
struct report_punch {
    uint32_t newcomer, known, seed; /* places */
    q2p_time asked_ns;              /* when the first TOUCHREQUEST left */
};

struct report_bin {
    uint64_t first, again, control; /* bytes of UDP payload sent */
};

struct report_story {
    struct net *net;
    q2p_time until_ns, last_ns; /* last_ns: something was sent */
    struct report_message *messages;
    size_t messages_count, messages_room;
    uint64_t messages_missed;
    struct report_transfer *transfers;
    size_t transfers_count;
    struct report_punch *punches;
    size_t punches_count;
    uint64_t punches_missed; /* requests about pairs that are not kept */
    struct report_bin bins[REPORT_BINS];
    struct report_bin total;
    struct hist delay_ns; /* of what arrived at a host */
};

/* What a datagram says. */
struct report_said {
    const struct q2p_packet *read;
    uint32_t transfer; /* or REPORT_NONE */
};

/* net must be complete; it and the story stay where they are. */
void report_story_init(struct report_story *story, struct net *net, q2p_time until_ns,
                       size_t transfers_count);

/* Transmission `index`, before the run. */
void report_story_transfer(struct report_story *story, size_t index, uint32_t from, uint32_t to,
                           uint32_t size);
void report_story_free(struct report_story *story);

void report_story_sent(struct report_story *story, const struct report_said *said,
                       const struct sim_packet *packet, q2p_time now);

struct report_end {
    enum net_fate fate;
    const char *where;
    q2p_time at_ns;
};
void report_story_fate(struct report_story *story, const struct report_said *said,
                       const struct sim_packet *packet, const struct report_end *end);

#endif
