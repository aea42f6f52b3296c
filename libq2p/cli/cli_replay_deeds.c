/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay_deeds.c - what the application of a recorded endpoint did, as its datagrams show, and
 * what of the capture never reached it, as its silence and its lists show.
 */
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_replay.h"

#define ANSWER_NS Q2P_SECOND /* an answer that takes longer is none */

/* Has everything of it passed so often? */
static bool passed_times(const struct cli_talk *talk, uint32_t times)
{
    for (uint32_t syn = 0; syn < q2p_wire_fragments(talk->length); syn++)
        if (talk->copies[syn] < times)
            return false;
    return true;
}

/* Has every byte of it passed? */
static bool is_known(const struct cli_talk *talk)
{
    for (uint32_t syn = 0; syn < q2p_wire_fragments(talk->length); syn++)
        if (!talk->passed_ns[syn])
            return false;
    return true;
}

/* ---- what its application did --------------------------------------------------------------- */

static int add_deed(struct cli_plan *plan, enum cli_deed_kind kind, struct cli_shot *shot)
{
    if (plan->deeds_count == plan->deeds_room) {
        size_t room = plan->deeds_room ? plan->deeds_room * 2 : 64;
        void *deeds = realloc(plan->deeds, room * sizeof *plan->deeds);
        if (!deeds)
            return Q2P_ERR_MEMORY;
        plan->deeds = deeds;
        plan->deeds_room = room;
    }
    plan->deeds[plan->deeds_count++] = (struct cli_deed){shot->t_ns, kind, shot};
    return Q2P_OK;
}

static bool joined_before(const struct cli_plan *plan, const struct cli_shot *join)
{
    for (size_t i = 0; i < plan->deeds_count; i++)
        if (plan->deeds[i].kind == CLI_DEED_JOIN &&
            q2p_addr_equal(&plan->deeds[i].shot->peer, &join->peer))
            return true;
    return false;
}

/* A start, or a first fragment, that begins the next sending of the whole. */
static bool begins(struct cli_talk *talk, const struct cli_shot *shot)
{
    uint32_t begun = talk->sendings;
    if (begun && talk->copies && !passed_times(talk, begun))
        return false;
    return begun == 0 || talk->dialect != Q2P_DIALECT_OPTIONS ||
           shot->packet.event == Q2P_EV_OPTIONS;
}

/* Counts copies anew: which of them are a sending of the whole, which were doubled on the way? */
static int find_sends(struct cli_plan *plan, struct cli_talk *talk)
{
    uint32_t whole = 1, fragments = q2p_wire_fragments(talk->length);
    int status = Q2P_OK;
    while (fragments && passed_times(talk, whole + 1))
        whole++;
    for (uint32_t syn = 0; syn < fragments; syn++)
        talk->copies[syn] = 0;
    for (struct cli_shot *shot = talk->first; shot && status == Q2P_OK; shot = shot->later) {
        uint32_t syn = shot->packet.syn;
        if (!shot->sent || !cli_shot_is_sound(shot))
            continue;
        if (shot->resent) {
            if (plan->profile == CLI_PROFILE_ORIGINAL)
                status = add_deed(plan, CLI_DEED_RESEND, shot);
            continue;
        }
        if ((talk->sendings == 0 || talk->sendings < whole) && begins(talk, shot)) {
            talk->sendings++;
            status = add_deed(plan, CLI_DEED_SEND, shot);
        }
        if (shot->packet.event != Q2P_EV_TRANSPORT || syn >= fragments)
            continue;
        shot->doubled = ++talk->copies[syn] > whole;
    }
    return status;
}

static int deed_by_time(const void *left, const void *right)
{
    const struct cli_shot *a = ((const struct cli_deed *)left)->shot;
    const struct cli_shot *b = ((const struct cli_deed *)right)->shot;
    return a < b ? -1 : a > b; /* they lie in one array, by time */
}

int cli_replay_deeds(struct cli_plan *plan)
{
    int status = Q2P_OK;
    for (size_t i = 0; i < plan->count && status == Q2P_OK; i++) {
        struct cli_shot *shot = &plan->shots[i];
        if (shot->sent && shot->packet.event == Q2P_EV_JOIN &&
            (plan->profile == CLI_PROFILE_ORIGINAL || !joined_before(plan, shot)))
            status = add_deed(plan, CLI_DEED_JOIN, shot);
    }
    for (struct cli_talk *talk = plan->talks; talk && status == Q2P_OK; talk = talk->next) {
        talk->whole = talk->payload && is_known(talk);
        if (talk->whole)
            status = find_sends(plan, talk);
    }
    if (plan->deeds_count)
        qsort(plan->deeds, plan->deeds_count, sizeof *plan->deeds, deed_by_time);
    return status;
}

/* ---- what never reached it ------------------------------------------------------------------ */

/* The message that always answers this one; UNKNOWN if there is none. */
static enum q2p_event answer_to(enum q2p_event event)
{
    switch (event) {
    case Q2P_EV_TOUCHREQUEST:
        return Q2P_EV_TOUCHED;
    case Q2P_EV_TOUCHED:
        return Q2P_EV_CONNECTREQUEST;
    case Q2P_EV_CONNECTREQUEST:
        return Q2P_EV_CONNECT;
    case Q2P_EV_CONNECT:
        return Q2P_EV_CONNECTED;
    case Q2P_EV_OPTIONS:
        return Q2P_EV_OPTIONSFEEDBACK;
    default:
        return Q2P_EV_UNKNOWN;
    }
}

/* Did this one bring forth that one? The answer may go to the address named in the question. */
static bool answers(const struct cli_shot *asked, const struct cli_shot *shot)
{
    const struct q2p_addr *named = &asked->packet.address;
    switch (asked->packet.event) {
    case Q2P_EV_TOUCHREQUEST: /* and the answer names it, too */
        return q2p_addr_equal(&shot->peer, &asked->peer) &&
               q2p_addr_equal(&shot->packet.address, named);
    case Q2P_EV_TOUCHED:
        return q2p_addr_equal(&shot->peer, named) &&
               q2p_addr_equal(&shot->packet.address, &asked->peer);
    case Q2P_EV_CONNECTREQUEST:
        return q2p_addr_equal(&shot->peer, named);
    case Q2P_EV_OPTIONS:
        return shot->talk == asked->talk;
    default:
        return q2p_addr_equal(&shot->peer, &asked->peer);
    }
}

static bool is_answered(const struct cli_plan *plan, const struct cli_shot *asked)
{
    enum q2p_event wanted = answer_to(asked->packet.event);
    int64_t until_ns = asked->t_ns + ANSWER_NS;
    const struct cli_shot *end = plan->shots + plan->count;
    for (const struct cli_shot *shot = asked + 1; shot < end && shot->t_ns <= until_ns; shot++)
        if (shot->sent && shot->packet.event == wanted && answers(asked, shot))
            return true;
    for (const struct cli_shot *shot = asked->later; shot; shot = shot->later)
        if (shot->sent) /* OPTIONS: its answer was lost, but it listed what is missing */
            return true;
    return false;
}

/* Was this fragment called lost after it had passed, and did not pass again before that? */
static void withhold_listed(const struct cli_shot *list)
{
    const struct cli_talk *talk = list->talk;
    uint32_t fragments = q2p_wire_fragments(talk->length);
    if (!talk->listed_ns)
        return;
    for (uint32_t syn = 0; syn < fragments; syn++)
        talk->listed_ns[syn] = 0;
    cli_replay_listed(list);
    for (struct cli_shot *shot = talk->first; shot && shot != list; shot = shot->later)
        if (shot->packet.event == Q2P_EV_TRANSPORT && shot->packet.syn < fragments &&
            talk->listed_ns[shot->packet.syn])
            shot->withheld = true;
}

/* The next joiner is told to this one, if this JOIN has arrived (PROTOCOL.md 5.1). */
static bool is_stored(const struct cli_plan *plan, const struct cli_shot *join)
{
    const struct cli_shot *end = plan->shots + plan->count, *next = join + 1;
    while (next < end && (next->sent || next->packet.event != Q2P_EV_JOIN ||
                          next->packet.network_id != plan->network_id ||
                          q2p_addr_equal(&next->peer, &join->peer)))
        next++;
    if (next == end)
        return true;
    for (const struct cli_shot *shot = next; shot < end && shot->t_ns <= next->t_ns + ANSWER_NS;
         shot++)
        if (shot->sent && shot->packet.event == Q2P_EV_TOUCHREQUEST &&
            q2p_addr_equal(&shot->peer, &join->peer))
            return true;
    return false;
}

void cli_replay_withhold(struct cli_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct cli_shot *shot = &plan->shots[i];
        if (cli_shot_is_list(shot))
            withhold_listed(shot);
        else if (!shot->sent && shot->status == Q2P_OK &&
                 shot->packet.network_id == plan->network_id &&
                 ((answer_to(shot->packet.event) != Q2P_EV_UNKNOWN && !is_answered(plan, shot)) ||
                  (shot->packet.event == Q2P_EV_JOIN && plan->profile == CLI_PROFILE_ORIGINAL &&
                   !is_stored(plan, shot))))
            shot->withheld = true;
    }
    for (struct cli_talk *talk = plan->talks; talk; talk = talk->next) {
        const struct cli_shot *shot = talk->first;
        while (shot && shot->withheld)
            shot = shot->later;
        talk->start_ns = shot ? shot->t_ns : Q2P_NEVER;
    }
}
