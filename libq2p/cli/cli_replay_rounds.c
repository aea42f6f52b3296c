/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay_rounds.c - compares lists of lost fragments round by round, as sets: neither their
 * order nor how they are cut into datagrams means anything (PROTOCOL.md 6.5).
 */
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_replay.h"

#define BUDGET_SLACK 64 /* bytes: what the budget of a node may be off, seen from outside */
#define LISTS_MIN 4     /* datagrams in a round of which one may say that it was bounded */
#define ECHO_MAX 3      /* bytes of lists for one that came */
#define CLOSE_NS (100 * Q2P_MILLISECOND)

/* Lists of one side that leave together. */
struct round {
    struct cli_shot *first, *end; /* end: the first one behind it, or NULL */
    uint32_t *syns;               /* sorted, distinct; owned */
    size_t count, datagrams, bytes;
};

bool cli_shot_is_list(const struct cli_shot *shot)
{
    return shot->sent && shot->packet.event == Q2P_EV_TRANSPORT_FAILED && shot->packet.lost_count &&
           shot->talk && (shot->status == Q2P_OK || shot->status == Q2P_ERR_OVERSIZE);
}

static struct cli_shot *next_list(struct cli_shot *shot)
{
    while (shot && !cli_shot_is_list(shot))
        shot = shot->later;
    return shot;
}

static int by_number(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* The round that begins with `first`; none if that is NULL. */
static int take_round(struct round *out, struct cli_shot *first, q2p_time gap_ns)
{
    size_t room = 0;
    *out = (struct round){.first = first};
    struct cli_shot *shot = first;
    for (; shot && shot->t_ns - first->t_ns <= gap_ns; shot = next_list(shot->later))
        room += shot->packet.lost_count;
    out->end = shot;
    out->syns = malloc((room + 1) * sizeof *out->syns);
    if (!out->syns)
        return Q2P_ERR_MEMORY;
    for (shot = first; shot != out->end; shot = next_list(shot->later)) {
        for (uint32_t i = 0; i < shot->packet.lost_count; i++)
            out->syns[out->count++] = q2p_wire_lost(&shot->packet, shot->bytes, i);
        out->datagrams++;
        out->bytes += shot->len;
    }
    qsort(out->syns, out->count, sizeof *out->syns, by_number);
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (!kept || out->syns[kept - 1] != out->syns[i])
            out->syns[kept++] = out->syns[i];
    out->count = kept;
    return Q2P_OK;
}

/* What the receiver had at a time: bytes, and one more than the highest SYN. */
static void had(const struct cli_talk *talk, int64_t t_ns, uint64_t *bytes, uint32_t *highest)
{
    *bytes = 0;
    *highest = 0;
    for (const struct cli_shot *shot = talk->first; shot && shot->t_ns <= t_ns;
         shot = shot->later) {
        if (shot->sent || shot->withheld)
            continue;
        *bytes += shot->len;
        if (shot->packet.event == Q2P_EV_TRANSPORT && shot->packet.syn >= *highest)
            *highest = shot->packet.syn + 1;
    }
}

/* Is there so little left of what may go back that the round had to be cut? */
static bool is_bounded(const struct cli_talk *talk, const struct round *ours, int64_t t_ns)
{
    uint64_t heard, said = 0;
    uint32_t highest;
    had(talk, t_ns, &heard, &highest);
    for (const struct cli_shot *shot = talk->ours_first; shot && shot != ours->first;
         shot = shot->later)
        if (shot->t_ns < t_ns - CLOSE_NS)
            said += shot->len;
    uint64_t most = heard * ECHO_MAX > said ? (heard * ECHO_MAX - said) / 2 : 0;
    return ours->datagrams >= LISTS_MIN || ours->bytes + BUDGET_SLACK >= most;
}

static bool same_bytes(const struct round *theirs, const struct round *ours)
{
    struct cli_shot *a = theirs->first, *b = ours->first;
    while (a != theirs->end && b != ours->end) {
        if (a->len != b->len || memcmp(a->bytes, b->bytes, a->len) != 0)
            return false;
        a = next_list(a->later);
        b = next_list(b->later);
    }
    return a == theirs->end && b == ours->end;
}

static void mate(const struct round *theirs, const struct round *ours)
{
    for (struct cli_shot *shot = theirs->first; shot != theirs->end; shot = next_list(shot->later))
        shot->mate = ours->first ? ours->first : shot;
    for (struct cli_shot *shot = ours->first; shot != ours->end; shot = next_list(shot->later))
        shot->mate = theirs->first ? theirs->first : shot;
}

/* Which rule allows ours to list less, if one does. */
static enum cli_rule why_less(const struct cli_talk *talk, const struct round *theirs,
                              const struct round *ours)
{
    uint64_t heard;
    uint32_t highest;
    size_t below = 0, at = 0;
    had(talk, theirs->first->t_ns, &heard, &highest);
    for (size_t i = 0; i < theirs->count && theirs->syns[i] < highest; i++)
        below++;
    while (at < ours->count && at < theirs->count && ours->syns[at] == theirs->syns[at])
        at++;
    if (at < ours->count)
        return CLI_RULES; /* not the lowest first, or what was not lost at all */
    if (talk->finished_ns <= theirs->first->t_ns && !ours->count)
        return CLI_RULE_GHOST;
    if (talk->unproven && !ours->count)
        return CLI_RULE_UNPROVEN;
    if (ours->count >= below && theirs->count > ours->count)
        return CLI_RULE_LIST_HIGHEST;
    return is_bounded(talk, ours, theirs->first->t_ns) ? CLI_RULE_LIST_BOUNDED : CLI_RULES;
}

static void compare_both(const struct cli_talk *talk, const struct round *theirs,
                         const struct round *ours, struct cli_comparison *out)
{
    bool same = theirs->count == ours->count &&
                !memcmp(theirs->syns, ours->syns, ours->count * sizeof *ours->syns);
    mate(theirs, ours);
    if (same && same_bytes(theirs, ours)) {
        out->identical += ours->datagrams;
        return;
    }
    enum cli_rule rule = !same                                  ? why_less(talk, theirs, ours)
                         : theirs->datagrams == ours->datagrams ? CLI_RULE_LIST_ORDER
                                                                : CLI_RULE_LIST_CHUNKS;
    if (rule == CLI_RULES)
        cli_replay_differ(out, theirs->first, ours->first, "other SYNs are called lost");
    else
        out->rules[rule]++;
}

static void compare_one(const struct cli_plan *plan, const struct cli_talk *talk,
                        const struct round *theirs, const struct round *ours,
                        struct cli_comparison *out)
{
    enum cli_rule rule;
    mate(theirs, ours);
    if (theirs->first)
        rule = why_less(talk, theirs, ours);
    else
        rule = talk->dialect != plan->dialect ? CLI_RULE_OTHER_DIALECT : CLI_RULES;
    if (rule == CLI_RULES)
        cli_replay_differ(out, theirs->first, ours->first,
                          theirs->first ? "ours lists nothing here"
                                        : "ours lists where it did not");
    else
        out->rules[rule]++;
}

static int compare_talk(const struct cli_plan *plan, struct cli_talk *talk,
                        struct cli_comparison *out)
{
    q2p_time gap_ns = plan->lost_ns / 4;
    struct cli_shot *theirs_at = next_list(talk->first), *ours_at = talk->ours_first;
    int status = Q2P_OK;
    while (status == Q2P_OK && (theirs_at || ours_at)) {
        struct round theirs, ours = {0};
        int64_t theirs_ns = theirs_at ? theirs_at->t_ns : Q2P_NEVER;
        int64_t ours_ns = ours_at ? ours_at->t_ns : Q2P_NEVER;
        bool apart = !theirs_at || !ours_at || theirs_ns - ours_ns > gap_ns + CLOSE_NS ||
                     ours_ns - theirs_ns > gap_ns + CLOSE_NS;
        status = take_round(&theirs, apart && ours_ns < theirs_ns ? NULL : theirs_at, gap_ns);
        if (status == Q2P_OK)
            status = take_round(&ours, apart && theirs.first ? NULL : ours_at, gap_ns);
        if (status == Q2P_OK && apart)
            compare_one(plan, talk, &theirs, &ours, out);
        else if (status == Q2P_OK)
            compare_both(talk, &theirs, &ours, out);
        if (theirs.first)
            theirs_at = theirs.end;
        if (ours.first)
            ours_at = ours.end;
        free(theirs.syns);
        free(ours.syns);
    }
    return status;
}

int cli_replay_rounds(struct cli_plan *plan, struct cli_ours *ours, struct cli_comparison *out)
{
    int status = Q2P_OK;
    for (size_t i = 0; i < ours->count; i++) {
        struct cli_shot *shot = &ours->shots[i];
        if (!cli_shot_is_list(shot))
            continue;
        if (shot->talk->ours_last)
            shot->talk->ours_last->later = shot;
        else
            shot->talk->ours_first = shot;
        shot->talk->ours_last = shot;
    }
    for (struct cli_talk *talk = plan->talks; talk && status == Q2P_OK; talk = talk->next)
        if (!talk->key.sent)
            status = compare_talk(plan, talk, out);
    return status;
}
