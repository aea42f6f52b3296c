/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay_plan.c - how a recorded endpoint lived: its network, dialect, profile and timers, what
 * its application did and when, and what of the capture never reached it.
 */
#include <stdlib.h>
#include <string.h>

#include <q2p/drive.h>
#include <q2p/status.h>

#include "cli_replay.h"

#define TOGETHER_NS (50 * Q2P_MILLISECOND) /* lists of one round */
#define SHORT_NS (900 * Q2P_MILLISECOND)   /* the original counts in whole seconds */
#define LIFE_NS (3600 * Q2P_SECOND)

enum {
    TALKS_MAX = 1 << 20,
    JOINS_MAX = 1000 /* looked at one by one: so many tell enough */
};

/* ---- reading -------------------------------------------------------------------------------- */

static struct cli_talk *find_talk(const struct cli_plan *plan, const struct cli_shot *shot,
                                  const struct q2p_span *hash_at, bool sent)
{
    struct cli_talk_key key = {.peer = shot->peer, .sent = sent};
    if (!hash_at->len)
        return NULL;
    memcpy(key.hash.bytes, shot->bytes + hash_at->at, Q2P_HASH_LEN);
    return q2p__table_find(&plan->talk_table, &key);
}

static struct cli_talk *make_talk(struct cli_plan *plan, const struct cli_shot *shot)
{
    struct cli_talk *talk = calloc(1, sizeof *talk);
    if (!talk)
        return NULL;
    talk->key = (struct cli_talk_key){.peer = shot->peer, .sent = shot->sent};
    memcpy(talk->key.hash.bytes, shot->bytes + shot->packet.hash_at.at, Q2P_HASH_LEN);
    talk->dialect = shot->packet.dialect;
    talk->start_ns = shot->t_ns;
    talk->finished_ns = Q2P_NEVER;
    if (q2p__table_add(&plan->talk_table, talk) != Q2P_OK) {
        free(talk);
        return NULL;
    }
    talk->next = plan->talks;
    plan->talks = talk;
    return talk;
}

static bool is_to_receiver(enum q2p_event event)
{
    return event == Q2P_EV_OPTIONS || event == Q2P_EV_TRANSPORT;
}

static bool is_to_sender(enum q2p_event event)
{
    return event == Q2P_EV_OPTIONSFEEDBACK || event == Q2P_EV_TRANSPORT_FAILED;
}

/* PROTOCOL.md 4: by itself, else by the transmission that it answers, else as the node speaks. */
void cli_replay_read(struct cli_plan *plan, struct cli_shot *shot)
{
    enum q2p_dialect dialect = q2p_wire_dialect(shot->bytes, shot->len, shot->len);
    struct q2p_packet packet;
    q2p_wire_read(&packet, Q2P_DIALECT_CLASSIC, shot->bytes, shot->len, shot->len);
    struct cli_talk *talk = NULL;
    if (dialect == Q2P_DIALECT_UNKNOWN) {
        if (packet.event == Q2P_EV_TRANSPORT_FAILED)
            talk = find_talk(plan, shot, &packet.hash_at, !shot->sent);
        dialect = talk ? talk->dialect : plan->dialect ? plan->dialect : Q2P_DIALECT_CLASSIC;
    }
    shot->status = q2p_wire_read(&shot->packet, dialect, shot->bytes, shot->len, shot->len);
    if (is_to_sender(shot->packet.event))
        shot->talk = find_talk(plan, shot, &shot->packet.hash_at, !shot->sent);
    else if (is_to_receiver(shot->packet.event))
        shot->talk = find_talk(plan, shot, &shot->packet.hash_at, shot->sent);
}

bool cli_shot_is_sound(const struct cli_shot *shot)
{
    return shot->status == Q2P_OK ||
           (shot->status == Q2P_ERR_OVERSIZE && shot->packet.event == Q2P_EV_TRANSPORT_FAILED);
}

/* What a transmission needs to be followed fragment by fragment. */
static int know_length(struct cli_talk *talk, uint32_t length, size_t passing)
{
    uint32_t fragments = q2p_wire_fragments(length);
    talk->started = true;
    talk->length = length;
    if (fragments > passing) /* announced, never sent: nothing to follow */
        return Q2P_OK;
    talk->copies = calloc((size_t)fragments + 1, sizeof *talk->copies);
    talk->passed_ns = calloc((size_t)fragments + 1, sizeof *talk->passed_ns);
    talk->listed_ns = calloc((size_t)fragments + 1, sizeof *talk->listed_ns);
    if (!talk->copies || !talk->passed_ns || !talk->listed_ns)
        return Q2P_ERR_MEMORY;
    if (talk->key.sent)
        talk->payload = malloc((size_t)length + 1);
    return talk->key.sent && !talk->payload ? Q2P_ERR_MEMORY : Q2P_OK;
}

static void follow_fragment(struct cli_shot *shot)
{
    struct cli_talk *talk = shot->talk;
    uint32_t syn = shot->packet.syn;
    if (!talk->copies || syn >= q2p_wire_fragments(talk->length) ||
        shot->packet.body_at.len != q2p_wire_share(talk->length, syn))
        return;
    bool listed = talk->listed_ns[syn] > talk->passed_ns[syn];
    shot->resent = listed || (talk->dialect != Q2P_DIALECT_OPTIONS && shot->packet.length == 0);
    talk->copies[syn] += !shot->resent;
    talk->passed_ns[syn] = shot->t_ns;
    if (talk->payload)
        memcpy(talk->payload + (size_t)syn * Q2P_FRAGMENT_LEN,
               shot->bytes + shot->packet.body_at.at, shot->packet.body_at.len);
}

void cli_replay_listed(const struct cli_shot *list)
{
    struct cli_talk *talk = list->talk;
    for (uint32_t i = 0; talk->listed_ns && i < list->packet.lost_count; i++) {
        uint32_t syn = q2p_wire_lost(&list->packet, list->bytes, i);
        if (syn < q2p_wire_fragments(talk->length))
            talk->listed_ns[syn] = list->t_ns;
    }
}

static int follow(struct cli_plan *plan, struct cli_shot *shot)
{
    const struct q2p_packet *packet = &shot->packet;
    if (is_to_receiver(packet->event) && cli_shot_is_sound(shot)) {
        if (!shot->talk)
            shot->talk = make_talk(plan, shot);
        if (!shot->talk)
            return Q2P_ERR_MEMORY;
        bool tells = packet->event == Q2P_EV_OPTIONS || packet->length;
        if (!shot->talk->started && tells &&
            know_length(shot->talk, packet->length, plan->count) != Q2P_OK)
            return Q2P_ERR_MEMORY;
        if (packet->event == Q2P_EV_TRANSPORT)
            follow_fragment(shot);
    } else if (packet->event == Q2P_EV_TRANSPORT_FAILED && shot->talk) {
        cli_replay_listed(shot);
    }
    return Q2P_OK;
}

/* The datagrams of each transmission, by time. */
static void chain(struct cli_shot *shot)
{
    struct cli_talk *talk = shot->talk;
    if (!talk)
        return;
    if (talk->last)
        talk->last->later = shot;
    else
        talk->first = shot;
    talk->last = shot;
}

static int by_time(const void *left, const void *right)
{
    const struct cli_shot *a = left, *b = right;
    if (a->t_ns != b->t_ns)
        return a->t_ns < b->t_ns ? -1 : 1;
    return a->frame < b->frame ? -1 : a->frame > b->frame;
}

static int collect(struct cli_plan *plan, const struct cli_recording *recording)
{
    plan->shots = calloc(recording->count + 1, sizeof *plan->shots);
    if (!plan->shots)
        return Q2P_ERR_MEMORY;
    for (size_t i = 0; i < recording->count; i++) {
        const struct cli_frame *frame = &recording->frames[i];
        bool sent = q2p_addr_equal(&frame->src, &plan->self);
        if (frame->t_ns > plan->end_ns)
            plan->end_ns = frame->t_ns;
        if (!sent && !q2p_addr_equal(&frame->dst, &plan->self))
            continue;
        if (frame->have < frame->total)
            plan->skip = "the capture cuts its datagrams (snap length)";
        plan->shots[plan->count++] = (struct cli_shot){.t_ns = frame->t_ns,
                                                       .frame = frame->number,
                                                       .peer = sent ? frame->dst : frame->src,
                                                       .sent = sent,
                                                       .bytes = frame->bytes,
                                                       .len = frame->have};
    }
    qsort(plan->shots, plan->count, sizeof *plan->shots, by_time);
    return Q2P_OK;
}

/* ---- what kind of node it was --------------------------------------------------------------- */

static void find_identity(struct cli_plan *plan)
{
    bool known = false;
    for (size_t i = 0; i < plan->count; i++) {
        struct cli_shot *shot = &plan->shots[i];
        enum q2p_dialect proven = q2p_wire_dialect(shot->bytes, shot->len, shot->len);
        if (shot->sent && proven == Q2P_DIALECT_EARLY)
            plan->skip = "it speaks the early dialect, which ours only reads";
        if (shot->sent && !known && shot->len >= Q2P_HEADER_LEN) {
            struct q2p_packet packet;
            q2p_wire_read(&packet, Q2P_DIALECT_UNKNOWN, shot->bytes, shot->len, shot->len);
            plan->network_id = packet.network_id;
            known = true;
        }
        if (shot->sent && proven != Q2P_DIALECT_UNKNOWN && !plan->dialect)
            plan->dialect = proven;
    }
    for (size_t i = 0; i < plan->count && !plan->dialect; i++)
        plan->dialect =
            q2p_wire_dialect(plan->shots[i].bytes, plan->shots[i].len, plan->shots[i].len);
    if (plan->dialect != Q2P_DIALECT_OPTIONS)
        plan->dialect = Q2P_DIALECT_CLASSIC;
}

static bool tells_of(const struct cli_shot *shot, const struct q2p_addr *joiner)
{
    return shot->sent && shot->packet.event == Q2P_EV_TOUCHREQUEST &&
           q2p_addr_equal(&shot->packet.address, joiner);
}

/* Members were told of this joiner before, and now, as it only repeats itself, they are not. */
static bool is_left_out(const struct cli_plan *plan, const struct cli_shot *join)
{
    bool told = false;
    const struct cli_shot *end = plan->shots + plan->count;
    for (const struct cli_shot *shot = plan->shots; shot < join; shot++)
        told = told || tells_of(shot, &join->peer);
    for (const struct cli_shot *shot = join; shot < end && shot->t_ns < join->t_ns + SHORT_NS;
         shot++)
        if (tells_of(shot, &join->peer))
            return false;
    return told;
}

/* CONNECT to who joined, and whom no seed named. */
static bool asks_joiner(const struct cli_plan *plan, const struct cli_shot *connect)
{
    bool joined = false;
    for (const struct cli_shot *shot = plan->shots; shot < connect; shot++) {
        if (!shot->sent && shot->packet.event == Q2P_EV_CONNECTREQUEST)
            return false;
        joined |= !shot->sent && shot->packet.event == Q2P_EV_JOIN &&
                  q2p_addr_equal(&shot->peer, &connect->peer);
    }
    return joined;
}

/* What only our own program does: resends with a length, JOIN, TOUCH or CONNECT again within a
 * second, lists sooner than a second, repetitions of JOIN left without an effect, CONNECT for a
 * JOIN, a CONNECT_FAILED that is cut. */
static bool is_ours(const struct cli_plan *plan)
{
    int joins = 0, asked = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cli_shot *shot = &plan->shots[i];
        enum q2p_event event = shot->packet.event;
        if (!shot->sent && event == Q2P_EV_JOIN && joins++ < JOINS_MAX && is_left_out(plan, shot))
            return true;
        if (!shot->sent)
            continue;
        if (event == Q2P_EV_TRANSPORT && shot->resent && shot->packet.length)
            return true;
        if (event == Q2P_EV_TRANSPORT_FAILED && shot->packet.lost_count && shot->talk &&
            shot->t_ns - shot->talk->start_ns < SHORT_NS)
            return true;
        if (event == Q2P_EV_CONNECT_FAILED &&
            shot->len < Q2P_HEADER_LEN + sizeof Q2P_REASON_MISMATCH - 1)
            return true;
        if (event == Q2P_EV_CONNECT && asked++ < JOINS_MAX && asks_joiner(plan, shot))
            return true;
        if (event != Q2P_EV_JOIN && event != Q2P_EV_CONNECT && event != Q2P_EV_TOUCH)
            continue;
        for (size_t k = i + 1; k < plan->count && plan->shots[k].t_ns < shot->t_ns + SHORT_NS; k++)
            if (plan->shots[k].sent && plan->shots[k].packet.event == event &&
                q2p_addr_equal(&plan->shots[k].peer, &shot->peer))
                return true;
    }
    return false;
}

static bool is_list(const struct cli_shot *shot)
{
    return shot->sent && shot->packet.event == Q2P_EV_TRANSPORT_FAILED && shot->talk &&
           cli_shot_is_sound(shot);
}

/* The shortest time from the start of a transmission to a list, or from one list to the next. */
static q2p_time first_list(const struct cli_plan *plan)
{
    q2p_time lost_ns = Q2P_NEVER;
    for (const struct cli_talk *talk = plan->talks; talk; talk = talk->next) {
        int64_t before_ns = talk->start_ns;
        for (const struct cli_shot *shot = talk->first; shot; shot = shot->later) {
            if (!cli_shot_is_list(shot) || shot->t_ns - before_ns < TOGETHER_NS)
                continue;
            lost_ns = shot->t_ns - before_ns < lost_ns ? shot->t_ns - before_ns : lost_ns;
            before_ns = shot->t_ns;
        }
    }
    return lost_ns;
}

/* The list timer from the first list, the timeout from the giving up (PROTOCOL.md 7). */
static void find_timers(struct cli_plan *plan)
{
    bool original = plan->profile == CLI_PROFILE_ORIGINAL;
    /* gaps that are listed at once say nothing about the timer */
    q2p_time lost_ns = plan->eager ? Q2P_NEVER : first_list(plan), timeout_ns = Q2P_NEVER;
    if (lost_ns == Q2P_NEVER)
        lost_ns = original ? 6 * Q2P_SECOND : Q2P_SECOND / 2;
    q2p_time unit_ns = original ? Q2P_SECOND : 10 * Q2P_MILLISECOND;
    lost_ns = (lost_ns + unit_ns / 2) / unit_ns * unit_ns;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cli_shot *shot = &plan->shots[i];
        if (!is_list(shot) || shot->packet.lost_count)
            continue;
        int64_t since_ns = shot->talk->start_ns;
        const struct cli_shot *each = original ? shot : shot->talk->first;
        for (; each != shot; each = each->later)
            if (each->packet.event == Q2P_EV_TRANSPORT && !each->withheld)
                since_ns = each->t_ns;
        if (shot->t_ns - since_ns < timeout_ns && shot->t_ns - since_ns > lost_ns / 2)
            timeout_ns = shot->t_ns - since_ns;
    }
    if (!plan->lost_ns)
        plan->lost_ns = lost_ns < unit_ns ? unit_ns : lost_ns;
    if (!plan->timeout_ns)
        plan->timeout_ns = timeout_ns == Q2P_NEVER ? LIFE_NS : timeout_ns - plan->lost_ns / 2;
    if (plan->timeout_ns < 1)
        plan->timeout_ns = 1;
}

/* ---- all of it ------------------------------------------------------------------------------ */

int cli_replay_plan(struct cli_plan *plan, const struct cli_recording *recording)
{
    q2p_drive_memory(&plan->alloc);
    q2p__table_init(&plan->talk_table, &plan->alloc, plan->secret);
    q2p__table_shape(&plan->talk_table, offsetof(struct cli_talk, key), sizeof(struct cli_talk_key),
                     TALKS_MAX);
    int status = collect(plan, recording);
    if (status < 0)
        return status;
    find_identity(plan);
    for (size_t i = 0; i < plan->count && status == Q2P_OK; i++) {
        cli_replay_read(plan, &plan->shots[i]);
        status = follow(plan, &plan->shots[i]);
        chain(&plan->shots[i]);
    }
    if (status < 0)
        return status;
    if (plan->profile == CLI_PROFILE_AUTO)
        plan->profile = is_ours(plan) ? CLI_PROFILE_OURS : CLI_PROFILE_ORIGINAL;
    cli_replay_withhold(plan);
    find_timers(plan);
    return cli_replay_deeds(plan);
}

void cli_replay_plan_free(struct cli_plan *plan)
{
    while (plan->talks) {
        struct cli_talk *talk = plan->talks;
        plan->talks = talk->next;
        free(talk->payload);
        free(talk->copies);
        free(talk->passed_ns);
        free(talk->listed_ns);
        free(talk);
    }
    q2p__table_clear(&plan->talk_table);
    free(plan->deeds);
    free(plan->shots);
    *plan = (struct cli_plan){0};
}
