/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_answers.c - what must hold in every run, of answers: whoever has not shown that it is at its
 * address may have sent with a forged one, so that a node answers with three times what came from
 * there, at most (PROTOCOL.md 10). A node that sends everything once, as the original does, does
 * not ask who joins whether it is there: what a JOIN brings from it has a bound of its own.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net_addr.h"
#include "scn_run.h"

#define ANSWER_MAX 3  /* bytes for a byte */
#define JOIN_MAX 2000 /* ... for a JOIN, in addresses of others */
#define REFUSAL_NS Q2P_SECOND

/* What a node has to do with a remote address. */
struct scn_remote {
    uint64_t key; /* of the node and the address; 0 = free */
    uint64_t heard, said, joins, refusals;
    q2p_time refused_ns; /* first */
    bool asked, called;  /* to touch somebody; by CONNECT */
    bool proven;
};

static struct scn_remote *find_slot(const struct scn_run *run, uint64_t key)
{
    for (size_t at = (size_t)(key >> 20);; at++) {
        struct scn_remote *remote = &run->remotes[at & (run->remotes_room - 1)];
        if (remote->key == key || remote->key == 0)
            return remote;
    }
}

static void make_room(struct scn_run *run)
{
    struct scn_remote *old = run->remotes;
    size_t room = run->remotes_room;
    if (3 * run->remotes_count < 2 * room)
        return;
    run->remotes_room = room ? 2 * room : 64;
    run->remotes = sim_alloc(run->remotes_room * sizeof *run->remotes);
    for (size_t i = 0; i < room; i++)
        if (old[i].key != 0)
            *find_slot(run, old[i].key) = old[i];
    free(old);
}

static struct scn_remote *remote_of(struct scn_run *run, uint32_t node, const struct q2p_addr *addr)
{
    make_room(run);
    uint64_t key = sim_mix(net_addr_hash(addr), node) | 1;
    struct scn_remote *remote = find_slot(run, key);
    run->remotes_count += remote->key == 0;
    remote->key = key;
    return remote;
}

/* Feedback and lists repeat a key, which only who got the transmission knows. */
static bool repeats_key(struct scn_run *run, uint32_t node, const struct sim_packet *packet,
                        const struct q2p_packet *read)
{
    struct q2p_hash hash;
    if (read->hash_at.len != sizeof hash ||
        (read->event != Q2P_EV_OPTIONSFEEDBACK && read->event != Q2P_EV_TRANSPORT_FAILED))
        return false;
    memcpy(&hash, packet->bytes + read->hash_at.at, sizeof hash);
    return scn_run_transfer(run, node, SCN_NONE, &hash);
}

void scn_answers_heard(struct scn_run *run, const struct sim_packet *packet,
                       const struct q2p_packet *read)
{
    uint32_t node = packet->to - run->first_place;
    struct scn_remote *remote = remote_of(run, node, &packet->src);
    remote->heard += packet->len;
    remote->joins += read->event == Q2P_EV_JOIN;
    remote->proven |= (read->event == Q2P_EV_TOUCHED && remote->asked) ||
                      (read->event == Q2P_EV_CONNECTED && remote->called) ||
                      repeats_key(run, node, packet, read);
}

/* What a JOIN may bring to addresses of others. */
static uint64_t joins_bring(const struct scn_run *run, uint32_t node,
                            const struct scn_remote *remote)
{
    return run->scenario->nodes.items[node].protocol.config.persist ? 0 : JOIN_MAX * remote->joins;
}

static bool is_answer(enum q2p_event event)
{
    return event == Q2P_EV_TOUCHREQUEST || event == Q2P_EV_CONNECTREQUEST ||
           event == Q2P_EV_CONNECTED || event == Q2P_EV_OPTIONSFEEDBACK ||
           event == Q2P_EV_TRANSPORT_FAILED || event == Q2P_EV_CONNECT_FAILED;
}

void scn_answers_said(struct scn_run *run, const struct sim_packet *packet,
                      const struct q2p_packet *read)
{
    uint32_t node = packet->from - run->first_place;
    struct scn_remote *remote;
    bool refusal = read->event == Q2P_EV_CONNECT_FAILED;
    if (!is_answer(read->event) && read->event != Q2P_EV_CONNECT)
        return; /* what a node does on its own, or as a seed told it */
    remote = remote_of(run, node, &packet->dst);
    remote->called |= read->event == Q2P_EV_CONNECT;
    /* who joined is asked by CONNECT; where nobody joined, a seed told the node */
    if (read->event == Q2P_EV_CONNECT && remote->joins == 0)
        return;
    remote->asked |= read->event == Q2P_EV_TOUCHREQUEST;
    const char *name = run->scenario->nodes.items[node].name;
    char addr[Q2P_ADDR_TEXT_MAX];
    q2p_time now = run->world.now;
    if (refusal && remote->refusals++ == 0)
        remote->refused_ns = now;
    if (refusal && remote->refusals > (uint64_t)((now - remote->refused_ns) / REFUSAL_NS) + 2) {
        q2p_addr_print(&packet->dst, addr, sizeof addr);
        scn_run_violate(run, "CONNECT_FAILED once a second: %s sent %" PRIu64 " to %s", name,
                        remote->refusals, addr);
    }
    if (refusal && !run->scenario->nodes.items[node].protocol.config.persist)
        return; /* with all of the reason, as the original's */
    remote->said += packet->len;
    if (remote->proven ||
        remote->said <= ANSWER_MAX * remote->heard + joins_bring(run, node, remote))
        return;
    q2p_addr_print(&packet->dst, addr, sizeof addr);
    scn_run_violate(run,
                    "answers are small: %s answered %" PRIu64 " bytes to %s, which sent %" PRIu64
                    " and proved nothing",
                    name, remote->said, addr, remote->heard);
}
