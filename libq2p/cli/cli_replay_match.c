/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay_match.c - compares what our node sent with what the recorded one sent: first equal
 * bytes are paired, then lists as sets (cli_replay_rounds.c), and what is left over has to be
 * allowed by a rule. Nothing is allowed that no rule names.
 */
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_replay.h"

#define ANSWER_NS Q2P_SECOND            /* later than this is another time */
#define CAUSE_NS (50 * Q2P_MILLISECOND) /* what came so short before is the cause */
#define LENGTH_MAX (UINT32_C(64) << 20) /* of q2p_config_init, as PROTOCOL.md 8 has it */

static const struct {
    const char *word, *section, *sentence;
} rules[] = {
#define XX(name, word, section, sentence) {word, section, sentence},
    CLI_RULE_MAP(XX)
#undef XX
};

const char *cli_rule_word(enum cli_rule rule)
{
    return rules[rule].word;
}

const char *cli_rule_section(enum cli_rule rule)
{
    return rules[rule].section;
}

const char *cli_rule_sentence(enum cli_rule rule)
{
    return rules[rule].sentence;
}

static int64_t time_of(const struct cli_shot *theirs, const struct cli_shot *ours)
{
    return theirs ? theirs->t_ns : ours ? ours->t_ns : Q2P_NEVER;
}

void cli_replay_differ(struct cli_comparison *out, const struct cli_shot *theirs,
                       const struct cli_shot *ours, const char *reason)
{
    if (!out->differences++ ||
        time_of(theirs, ours) < time_of(out->theirs_first, out->ours_first)) {
        out->theirs_first = theirs;
        out->ours_first = ours;
        out->reason = reason;
    }
}

/* ---- equal bytes ---------------------------------------------------------------------------- */

static int by_content(const void *left, const void *right)
{
    const struct cli_shot *a = *(struct cli_shot *const *)left;
    const struct cli_shot *b = *(struct cli_shot *const *)right;
    int order = memcmp(&a->peer, &b->peer, sizeof a->peer);
    if (!order && a->len != b->len)
        order = a->len < b->len ? -1 : 1;
    return order ? order : memcmp(a->bytes, b->bytes, a->len);
}

static int by_content_and_time(const void *left, const void *right)
{
    const struct cli_shot *a = *(struct cli_shot *const *)left;
    const struct cli_shot *b = *(struct cli_shot *const *)right;
    int order = by_content(left, right);
    if (order)
        return order;
    if (a->t_ns != b->t_ns)
        return a->t_ns < b->t_ns ? -1 : 1;
    return a < b ? -1 : a > b; /* both lie in one array, in order */
}

static size_t gather(struct cli_shot **out, struct cli_shot *shots, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (shots[i].sent && !cli_shot_is_list(&shots[i]) && !shots[i].doubled)
            out[found++] = &shots[i];
    if (found)
        qsort(out, found, sizeof *out, by_content_and_time);
    return found;
}

/* Is when it leaves up to the node? */
static bool is_timed(const struct cli_plan *plan, enum q2p_event event)
{
    return plan->profile == CLI_PROFILE_OURS && event != Q2P_EV_TRANSPORT_FAILED;
}

static int64_t slack_of(const struct cli_plan *plan, const struct cli_shot *shot)
{
    return shot->packet.event == Q2P_EV_TRANSPORT_FAILED ? plan->lost_ns / 4 + CAUSE_NS : ANSWER_NS;
}

static void pair(const struct cli_plan *plan, struct cli_shot *theirs, struct cli_shot *ours,
                 struct cli_comparison *out)
{
    int64_t apart_ns = theirs->t_ns - ours->t_ns;
    int64_t limit_ns = slack_of(plan, theirs);
    if (theirs->resent && apart_ns > limit_ns)
        return; /* ours is the first sending, which the capture does not have */
    theirs->mate = ours;
    ours->mate = theirs;
    if (apart_ns <= limit_ns && apart_ns >= -limit_ns)
        out->identical++;
    else if (is_timed(plan, theirs->packet.event))
        out->rules[CLI_RULE_TIMERS]++;
    else if (theirs->talk && theirs->talk->length > LENGTH_MAX)
        out->rules[CLI_RULE_LENGTH_LIMIT]++;
    else
        cli_replay_differ(out, theirs, ours,
                          apart_ns > 0 ? "ours is too soon" : "ours is too late");
}

/* Of two equal messages of the other side, is it the second that belongs to this one? */
static bool is_nearer(const struct cli_plan *plan, const struct cli_shot *shot,
                      struct cli_shot *const *others, size_t count)
{
    return count > 1 && by_content(&others[0], &others[1]) == 0 &&
           shot->t_ns - others[0]->t_ns > slack_of(plan, shot) &&
           shot->t_ns - others[1]->t_ns >= -slack_of(plan, shot);
}

static int pair_equal(const struct cli_plan *plan, struct cli_ours *ours,
                      struct cli_comparison *out)
{
    struct cli_shot **a = calloc(plan->count + 1, sizeof *a);
    struct cli_shot **b = calloc(ours->count + 1, sizeof *b);
    int status = a && b ? Q2P_OK : Q2P_ERR_MEMORY;
    size_t a_count = status ? 0 : gather(a, plan->shots, plan->count);
    size_t b_count = status ? 0 : gather(b, ours->shots, ours->count);
    for (size_t i = 0, k = 0; i < a_count && k < b_count;) {
        int order = by_content(&a[i], &b[k]);
        if (order == 0 && is_nearer(plan, b[k], a + i, a_count - i))
            order = -1;
        else if (order == 0 && is_nearer(plan, a[i], b + k, b_count - k))
            order = 1;
        if (order == 0)
            pair(plan, a[i], b[k], out);
        i += order <= 0;
        k += order >= 0;
    }
    free(a);
    free(b);
    return status;
}

static void compare_order(const struct cli_plan *plan, struct cli_comparison *out)
{
    const struct cli_shot *latest = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct cli_shot *mate = plan->shots[i].sent ? plan->shots[i].mate : NULL;
        if (!mate || mate == &plan->shots[i])
            continue;
        out->rules[CLI_RULE_ORDER] += latest && mate < latest;
        if (!latest || mate > latest)
            latest = mate;
    }
}

/* ---- what is left over ---------------------------------------------------------------------- */

static bool same_message(const struct cli_shot *a, const struct cli_shot *b)
{
    return a->len == b->len && q2p_addr_equal(&a->peer, &b->peer) &&
           !memcmp(a->bytes, b->bytes, a->len);
}

static bool is_control(enum q2p_event event)
{
    return event != Q2P_EV_TRANSPORT && event != Q2P_EV_TRANSPORT_FAILED;
}

/* The classic resend with 0 for a length, and its counterpart with the length. */
static struct cli_shot *find_resend(const struct cli_shot *theirs, struct cli_ours *ours)
{
    for (size_t i = 0; i < ours->count; i++) {
        struct cli_shot *shot = &ours->shots[i];
        if (!shot->mate && shot->talk == theirs->talk && shot->packet.event == Q2P_EV_TRANSPORT &&
            shot->packet.syn == theirs->packet.syn &&
            shot->packet.body_at.len == theirs->packet.body_at.len &&
            !memcmp(shot->bytes + shot->packet.body_at.at,
                    theirs->bytes + theirs->packet.body_at.at, theirs->packet.body_at.len))
            return shot;
    }
    return NULL;
}

/* What came in right before was no sound message, or asks for something on a stranger's word. */
static bool is_provoked(const struct cli_plan *plan, const struct cli_shot *shot)
{
    for (size_t i = (size_t)(shot - plan->shots); i-- > 0;) {
        const struct cli_shot *cause = &plan->shots[i];
        if (shot->t_ns - cause->t_ns > CAUSE_NS)
            return false;
        if (!cause->sent)
            return cause->status != Q2P_OK || cause->packet.event == Q2P_EV_TOUCHREQUEST ||
                   cause->packet.event == Q2P_EV_CONNECTREQUEST ||
                   cause->packet.event == Q2P_EV_TOUCHED;
    }
    return false;
}

static struct cli_shot *find_refusal(struct cli_ours *ours, const struct cli_shot *theirs)
{
    for (size_t i = 0; i < ours->count; i++) {
        struct cli_shot *shot = &ours->shots[i];
        if (!shot->mate && shot->packet.event == Q2P_EV_CONNECT_FAILED &&
            q2p_addr_equal(&shot->peer, &theirs->peer) &&
            llabs(shot->t_ns - theirs->t_ns) <= ANSWER_NS && shot->len < theirs->len &&
            !memcmp(shot->bytes, theirs->bytes, shot->len))
            return shot;
    }
    return NULL;
}

static bool refused_of_late(const struct cli_ours *ours, const struct cli_shot *theirs)
{
    for (size_t i = 0; i < ours->count && ours->shots[i].t_ns <= theirs->t_ns; i++)
        if (ours->shots[i].packet.event == Q2P_EV_CONNECT_FAILED &&
            ours->shots[i].t_ns > theirs->t_ns - Q2P_SECOND)
            return true;
    return false;
}

static bool said_before(const struct cli_shot *shots, const struct cli_shot *shot)
{
    for (const struct cli_shot *each = shots; each < shot; each++)
        if (each->sent && same_message(each, shot))
            return true;
    return false;
}

/* Is this about a joiner that had joined before? */
static bool is_rejoin(const struct cli_plan *plan, const struct cli_shot *theirs)
{
    int joins = 0;
    for (const struct cli_shot *each = plan->shots; each < theirs; each++)
        joins += !each->sent && each->packet.event == Q2P_EV_JOIN &&
                 q2p_addr_equal(&each->peer, &theirs->packet.address);
    return theirs->packet.event == Q2P_EV_TOUCHREQUEST && joins > 1;
}

static enum cli_rule why_not_ours(const struct cli_plan *plan, struct cli_ours *ours,
                                  struct cli_shot *theirs)
{
    const struct cli_talk *talk = theirs->talk;
    enum q2p_event event = theirs->packet.event;
    struct cli_shot *resend = NULL, *refusal = NULL;
    if (theirs->doubled)
        return CLI_RULE_DOUBLED;
    if (talk && talk->key.sent && !talk->whole)
        return CLI_RULE_PAYLOAD;
    if (talk && event == Q2P_EV_TRANSPORT && talk->dialect != Q2P_DIALECT_OPTIONS && theirs->resent)
        resend = find_resend(theirs, ours);
    if (resend) {
        resend->mate = theirs;
        theirs->mate = resend;
        return CLI_RULE_RESEND_LENGTH;
    }
    if (talk && theirs->resent && talk->ended)
        return CLI_RULE_RESEND_ENDED;
    if (event == Q2P_EV_CONNECT_FAILED)
        refusal = find_refusal(ours, theirs);
    if (refusal) {
        refusal->mate = theirs;
        theirs->mate = refusal;
        return CLI_RULE_REFUSAL_SHORT;
    }
    if (event == Q2P_EV_CONNECT_FAILED && refused_of_late(ours, theirs))
        return CLI_RULE_REFUSAL_RATE;
    if (event == Q2P_EV_OPTIONSFEEDBACK && talk && talk->length > LENGTH_MAX)
        return CLI_RULE_LENGTH_LIMIT;
    if (event == Q2P_EV_TRANSPORT_FAILED && talk && talk->finished_ns <= theirs->t_ns)
        return CLI_RULE_GHOST;
    if (is_control(event) && (said_before(plan->shots, theirs) || is_rejoin(plan, theirs)))
        return CLI_RULE_REPETITION;
    if ((event == Q2P_EV_TRANSPORT_FAILED || event == Q2P_EV_OPTIONSFEEDBACK) && !talk)
        return CLI_RULE_IGNORED; /* no sound message ever began it */
    if (is_control(event) && (theirs->status != Q2P_OK || is_provoked(plan, theirs)))
        return CLI_RULE_IGNORED;
    return CLI_RULES;
}

static bool touched_us(const struct cli_plan *plan, const struct cli_shot *ours)
{
    for (size_t i = 0; i < plan->count && plan->shots[i].t_ns <= ours->t_ns; i++)
        if (!plan->shots[i].sent && plan->shots[i].packet.event == Q2P_EV_TOUCH &&
            q2p_addr_equal(&plan->shots[i].peer, &ours->peer))
            return true;
    return false;
}

/* Did the recorded node say more about it, but not this? */
static bool is_uncaptured(const struct cli_talk *talk, const struct cli_shot *ours)
{
    bool answered = false;
    if (ours->packet.event == Q2P_EV_TRANSPORT)
        return talk->copies && ours->packet.syn < q2p_wire_fragments(talk->length) &&
               !talk->copies[ours->packet.syn];
    if (ours->packet.event != Q2P_EV_OPTIONSFEEDBACK)
        return false;
    for (const struct cli_shot *shot = talk->first; shot; shot = shot->later) {
        if (shot->packet.event == Q2P_EV_OPTIONSFEEDBACK)
            return false;
        answered = answered || shot->sent;
    }
    return answered;
}

static enum cli_rule why_ours_alone(const struct cli_plan *plan, const struct cli_ours *ours,
                                    const struct cli_shot *shot)
{
    const struct cli_talk *talk = shot->talk;
    enum q2p_event event = shot->packet.event;
    if (event == Q2P_EV_TRANSPORT_FAILED && talk && talk->length > LENGTH_MAX)
        return CLI_RULE_LENGTH_LIMIT;
    if (event == Q2P_EV_TRANSPORT_FAILED && talk && talk->unproven)
        return CLI_RULE_UNPROVEN;
    if (talk && !talk->key.sent && talk->dialect != plan->dialect)
        return CLI_RULE_OTHER_DIALECT;
    if (talk && is_uncaptured(talk, shot))
        return CLI_RULE_UNCAPTURED;
    if (plan->profile != CLI_PROFILE_OURS)
        return CLI_RULES;
    if (cli_replay_asks(plan, shot))
        return CLI_RULE_ASKED;
    if (event == Q2P_EV_CONNECT && touched_us(plan, shot))
        return CLI_RULE_TOUCH_ANSWERED;
    if (is_control(event) && said_before(ours->shots, shot))
        return CLI_RULE_REPETITION;
    return CLI_RULES;
}

/* The unpaired message of ours that is most like it, to be shown beside it. */
static const struct cli_shot *nearest(const struct cli_ours *ours, const struct cli_shot *theirs)
{
    const struct cli_shot *best = NULL;
    for (size_t i = 0; i < ours->count; i++) {
        const struct cli_shot *shot = &ours->shots[i];
        if (shot->mate || !q2p_addr_equal(&shot->peer, &theirs->peer) ||
            shot->packet.event != theirs->packet.event)
            continue;
        if (!best || llabs(shot->t_ns - theirs->t_ns) < llabs(best->t_ns - theirs->t_ns))
            best = shot;
    }
    return best;
}

static void explain(struct cli_plan *plan, struct cli_ours *ours, struct cli_comparison *out)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct cli_shot *shot = &plan->shots[i];
        out->recorded += shot->sent;
        out->received += !shot->sent && !shot->withheld;
        out->rules[CLI_RULE_WITHHELD] += !shot->sent && shot->withheld;
        if (!shot->sent || shot->mate)
            continue;
        enum cli_rule rule = why_not_ours(plan, ours, shot);
        if (rule != CLI_RULES) {
            out->rules[rule]++;
            continue;
        }
        const struct cli_shot *like = nearest(ours, shot);
        cli_replay_differ(out, shot, like,
                          like ? "ours says it otherwise" : "ours does not send it");
    }
    for (size_t i = 0; i < ours->count; i++) {
        const struct cli_shot *shot = &ours->shots[i];
        if (shot->mate)
            continue;
        enum cli_rule rule = why_ours_alone(plan, ours, shot);
        if (rule == CLI_RULES)
            cli_replay_differ(out, NULL, shot, "ours sends what was not sent");
        else
            out->rules[rule]++;
    }
}

int cli_replay_compare(struct cli_plan *plan, struct cli_ours *ours, struct cli_comparison *out)
{
    *out = (struct cli_comparison){.ours = ours->count};
    int status = pair_equal(plan, ours, out);
    if (status == Q2P_OK)
        status = cli_replay_rounds(plan, ours, out);
    if (status < 0)
        return status;
    compare_order(plan, out);
    explain(plan, ours, out);
    out->sameness = CLI_SAME_IDENTICAL;
    for (int rule = 0; rule < CLI_RULES; rule++)
        if (out->rules[rule])
            out->sameness = CLI_SAME_EQUIVALENT;
    if (out->differences)
        out->sameness = CLI_SAME_DIFFERENT;
    return Q2P_OK;
}
