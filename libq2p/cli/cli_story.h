/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_story.h - tells Q2P from other UDP traffic and finds out what happened in it: who joined,
 * who connected, what was sent and whether it arrived. Sees datagrams as an onlooker does, in the
 * order in which they passed, and holds back its conclusions to the end, because what comes later
 * can prove who spoke what (q2p(1), "What check concludes"). Memory is bounded: past a limit the
 * oldest happenings are told early, with what is known by then.
 */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include "cli_capture.h"
#include "cli_sending.h"

enum cli_tale {
    CLI_TALE_JOIN,         /* a joins through b */
    CLI_TALE_CONNECTED,    /* a sent CONNECT, b answered CONNECTED */
    CLI_TALE_MISMATCH,     /* a is of network_id, b is not and said so */
    CLI_TALE_MALFORMED,    /* a datagram from a to b */
    CLI_TALE_ORPHAN,       /* fragments from a to b without a start in the capture, see sending */
    CLI_TALE_TRANSMISSION, /* from a to b, see sending */
};

/* Why a transmission that passed was not received. */
enum cli_verdict {
    CLI_VERDICT_WHOLE,
    CLI_VERDICT_EMPTY,         /* length 0: announced, and nothing to see after that */
    CLI_VERDICT_MISSING,       /* fragments are missing */
    CLI_VERDICT_GAVE_UP,       /* ... and the receiver said so */
    CLI_VERDICT_GAVE_UP_WHOLE, /* none is missing, but the receiver said so */
    CLI_VERDICT_FOREIGN,       /* the receiver is of another network, and said so */
    CLI_VERDICT_UNHEARD,       /* the receiver does not know this dialect */
};

struct cli_item {
    struct q2p__link link;
    enum cli_tale tale;
    int64_t t_ns;
    uint64_t frame;
    struct q2p_addr a, b;
    uint32_t times;                        /* how often; JOIN, MISMATCH */
    bool strong;                           /* the datagram itself is Q2P without doubt */
    uint16_t network_id, other_id;         /* MISMATCH: a's, b's */
    enum q2p_dialect dialect;              /* MALFORMED: the one it was read in, */
    int status;                            /* and what is wrong */
    int statuses[Q2P_DIALECT_OPTIONS + 1]; /* the same by dialect, as long as that is a guess */
    size_t len;
    struct cli_sending *sending; /* TRANSMISSION */
    enum cli_verdict verdict;
    uint32_t missing; /* TRANSMISSION: how many; all of them if FOREIGN or UNHEARD */
};

struct cli_totals {
    uint64_t datagrams, q2p; /* UDP in all; of Q2P nodes */
    uint64_t transmissions, complete, connected, malformed;
    uint64_t empty;     /* of the transmissions: no bytes, or a question as ping asks */
    uint64_t repeated;  /* fragments that passed again */
    uint64_t unmatched; /* TRANSPORT_FAILED for nothing that was sent */
    uint64_t early;     /* told before the end, or not followed at all, for want of room */
};

struct cli_story_config {
    uint16_t port;     /* where a weak sign is enough */
    size_t memory_max; /* bytes for fragments */
    size_t items_max;  /* happenings held back; addresses and pairs remembered */
    void (*tell)(void *ctx, const struct cli_item *item); /* in the order of their frames */
    void *ctx;
    enum cli_hashing hashing; /* takes most of the time */
    unsigned hands;           /* that help with it, see cli_crew.h */
    /* Every fragment of a transmission has passed, see cli_sending.h; may be NULL. */
    void (*whole)(void *ctx, const struct cli_sending *sending, const uint8_t *data, size_t len);
    void *whole_ctx;
    /* A transmission is judged; also one that is told as nothing, then received is false. */
    void (*judged)(void *ctx, const struct cli_sending *sending, bool received);
};

struct cli_story;

int cli_story_new(struct cli_story **out, const struct cli_story_config *config);
void cli_story_free(struct cli_story *story);

/* The next datagram. Q2P_OK or Q2P_ERR_MEMORY. */
int cli_story_datagram(struct cli_story *story, const struct cli_datagram *in);

/* Tells everything that is left; *out gets the totals. */
void cli_story_end(struct cli_story *story, struct cli_totals *out);

/* Could it be Q2P, given all before it? Then *out is the dialect in which it is best read. */
bool cli_story_knows(struct cli_story *story, const struct cli_datagram *in, enum q2p_dialect *out);

#endif
