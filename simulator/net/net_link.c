/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_link.c - chains the elements of a link: loss, then delay. */
#include "net_link.h"

#include <stdio.h>

void net_link_init(struct net_link *link, uint64_t seed, const struct net_tap *tap,
                   const char *name, struct net_element *end)
{
    char stream[sizeof link->name + 16];
    snprintf(link->name, sizeof link->name, "%s", name);

    snprintf(stream, sizeof stream, "link:%s/loss", name);
    net_loss_init(&link->loss, seed, stream);
    link->loss.tap = tap;
    link->loss.where = link->name;
    link->loss.element.next = &link->delay.element;

    snprintf(stream, sizeof stream, "link:%s/delay", name);
    net_delay_init(&link->delay, seed, stream);
    link->delay.element.next = end;
    link->delay.element.order = UINT64_C(1) << 63 | (uint64_t)link->from << 32 | link->to;
}

void net_link_set(struct net_link *link, const struct net_link_config *config)
{
    link->loss.loss_ppb = config->loss_ppb;
    link->delay.min_ns = config->delay_min_ns;
    link->delay.max_ns = config->delay_max_ns;
}

struct net_element *net_link_start(struct net_link *link)
{
    return &link->loss.element;
}
