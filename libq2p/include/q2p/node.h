/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node.h - one Q2P node: joins, punches, sends and receives transmissions. It owns no socket, no
 * clock, no thread and no global: datagrams and time are passed in, datagrams and happenings are
 * fetched. A node belongs to one thread; nodes share nothing.
 *
 *     q2p_node_input()       a datagram came          q2p_node_output()     send this
 *     q2p_node_tick()        the deadline is there    q2p_node_happening()  this happened
 *     q2p_node_deadline()    wake me then
 *
 * After input, tick, join, send or resend: fetch output and happenings until both say 0.
 */
#ifndef Q2P_NODE_H
#define Q2P_NODE_H

#include <q2p/types.h>
#include <q2p/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct q2p_node q2p_node;

struct q2p_datagram {
    struct q2p_addr peer; /* where it came from, or goes to */
    const uint8_t *bytes; /* borrowed: by the node for the call, by the caller until the next */
    size_t len;
};

/*
 * Every limit and timer. Call q2p_config_init first, then change what you like, `seed` at least:
 * fields that later versions add get their default. Times in ns, sizes in bytes, defaults behind
 * the colon. Limits and timers are at least 1 unless 0 has a meaning below; remember_ns, keep_ns,
 * memory_max and retries_max may be 0, rate_classic is at least 512.
 */
/* clang-format off */
struct q2p_config {
    size_t size;                /* set by q2p_config_init */
    enum q2p_dialect dialect;   /* spoken until a peer's own is known: CLASSIC; or OPTIONS */
    uint16_t network_id;        /* 0 */
    uint16_t peers_max;         /* 32 (1..128); on every path, unlike the original */

    q2p_time lost_ns;           /* receiver lists what is missing each ...: 500 ms (> 0) */
    q2p_time timeout_ns;        /* ... and gives up this long after the last new fragment: 10 s */
    bool timeout_total;         /* timeout_ns counts from the start, as in the original: false */
    q2p_time remember_ns;       /* a finished incoming key stays known, so duplicates end: 20 s */
    q2p_time keep_ns;           /* sender keeps a sent transmission this long after the last sign of
                                   need, for repairs: 15 s */
    bool repair;                /* resend what a peer reports lost without being asked to: true */

    uint32_t rate;              /* bytes of datagrams per second, all peers together: 0 = no such limit */
    uint16_t burst;             /* datagrams that may leave at once: 64 */

    uint32_t length_max;        /* incoming transmissions announced longer are refused: 64 MiB */
    size_t memory_max;          /* bytes for fragments received, all peers together: 256 MiB */
    uint16_t incoming_max;      /* transmissions being received: 1024 */
    uint16_t incoming_peer_max; /* ... from one address: 16 */
    uint16_t outgoing_max;      /* transmissions being sent or kept: 1024 */

    bool persist;               /* ask who joins whether it is there, repeat what may be lost, answer
                                   TOUCH with CONNECT (PROTOCOL.md 5); false = each message once,
                                   as the original: true */
    q2p_time retry_ns;          /* first repetition after ..., doubling each time: 250 ms; OPTIONS
                                   as soon as an answer is overdue, for as long in all */
    uint16_t retries_max;       /* repetitions of one message: 6 */
    q2p_time keepalive_ns;      /* repeat JOIN to seeds and CONNECT to peers, so that NAT mappings
                                   live: 15 s; 0 = never */
    bool open;                  /* store whoever sends CONNECT or CONNECTED unasked, up to peers_max,
                                   and let each send us to others, as the original does: false */
    uint16_t answers_max;       /* control messages per second caused by one address: 32; 0 = any */

    uint64_t seed;              /* a secret: who guesses it can make tables slow, and knows our tokens
                                   (6.8). Random bits, unless a run is to be repeated: same seed and
                                   calls = same bytes: 0 */
    struct q2p_alloc alloc;     /* resize NULL = realloc of the C library: NULL */

    bool probe;                 /* find out what each peer's path carries, by OPTIONS sent again or,
                                   in classic, by the absence of lists; false = `rate` alone: true */
    bool early;                 /* list gaps as soon as they show, not only each lost_ns: true */
    bool extend;                /* use the extension of PROTOCOL.md 6.8 with peers that know it: true */
    uint32_t rate_classic;      /* with probe, least rate to a classic peer, bytes per second: 1 MiB */
    uint16_t passes_max;        /* with probe, how often all fragments may go to a peer that loses some
                                   and never asks in time, as the original by default: 8 */
    bool verify;                /* false: keys of any data are made up and not checked, for benches
                                   and simulations that compare the data themselves: true */
    q2p_time silence_ns;        /* a connected peer not heard for so long, though asked four times or
                                   more by keep-alives, is given up: 5 min; 0 = never, as without
                                   keep-alives */
};
/* clang-format on */

#define q2p_config_init(config) q2p_config_init_sized((config), sizeof *(config))
void q2p_config_init_sized(struct q2p_config *config, size_t size);

/* On top of q2p_config_init: timers (6 s, 5 s) and single-shot behaviour of the Go original, for
 * comparisons. Its defects stay out (libq2p/README.md lists which). */
void q2p_config_original(struct q2p_config *config);

/*
 * Makes a node. config is copied. Returns Q2P_OK, Q2P_ERR_INVALID (a field out of range) or
 * Q2P_ERR_MEMORY. *out is owned by the caller; q2p_node_free(NULL) is fine.
 */
int q2p_node_new(q2p_node **out, const struct q2p_config *config);
void q2p_node_free(q2p_node *node);

/* Tells the node an address it is reachable at itself (its socket's), so that it never talks to
 * itself and can check keys made with it. Up to 8 are kept. Returns Q2P_OK,
 * Q2P_ERR_FULL or Q2P_ERR_MEMORY. */
int q2p_node_own(q2p_node *node, const struct q2p_addr *addr);

/* ---- the outside world ------------------------------------------------------------------- */

/* Takes one datagram. Returns Q2P_OK, or why it was of no use: a Q2P_ERR_ of status.h, for
 * counting and logging only. Never fails otherwise, whatever the bytes. */
int q2p_node_input(q2p_node *node, q2p_time now, const struct q2p_datagram *in);

/* 1: *out is to be sent now; its bytes are borrowed until the next call on this node.
 * 0: nothing (more) to send at this time. */
int q2p_node_output(q2p_node *node, q2p_time now, struct q2p_datagram *out);

/* The same for who copies the bytes anyhow: they are written to `room`, Q2P_DATAGRAM_MAX bytes of
 * the caller's, where out->bytes then points. */
int q2p_node_output_to(q2p_node *node, q2p_time now, struct q2p_datagram *out, uint8_t *room);

/* When q2p_node_tick (and then output) wants to be called at the latest; Q2P_NEVER when idle. */
q2p_time q2p_node_deadline(const q2p_node *node);
void q2p_node_tick(q2p_node *node, q2p_time now);

/* name, number, word for logs and JSON, what it tells */
#define Q2P_ON_MAP(XX)                                                                             \
    XX(JOIN, 1, "join", "a peer joined through us")                                                \
    XX(CONNECT, 2, "connect", "a peer connected to us; it is stored and answered")                 \
    XX(CONNECTED, 3, "connected", "a peer answered our CONNECT; it is stored")                     \
    XX(UNREACHED, 4, "unreached", "a punch was given up: nothing came back")                       \
    XX(REFUSED, 5, "refused", "a peer answered CONNECT_FAILED; text has its reason")               \
    XX(MISMATCH, 6, "mismatch", "a datagram of another network came; network_id has which")        \
    XX(RECEIVING, 7, "receiving", "a new incoming transmission; length is announced")              \
    XX(DELIVERED, 8, "delivered", "an incoming transmission is complete; data has it")             \
    XX(EXPIRED, 9, "expired", "an incoming transmission was given up; syns are missing")           \
    XX(CORRUPT, 10, "corrupt", "an incoming transmission does not match its key; dropped")         \
    XX(SENT, 11, "sent", "every fragment of an outgoing transmission has left once")               \
    XX(LOST, 12, "lost", "the peer lacks syns of an outgoing transmission")                        \
    XX(FAILED, 13, "failed", "the peer gave up, or never answered; data is yours again")           \
    XX(RELEASED, 14, "released", "an outgoing transmission is quiet: data is yours again")         \
    XX(RESTORED, 15, "restored", "every SYN reported lost so far has been sent again")             \
    XX(ARRIVED, 16, "arrived", "the peer has the whole outgoing transmission; RELEASED follows")   \
    XX(GONE, 17, "gone", "a connected peer fell silent; it is no peer any more")

enum q2p_on {
#define XX(name, number, word, sentence) Q2P_ON_##name = (number),
    Q2P_ON_MAP(XX)
#undef XX
};
const char *q2p_on_name(enum q2p_on on);     /* "delivered" */
bool q2p_on_is_transmission(enum q2p_on on); /* about one: hash and length say which */

/* Does the data match its key? PROTOCOL.md 6.1 */
enum q2p_check {
    Q2P_CHECK_NONE,    /* cannot be told: key made with an address text we do not know */
    Q2P_CHECK_DATA,    /* key = MD5(data) */
    Q2P_CHECK_ADDRESS, /* key = MD5(data, our address) */
    Q2P_CHECK_WRONG    /* only with Q2P_ON_CORRUPT */
};

struct q2p_happening {
    enum q2p_on on;
    struct q2p_addr peer;
    enum q2p_dialect dialect; /* of the transmission or peer, if known */
    struct q2p_hash hash;
    uint32_t length; /* of the transmission, bytes */
    uint16_t network_id;
    enum q2p_check check;
    const uint8_t *data; /* DELIVERED: borrowed until the next q2p_node_ call on this node.
                            outgoing, but LOST: the pointer given to q2p_node_send */
    size_t data_len;
    const uint32_t *syns; /* LOST, EXPIRED: borrowed likewise; at most Q2P_SYNS_MAX at a time */
    size_t syns_count;
    uint32_t missing; /* EXPIRED: how many in all; LOST: as many as listed */
    const char *text; /* REFUSED: borrowed, printable ASCII, terminated */
};

/* 1: *out happened; 0: nothing (more). Never loses one: at its limit the node takes in no more. */
int q2p_node_happening(q2p_node *node, struct q2p_happening *out);

/* ---- the application --------------------------------------------------------------------- */

/* Joins through a seed. Returns Q2P_OK, Q2P_ERR_ADDRESS (not usable, or our own), Q2P_ERR_FULL
 * (peers_max) or Q2P_ERR_MEMORY. */
int q2p_node_join(q2p_node *node, q2p_time now, const struct q2p_addr *seed);

/*
 * Starts a transmission. data is borrowed until Q2P_ON_FAILED, Q2P_ON_RELEASED or
 * q2p_node_cancel for this peer and hash. *hash gets the key (may be NULL). Q2P never
 * acknowledges: silence after SENT is the only sign of success (PROTOCOL.md 6.7), but for peers
 * that know the extension (6.8): then Q2P_ON_ARRIVED comes, and RELEASED at once. Sending the
 * same bytes to the same peer again starts over once they have all left before (their RELEASED
 * comes first). Returns Q2P_OK, Q2P_ERR_ADDRESS (not usable, or our own), Q2P_ERR_FULL
 * (outgoing_max, or happenings to fetch first), Q2P_ERR_MEMORY, Q2P_ERR_BUSY, or Q2P_ERR_INVALID
 * (over 4 GiB - 1).
 */
int q2p_node_send(q2p_node *node, q2p_time now, const struct q2p_addr *to, const void *data,
                  size_t len, struct q2p_hash *hash);

/*
 * MD5 of a message, taken piece by piece as its bytes come in, and once for however many peers it
 * goes to. Keys are made of it and of the address of each (PROTOCOL.md 6.1).
 */
struct q2p_digest {
    uint64_t state[12];
};
void q2p_digest_init(struct q2p_digest *out);
void q2p_digest_add(struct q2p_digest *digest, const void *bytes, size_t len);

struct q2p_content {
    const void *data;
    size_t len;
    const struct q2p_digest *digest; /* of all of it; else the peer takes it for corrupt */
};

/* As q2p_node_send, without hashing what is hashed. */
int q2p_node_send_hashed(q2p_node *node, q2p_time now, const struct q2p_addr *to,
                         const struct q2p_content *content, struct q2p_hash *hash);

/* Sends chosen fragments again. Returns how many were queued (each at most once), or
 * Q2P_ERR_ABSENT, Q2P_ERR_SYN (one is out of range) or Q2P_ERR_MEMORY; then none is queued. */
int q2p_node_resend(q2p_node *node, q2p_time now, const struct q2p_addr *to,
                    const struct q2p_hash *hash, const uint32_t *syns, size_t count);

/* Forgets an outgoing transmission; data is the caller's again. Q2P_OK or Q2P_ERR_ABSENT. */
int q2p_node_cancel(q2p_node *node, const struct q2p_addr *to, const struct q2p_hash *hash);

struct q2p_peer {
    struct q2p_addr addr;
    enum q2p_dialect dialect; /* heard from it; UNKNOWN if nothing told */
    bool seed;                /* we joined through it */
    bool connected;           /* CONNECT or CONNECTED was exchanged */
};

/* Copies up to max peers, in the order in which they came; returns how many there are. */
size_t q2p_node_peers(const q2p_node *node, struct q2p_peer *out, size_t max);

/* name, sentence; each a uint64_t that only grows, except memory */
#define Q2P_COUNTER_MAP(XX)                                                                        \
    XX(datagrams_in, "datagrams taken in")                                                         \
    XX(datagrams_out, "datagrams given out")                                                       \
    XX(bytes_in, "their bytes")                                                                    \
    XX(bytes_out, "their bytes")                                                                   \
    XX(malformed, "datagrams that are not well-formed Q2P")                                        \
    XX(foreign, "datagrams of another network")                                                    \
    XX(ignored, "well-formed datagrams that nobody asked for")                                     \
    XX(limited, "messages not sent or not taken because of a limit")                               \
    XX(fragments_in, "fragments stored")                                                           \
    XX(fragments_duplicate, "fragments that were there already")                                   \
    XX(fragments_out, "fragments sent, repetitions included")                                      \
    XX(fragments_resent, "fragments sent again")                                                   \
    XX(delivered, "incoming transmissions completed")                                              \
    XX(expired, "incoming transmissions given up")                                                 \
    XX(memory, "bytes held for fragments now")                                                     \
    XX(memory_peak, "most bytes held for fragments at a time")

struct q2p_counters {
#define XX(name, sentence) uint64_t name;
    Q2P_COUNTER_MAP(XX)
#undef XX
};
const struct q2p_counters *q2p_node_counters(const q2p_node *node); /* borrowed */

#ifdef __cplusplus
}
#endif
#endif
