/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat.h - the memory of a NAT: which inside endpoint has which outside port (mapping), and
 * who may answer (filtering), after RFC 4787. Pure data and virtual time: it translates
 * addresses and moves no packets.
 */
#ifndef NET_NAT_H
#define NET_NAT_H

#include "net_addr.h"
#include "sim_rng.h"
#include <q2p/status.h>
#include <q2p/types.h>

/* Words of the scenario language; what of the remote side counts. */
#define NET_NAT_KIND_WORDS "endpoint-independent|address|address-and-port"
enum net_nat_kind {
    NET_NAT_INDEPENDENT, /* EIM / EIF */
    NET_NAT_ADDRESS,     /* ADM / ADF */
    NET_NAT_PORT         /* APDM / APDF */
};

/* What a permission to answer belongs to; they differ only if mapping is not independent. */
#define NET_NAT_SCOPE_WORDS "mapping|endpoint"
enum net_nat_scope { NET_NAT_SCOPE_MAPPING, NET_NAT_SCOPE_ENDPOINT };

/* Outside ports: the inside port if free (else random), one after the other, random, the inside
 * port if free (else one that is odd or even as it is), or out of a block per inside host. */
#define NET_NAT_PORTS_WORDS "preserve|sequential|random|preserve-parity|block"
enum net_nat_ports {
    NET_NAT_PRESERVE,
    NET_NAT_SEQUENTIAL,
    NET_NAT_RANDOM,
    NET_NAT_PARITY,
    NET_NAT_BLOCK
};

/* Several outside addresses: does an inside host always get the same one? */
#define NET_NAT_POOLING_WORDS "paired|arbitrary"
enum net_nat_pooling { NET_NAT_PAIRED, NET_NAT_ARBITRARY };

/* May inside hosts reach each other through the outside address, and whom do they see then?
 * RFC 4787 6 wants `external`. */
#define NET_NAT_HAIRPIN_WORDS "none|external|external-unfiltered|internal"
enum net_nat_hairpin {
    NET_NAT_HAIRPIN_NONE,
    NET_NAT_HAIRPIN_EXTERNAL,
    NET_NAT_HAIRPIN_UNFILTERED,
    NET_NAT_HAIRPIN_INTERNAL
};

/* Packets of which direction start the clock of mappings and permissions anew. */
#define NET_NAT_REFRESH_WORDS "out|in|both"
enum net_nat_refresh { NET_NAT_REFRESH_OUT, NET_NAT_REFRESH_IN, NET_NAT_REFRESH_BOTH };

#define NET_NAT_PORT_FIRST 1024
#define NET_NAT_PORT_LAST 65535
#define NET_NAT_OUTSIDES_MAX 8

/* In the order in which a datagram needs it. */
struct net_nat_config {
    enum net_nat_kind mapping, filtering;
    enum net_nat_scope scope;
    enum net_nat_refresh refresh;
    enum net_nat_hairpin hairpin;
    bool overload;      /* a port serves several inside endpoints that talk to different remotes */
    bool clash;         /* a datagram that is not let in occupies the port towards its sender */
    bool icmp_kills;    /* an ICMP error about what a mapping sent ends the mapping */
    q2p_time forget_ns; /* mapping and permission end this long after the last refresh */
    q2p_time forget_new_ns; /* ... while nobody has answered yet; 0 = forget_ns */
    enum net_nat_ports ports;
    enum net_nat_pooling pooling;
    uint32_t port_first, port_last; /* both 0 = 1024..65535 */
    uint32_t block_len;             /* ports per host with NET_NAT_BLOCK */
    uint32_t quota;                 /* mappings per inside host; 0 = any */
};

/* Luck at a NAT: its number-th draw, for a mapping of `inside` that `to` is the first to see. */
struct net_nat_draw {
    uint32_t number;
    bool port; /* else the outside address */
    const struct q2p_addr *inside, *to;
};

/* A new mapping, and which draws chose for it: first_draw up to (not including) end_draw. */
struct net_nat_made {
    const struct q2p_addr *inside, *to;
    struct q2p_addr outside;
    uint32_t first_draw, end_draw;
};

struct net_nat_watch {
    bool (*decide)(void *ctx, const struct net_nat_draw *draw); /* does it count? */
    void (*made)(void *ctx, const struct net_nat_made *made);
    void (*granted)(void *ctx); /* with a history: whose a shared port is may have changed */
};

struct net_nat_mapping {
    struct q2p_addr inside;
    uint64_t key; /* of inside, and of the remote as far as mapping counts it */
    q2p_time last_ns;
    void *note; /* the caller's, NULL at first */
    uint16_t port;
    uint8_t outside;
    uint8_t state; /* replied, and the ICMP errors so far when it was made */
};

struct net_nat_permission;

/* What a datagram needs comes first: most NATs of a big world have one mapping and one address. */
struct net_nat_table {
    struct net_nat_config config;
    struct net_nat_mapping *mappings;       /* in the order in which they were made */
    struct net_nat_permission *permissions; /* open addressing; room is a power of two */
    uint32_t mappings_count, mappings_room, permissions_count, permissions_room;
    uint32_t used;                                  /* mapping of the last datagram that had one */
    bool plain;                                     /* net_nat_pass.c may use that mapping */
    uint8_t outsides_count;                         /* at most NET_NAT_OUTSIDES_MAX */
    uint8_t errors;                                 /* of ICMP that ended mappings */
    bool made;                                      /* the last datagram out had none before */
    struct net_nat_mapping only;                    /* mappings, while there is room for but one */
    struct q2p_addr outsides[NET_NAT_OUTSIDES_MAX]; /* port 0 */
    uint64_t *owners;  /* with overloading: of the permissions, as hashes */
    uint32_t *buckets; /* of mappings: by inside endpoint, by port; then who is next there */
    uint32_t port_at;  /* sequential: the last one */
    uint32_t draws;
    struct sim_rng rng;
    struct sim_pool *pool;             /* for mappings and permissions; NULL = malloc */
    const struct net_nat_watch *watch; /* NULL = nobody wants to know */
    void *ctx;
    struct q2p_addr *blocks; /* inside hosts in the order of their blocks */
    size_t blocks_count, blocks_room;
    struct net_nat_history *history; /* NULL = whoever asks asks at once */
};

/* outsides, outsides_count, and pool if there is one, are set by the caller afterwards; there is
 * one at least. */
void net_nat_init(struct net_nat_table *nat, const struct net_nat_config *config, uint64_t seed,
                  const char *stream);
void net_nat_free(struct net_nat_table *nat);

/* A device by its name, such as linux-masq; words of the scenario language. */
#define NET_NAT_PRESET_WORDS                                                                       \
    "|cone|restricted-cone|port-restricted-cone|symmetric|rfc4787|linux-masq|linux-masq-drop|"     \
    "linux-random|cgnat"
void net_nat_preset(uint32_t number, struct net_nat_config *config);

/* Everything is forgotten, as after a restart. rebind: ports are chosen anew, too (random if
 * preserved). */
void net_nat_forget(struct net_nat_table *nat, bool rebind);

/* An inside endpoint sends to `to`: *outside is what the world sees as its source. Makes or
 * refreshes mapping and permission. Q2P_OK, Q2P_ERR_FULL (no port is free) or Q2P_ERR_BUSY (this
 * host has its quota). */
int net_nat_out(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                const struct q2p_addr *to, struct q2p_addr *outside);

/* `from` sends to outside endpoint `to`: *inside is who gets it. Q2P_OK, Q2P_ERR_ABSENT (no
 * mapping) or Q2P_ERR_ADDRESS (mapped, but from may not answer). *inside is set in both the
 * first and the last case. */
int net_nat_in(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
               const struct q2p_addr *from, struct q2p_addr *inside);

/* What the caller keeps with the mapping of the last datagram that had one, NULL at first. */
static inline void **net_nat_note(struct net_nat_table *nat)
{
    return &nat->mappings[nat->used].note;
}

/* From now on they are all NULL again. */
static inline void net_nat_forget_notes(struct net_nat_table *nat)
{
    for (uint32_t i = 0; i < nat->mappings_count; i++)
        nat->mappings[i].note = NULL;
}

/* An ICMP error came back for what outside endpoint `from` had sent to `to`: ends the mapping with
 * all rights to answer, if such errors do. */
void net_nat_icmp(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *from,
                  const struct q2p_addr *to);

/* An inside host answers what `remote` has sent to it with an ICMP error: *outside is where that
 * had been sent to, as the error must quote it. Changes nothing. Q2P_OK, or Q2P_ERR_ABSENT: nothing
 * of that kind came in, and the error goes nowhere (RFC 5508 4.2). */
int net_nat_icmp_out(const struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                     const struct q2p_addr *remote, struct q2p_addr *outside);

/* Whose is outside endpoint `to`, towards `from` if that matters? Changes nothing. Q2P_OK or
 * Q2P_ERR_ABSENT. */
int net_nat_owner(const struct net_nat_table *nat, q2p_time now, const struct q2p_addr *to,
                  const struct q2p_addr *from, struct q2p_addr *inside);

/* ---- net_nat_history.c: for who is told later what happens here ---------------------------- */

/* From now on it is known for so long back whose an endpoint was. */
void net_nat_remember(struct net_nat_table *nat, q2p_time hold_ns);
void net_nat_history_free(struct net_nat_table *nat);

/* A mapping (or what `granted` is about) has been told of. */
void net_nat_told_made(struct net_nat_table *nat);
void net_nat_told_granted(struct net_nat_table *nat);

/* net_nat_owner, at a time in the past: as it was after what has been told. */
int net_nat_owner_then(const struct net_nat_table *nat, q2p_time then, const struct q2p_addr *to,
                       const struct q2p_addr *from, struct q2p_addr *inside);

/* A packet from or to `remote` will pass soon: fetches into the cache what it will need beyond the
 * beginning of the table. Returns the note of the only mapping, if there is but one. */
void *net_nat_soon(const struct net_nat_table *nat, const struct q2p_addr *remote);

/* The number of an outside address, or -1. The port does not count. */
static inline int net_nat_outside(const struct net_nat_table *nat, const struct q2p_addr *addr)
{
    for (uint32_t i = 0; i < nat->outsides_count; i++)
        if (net_ip_same(&nat->outsides[i], addr))
            return (int)i;
    return -1;
}

/* ---- net_nat_ports.c --------------------------------------------------------------------- */

/* A new mapping of `inside` towards `to`. */
struct net_nat_want {
    q2p_time now;
    const struct q2p_addr *inside, *to;
    bool elsewhere;  /* not the inside port: that is taken towards `to` */
    uint8_t outside; /* chosen */
    uint16_t port;   /* chosen */
};

/* Chooses outside address and port; Q2P_OK or Q2P_ERR_FULL. */
int net_nat_choose(struct net_nat_table *nat, struct net_nat_want *want);

/* Is a port free for this wish? */
bool net_nat_is_free(const struct net_nat_table *nat, const struct net_nat_want *want,
                     uint16_t port);

#endif
