/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_node.h - the node as its own files see it: what it holds, and the services they share:
 * memory, happenings to tell, messages to say, limits. Nothing here is for embedders.
 */
#ifndef Q2P_NODE_PRIVATE_H
#define Q2P_NODE_PRIVATE_H

#include <q2p/node.h>
#include <q2p/status.h>
#include <q2p/wire.h>

#include "base_heap.h"
#include "base_list.h"
#include "base_table.h"

#define Q2P__OWN_MAX 8     /* own addresses kept */
#define Q2P__NEWS_INPUT 4  /* no datagram, tick or call causes more happenings at a time */
#define Q2P__NEWS_MAX 128  /* happenings waiting to be fetched */
#define Q2P__NOTES_MAX 512 /* control messages waiting to be sent */
#define Q2P__LONG_AGO (INT64_MIN / 2)                  /* before any time that a caller may name */
#define Q2P__RANK_NS (100 * Q2P_MILLISECOND)           /* how fine lists by time are */
#define Q2P__SHORT_OF_MEMORY_NS (10 * Q2P_MILLISECOND) /* the next try after that */

/* What sort of item a timer sits in; it is the first member of each. */
enum q2p__timer_kind {
    Q2P__TIMER_CONTACT,
    Q2P__TIMER_PUNCH,
    Q2P__TIMER_INCOMING,
    Q2P__TIMER_OUTGOING,
    Q2P__TIMER_PATH
};

/* Which transmission: between us and whom, and its key on the wire. */
struct q2p__key {
    struct q2p_addr peer;
    struct q2p_hash hash;
};

/* A queue of records of one size, which grows up to a bound. */
struct q2p__ring {
    uint8_t *items;
    uint16_t item_len, first, used, room;
};

/* Memory that a happening points to: the node's until the call after the one that tells it. */
struct q2p__lent {
    void *data, *extra;
    size_t data_room, extra_room;
};

struct q2p__news {
    struct q2p_happening told;
    struct q2p__lent lent;
};

/* What q2p_node_output is to fill in, and where the bytes go. */
struct q2p__sheet {
    struct q2p_datagram *out;
    uint8_t *room; /* Q2P_DATAGRAM_MAX */
};

/* A control message, small enough to wait in a queue. */
struct q2p__note {
    struct q2p_addr to;
    struct q2p_addr about;
    struct q2p_hash hash;
    uint32_t length;
    enum q2p_event event;
    enum q2p_dialect dialect;
    uint32_t received;
    uint16_t token;
    uint8_t state;
    bool extended;
};

struct q2p_node {
    struct q2p_config config;
    struct q2p_counters counters;
    uint64_t secret[2];
    struct q2p__heap timers;
    struct q2p__heap holders;    /* contacts, not by time: who makes us hold most memory first */
    struct q2p__table contacts;  /* q2p_contact.h, by address */
    struct q2p__table incoming;  /* q2p_recv.h, by key */
    struct q2p__table finished;  /* q2p_recv.h, by key */
    struct q2p__table outgoing;  /* q2p_send.h, by key */
    struct q2p__link members;    /* contacts, in order of arrival */
    struct q2p__link strangers;  /* other contacts, the longest unheard first */
    struct q2p__link punching;   /* q2p_punch.h: at work, the oldest first */
    struct q2p__link idle;       /* ... and those that nothing is sent for, the longest so first */
    struct q2p__link announced;  /* incoming without a fragment yet, the oldest first */
    struct q2p__link receiving;  /* other incoming, the longest without progress first */
    struct q2p__link reporting;  /* incoming with lists to send */
    struct q2p__link remembered; /* finished, the oldest first */
    struct q2p__link sending;    /* outgoing with fragments to send, whose turn it is first; with
                                    probes they are in their paths, and those in: */
    struct q2p__link ready;      /* q2p_path.h, where something may leave now */
    struct q2p__ring news;
    struct q2p__ring notes;
    struct q2p__lent lent;      /* freed at the next call */
    struct q2p__table *punches; /* all of them, by address; NULL = there is none */
    struct q2p_addr *own;
    q2p_time quiet_until[2]; /* q2p_contact.c: no member counts as silent before; [1] of those that
                                make room for one being connected, too */
    q2p_time stalled_at;     /* no output before, for want of memory */
    q2p_time paced_at;       /* budget of fragments is used up to here */
    q2p_time joins_at;       /* ... of messages that JOINs cause */
    q2p_time refusals_at;    /* ... of CONNECT_FAILED */
    uint64_t slots[2];       /* of contacts that are members: which are taken */
    uint64_t unmet[2];       /* ... and by those that may not be there */
    uint32_t keys_made;      /* without verification */
    uint8_t own_count, members_count, seeds_count;
    uint8_t bytes[Q2P_DATAGRAM_MAX]; /* the datagram lent by q2p_node_output */
};

/* ---- services, in q2p_service.c ---- */

/* As q2p_alloc.resize of the node. */
void *q2p__resize(q2p_node *node, void *old, size_t old_len, size_t new_len);

/* Makes sure of room for `count` more happenings, so that telling them cannot fail. Q2P_OK,
 * Q2P_ERR_FULL (fetch some first) or Q2P_ERR_MEMORY. */
int q2p__news_reserve(q2p_node *node, unsigned count);

/* The next happening with its memory, which is then to be freed; false if there is none. */
bool q2p__news_take(q2p_node *node, struct q2p__news *news);
void q2p__news_free(q2p_node *node, struct q2p__lent *lent);

/* Tells a happening for which there is room. */
void q2p__news_tell(q2p_node *node, const struct q2p_happening *told);

/* The same with memory that becomes the node's: data is in told->data, extra in told->syns or
 * told->text. */
void q2p__news_give(q2p_node *node, const struct q2p__news *news);

/* Queues a control message. Q2P_OK, or Q2P_ERR_FULL or Q2P_ERR_MEMORY: then it is as if lost. */
int q2p__say(q2p_node *node, const struct q2p__note *note);

/* The next message to send; false if there is none. */
bool q2p__say_take(q2p_node *node, struct q2p__note *note);

/* Writes a message as what goes out. Returns 1. */
int q2p__write(const struct q2p__sheet *sheet, const struct q2p_addr *to, enum q2p_dialect dialect,
               const struct q2p_message *message);

/* A bare message. */
int q2p__say_bare(q2p_node *node, const struct q2p_addr *to, enum q2p_event event);

/* Frees what the services hold. */
void q2p__service_free(q2p_node *node);

/* Has its place in a list by time got old? The order is no finer than that: each move touches
 * neighbours, which are elsewhere in memory. */
static inline bool q2p__is_due(q2p_time *ranked_at, q2p_time now)
{
    if (now - *ranked_at < Q2P__RANK_NS)
        return false;
    *ranked_at = now;
    return true;
}

bool q2p__is_own(const q2p_node *node, const struct q2p_addr *addr);

/* A budget that fills up with time: takes `cost` out of it and says true, or says false. *at is
 * what was used so far, on the time axis; depth_ns is how much can be saved up. */
bool q2p__allow(q2p_time *at, q2p_time now, q2p_time cost_ns, q2p_time depth_ns);

/* now + delay, never past Q2P_NEVER; and delay doubled `times` times, with the same care. */
q2p_time q2p__later(q2p_time now, q2p_time delay_ns);
q2p_time q2p__doubled(q2p_time delay_ns, unsigned times);

/* Asks for what is used soon to be in a cache by then. The asm keeps compilers from leaving out
 * calls of functions that do nothing else. */
static inline void q2p__fetch(const void *bytes, size_t len)
{
    enum { LINE = 64 }; /* on most processors */

    for (size_t at = 0; at < len; at += LINE) {
#ifdef __GNUC__
        __builtin_prefetch((const char *)bytes + at);
        __asm__ volatile("");
#else
        (void)bytes;
#endif
    }
}

/* Bits in words. */
static inline bool q2p__bit_has(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

static inline void q2p__bit_put(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void q2p__bit_take(uint64_t *bits, uint32_t i)
{
    bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

#endif
