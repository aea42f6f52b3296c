/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_oracle.c - what must hold in every run, of transmissions and memory: lists name only what is
 * missing, who gives up says how much is, everything ends, and fragments held stay within their
 * bound. Judged from outside: by the datagrams themselves.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scn_run.h"

/* The transmission that a datagram is about, at its receiver (list) or sender (fragment). */
static struct scn_transfer *find(struct scn_run *run, const struct sim_packet *packet,
                                 const struct q2p_packet *read, bool forth)
{
    struct q2p_hash hash;
    uint32_t who = packet->from - run->first_place;
    if (read->hash_at.len != sizeof hash)
        return NULL;
    memcpy(&hash, packet->bytes + read->hash_at.at, sizeof hash);
    return scn_run_transfer(run, forth ? who : SCN_NONE, forth ? SCN_NONE : who, &hash);
}

static uint32_t fragments_of(const struct scn_transfer *transfer)
{
    return (transfer->send->size + Q2P_FRAGMENT_LEN - 1) / Q2P_FRAGMENT_LEN;
}

static size_t fragment_len(const struct scn_transfer *transfer, size_t at)
{
    size_t left = transfer->send->size - at;
    return left < Q2P_FRAGMENT_LEN ? left : Q2P_FRAGMENT_LEN;
}

static bool has(const struct scn_transfer *transfer, uint32_t syn)
{
    return transfer->arrived && transfer->arrived[syn / 8] >> syn % 8 & 1;
}

/* A node that had to refuse something lists it, though it came. */
bool scn_oracle_calm(const struct scn_run *run, uint32_t node)
{
    const struct q2p_counters *counters = q2p_node_counters(run->hosts[node].node);
    const struct q2p_config *config = &run->scenario->nodes.items[node].protocol.config;
    return counters->limited == 0 && counters->ignored == 0 &&
           counters->memory_peak + 2 * Q2P_DATAGRAM_MAX < config->memory_max;
}

/* Who is told of is the receiver. */
static bool is_free(const struct scn_run *run, const struct scn_transfer *transfer)
{
    if (transfer->closed)
        return false;
    return run->threads ? run->calm : scn_oracle_calm(run, transfer->send->to.index);
}

static const char *receiver(const struct scn_run *run, const struct scn_transfer *transfer)
{
    return run->scenario->nodes.items[transfer->send->to.index].name;
}

void scn_oracle_sent(struct scn_run *run, const struct sim_packet *packet,
                     const struct q2p_packet *read)
{
    bool list = read->event == Q2P_EV_TRANSPORT_FAILED;
    struct scn_transfer *transfer = find(run, packet, read, !list);
    if (!transfer)
        return;
    transfer->touched_ns = run->world.now;
    for (uint32_t i = 0; list && i < read->lost_count && is_free(run, transfer); i++) {
        uint32_t syn = q2p_wire_lost(read, packet->bytes, i);
        if (syn >= fragments_of(transfer) || has(transfer, syn))
            scn_run_violate(run, "lists name what is missing: %s lists %" PRIu32 " of '%.32s'",
                            receiver(run, transfer), syn, transfer->send->as.text);
    }
}

void scn_oracle_arrived(struct scn_run *run, const struct sim_packet *packet,
                        const struct q2p_packet *read)
{
    bool fragment = read->event == Q2P_EV_TRANSPORT;
    struct scn_transfer *transfer = find(run, packet, read, fragment);
    if (!transfer)
        return;
    transfer->touched_ns = run->world.now;
    uint32_t to = packet->to - run->first_place;
    size_t at = (size_t)read->syn * Q2P_FRAGMENT_LEN;
    if (!fragment || to != transfer->send->to.index || at >= transfer->send->size ||
        read->body_at.len != fragment_len(transfer, at) || has(transfer, read->syn) ||
        memcmp(packet->bytes + read->body_at.at, transfer->data + at, read->body_at.len) != 0)
        return;
    if (!transfer->arrived)
        transfer->arrived = sim_alloc(fragments_of(transfer) / 8 + 1);
    transfer->arrived[read->syn / 8] |= (uint8_t)(1 << read->syn % 8);
    transfer->arrived_count++;
}

/* What was given up begins anew, or not at all; so does what a node that starts anew had. */
void scn_oracle_happened(struct scn_host *host, const struct q2p_happening *what,
                         struct scn_transfer *transfer)
{
    struct scn_run *run = host->run;
    if (what->on == Q2P_ON_FAILED || what->on == Q2P_ON_RELEASED)
        transfer->ended = true;
    if (what->on == Q2P_ON_DELIVERED)
        transfer->closed = true;
    if (what->on != Q2P_ON_EXPIRED || transfer->closed)
        return;
    if (is_free(run, transfer) && what->missing != fragments_of(transfer) - transfer->arrived_count)
        scn_run_violate(run, "who gives up says what is missing: %s says %" PRIu32 " of '%.32s'",
                        receiver(run, transfer), what->missing, transfer->send->as.text);
    transfer->closed = true;
}

void scn_oracle_restarted(struct scn_host *host)
{
    struct scn_run *run = host->run;
    for (size_t i = 0; i < run->transfers_count; i++) {
        struct scn_transfer *transfer = &run->transfers[i];
        transfer->closed |= transfer->send->to.index == host->number;
        transfer->ended |= transfer->started && transfer->send->from.index == host->number;
    }
}

/* A sender that has not let go of one long after the last sign of it never will. */
static void judge_end(struct scn_run *run, const struct scn_transfer *transfer)
{
    const struct scn_host *from = &run->hosts[transfer->send->from.index];
    const struct q2p_config *config =
        &run->scenario->nodes.items[transfer->send->from.index].protocol.config;
    unsigned doublings = config->retries_max < 16 ? config->retries_max : 16;
    q2p_time quiet_ns = config->keep_ns + config->timeout_ns + 4 * config->lost_ns +
                        (config->retry_ns << doublings) + Q2P_SECOND;
    if (transfer->started && !transfer->ended && !from->host.down &&
        transfer->failed_ns == Q2P_NEVER && run->world.now - transfer->touched_ns > 2 * quiet_ns)
        scn_run_violate(run, "transmissions end: '%.32s' is still held by %s",
                        transfer->send->as.text,
                        run->scenario->nodes.items[transfer->send->from.index].name);
}

void scn_oracle_end(struct scn_run *run)
{
    for (size_t i = 0; i < run->transfers_count; i++)
        judge_end(run, &run->transfers[i]);
    for (size_t i = 0; i < run->scenario->nodes.count; i++) {
        const struct scn_node *node = &run->scenario->nodes.items[i];
        uint64_t peak = q2p_node_counters(run->hosts[i].node)->memory_peak;
        if (peak > node->protocol.config.memory_max)
            scn_run_violate(run, "memory within its bound: %s held %" PRIu64 " bytes of %zu",
                            node->name, peak, node->protocol.config.memory_max);
    }
}

/* ---- half-open pairs ----------------------------------------------------------------------- */

uint64_t scn_run_half_open(const struct scn_run *run, uint32_t pair[2])
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < run->scenario->nodes.count; i++) {
        const struct scn_host *host = &run->hosts[i];
        for (size_t j = 0; j < host->contacts_count && !host->host.down; j++) {
            const struct scn_host *other = &run->hosts[host->contacts[j].node];
            if (other->host.down || scn_run_contact(other, i))
                continue;
            if (count++ == 0) {
                pair[0] = i;
                pair[1] = other->number;
            }
        }
    }
    return count;
}
