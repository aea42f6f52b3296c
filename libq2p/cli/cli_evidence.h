/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_evidence.h - what each address and each pair of addresses has shown of itself: whether it is
 * Q2P at all, and in which dialect a datagram is to be read. No conclusions here, only what was
 * seen; PROTOCOL.md 4 is the ground for it.
 */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include <q2p/status.h>

#include "base_table.h"
#include "cli_capture.h"
#include "cli_sending.h"

struct cli_item;

/* What an address has shown. */
struct cli_endpoint {
    struct q2p_addr addr;
    bool proven;              /* it is a Q2P node */
    bool classic;             /* it has spoken classic or early */
    uint16_t network_id;      /* of its latest message */
    enum q2p_dialect dialect; /* the latest it was heard in */
};

/* What `from` has said to `to`. */
struct cli_pair_key {
    struct q2p_addr from, to;
};
struct cli_pair {
    struct cli_pair_key key;
    uint64_t datagrams;
    bool connect;                     /* CONNECT, */
    bool connected;                   /* and it was answered */
    bool options;                     /* something only the options dialect has */
    bool failed;                      /* CONNECT_FAILED, */
    uint16_t failed_id;               /* as a node of this network */
    enum q2p_dialect dialect;         /* the latest it was spoken in */
    struct cli_item *join, *mismatch; /* cli_story.h: told once, with how often */
    struct cli_sending *recent;       /* the latest that began; NULL once it is told */
};

/* Who was found for two addresses last; most datagrams are of the same few pairs. */
struct cli_found {
    struct cli_pair_key key;
    uint32_t known; /* addresses and pairs there were when it was looked for */
    struct cli_endpoint *src, *dst;
    struct cli_pair *pair, *back;
};
#define CLI_FOUND_MAX 1024

struct cli_evidence {
    uint16_t port; /* where a weak sign is enough */
    struct q2p_alloc alloc;
    uint64_t secret[2]; /* zeros: a capture has nobody who waits for an answer */
    struct q2p__table endpoints, pairs;
    struct q2p__table sendings; /* the latest of each key; owned by whoever adds them */
    struct cli_found found[CLI_FOUND_MAX];
};

/* One datagram on its way through the rules. */
struct cli_view {
    const struct cli_datagram *in;
    struct cli_endpoint *src, *dst; /* NULL: never seen */
    struct cli_pair *pair, *back;   /* src to dst, dst to src */
    enum q2p_likeness likeness;
    enum q2p_dialect proven; /* by the datagram alone, or by what it answers */
    struct q2p_packet packet;
    int status;
    struct cli_sending *sending; /* that a fragment belongs to, if that is known already */
};

/* Room for so many addresses, pairs and sendings each. Must stay where it is. */
void cli_evidence_init(struct cli_evidence *evidence, uint16_t port, size_t max);
void cli_evidence_clear(struct cli_evidence *evidence);

/* Fills a view with what is known before this datagram; false: nothing says that it is Q2P. */
bool cli_evidence_look(struct cli_evidence *evidence, const struct cli_datagram *in,
                       struct cli_view *view);

/* Adds what the datagram shows about the two; false: more addresses than we remember. */
bool cli_evidence_learn(struct cli_evidence *evidence, struct cli_view *view);

/* What the two are known to speak, the nearest evidence first; unknown if there is none. */
enum q2p_dialect cli_evidence_habit(const struct cli_view *view);

/* Is there a Q2P node at this address? */
bool cli_evidence_node(const struct cli_evidence *evidence, const struct q2p_addr *addr);

struct cli_endpoint *cli_evidence_endpoint(const struct cli_evidence *evidence,
                                           const struct q2p_addr *addr);
struct cli_pair *cli_evidence_pair(const struct cli_evidence *evidence, const struct q2p_addr *from,
                                   const struct q2p_addr *to);
struct cli_sending *cli_evidence_sending(const struct cli_evidence *evidence,
                                         const struct q2p_addr *src, const struct q2p_addr *dst,
                                         const uint8_t *hash);

/* Well-formed as far as it goes. */
static inline bool cli_readable(int status)
{
    return status == Q2P_OK || status == Q2P_ERR_CUT;
}

#endif
