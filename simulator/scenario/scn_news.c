/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_news.c - what nodes report. What a node does about it itself (it sends what waited for this
 * contact) is done at once; all else is told: at once, or, on several threads, when it is its turn.
 */
#include <string.h>

#include "scn_threads.h"

const struct scn_contact *scn_run_contact(const struct scn_host *host, uint32_t node)
{
    for (size_t i = 0; i < host->contacts_count; i++)
        if (host->contacts[i].node == node)
            return &host->contacts[i];
    return NULL;
}

/* ---- transmissions ----------------------------------------------------------------------- */

static struct sim_world *world_of(const struct scn_host *host)
{
    return host->place->net->world;
}

static void start(struct scn_run *run, struct scn_transfer *transfer, const struct q2p_addr *addr)
{
    struct scn_host *from = &run->hosts[transfer->send->from.index];
    struct scn_started started = {.transfer = transfer};
    transfer->waiting = false;
    started.status = q2p_node_send(from->node, sim_host_now(&from->host, world_of(from)->now), addr,
                                   transfer->data, transfer->send->size, &started.hash);
    if (run->threads)
        scn_threads_started(from, &started);
    else
        scn_news_started(run, &started);
}

void scn_news_started(struct scn_run *run, const struct scn_started *started)
{
    struct scn_transfer *transfer = started->transfer;
    transfer->hash = started->hash;
    transfer->started = started->status >= 0;
    if (started->status < 0) {
        transfer->failed_ns = run->world.now;
        transfer->failed_how = q2p_status_text(started->status);
        scn_expect_transfer(run, transfer);
    }
}

void scn_run_send(struct scn_run *run, struct scn_transfer *transfer)
{
    const struct scn_host *from = &run->hosts[transfer->send->from.index];
    const struct scn_host *to = &run->hosts[transfer->send->to.index];
    const struct scn_contact *contact = scn_run_contact(from, to->number);
    transfer->waiting = !contact && !net_is_open(&run->net, from->place->index, to->place->index);
    if (!transfer->waiting)
        start(run, transfer, contact ? &contact->addr : &to->place->addr);
}

/* Starts what waited for this contact. (Who is learned of by its JOIN has its seed from the start,
 * and nothing that is for it waits: it could be reached all the time.) */
static void send_waiting(struct scn_host *host, uint32_t peer, const struct q2p_addr *addr)
{
    struct scn_run *run = host->run;
    for (size_t i = 0; i < run->transfers_count; i++) {
        struct scn_transfer *transfer = &run->transfers[i];
        if (transfer->send->from.index == host->number && transfer->send->to.index == peer &&
            transfer->waiting)
            start(run, transfer, addr);
    }
}

static bool is_transfer(const struct scn_transfer *transfer, uint32_t from, uint32_t to,
                        const struct q2p_hash *hash)
{
    return transfer->started && (from == SCN_NONE || transfer->send->from.index == from) &&
           (to == SCN_NONE || transfer->send->to.index == to) &&
           memcmp(&transfer->hash, hash, sizeof *hash) == 0;
}

/* Most often it is the one that was found last. */
struct scn_transfer *scn_run_transfer(struct scn_run *run, uint32_t from, uint32_t to,
                                      const struct q2p_hash *hash)
{
    uint32_t *near = &run->transfers_near[hash->bytes[0]];
    if (*near < run->transfers_count && is_transfer(&run->transfers[*near], from, to, hash))
        return &run->transfers[*near];
    for (uint32_t i = 0; i < run->transfers_count; i++)
        if (is_transfer(&run->transfers[i], from, to, hash))
            return &run->transfers[*near = i];
    return NULL;
}

/* ---- what is told ------------------------------------------------------------------------ */

static bool is_contact(const struct q2p_happening *what)
{
    return what->on == Q2P_ON_JOIN || what->on == Q2P_ON_CONNECT || what->on == Q2P_ON_CONNECTED;
}

static void learn(struct scn_run *run, uint32_t who, uint32_t whom, const struct q2p_addr *addr)
{
    struct scn_host *host = &run->hosts[who];
    struct scn_contact *contact = (struct scn_contact *)scn_run_contact(host, whom);
    if (contact) {
        contact->addr = *addr;
    } else {
        if (host->contacts_count == host->contacts_room)
            host->contacts = sim_grow(host->contacts, &host->contacts_room, sizeof *host->contacts);
        host->contacts[host->contacts_count++] = (struct scn_contact){whom, run->world.now, *addr};
    }
    scn_expect_contact(run);
}

static void on_contact(struct scn_run *run, const struct scn_news *news)
{
    const struct scn_host *host = news->host;
    const struct scn_node *node = &run->scenario->nodes.items[host->number];
    if (news->peers > node->protocol.config.peers_max)
        scn_run_violate(run, "peers within the limit: %s has %zu of %u", node->name, news->peers,
                        node->protocol.config.peers_max);
    learn(run, host->number, news->sender, &news->what.peer);
    if (news->what.on == Q2P_ON_JOIN) /* the joiner has its seed from the start */
        learn(run, news->sender, host->number, &host->place->addr);
}

static void on_delivered(struct scn_run *run, const struct scn_news *news, uint32_t peer)
{
    const struct q2p_happening *what = &news->what;
    const char *name = run->scenario->nodes.items[news->host->number].name;
    struct scn_transfer *transfer = scn_run_transfer(run, peer, news->host->number, &what->hash);
    if (!transfer) {
        scn_run_violate(run, "delivered is what was sent: %s got %zu bytes that nobody sent to it",
                        name, what->data_len);
    } else if (what->data_len != transfer->send->size ||
               memcmp(what->data, transfer->data, what->data_len) != 0) {
        scn_run_violate(run, "delivered is what was sent: %s got '%.32s' altered", name,
                        transfer->send->as.text);
    } else if (transfer->delivered_ns != Q2P_NEVER) {
        scn_run_violate(run, "delivered once: %s got '%.32s' again", name, transfer->send->as.text);
    } else {
        transfer->delivered_ns = run->world.now;
        scn_expect_transfer(run, transfer);
    }
}

/* The transmission of a sender, or to a receiver. */
static struct scn_transfer *transfer_of(struct scn_run *run, const struct scn_news *news,
                                        bool sender)
{
    uint32_t number = news->host->number;
    return scn_run_transfer(run, sender ? number : SCN_NONE, sender ? SCN_NONE : number,
                            &news->what.hash);
}

static void on_failed(struct scn_run *run, const struct scn_news *news)
{
    struct scn_transfer *transfer = transfer_of(run, news, news->what.on == Q2P_ON_FAILED);
    if (!transfer || transfer->failed_ns != Q2P_NEVER)
        return;
    transfer->failed_ns = run->world.now;
    transfer->failed_how = q2p_on_name(news->what.on);
    scn_expect_transfer(run, transfer);
}

void scn_news_tell(struct scn_run *run, const struct scn_news *news)
{
    struct scn_host *host = news->host;
    const struct q2p_happening *what = &news->what;
    uint32_t peer = news->sender;
    if (!is_contact(what)) { /* who that is now; it may be nobody any more */
        uint32_t place = net_who(&run->net, host->place->index, &what->peer);
        peer = place == NET_NOWHERE ? SCN_NONE : place - run->first_place;
    }
    if (run->happened)
        run->happened(run->ctx, host, what,
                      peer == SCN_NONE ? NULL : run->scenario->nodes.items[peer].name);
    if (is_contact(what))
        on_contact(run, news);
    else if (what->on == Q2P_ON_DELIVERED)
        on_delivered(run, news, peer);
    else if (what->on == Q2P_ON_FAILED || what->on == Q2P_ON_EXPIRED)
        on_failed(run, news);
    struct scn_transfer *transfer =
        q2p_on_is_transmission(what->on) ? transfer_of(run, news, what->on >= Q2P_ON_SENT) : NULL;
    if (transfer)
        scn_oracle_happened(host, what, transfer);
    scn_expect_event(run, host->number, q2p_on_name(what->on));
}

/* ---- at the node ------------------------------------------------------------------------- */

static void take(struct scn_host *host, const struct q2p_happening *what)
{
    struct scn_run *run = host->run;
    struct scn_news news = {.host = host, .sender = SCN_NONE, .what = *what};
    host->host.trace = sim_mix(host->host.trace, (uint64_t)what->on << 32 | what->length);
    if (is_contact(what)) {
        news.sender = host->host.heard - run->first_place;
        news.peers = q2p_node_peers(host->node, NULL, 0);
    }
    if (run->threads)
        scn_threads_news(&news);
    else
        scn_news_tell(run, &news);
    if (is_contact(what))
        send_waiting(host, news.sender, &what->peer);
}

bool scn_news_settle(void *ctx, struct sim_host *host)
{
    struct q2p_happening what;
    bool any = false;
    (void)host;
    for (; q2p_node_happening(((struct scn_host *)ctx)->node, &what) == 1; any = true)
        take(ctx, &what);
    return any;
}
