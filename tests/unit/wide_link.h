/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wide_link.h - a link of 200 Mbit/s and 50 ms there and back, and what goes over it. */
#ifndef WIDE_LINK_H
#define WIDE_LINK_H

#include "link.h"

#define LINK_RATE UINT64_C(25000000)
#define LINK_DELAY (25 * Q2P_MILLISECOND)
#define LINK_QUEUE UINT64_C(1250000)
#define LINK_HOLDS (LINK_QUEUE / (Q2P_DATAGRAM_MAX + LINK_OVERHEAD)) /* its queue */
#define CEILING (LINK_RATE * Q2P_FRAGMENT_LEN / (Q2P_DATAGRAM_MAX - 4 + LINK_OVERHEAD))

static inline void config_options(struct q2p_config *config)
{
    q2p_config_init(config);
    config->dialect = Q2P_DIALECT_OPTIONS;
    config->length_max = 512u << 20;
    config->memory_max = (size_t)1 << 30;
}

static inline bool stop_delivered(struct link *link, size_t node, const struct q2p_happening *what)
{
    (void)link;
    (void)node;
    return what->on == Q2P_ON_DELIVERED;
}

static inline uint8_t *make_data(size_t len, unsigned salt)
{
    uint8_t *data = malloc(len);

    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8) * 13 + salt);
    return data;
}

#endif
