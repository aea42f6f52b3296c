/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_report.c - lists of what is missing, and the end of what never became complete. Work and
 * bytes of a round are bounded, however long the transmission that somebody announced.
 */
#include "q2p_report.h"

#include <assert.h>

#define LISTS_MAX 8 /* datagrams in a round of lists */

/* Whose address is not proven gets at most so many bytes for each byte that came from there. */
#define ECHO_MAX 3

void q2p__report_later(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time lost_ns = node->config.lost_ns;
    q2p_time since_ns = (now - incoming->started_at) % lost_ns;

    q2p__heap_set(&node->timers, &incoming->timer, q2p__later(now, lost_ns - since_ns));
}

void q2p__report_expired(q2p_node *node, const struct q2p__incoming *incoming)
{
    struct q2p__news news = {.told = q2p__recv_about(incoming, Q2P_ON_EXPIRED)};
    uint32_t *syns = q2p__resize(node, NULL, 0, Q2P_SYNS_MAX * sizeof *syns);
    uint32_t cursor = 0;

    news.told.missing = incoming->pile.total - incoming->pile.have;
    if (syns) {
        news.told.syns_count =
            q2p__pile_missing(&incoming->pile, &cursor, incoming->pile.total, syns, Q2P_SYNS_MAX);
        news.told.syns = syns;
        news.extra = syns;
        news.extra_room = Q2P_SYNS_MAX * sizeof *syns;
    }
    node->counters.expired++;
    q2p__news_give(node, &news);
}

/*
 * A round of lists. While fragments keep coming, those beyond the highest are still on their way;
 * once it is quiet, they are missing too. The original lists them all the time. Half of the bytes
 * that the address may get may go now, less those of the empty list in the end; all of them where
 * half is no list, as after an OPTIONSFEEDBACK that was lost: its sender waits to be asked.
 */
static void report(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    bool quiet = now - incoming->progress_at >= node->config.lost_ns / 2;
    uint64_t spent = incoming->said + Q2P__LIST_LEN(0);
    uint64_t left = incoming->heard * ECHO_MAX > spent ? incoming->heard * ECHO_MAX - spent : 0;

    incoming->list_end = quiet ? incoming->pile.total : incoming->pile.highest;
    incoming->cursor = incoming->pile.gap;
    incoming->lists_left = LISTS_MAX;
    incoming->round_left = left / 2 >= Q2P__LIST_LEN(1) ? left / 2 : left;
    q2p__list_append(&node->reporting, &incoming->report);
}

void q2p__report_tick(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time since = node->config.timeout_total ? incoming->started_at : incoming->progress_at;

    if (now - since >= node->config.timeout_ns) {
        incoming->closing = true;
        q2p__heap_set(&node->timers, &incoming->timer, Q2P_NEVER);
        q2p__report_expired(node, incoming);
    } else {
        q2p__report_later(node, now, incoming);
    }
    report(node, now, incoming);
}

/* The SYNs of the next list of a round; none at its end. */
static size_t next_list(struct q2p__incoming *incoming, uint32_t syns[Q2P_SYNS_MAX])
{
    size_t max = Q2P_SYNS_MAX;
    size_t count;

    if (incoming->lists_left == 0 || incoming->round_left < Q2P__LIST_LEN(1))
        return 0;
    if (incoming->round_left < Q2P__LIST_LEN(max))
        max = (incoming->round_left - Q2P__LIST_LEN(0)) / 4;
    count = q2p__pile_missing(&incoming->pile, &incoming->cursor, incoming->list_end, syns, max);
    incoming->lists_left--;
    incoming->round_left -= Q2P__LIST_LEN(count);
    incoming->said += Q2P__LIST_LEN(count);
    return count;
}

int q2p__report_output(q2p_node *node, struct q2p_datagram *out)
{
    while (!q2p__list_empty(&node->reporting)) {
        struct q2p__incoming *incoming =
            Q2P__LIST_ITEM(node->reporting.next, struct q2p__incoming, report);
        uint32_t syns[Q2P_SYNS_MAX];
        struct q2p_message message = {.event = Q2P_EV_TRANSPORT_FAILED,
                                      .network_id = node->config.network_id,
                                      .hash = incoming->key.hash,
                                      .lost = syns,
                                      .lost_count = next_list(incoming, syns)};
        int len;

        if (message.lost_count == 0 && !incoming->closing) {
            q2p__list_drop(&incoming->report);
            continue;
        }
        len = q2p_wire_write(node->bytes, sizeof node->bytes, incoming->dialect, &message);
        assert(len > 0 && (size_t)len <= sizeof node->bytes);
        *out = (struct q2p_datagram){incoming->key.peer, node->bytes, (size_t)len};
        if (message.lost_count == 0)
            q2p__recv_forget(node, incoming);
        return 1;
    }
    return 0;
}
