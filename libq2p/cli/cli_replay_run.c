/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay_run.c - the node in the recorded one's place: takes in what that one took in, does
 * what its application did, and everything it sends is written down. The clock is the capture's.
 */
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_replay.h"

/* A node that sends more than so many times what was recorded has gone mad. */
enum { FLOOD_TIMES = 8, FLOOD_LEAST = 10000 };

#define LIFE_NS (3600 * Q2P_SECOND)

struct life {
    struct cli_plan *plan;
    struct cli_ours *ours;
    q2p_node *node;
    q2p_time now;  /* never runs backwards */
    size_t looked; /* at so much of what ours sent, for questions */
    bool starved;  /* the node did not get memory: what it did then tells nothing */
};

static void *watch(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct life *life = ctx;
    const struct q2p_alloc *alloc = &life->plan->alloc;
    void *bytes = alloc->resize(alloc->ctx, old, old_len, new_len);
    life->starved |= !bytes && new_len > 0;
    return bytes;
}

static int note(struct life *life, q2p_time now, const struct q2p_datagram *out)
{
    struct cli_ours *ours = life->ours;
    if (ours->count == ours->room) {
        size_t room = ours->room ? ours->room * 2 : 256;
        void *shots = realloc(ours->shots, room * sizeof *ours->shots);
        if (!shots)
            return Q2P_ERR_MEMORY;
        ours->shots = shots;
        ours->room = room;
    }
    uint8_t *bytes = malloc(out->len);
    if (!bytes)
        return Q2P_ERR_MEMORY;
    memcpy(bytes, out->bytes, out->len);
    ours->shots[ours->count] = (struct cli_shot){
        .t_ns = now, .peer = out->peer, .sent = true, .bytes = bytes, .len = out->len};
    cli_replay_read(life->plan, &ours->shots[ours->count++]);
    return Q2P_OK;
}

static struct cli_talk *find_talk(const struct cli_plan *plan, const struct q2p_happening *what,
                                  bool sent)
{
    struct cli_talk_key key = {.peer = what->peer, .hash = what->hash, .sent = sent};
    return q2p__table_find(&plan->talk_table, &key);
}

static void heed(const struct life *life, q2p_time now, const struct q2p_happening *what)
{
    struct cli_talk *talk = find_talk(life->plan, what, what->on == Q2P_ON_FAILED);
    if (!talk)
        return;
    if (what->on == Q2P_ON_FAILED)
        talk->ended = true;
    if (what->on == Q2P_ON_CORRUPT)
        talk->unproven = true;
    if ((what->on == Q2P_ON_DELIVERED || what->on == Q2P_ON_EXPIRED) &&
        talk->finished_ns == Q2P_NEVER)
        talk->finished_ns = now;
}

static int drain(struct life *life)
{
    q2p_time now = life->now;
    struct q2p_datagram out;
    struct q2p_happening what;
    int status = Q2P_OK;
    while (q2p_node_happening(life->node, &what))
        heed(life, now, &what);
    while (status == Q2P_OK && !life->ours->flood && q2p_node_output(life->node, now, &out)) {
        status = note(life, now, &out);
        life->ours->flood = life->ours->count > FLOOD_LEAST + FLOOD_TIMES * life->plan->count;
        while (q2p_node_happening(life->node, &what))
            heed(life, now, &what);
    }
    return status;
}

/* What the application of the recorded node did. What ours refuses shows in the comparison. */
static void act(const struct life *life, const struct cli_deed *deed)
{
    q2p_time now = life->now;
    struct cli_shot *shot = deed->shot;
    struct cli_talk *talk = shot->talk;
    uint32_t syn = shot->packet.syn;
    switch (deed->kind) {
    case CLI_DEED_JOIN:
        q2p_node_join(life->node, now, &shot->peer);
        break;
    case CLI_DEED_SEND:
        if (q2p_node_send(life->node, now, &shot->peer, talk->payload, talk->length, NULL) ==
            Q2P_OK)
            talk->ended = false;
        break;
    case CLI_DEED_RESEND:
        if (q2p_node_resend(life->node, now, &shot->peer, &talk->key.hash, &syn, 1) ==
            Q2P_ERR_ABSENT)
            talk->ended = true;
        break;
    }
}

static int make_node(struct life *life)
{
    const struct cli_plan *plan = life->plan;
    struct q2p_config config;
    q2p_config_init(&config);
    if (plan->profile == CLI_PROFILE_ORIGINAL) {
        q2p_config_original(&config);
        config.keep_ns = LIFE_NS; /* the data stay with the application, PROTOCOL.md 7 */
    }
    config.dialect = plan->dialect;
    config.network_id = plan->network_id;
    config.lost_ns = plan->lost_ns;
    config.timeout_ns = plan->timeout_ns;
    config.early = config.extend = plan->eager;
    config.probe = false;
    config.alloc = (struct q2p_alloc){life, watch};
    config.rate = 0; /* the sending program's pace is its own affair */
    int status = q2p_node_new(&life->node, &config);
    if (status == Q2P_OK)
        q2p_node_own(life->node, &plan->self);
    return status;
}

bool cli_replay_asks(const struct cli_plan *plan, const struct cli_shot *ours)
{
    bool joined = false;
    if (plan->profile != CLI_PROFILE_OURS || ours->packet.event != Q2P_EV_CONNECT)
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cli_shot *shot = &plan->shots[i];
        if (!q2p_addr_equal(&shot->peer, &ours->peer))
            continue;
        if (shot->sent && shot->packet.event == Q2P_EV_CONNECT)
            return false;
        joined |= !shot->sent && shot->packet.event == Q2P_EV_JOIN && shot->t_ns <= ours->t_ns;
    }
    return joined;
}

/* What joiners say whom the recorded node did not ask; originals would have answered as well. */
static int answer(struct life *life)
{
    struct q2p_message message = {.event = Q2P_EV_CONNECTED, .network_id = life->plan->network_id};
    uint8_t bytes[Q2P_HEADER_LEN];
    int len = q2p_wire_write(bytes, sizeof bytes, life->plan->dialect, &message);
    int status = Q2P_OK;
    while (status == Q2P_OK && life->looked < life->ours->count) {
        const struct cli_shot *shot = &life->ours->shots[life->looked++];
        if (len < 0 || !cli_replay_asks(life->plan, shot))
            continue;
        struct q2p_datagram in = {shot->peer, bytes, (size_t)len};
        q2p_node_input(life->node, life->now, &in);
        status = drain(life);
    }
    return status;
}

static int live(struct life *life)
{
    struct cli_plan *plan = life->plan;
    size_t at = 0, deed = 0;
    int status = Q2P_OK;
    while (status == Q2P_OK && !life->ours->flood) {
        while (at < plan->count && (plan->shots[at].sent || plan->shots[at].withheld))
            at++;
        q2p_time shot_ns = at < plan->count ? plan->shots[at].t_ns : Q2P_NEVER;
        q2p_time deed_ns = deed < plan->deeds_count ? plan->deeds[deed].t_ns : Q2P_NEVER;
        q2p_time wake_ns = q2p_node_deadline(life->node);
        q2p_time next_ns = shot_ns < deed_ns ? shot_ns : deed_ns;
        next_ns = wake_ns < next_ns ? wake_ns : next_ns;
        if (next_ns > plan->end_ns)
            break;
        life->now = next_ns > life->now ? next_ns : life->now;
        if (shot_ns == next_ns) {
            struct q2p_datagram in = {plan->shots[at].peer, plan->shots[at].bytes,
                                      plan->shots[at].len};
            q2p_node_input(life->node, life->now, &in);
            at++;
        } else if (deed_ns == next_ns) {
            act(life, &plan->deeds[deed++]);
        } else {
            q2p_node_tick(life->node, life->now);
        }
        status = drain(life);
        if (status == Q2P_OK)
            status = answer(life);
    }
    return status;
}

int cli_replay_run(struct cli_plan *plan, struct cli_ours *out)
{
    struct life life = {.plan = plan, .ours = out, .now = INT64_MIN};
    *out = (struct cli_ours){0};
    int status = make_node(&life);
    if (status == Q2P_OK)
        status = live(&life);
    q2p_node_free(life.node);
    return status == Q2P_OK && life.starved ? Q2P_ERR_MEMORY : status;
}

void cli_replay_ours_free(struct cli_ours *ours)
{
    for (size_t i = 0; i < ours->count; i++)
        free((void *)ours->shots[i].bytes);
    free(ours->shots);
    *ours = (struct cli_ours){0};
}
