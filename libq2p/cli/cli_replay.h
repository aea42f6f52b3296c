/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay.h - puts a node of ours in the place of one endpoint of a capture: feeds it what that
 * endpoint received, at the times of the capture, lets its application do what the recorded one
 * evidently did, and compares what the two send. Time is virtual, so minutes take milliseconds.
 *
 *     cli_replay_load()   capture -> recording      cli_replay_run()      -> what ours sends
 *     cli_replay_plan()   recording -> one endpoint cli_replay_compare()  -> verdict, rules
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <q2p/node.h>

#include "base_table.h"
#include "cli_capture.h"

/*
 * In what our node may differ from the recorded one and still be its equal:
 * name, word, section of PROTOCOL.md, sentence.
 */
#define CLI_RULE_MAP(XX)                                                                           \
    XX(ORDER, "order", "6.3", "sent in another order, or paced otherwise")                         \
    XX(TIMERS, "timers", "7", "sent at another time, by a timer of its own")                       \
    XX(LIST_ORDER, "list-order", "6.5", "the same lost SYNs in another order")                     \
    XX(LIST_CHUNKS, "list-chunks", "6.5", "the same lost SYNs, cut into datagrams otherwise")      \
    XX(LIST_BOUNDED, "list-bounded", "6.5",                                                        \
       "the lowest of the lost SYNs first, as many as it may")                                     \
    XX(LIST_HIGHEST, "list-highest", "6.5", "while fragments come, nothing beyond the highest")    \
    XX(RESEND_LENGTH, "resend-length", "6.6", "the real length in a resend, or 0")                 \
    XX(RESEND_ENDED, "resend-ended", "6.7", "a transmission that has failed is not resent")        \
    XX(REPETITION, "repetition", "5.5", "a message repeated until it is answered, or more often")  \
    XX(TOUCH_ANSWERED, "touch-answered", "5.5",                                                    \
       "CONNECT to the other port that a TOUCH came from")                                         \
    XX(ASKED, "asked", "5.1", "CONNECT asks who joined whether it is there")                       \
    XX(REFUSAL_SHORT, "refusal-short", "5.4",                                                      \
       "CONNECT_FAILED with as much of its reason as is paid for")                                 \
    XX(REFUSAL_RATE, "refusal-rate", "5.4", "CONNECT_FAILED once a second, not each time")         \
    XX(GHOST, "ghost", "6.4", "a late duplicate opens no second transmission (D14, D15)")          \
    XX(IGNORED, "ignored", "9", "what is malformed or unasked for is not answered (D20 to D23)")   \
    XX(LENGTH_LIMIT, "length-limit", "8", "an announced length beyond the limit is refused (D8)")  \
    XX(OTHER_DIALECT, "other-dialect", "4", "a dialect that the recorded node does not know")      \
    XX(UNPROVEN, "unproven", "6.1", "data that do not match their key are dropped (D11)")          \
    XX(WITHHELD, "withheld", "6.5", "lost behind the capture point: ours does not get it either")  \
    XX(UNCAPTURED, "uncaptured", "6.3", "lost on its way to the capture point")                    \
    XX(DOUBLED, "doubled", "6.3", "doubled on its way to the capture point")                       \
    XX(PAYLOAD, "payload", "6.2", "the capture lacks bytes of it, so it cannot be sent again")

enum cli_rule {
#define XX(name, word, section, sentence) CLI_RULE_##name,
    CLI_RULE_MAP(XX)
#undef XX
        CLI_RULES /* how many; also: no rule */
};
const char *cli_rule_word(enum cli_rule rule);
const char *cli_rule_section(enum cli_rule rule);
const char *cli_rule_sentence(enum cli_rule rule);

/* A datagram from or to the endpoint. */
struct cli_shot {
    int64_t t_ns;
    uint64_t frame; /* 0: ours */
    struct q2p_addr peer;
    bool sent; /* by the endpoint */
    bool withheld, doubled, resent;
    struct cli_shot *mate; /* the same message on the other side of the comparison */
    int status;
    struct q2p_packet packet;
    const uint8_t *bytes;
    size_t len;
    struct cli_talk *talk;  /* the transmission it belongs to, or NULL */
    struct cli_shot *later; /* the next of the same transmission */
};

/* A transmission between the endpoint and a peer. */
struct cli_talk_key {
    struct q2p_addr peer;
    struct q2p_hash hash;
    uint32_t sent; /* 1: by the endpoint */
};
struct cli_talk {
    struct cli_talk_key key;
    struct cli_talk *next;                   /* of all of the plan */
    struct cli_shot *first, *last;           /* recorded datagrams of it, by time */
    struct cli_shot *ours_first, *ours_last; /* lists that ours sent */
    enum q2p_dialect dialect;
    uint32_t length;
    bool started;        /* its start, and so its length, is known */
    int64_t start_ns;    /* first datagram of it that reached the endpoint, or left it */
    uint8_t *payload;    /* sent: put together; owned */
    uint32_t *copies;    /* by SYN: how often it passed, but for resends; owned */
    int64_t *passed_ns;  /* by SYN: the latest time it passed; owned */
    int64_t *listed_ns;  /* by SYN: the latest time it was listed as lost; owned */
    uint32_t sendings;   /* sent: how often all of it was */
    bool whole;          /* sent: every byte is known */
    bool ended;          /* sent: ours has failed it */
    int64_t finished_ns; /* received: when ours was done with it; Q2P_NEVER */
    bool unproven;       /* received: ours dropped it */
};

struct cli_recording {
    struct cli_frame *frames;
    size_t count, room, bytes;
    uint64_t cut; /* datagrams that the snap length cut */
    bool broken;  /* the file ends too early */
    char why[CLI_WHY_MAX];
};
struct cli_frame {
    int64_t t_ns;
    uint64_t number;
    struct q2p_addr src, dst;
    uint8_t *bytes;
    size_t have, total;
    enum q2p_likeness likeness;
};

/* Reads a whole capture; at most bytes_max of it. Q2P_OK, or a status with a sentence in why. */
int cli_replay_load(struct cli_recording *out, FILE *file, size_t bytes_max);
void cli_replay_unload(struct cli_recording *recording);

/* Addresses that send what only a Q2P node sends; *out is owned. Returns how many. */
size_t cli_replay_endpoints(const struct cli_recording *recording, struct q2p_addr **out);

enum cli_profile { CLI_PROFILE_AUTO, CLI_PROFILE_ORIGINAL, CLI_PROFILE_OURS };

enum cli_deed_kind { CLI_DEED_JOIN, CLI_DEED_SEND, CLI_DEED_RESEND };
struct cli_deed { /* of the application */
    int64_t t_ns;
    enum cli_deed_kind kind;
    struct cli_shot *shot; /* the datagram that shows it */
};

struct cli_plan {
    struct q2p_addr self;
    struct cli_shot *shots; /* by time */
    size_t count;
    struct cli_deed *deeds; /* by time */
    size_t deeds_count, deeds_room;
    struct cli_talk *talks;
    struct q2p__table talk_table;
    struct q2p_alloc alloc;
    uint64_t secret[2];
    enum cli_profile profile;
    enum q2p_dialect dialect;
    uint16_t network_id;
    q2p_time lost_ns, timeout_ns;
    bool eager;       /* lists gaps at once, knows the extension: ours since PROTOCOL.md 6.8 */
    int64_t end_ns;   /* of the capture */
    const char *skip; /* why it cannot be replayed, or NULL */
};

/* Finds out how the recorded endpoint lived. profile and timers that are not 0 are kept. Q2P_OK or
 * Q2P_ERR_MEMORY. The recording must live as long as the plan. */
int cli_replay_plan(struct cli_plan *plan, const struct cli_recording *recording);
void cli_replay_plan_free(struct cli_plan *plan);

/* Between the files of the plan: what the application did, Q2P_OK or Q2P_ERR_MEMORY; what never
 * arrived; and that a list names some fragments of its transmission as lost. */
int cli_replay_deeds(struct cli_plan *plan);
void cli_replay_withhold(struct cli_plan *plan);
void cli_replay_listed(const struct cli_shot *list);
bool cli_shot_is_sound(const struct cli_shot *shot);

/* The dialect of one of the endpoint's datagrams, and with that what it says. */
void cli_replay_read(struct cli_plan *plan, struct cli_shot *shot);

bool cli_shot_is_list(const struct cli_shot *shot); /* TRANSPORT_FAILED with SYNs */

/* What our node sent. */
struct cli_ours {
    struct cli_shot *shots;
    size_t count, room;
    bool flood; /* it sent so much that we stopped */
};

/* Does our node ask here whether a joiner is there, as the recorded one never did? */
bool cli_replay_asks(const struct cli_plan *plan, const struct cli_shot *ours);

/* Q2P_OK or Q2P_ERR_MEMORY. */
int cli_replay_run(struct cli_plan *plan, struct cli_ours *out);
void cli_replay_ours_free(struct cli_ours *ours);

enum cli_sameness { CLI_SAME_IDENTICAL, CLI_SAME_EQUIVALENT, CLI_SAME_DIFFERENT, CLI_SAME_SKIPPED };

struct cli_comparison {
    enum cli_sameness sameness;
    uint64_t received, recorded, ours, identical; /* datagrams */
    uint64_t rules[CLI_RULES];                    /* how often each */
    uint64_t differences;
    const struct cli_shot *theirs_first, *ours_first; /* the first difference; one may be NULL */
    const char *reason;
};

/* Q2P_OK or Q2P_ERR_MEMORY. */
int cli_replay_compare(struct cli_plan *plan, struct cli_ours *ours, struct cli_comparison *out);

/* Between the files of the comparison: one more difference, of which the first is kept. */
void cli_replay_differ(struct cli_comparison *out, const struct cli_shot *theirs,
                       const struct cli_shot *ours, const char *reason);

/* Compares the rounds of lists of every transmission received. Q2P_OK or Q2P_ERR_MEMORY. */
int cli_replay_rounds(struct cli_plan *plan, struct cli_ours *ours, struct cli_comparison *out);

#endif
