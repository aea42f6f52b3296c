/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab_transfer.c - two nodes, one transmission. */
#include "lab_transfer.h"

#include <stdlib.h>
#include <string.h>

static void set_loss(struct lab *lab, uint32_t from, uint32_t to, uint32_t ppb)
{
    struct net_link_config link = lab->link;
    link.loss_ppb = ppb;
    net_link_set(
        net_link_between(&lab->net, lab->hosts[from].place->index, lab->hosts[to].place->index),
        &link);
}

q2p_time lab_send(const struct lab_transfer *transfer)
{
    struct lab lab;
    size_t len = (size_t)transfer->fragments * Q2P_FRAGMENT_LEN;
    void *data = sim_alloc(len);
    memset(data, 'q', len);
    lab_init(&lab, transfer->seed, 0, 2, LAB_OURS);
    uint32_t from = lab_add(&lab, &transfer->config), to = lab_add(&lab, &transfer->config);
    set_loss(&lab, from, to, transfer->forth_ppb);
    set_loss(&lab, to, from, transfer->back_ppb);
    q2p_node_send(lab.hosts[from].node, 0, &lab.hosts[to].place->addr, data, len, NULL);
    sim_host_pump(&lab.hosts[from].host, &lab.world);
    lab_wait(&lab, 2 * transfer->config.timeout_ns + 2 * transfer->config.lost_ns);
    q2p_time out = lab.hosts[to].delivered_ns;
    lab_free(&lab);
    free(data);
    return out;
}
