/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_path.h - what the way to one peer carries (PROTOCOL.md 6.9): its round trip, its rate, and
 * how much may be under way, found out by OPTIONS sent again in between. All transmissions to a
 * peer share one path and take turns on it.
 */
#ifndef Q2P_PATH_H
#define Q2P_PATH_H

#include <q2p/wire.h>

#include "q2p_contact.h"

#define Q2P__PROBES_MAX 16
#define Q2P__RTT_FIRST_NS (100 * Q2P_MILLISECOND) /* before anything is known */
#define Q2P__CYCLE 6                              /* rounds */

enum q2p__path_phase {
    Q2P__PATH_START,  /* faster each round, until the rate does not grow or a queue shows */
    Q2P__PATH_DOUBT,  /* at the rate so far, until it is clear whose queue that was */
    Q2P__PATH_DRAIN,  /* let that queue run empty */
    Q2P__PATH_CRUISE, /* at the rate found, now and then a little above and below it */
    Q2P__PATH_CAREFUL /* no answers: classic */
};

/* What was true when a probe left. */
struct q2p__probe {
    q2p_time at;
    uint64_t sent;         /* fragments that had left before it */
    uint64_t base;         /* of them, delivered as far as was known */
    q2p_time base_at;      /* ... since then */
    q2p_time base_sent_at; /* ... by a probe that left then */
    uint32_t asked;        /* questions for the count that had left before it */
    uint16_t token;
    bool plain;   /* without the extension: answered by any plain OPTIONSFEEDBACK */
    bool alone;   /* ... but one before is not answered, so this one has a key of its own */
    bool limited; /* there was less to send than could have been */
};

struct q2p__path {
    struct q2p__timer timer;
    struct q2p__link link;    /* in the node's ready, while something may leave */
    struct q2p__link sending; /* outgoing with fragments to send, whose turn it is first */
    struct q2p__contact *contact;
    uint32_t users; /* outgoing in all */
    enum q2p__path_phase phase;
    uint64_t sent, acked;   /* fragments that left; ... before the last answered probe */
    uint64_t delivered;     /* fragments that arrived, as far as is known */
    uint64_t base;          /* the same at base_at, told by a probe that left at base_sent_at */
    uint64_t probed;        /* fragments that had left before the last probe */
    uint64_t limited_until; /* until so many are answered, there was less to send */
    uint64_t round_end;     /* a round ends when so many are answered */
    uint64_t rate;          /* bytes per second, a fragment being a datagram of full size */
    uint64_t window;    /* what follows from all that: fragments after the last answered probe */
    q2p_time step_ns;   /* ... and time that each takes; by q2p__path_adjust */
    uint64_t rates[2];  /* the highest since rates_at, and in as many rounds before it */
    uint64_t full_rate; /* in the start: the last rate that was clearly higher */
    q2p_time base_at, base_sent_at;
    q2p_time rates_at, round_at;
    q2p_time doubted_at; /* in the start: a queue showed */
    q2p_time paced_at;   /* the rate is used up to here */
    q2p_time heard_at;   /* last answer */
    q2p_time probed_at;
    q2p_time rtt, rtt_var, rtt_min, rtts_min[2], rtt_min_at, round_rtt;
    q2p_time since;         /* careful: this rate is used */
    uint32_t counted, lost; /* peer's count of fragments; reported lost since the last answer */
    uint64_t asked_after;   /* fragments that had left before the last question for the count */
    uint32_t asked, told;   /* such questions; answers to them that no probe has settled */
    uint32_t settled;       /* of them, counted as lost or heard */
    uint32_t rounds;        /* since rates_at */
    uint8_t full_rounds, cycle, backoff;
    uint8_t queued_answers; /* in succession that waited in a queue */
    uint8_t queue_rounds;   /* in succession with a queue */
    bool counts;            /* counted is known */
    bool congested;
    bool blocked; /* the window was full when it was looked at last */
    uint8_t probes_count;
    struct q2p__probe probes[Q2P__PROBES_MAX]; /* not answered yet, the oldest first */
};

/* Bytes per second. */
static inline uint64_t q2p__rate_of(uint64_t fragments, q2p_time during_ns)
{
    return fragments * Q2P_DATAGRAM_MAX * (uint64_t)Q2P_SECOND / (uint64_t)during_ns;
}

/* Does the peer know the extension? */
static inline bool q2p__path_extended(const struct q2p__path *path)
{
    return path->contact->extends;
}

/* A round trip on one host. */
static inline bool q2p__path_near(const struct q2p__path *path)
{
    return path->rtt_min < 500 * Q2P_MICROSECOND;
}

/* A round trip over which one answer after the other would leave the way idle, to whom does not
 * know the extension. (OPTIONS may take an original as long, but not the first probe.) */
static inline bool q2p__path_far(const struct q2p__path *path)
{
    return !path->contact->extends && path->rtt_min >= 10 * Q2P_MILLISECOND &&
           path->rtt_min != Q2P_NEVER;
}

/* Fragments under way without a queue. */
static inline uint64_t q2p__path_holds(const struct q2p__path *path)
{
    return path->rate / Q2P_DATAGRAM_MAX * ((uint64_t)path->rtt_min / 1000) / 1000000;
}

/* The path to a contact, one more transmission on it. Q2P_OK or Q2P_ERR_MEMORY. */
int q2p__path_join(q2p_node *node, q2p_time now, struct q2p__contact *contact);

/* One less; the last one takes the path along, but what was learned stays with the contact. */
void q2p__path_leave(q2p_node *node, struct q2p__path *path);

/* Works out window and step_ns anew, after whatever they depend on has changed. */
void q2p__path_adjust(struct q2p__path *path);

/* A transmission in classic begins, for which so many fragments leave: nothing will be answered. */
void q2p__path_classic(const q2p_node *node, q2p_time now, struct q2p__path *path,
                       uint64_t fragments);

/* The first fragment of such a transmission leaves; no more than the first window follows until the
 * peer has made room for so many. */
void q2p__path_opens(q2p_time now, struct q2p__path *path, uint32_t fragments);

/* OPTIONS was answered that opened a transmission, and left rtt_ns ago for the first time. Each
 * that left again may be answered, too. */
void q2p__path_opened(q2p_time now, struct q2p__path *path, q2p_time rtt_ns, unsigned again);

/* There is something to send. */
void q2p__path_wake(q2p_node *node, struct q2p__path *path);

/* Is it time for a probe? */
bool q2p__path_wants_probe(const struct q2p__path *path, q2p_time now);

/* Is it time for a question that only counts? */
bool q2p__path_wants_count(const struct q2p__path *path);

/* It leaves: OPTIONS of the transmission, the answers to which are as many as were not lost. */
void q2p__path_ask(struct q2p__path *path);

/* A probe leaves: this one; good until the next. */
const struct q2p__probe *q2p__path_probe(const q2p_node *node, q2p_time now, struct q2p__path *path,
                                         bool plain);

/* The key of a probe that is alone; nobody can know it beforehand. */
void q2p__path_key(const q2p_node *node, const struct q2p__probe *probe, struct q2p_hash *out);

/* May a fragment leave now? If not, the path is woken when that may have changed. */
bool q2p__path_may_send(q2p_node *node, q2p_time now, struct q2p__path *path);

/* A fragment leaves. */
void q2p__path_sent(q2p_time now, struct q2p__path *path);

/* There is nothing more to send. */
void q2p__path_idle(q2p_node *node, struct q2p__path *path);

/* An OPTIONSFEEDBACK came. True: all that has left so far was taken in before, or is lost. */
bool q2p__path_answered(q2p_node *node, q2p_time now, struct q2p__path *path,
                        const struct q2p_packet *packet);

/* The same that is of no transmission. Q2P_ERR_ABSENT if it is of no probe, either. */
int q2p__path_alone(q2p_node *node, q2p_time now, struct q2p__path *path,
                    const struct q2p_hash *key);

/* Probes were answered, or not: what was long ago counts less. */
void q2p__path_count(struct q2p__path *path, unsigned lost, unsigned heard);

/* So many fragments are reported lost for the first time. */
void q2p__path_lost(const q2p_node *node, q2p_time now, struct q2p__path *path, size_t count);

/* How often all fragments should be sent to somebody who cannot ask for them in time. */
unsigned q2p__path_passes(const struct q2p__path *path, uint32_t fragments, unsigned max);

/* How long an answer may take. */
q2p_time q2p__path_patience(const struct q2p__path *path);

/* The timer of a path. False: nothing was answered for so long that nothing will be. */
bool q2p__path_tick(q2p_node *node, q2p_time now, struct q2p__path *path);

#endif
