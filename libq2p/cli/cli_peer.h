/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_peer.h - what `q2p node`, `q2p send`, `q2p recv` and `q2p ping` share: a node behind a
 * socket, made from options, and what happens to it in words or as JSON Lines.
 */
#ifndef CLI_PEER_H
#define CLI_PEER_H

#include <q2p/drive.h>

#include "cli_opts.h"

/* Their options; the values of each begin with it. Only a node has seeds and a rate. */
struct cli_peer_values {
    struct cli_common common;
    const char *ip;
    uint64_t port, network_id, rate;
    struct cli_list seeds;
    enum q2p_dialect dialect;
    bool no_offload;
};
#define CLI_PEER_OPTION(name, letter, kind, at, value, fallback, min, max, sentence)               \
    {                                                                                              \
        name, letter, kind, offsetof(struct cli_peer_values, at), value, fallback, min, max,       \
            sentence                                                                               \
    }
#define CLI_SOCKET_OPTIONS(port_default)                                                           \
    CLI_COMMON_OPTIONS,                                                                            \
        CLI_PEER_OPTION("ip", 'i', CLI_TEXT, ip, "ADDRESS", "0.0.0.0", 0, 0,                       \
                        "listen on this address; 0.0.0.0 and :: are all, IPv4 and IPv6"),          \
        CLI_PEER_OPTION("port", 'p', CLI_NUMBER, port, "PORT", port_default, 0, 65535,             \
                        "listen on this port; 0: any that is free"),                               \
        CLI_PEER_OPTION("network-id", 'n', CLI_NUMBER, network_id, "NUMBER", "0", 0, 65535,        \
                        "keeps apart networks that share seeds"),                                  \
        CLI_PEER_OPTION("dialect", 'd', CLI_DIALECT, dialect, "NAME", "classic",                   \
                        Q2P_DIALECT_CLASSIC, 0,                                                    \
                        "spoken to peers whose own is not known: classic or options"),             \
        CLI_PEER_OPTION("no-offload", 0, CLI_FLAG, no_offload, NULL, NULL, 0, 0,                   \
                        "give the kernel each datagram alone, as who records here needs it")
#define CLI_PEER_OPTIONS(port_default)                                                             \
    CLI_SOCKET_OPTIONS(port_default),                                                              \
        CLI_PEER_OPTION("seed", 's', CLI_LIST, seeds, "HOST:PORT", NULL, 0, 0,                     \
                        "join through this peer; can be repeated"),                                \
        CLI_PEER_OPTION("rate", 0, CLI_SIZE, rate, "SIZE", "0", 0, 0,                              \
                        "send at most so much per second; 0: what the path carries")

struct cli_peer {
    const struct cli_peer_values *values;
    q2p_drive *drive;
    q2p_node *node;
    int64_t start_ns; /* cli_wall_ns */
    bool hears_refusals;
    q2p_time refused_at;   /* ICMP said first that nobody listens there; 0: never */
    uint64_t refused_sent; /* what had left when it said so last */
};

/* Opens the socket alone. CLI_FINE, or the exit code with all said. */
int cli_peer_bind(struct cli_peer *peer, const struct cli_peer_values *values);

/*
 * Opens socket and node and joins the seeds. config comes with what is the command's own; the
 * shared options are filled in. Returns CLI_FINE, or the exit code with all said; cli_peer_close
 * is to be called either way.
 */
int cli_peer_open(struct cli_peer *peer, const struct cli_peer_values *values,
                  struct q2p_config *config);
void cli_peer_close(struct cli_peer *peer);

/* Says why a node refused an address that cli_peer_resolve has read, and returns the exit code. */
int cli_peer_refusal(const char *option, const char *value, int status);

/* "host:port" to an address that the socket reaches. CLI_FINE, or the exit code with all said. */
int cli_peer_resolve(const struct cli_peer *peer, struct q2p_addr *out, const char *text);

/*
 * One turn of the loop, until `until` (q2p_drive_now's clock) at the latest, but often enough to
 * notice signals. CLI_FINE, or the exit code with all said.
 */
int cli_peer_step(struct cli_peer *peer, q2p_time until);

/* From now on cli_peer_refused can tell, and is to be called after each turn. */
void cli_peer_hear_refusals(struct cli_peer *peer);

/*
 * Does nobody listen there? ICMP said so of the last that left, and grace_ns ago for the first
 * time. sent, heard: datagrams up to now. As ICMP can be forged, it counts for nothing once
 * something was heard.
 */
bool cli_peer_refused(struct cli_peer *peer, const struct q2p_addr *to, uint64_t sent,
                      uint64_t heard, q2p_time grace_ns);
#define CLI_REFUSED "%s refused: its host says that nobody listens at that port"

/* The signal that asks us to end, SIGINT or SIGTERM; 0: none yet. */
int cli_peer_signal(void);

/* Tells a happening. file: where its data went, or NULL. */
void cli_peer_tell(const struct cli_peer *peer, const struct q2p_happening *on, const char *file);

/* The last line: all counters. */
void cli_peer_sum_up(const struct cli_peer *peer);

#endif
