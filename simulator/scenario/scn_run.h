/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_run.h - one run of a scenario: builds the world, plays the script, watches what happens and
 * judges. A run is a function of the scenario and the seed.
 */
#ifndef SCN_RUN_H
#define SCN_RUN_H

#include "net_route.h"
#include "report_ladder.h"
#include "report_story.h"
#include "report_trace.h"
#include "scn_schema.h"
#include "sim_host.h"

/* What a node knows of another: it has exchanged CONNECT or CONNECTED (or JOIN). */
struct scn_contact {
    uint32_t node;
    q2p_time since_ns;    /* when it was first heard of */
    struct q2p_addr addr; /* as the knowing one must use it */
};

struct scn_host {
    struct sim_host host;
    struct scn_run *run;
    struct sim_heap *heap; /* of the node */
    q2p_node *node;
    uint32_t number; /* in the scenario */
    uint32_t starts;
    struct net_place *place;
    struct scn_contact *contacts;
    size_t contacts_count, contacts_room;
};

/* A `send` of the script. */
struct scn_transfer {
    const struct scn_send *send;
    uint32_t step;
    uint8_t *data;
    struct q2p_hash hash;
    bool waiting, started, options;   /* options: its OPTIONS was seen */
    q2p_time delivered_ns, failed_ns; /* Q2P_NEVER = not */
    const char *failed_how;
    /* scn_oracle.c */
    uint8_t *arrived; /* a bit per fragment that reached its receiver unharmed; NULL = none has */
    uint32_t arrived_count;
    bool closed, ended;  /* its receiver has no state of it, or a new one; its sender let go */
    q2p_time touched_ns; /* last datagram of it */
};

struct scn_verdict {
    bool ok, decided;
    q2p_time at_ns;
    char why[96];
};

/* What a node reports, with what is known of it at that instant. */
struct scn_news {
    struct scn_host *host;
    uint32_t sender; /* of a contact: the node whose datagram made it */
    bool calm;       /* with threads: has refused nothing yet, and has memory */
    size_t peers;    /* of a contact: how many there are */
    struct q2p_happening what;
};

/* A node was told to send. */
struct scn_started {
    struct scn_transfer *transfer;
    int status;
    struct q2p_hash hash;
};

struct scn_threads;

struct scn_run {
    const struct scenario *scenario;
    uint64_t seed;
    struct sim_world world;
    struct net net;
    struct net_tap tap;
    struct scn_host *hosts; /* as scenario->nodes */
    uint32_t first_place;   /* of hosts; NATs come before */
    uint16_t sides;         /* partitions so far */
    struct net_runner script;
    struct scn_action *actions;
    size_t actions_count, actions_next;
    struct scn_transfer *transfers;
    size_t transfers_count;
    uint32_t transfers_near[256]; /* first byte of the key -> which was found last */
    struct scn_verdict *verdicts; /* as scenario->expect */
    size_t undecided;
    struct scn_remote *remotes; /* open addressing; scn_answers.c */
    size_t remotes_count, remotes_room;
    bool reads_events; /* somebody wants to know what datagrams say */
    uint64_t fates[NET_FATES];
    uint64_t sent;
    struct scn_threads *threads; /* scn_threads.c; NULL = one does it all */
    bool calm;                   /* ... what scn_news.calm says, of who is told of */
    char violation[160];         /* the first oracle that was violated; "" = none */
    q2p_time violation_ns;
    uint64_t trace_hash;

    /* set between scn_run_init and scn_run_play, if wanted */
    struct report_trace *trace;
    struct report_ladder *ladder;
    struct report_story *story; /* by scn_run_tell */
    void (*happened)(void *ctx, const struct scn_host *host, const struct q2p_happening *what,
                     const char *peer);
    void (*mapped)(void *ctx, const struct net_place *nat, const struct net_nat_made *made);
    void *ctx;
};

/* NULL on success, else what the library refused. Free it in either case. */
const char *scn_run_init(struct scn_run *run, const struct scenario *scenario, uint64_t seed);

/* Goes on until `until`; the end of the scenario at the latest. */
void scn_run_play(struct scn_run *run, q2p_time until);

/* Decides what is undecided; true if all is well. */
bool scn_run_judge(struct scn_run *run);
void scn_run_free(struct scn_run *run);

/* Says that an oracle was violated; the first one stays. */
__attribute__((format(printf, 2, 3))) void scn_run_violate(struct scn_run *run, const char *format,
                                                           ...);

/* The contact of `host` with a node, or NULL. */
const struct scn_contact *scn_run_contact(const struct scn_host *host, uint32_t node);

/* The transmission with this key, from and to these nodes (SCN_NONE: any), or NULL. */
struct scn_transfer *scn_run_transfer(struct scn_run *run, uint32_t from, uint32_t to,
                                      const struct q2p_hash *hash);

/* The next action of the script; its time is now. True if it changed a link. */
bool scn_run_act(struct scn_run *run);

/* Of a node or NAT of the scenario. */
struct net_place *scn_run_place(const struct scn_run *run, uint32_t index);

/* When that is; Q2P_NEVER if none is left. */
q2p_time scn_run_next(const struct scn_run *run);

/* ---- scn_news.c -------------------------------------------------------------------------- */

/* For struct sim_host.settle. */
bool scn_news_settle(void *ctx, struct sim_host *host);

/* Sends it if the sender knows where to; otherwise it waits for a contact. */
void scn_run_send(struct scn_run *run, struct scn_transfer *transfer);

/* These tell all who want to know; the time is now. */
void scn_news_tell(struct scn_run *run, const struct scn_news *news);
void scn_news_started(struct scn_run *run, const struct scn_started *started);

/* ---- scn_tap.c --------------------------------------------------------------------------- */

/* Callbacks of struct net_tap; ctx is the run. */
void scn_tap_seen(void *ctx, const struct net_sight *at, struct sim_packet *packet, q2p_time now);
void scn_tap_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                  q2p_time now);

void scn_tap_mapped(void *ctx, uint32_t place, const struct net_nat_made *made);

/* From now on the story collects what a page about the run needs; the caller frees it. */
void scn_run_tell(struct scn_run *run, struct report_story *story);

/* ---- scn_answers.c ----------------------------------------------------------------------- */

/* A host gets, or has sent, a datagram. */
void scn_answers_heard(struct scn_run *run, const struct sim_packet *packet,
                       const struct q2p_packet *read);
void scn_answers_said(struct scn_run *run, const struct sim_packet *packet,
                      const struct q2p_packet *read);

/* ---- scn_oracle.c ------------------------------------------------------------------------ */

/* A host has sent, or gets, a datagram. */
void scn_oracle_sent(struct scn_run *run, const struct sim_packet *packet,
                     const struct q2p_packet *read);
void scn_oracle_arrived(struct scn_run *run, const struct sim_packet *packet,
                        const struct q2p_packet *read);

/* A node tells of a transmission. */
void scn_oracle_happened(struct scn_host *host, const struct q2p_happening *what,
                         struct scn_transfer *transfer);

/* It has refused nothing yet and has memory: what it lists as missing is. */
bool scn_oracle_calm(const struct scn_run *run, uint32_t node);
void scn_oracle_restarted(struct scn_host *host);
void scn_oracle_end(struct scn_run *run);

/* Pairs of nodes at work of which one knows the other, and not the reverse; the first in pair. */
uint64_t scn_run_half_open(const struct scn_run *run, uint32_t pair[2]);

/* ---- scn_expect.c ------------------------------------------------------------------------ */

/* Tell the judge. */
void scn_expect_contact(struct scn_run *run);
void scn_expect_transfer(struct scn_run *run, const struct scn_transfer *transfer);
void scn_expect_event(struct scn_run *run, uint32_t node, const char *word);
bool scn_expect_end(struct scn_run *run);
bool scn_expect_reads_events(const struct scenario *scenario);

/* What went wrong first, of what counts (in a swarm: oracles and never), and when it did; 0 and ""
 * if nothing has. */
q2p_time scn_run_why(const struct scn_run *run, bool swarm, char *out, size_t room);

/* "connected alice bob" */
void scn_expect_print(const struct scn_run *run, size_t index, char *out, size_t room);

#endif
