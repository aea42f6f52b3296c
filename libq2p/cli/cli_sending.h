/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_sending.h - one sending of a transmission as an onlooker sees it: which fragments passed,
 * which of them the receiver says it lacks, and how it ended. Takes memory for what passed, never
 * for what was announced.
 */
#ifndef CLI_SENDING_H
#define CLI_SENDING_H

#include <q2p/wire.h>

#include "base_list.h"
#include "cli_crew.h"
#include "cli_out.h"

struct cli_sending_key {
    struct q2p_addr src, dst;
    struct q2p_hash hash;
};

/* What the data says about the key (PROTOCOL.md 6.1). */
enum cli_key_proof {
    CLI_KEY_OPEN,    /* the data is not whole, or was not looked at */
    CLI_KEY_DATA,    /* MD5 of the data */
    CLI_KEY_ADDRESS, /* MD5 of the data and the destination as captured */
    CLI_KEY_OTHER    /* neither: an address text from behind a NAT, or a wrong key */
};

/* What is looked for in the data once it is whole. */
enum cli_hashing {
    CLI_HASH_ALL, /* SHA-256, and what the data says about the key */
    CLI_HASH_KEY,
    CLI_HASH_NONE
};

struct cli_bits {
    uint8_t *bytes;
    size_t len; /* bytes */
    uint32_t count;
};

struct cli_body;

struct cli_sending {
    struct q2p__link link; /* for whoever lists them */
    struct cli_sending_key key;
    enum q2p_dialect dialect;
    uint32_t length;
    uint16_t network_id;
    int64_t first_ns, last_ns;
    uint64_t first_frame, last_frame;

    struct cli_bits passed;  /* fragments that passed */
    struct cli_bits refused; /* those of them that the receiver listed as lost afterwards */
    struct cli_body *pieces;
    size_t pieces_count, pieces_room;
    size_t memory; /* bytes held */

    uint32_t duplicates; /* fragments that had passed before */
    uint32_t late;       /* fragments behind the receiver's last word */
    uint32_t lists;      /* TRANSPORT_FAILED with SYNs */
    bool orphan;         /* its start is not in the capture: only counts `late` */
    bool again;          /* behind the end of one with the same key: perhaps only repetitions */
    bool gave_up;        /* empty TRANSPORT_FAILED */
    bool cut;            /* the capture lacks bytes of a fragment */
    bool kept;           /* whoever is `whole` has the data */

    enum cli_hashing hashing;
    struct cli_crew *crew; /* who hashes; NULL: whoever brings the last fragment */
    struct cli_job job;    /* what follows is valid when it is done, see cli_crew_wait */
    enum cli_key_proof proof;
    char sha256[CLI_SHA256_TEXT]; /* or empty */

    /* Told when the last fragment has passed, with the data, unless the capture cut some; may be
     * NULL. */
    void (*whole)(void *ctx, const struct cli_sending *sending, const uint8_t *data, size_t len);
    void *whole_ctx;
};

struct cli_sending *cli_sending_new(const struct cli_sending_key *key, enum q2p_dialect dialect,
                                    uint32_t length);
void cli_sending_free(struct cli_sending *sending);

/* Is everything there, as far as the wire and the receiver's lists tell? */
bool cli_sending_whole(const struct cli_sending *sending);

/* Has this fragment passed, and has the receiver not called it lost since? */
bool cli_sending_holds(const struct cli_sending *sending, uint32_t syn);

/* How many fragments are missing. */
uint32_t cli_sending_missing(const struct cli_sending *sending);

/*
 * A fragment passed. Returns Q2P_OK, Q2P_ERR_SYN, Q2P_ERR_SHARE (it contradicts the length, and
 * is not taken) or Q2P_ERR_MEMORY.
 */
int cli_sending_fragment(struct cli_sending *sending, const struct q2p_packet *packet,
                         const uint8_t *bytes, size_t total);

/* The receiver called fragments lost. Q2P_OK or Q2P_ERR_MEMORY. */
int cli_sending_list(struct cli_sending *sending, const struct q2p_packet *packet,
                     const uint8_t *bytes);

#endif
