/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * q2p_report.c - lists of what is missing, and the end of what never became complete. Work and
 * bytes of a round are bounded, however long the transmission that somebody announced.
 */
#include "q2p_report.h"

#include <string.h>

#define LISTS_MAX 8        /* datagrams in a round of lists: an original sends all that at once, */
#define LISTS_MAX_PACED 64 /* ... but who knows the extension when its rate allows */

#define RTT_FIRST_NS (100 * Q2P_MILLISECOND)
#define RTT_MAX_NS Q2P_SECOND
#define ALLOWED_MIN_NS Q2P_MILLISECOND
#define ALLOWED_MAX_NS (20 * Q2P_MILLISECOND)
/* A fragment may come so late, though the round trip is less; and if none does in so many round
 * trips, and as many again, then that is forgotten. */
#define LATE_MAX_NS (50 * Q2P_MILLISECOND)
#define LATE_ROUNDS 16

#define QUIET_OVER 64 /* the regular rounds go on */

/* ---- when ---- */

static void round_later(const q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time lost_ns = node->config.lost_ns;
    q2p_time since_ns = (now - incoming->started_at) % lost_ns;

    incoming->round_at = q2p__later(now, lost_ns - since_ns);
}

/* Fragments may overtake each other by so much where none has been seen to. */
static q2p_time least_allowance(const struct q2p__incoming *incoming)
{
    q2p_time allowed_ns = incoming->rtt_ns / 16;

    if (allowed_ns < ALLOWED_MIN_NS)
        return ALLOWED_MIN_NS;
    return allowed_ns < ALLOWED_MAX_NS ? allowed_ns : ALLOWED_MAX_NS;
}

static q2p_time lateness(const struct q2p__incoming *incoming)
{
    return incoming->lates_ns[0] > incoming->lates_ns[1] ? incoming->lates_ns[0]
                                                         : incoming->lates_ns[1];
}

static q2p_time allowance(const struct q2p__incoming *incoming)
{
    q2p_time least_ns = least_allowance(incoming), late_ns = lateness(incoming);

    return late_ns > least_ns ? late_ns : least_ns;
}

/* The oldest holes that were not listed shall be at this time. */
static void plan_early(struct q2p__incoming *incoming)
{
    incoming->early_at = Q2P_NEVER;
    for (unsigned i = incoming->marks_count; i-- > 0;)
        if (incoming->marks[i].end > incoming->asked_end)
            incoming->early_at = incoming->marks[i].at + allowance(incoming);
}

static void mark(q2p_time now, struct q2p__incoming *incoming)
{
    if (incoming->marks_count == Q2P__MARKS)
        memmove(incoming->marks, incoming->marks + 1,
                --incoming->marks_count * sizeof incoming->marks[0]);
    incoming->marks[incoming->marks_count++] = (struct q2p__mark){now, incoming->jump_end};
    plan_early(incoming);
}

static void forget_lateness(q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time age_ns = now - incoming->lates_at, long_ns = LATE_ROUNDS * incoming->rtt_ns;

    if (age_ns < long_ns)
        return;
    incoming->lates_ns[1] = age_ns < 2 * long_ns ? incoming->lates_ns[0] : 0;
    incoming->lates_ns[0] = 0;
    incoming->lates_at = now;
}

/* Holes showed; those of a short time are marked, and so listed, together. */
static void mark_rarely(q2p_time now, struct q2p__incoming *incoming)
{
    const struct q2p__mark *last = incoming->marks + incoming->marks_count - 1;
    q2p_time gap_ns;

    forget_lateness(now, incoming);
    gap_ns = allowance(incoming) / 4;
    if (gap_ns < least_allowance(incoming))
        gap_ns = least_allowance(incoming);
    if (incoming->marks_count == 0 || (last->end < incoming->jump_end && now - last->at >= gap_ns))
        mark(now, incoming);
}

/*
 * One came that others had overtaken. If it was not listed, or lately enough that this is no
 * repair yet, then others may be as late: so much patience is needed. Where nothing was late
 * before, the first ones tell little of how late others may yet come. True if it may have been a
 * repair.
 */
static bool comes_late(const q2p_node *node, q2p_time now, struct q2p__incoming *incoming,
                       uint32_t syn)
{
    q2p_time late_ns, most_ns = incoming->rtt_ns > LATE_MAX_NS ? incoming->rtt_ns : LATE_MAX_NS;
    unsigned i = 0;

    while (i < incoming->marks_count && incoming->marks[i].end <= syn)
        i++;
    if (i == incoming->marks_count) /* it showed just now, and is not marked yet */
        return false;
    late_ns = now - incoming->marks[i].at;
    if (syn < incoming->asked_end && ((i == 0 && incoming->marks_count == Q2P__MARKS) ||
                                      late_ns > allowance(incoming) + incoming->rtt_ns / 4))
        return true;
    late_ns += late_ns / 4;
    if (lateness(incoming) == 0 && late_ns < incoming->rtt_ns / 4)
        late_ns = incoming->rtt_ns / 4;
    if (most_ns > node->config.lost_ns / 2)
        most_ns = node->config.lost_ns / 2;
    if (late_ns > most_ns)
        late_ns = most_ns;
    if (late_ns > incoming->lates_ns[0]) {
        incoming->lates_ns[0] = late_ns;
        plan_early(incoming);
    }
    return false;
}

/* What is listed may be here after that, or will not come. */
static q2p_time repair_time(const struct q2p__incoming *incoming)
{
    return incoming->rtt_ns * 3 / 2 + 5 * Q2P_MILLISECOND + lateness(incoming);
}

/* Nothing has come for so long that the end may be missing; longer each time. */
static q2p_time quiet_time(const q2p_node *node, const struct q2p__incoming *incoming)
{
    q2p_time quiet_ns =
        q2p__doubled(incoming->rtt_ns * 2 + 10 * Q2P_MILLISECOND, incoming->quiet_rounds);

    return quiet_ns < node->config.lost_ns ? quiet_ns : node->config.lost_ns;
}

static bool waits_for_the_end(const q2p_node *node, const struct q2p__incoming *incoming)
{
    return node->config.early && incoming->pile.have > 0 && incoming->quiet_rounds < QUIET_OVER;
}

static void set_timer(q2p_node *node, struct q2p__incoming *incoming)
{
    q2p_time at = incoming->round_at;

    if (incoming->early_at < at)
        at = incoming->early_at;
    if (incoming->reask_at < at)
        at = incoming->reask_at;
    if (waits_for_the_end(node, incoming) &&
        incoming->progress_at + quiet_time(node, incoming) < at)
        at = incoming->progress_at + quiet_time(node, incoming);
    q2p__heap_set(&node->timers, &incoming->timer, at);
}

void q2p__report_open(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    incoming->early_at = incoming->reask_at = Q2P_NEVER;
    incoming->watched_at = incoming->listed_at = incoming->shown_at = Q2P__LONG_AGO;
    incoming->rtt_ns = RTT_FIRST_NS;
    round_later(node, now, incoming);
    set_timer(node, incoming);
}

/*
 * From our OPTIONSFEEDBACK to the first fragment. If several left, who knows us, and so the round
 * trip, had lost the others; somebody else may have got the first one, on a way longer than
 * thought. When that one shows that it knows the extension, as we do from now on, we know.
 */
static void measure_first_rtt(q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time since = incoming->answered_at;

    if (incoming->answered_at != incoming->started_at && !incoming->contact->extends) {
        since = incoming->started_at;
        incoming->shown_at = now;
    }
    if (now - since < RTT_FIRST_NS)
        incoming->rtt_ns = now - since;
}

/* What was listed and comes too soon for a repair was late, most likely, and counts for little. */
static void measure_rtt(q2p_time now, struct q2p__incoming *incoming, uint32_t syn, bool repaired)
{
    if (incoming->pile.have == 1 && incoming->dialect == Q2P_DIALECT_OPTIONS) {
        measure_first_rtt(now, incoming);
    } else if (incoming->watched_at != Q2P__LONG_AGO && syn == incoming->watched) {
        q2p_time rtt_ns = now - incoming->watched_at;

        incoming->watched_at = Q2P__LONG_AGO;
        incoming->rtt_ns += (rtt_ns - incoming->rtt_ns) / (repaired ? 4 : 16);
    }
    if (incoming->rtt_ns > RTT_MAX_NS)
        incoming->rtt_ns = RTT_MAX_NS;
}

void q2p__report_shown(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    if (now - incoming->shown_at >= incoming->rtt_ns)
        return;
    incoming->rtt_ns = now - incoming->shown_at;
    set_timer(node, incoming);
}

void q2p__report_progress(q2p_node *node, q2p_time now, struct q2p__incoming *incoming,
                          uint32_t syn)
{
    bool waits = incoming->pile.have > 1 && incoming->quiet_rounds == 0;
    uint32_t end = incoming->seen_end;
    bool repaired;

    if (!node->config.early)
        return;
    repaired = syn < end && comes_late(node, now, incoming, syn);
    measure_rtt(now, incoming, syn, repaired);
    incoming->quiet_rounds = 0;
    if (syn >= end)
        incoming->seen_end = syn + 1;
    if (syn > end) { /* holes in between */
        incoming->jump_end = syn;
        mark_rarely(now, incoming);
    }
    if (!waits || incoming->early_at < incoming->timer.at) {
        incoming->progress_at = now;
        set_timer(node, incoming);
    }
}

void q2p__report_all_left(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time soon = now + allowance(incoming);

    if (!node->config.early)
        return;
    if (incoming->seen_end < incoming->pile.total) {
        incoming->seen_end = incoming->jump_end = incoming->pile.total;
        mark(now, incoming);
    }
    /* what was listed a round trip ago has left again, and is lost again */
    if (incoming->reask_at != Q2P_NEVER && incoming->reask_at > soon &&
        now - (incoming->reask_at - repair_time(incoming)) >= incoming->rtt_ns * 7 / 8)
        incoming->reask_at = soon;
    set_timer(node, incoming);
}

/* ---- what ---- */

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
        news.lent = (struct q2p__lent){.extra = syns, .extra_room = Q2P_SYNS_MAX * sizeof *syns};
    }
    node->counters.expired++;
    q2p__news_give(node, &news);
}

/* Half of the bytes that the address may get may go in a round, less those of the empty list; all
 * of them where half is no list, as after an OPTIONSFEEDBACK that was lost: its sender waits. */
static void list(q2p_node *node, q2p_time now, struct q2p__incoming *incoming, uint32_t from,
                 uint32_t end)
{
    uint64_t spent = incoming->said + Q2P__LIST_LEN(0);
    uint64_t left = incoming->heard * Q2P__PAID > spent ? incoming->heard * Q2P__PAID - spent : 0;

    incoming->list_end = end;
    incoming->cursor = from;
    incoming->lists_left = incoming->contact->extends ? LISTS_MAX_PACED : LISTS_MAX;
    incoming->round_left = left / 2 >= Q2P__LIST_LEN(1) ? left / 2 : left;
    incoming->listed_at = now;
    q2p__list_append(&node->reporting, &incoming->report);
}

/*
 * While fragments keep coming, those beyond the highest are still on their way, and those that were
 * just overtaken, too; once it is quiet, they are missing. The original lists them all the time.
 */
static void list_round(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    bool quiet = now - incoming->progress_at >= node->config.lost_ns / 2;
    uint32_t end = node->config.early ? incoming->asked_end : incoming->pile.highest;

    list(node, now, incoming, incoming->pile.gap, quiet ? incoming->pile.total : end);
}

/* Holes that showed, and those that were listed but not filled in time. */
static void list_early(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    bool anew = incoming->early_at <= now, again = incoming->reask_at <= now;
    uint32_t from = again ? incoming->pile.gap : incoming->asked_end;
    uint32_t end = anew ? incoming->asked_end : incoming->reask_end;

    if (anew) {
        for (unsigned i = 0; i < incoming->marks_count; i++)
            if (incoming->marks[i].at + allowance(incoming) <= now && incoming->marks[i].end > end)
                end = incoming->marks[i].end;
        if (!again && incoming->watched_at == Q2P__LONG_AGO) {
            uint32_t cursor = incoming->asked_end;

            if (q2p__pile_missing(&incoming->pile, &cursor, end, &incoming->watched, 1) == 1)
                incoming->watched_at = now;
        }
        incoming->asked_end = end;
        mark_rarely(now, incoming); /* and later holes */
        plan_early(incoming);
    }
    if (again || incoming->reask_at == Q2P_NEVER) {
        if (again)
            incoming->watched_at = Q2P__LONG_AGO;
        incoming->reask_end = incoming->asked_end;
        incoming->reask_at =
            incoming->pile.gap < incoming->asked_end ? now + repair_time(incoming) : Q2P_NEVER;
    }
    list(node, now, incoming, from, end);
}

void q2p__report_tick(q2p_node *node, q2p_time now, struct q2p__incoming *incoming)
{
    q2p_time since = node->config.timeout_total ? incoming->started_at : incoming->progress_at;

    if (incoming->round_at <= now && now - since >= node->config.timeout_ns) {
        incoming->closing = true;
        q2p__heap_set(&node->timers, &incoming->timer, Q2P_NEVER);
        q2p__report_expired(node, incoming);
        list_round(node, now, incoming);
        return;
    }
    if (incoming->round_at <= now) {
        round_later(node, now, incoming);
        if (!node->config.early || now - incoming->listed_at >= node->config.lost_ns / 2)
            list_round(node, now, incoming);
    }
    if (incoming->early_at <= now || incoming->reask_at <= now) {
        list_early(node, now, incoming);
    } else if (waits_for_the_end(node, incoming) &&
               incoming->progress_at + quiet_time(node, incoming) <= now) {
        list(node, now, incoming, incoming->pile.gap, incoming->pile.total);
        if (quiet_time(node, incoming) < node->config.lost_ns)
            incoming->quiet_rounds++;
        else
            incoming->quiet_rounds = QUIET_OVER;
    }
    set_timer(node, incoming);
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

int q2p__report_output(q2p_node *node, const struct q2p__sheet *sheet)
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

        if (message.lost_count == 0 && !incoming->closing) {
            q2p__list_drop(&incoming->report);
            continue;
        }
        q2p__write(sheet, &incoming->key.peer, incoming->dialect, &message);
        if (message.lost_count == 0)
            q2p__recv_forget(node, incoming);
        return 1;
    }
    return 0;
}
