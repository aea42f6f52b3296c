/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_config.c - defaults and bounds of every limit and timer (PROTOCOL.md 7 and 8), the profile
 * of the original, and the one place that knows the C library's allocator.
 */
#include "q2p_config.h"

#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#define PEERS_LIMIT 128 /* what the original lets one configure */
#define MEBIBYTE (UINT32_C(1) << 20)

static void *resize_by_libc(void *ctx, void *old, size_t old_len, size_t new_len)
{
    (void)ctx;
    (void)old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

void q2p_config_init_sized(struct q2p_config *config, size_t size)
{
    const struct q2p_config defaults = {
        .size = size,
        .dialect = Q2P_DIALECT_CLASSIC,
        .network_id = 0,
        .peers_max = 32,
        .lost_ns = 500 * Q2P_MILLISECOND,
        .timeout_ns = 10 * Q2P_SECOND,
        .timeout_total = false,
        .remember_ns = 20 * Q2P_SECOND,
        .keep_ns = 15 * Q2P_SECOND,
        .repair = true,
        .rate = 0,
        .burst = 64,
        .length_max = 64 * MEBIBYTE,
        .memory_max = 256 * (size_t)MEBIBYTE,
        .incoming_max = 1024,
        .incoming_peer_max = 16,
        .outgoing_max = 1024,
        .persist = true,
        .retry_ns = 250 * Q2P_MILLISECOND,
        .retries_max = 6,
        .keepalive_ns = 15 * Q2P_SECOND,
        .open = false,
        .answers_max = 32,
        .probe = true,
        .early = true,
        .extend = true,
        .rate_classic = MEBIBYTE,
        .passes_max = 8,
        .verify = true,
        .silence_ns = 5 * 60 * Q2P_SECOND,
    };

    /* a caller built with an older header knows, and has room for, fewer fields */
    memcpy(config, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

void q2p_config_original(struct q2p_config *config)
{
    config->lost_ns = 6 * Q2P_SECOND;
    config->timeout_ns = 5 * Q2P_SECOND;
    config->timeout_total = true;
    config->repair = false;
    config->rate = 16 * MEBIBYTE; /* the original has no pacing at all */
    config->probe = config->early = config->extend = false;
    config->persist = false;
    config->keepalive_ns = config->silence_ns = 0;
    config->open = true;
    config->answers_max = PEERS_LIMIT; /* one JOIN goes to every peer there can be */
}

static bool is_valid(const struct q2p_config *config)
{
    return (config->dialect == Q2P_DIALECT_CLASSIC || config->dialect == Q2P_DIALECT_OPTIONS) &&
           config->peers_max >= 1 && config->peers_max <= PEERS_LIMIT && config->lost_ns > 0 &&
           config->timeout_ns > 0 && config->remember_ns >= 0 && config->keep_ns >= 0 &&
           config->burst >= 1 && config->length_max >= 1 && config->incoming_max >= 1 &&
           config->incoming_peer_max >= 1 && config->outgoing_max >= 1 && config->retry_ns > 0 &&
           config->keepalive_ns >= 0 && config->silence_ns >= 0 &&
           config->rate_classic >= Q2P_DATAGRAM_MAX && config->passes_max >= 1;
}

int q2p__config_take(struct q2p_config *out, const struct q2p_config *config)
{
    size_t size = config->size < sizeof *out ? config->size : sizeof *out;

    q2p_config_init(out);
    memcpy(out, config, size);
    out->size = sizeof *out;
    if (!out->alloc.resize)
        out->alloc.resize = resize_by_libc;
    return is_valid(out) ? Q2P_OK : Q2P_ERR_INVALID;
}
