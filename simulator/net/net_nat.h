/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nat.h - the memory of a NAT: which inside endpoint has which outside port (mapping), and
 * who may answer (filtering), after RFC 4787. Pure data and virtual time: it translates
 * addresses and moves no packets.
 */
#ifndef NET_NAT_H
#define NET_NAT_H

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

/* Outside ports: the inside port if free (else random), one after the other, or random. */
#define NET_NAT_PORTS_WORDS "preserve|sequential|random"
enum net_nat_ports { NET_NAT_PRESERVE, NET_NAT_SEQUENTIAL, NET_NAT_RANDOM };

/* May inside hosts reach each other through the outside address? RFC 4787 6 wants `external`. */
#define NET_NAT_HAIRPIN_WORDS "none|external"
enum net_nat_hairpin { NET_NAT_HAIRPIN_NONE, NET_NAT_HAIRPIN_EXTERNAL };

struct net_nat_config {
    enum net_nat_kind mapping, filtering;
    enum net_nat_scope scope;
    enum net_nat_ports ports;
    enum net_nat_hairpin hairpin;
    q2p_time forget_ns; /* mapping and permission end this long after the last packet out */
};

struct net_nat_entry; /* a mapping or a permission */

struct net_nat_table {
    struct net_nat_config config;
    struct q2p_addr outside; /* port 0 */
    struct sim_rng rng;
    uint16_t port_last; /* sequential */
    struct net_nat_entry *entries;
    uint32_t *buckets;
    uint32_t count, room; /* entries; buckets = 2 * room */
};

void net_nat_init(struct net_nat_table *nat, const struct net_nat_config *config, uint64_t seed,
                  const char *stream);
void net_nat_free(struct net_nat_table *nat);

/* Everything is forgotten, as after a restart; ports are chosen anew (random if preserved). */
void net_nat_forget(struct net_nat_table *nat);

/* An inside endpoint sends to `to`: *outside is what the world sees as its source. Makes or
 * refreshes mapping and permission. Q2P_OK, or Q2P_ERR_FULL (no port is free). */
int net_nat_out(struct net_nat_table *nat, q2p_time now, const struct q2p_addr *inside,
                const struct q2p_addr *to, struct q2p_addr *outside);

/* `from` sends to outside port `port`: *inside is who gets it. Q2P_OK, Q2P_ERR_ABSENT (no
 * mapping) or Q2P_ERR_ADDRESS (mapped, but from may not answer). *inside is set in both the
 * first and the last case. */
int net_nat_in(struct net_nat_table *nat, q2p_time now, uint16_t port, const struct q2p_addr *from,
               struct q2p_addr *inside);

#endif
