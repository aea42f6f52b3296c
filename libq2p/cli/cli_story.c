/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_story.c - remembers what each address and each pair of addresses has shown of itself, and
 * judges transmissions by it. The rules are those of PROTOCOL.md 4 and 6; the man page explains
 * them to whoever reads the verdicts.
 */
#include "cli_story.h"

#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_evidence.h"

struct cli_story {
    struct cli_story_config config;
    struct cli_evidence evidence;
    struct cli_crew *crew;
    struct q2p__link items; /* oldest first */
    size_t items_count, memory;
    struct cli_totals totals;
};

int cli_story_new(struct cli_story **out, const struct cli_story_config *config)
{
    struct cli_crew *crew = cli_crew_new(config->hashing == CLI_HASH_NONE ? 0 : config->hands);
    *out = crew ? calloc(1, sizeof **out) : NULL;
    if (!*out) {
        cli_crew_free(crew);
        return Q2P_ERR_MEMORY;
    }
    (*out)->config = *config;
    (*out)->crew = crew;
    q2p__list_init(&(*out)->items);
    cli_evidence_init(&(*out)->evidence, config->port, config->items_max);
    return Q2P_OK;
}

void cli_story_free(struct cli_story *story)
{
    if (!story)
        return;
    cli_crew_free(story->crew); /* first, as it still reads what is freed here */
    while (!q2p__list_empty(&story->items)) {
        struct cli_item *item = Q2P__LIST_ITEM(story->items.next, struct cli_item, link);
        q2p__list_drop(&item->link);
        cli_sending_free(item->sending);
        free(item);
    }
    cli_evidence_clear(&story->evidence);
    free(story);
}

bool cli_story_knows(struct cli_story *story, const struct cli_datagram *in, enum q2p_dialect *out)
{
    struct cli_view view;
    bool known = cli_evidence_look(&story->evidence, in, &view);
    *out = known ? view.packet.dialect : Q2P_DIALECT_UNKNOWN;
    return known;
}

/* ---- telling -------------------------------------------------------------------------------- */

/*
 * Did the receiver take in what passed? Not if it is of another network and said so, nor if it
 * answers in a dialect that has no such message and was never heard in one that has.
 */
static void judge(const struct cli_story *story, struct cli_item *item)
{
    const struct cli_sending *sending = item->sending;
    const struct cli_pair *back = cli_evidence_pair(&story->evidence, &item->b, &item->a);
    const struct cli_endpoint *dst = cli_evidence_endpoint(&story->evidence, &item->b);
    bool silent = !sending->lists && !sending->gave_up;
    item->missing = q2p_wire_fragments(sending->length);
    if (back && back->failed && back->failed_id != sending->network_id) {
        item->verdict = CLI_VERDICT_FOREIGN;
    } else if (sending->dialect != Q2P_DIALECT_OPTIONS && silent && back && back->options &&
               !(dst && dst->classic)) {
        item->verdict = CLI_VERDICT_UNHEARD;
    } else {
        item->missing = cli_sending_missing(sending);
        item->verdict = sending->gave_up && item->missing == 0 ? CLI_VERDICT_GAVE_UP_WHOLE
                        : sending->gave_up                     ? CLI_VERDICT_GAVE_UP
                        : cli_sending_whole(sending)           ? CLI_VERDICT_WHOLE
                        : sending->length                      ? CLI_VERDICT_MISSING
                                                               : CLI_VERDICT_EMPTY;
    }
}

/* Settles what was left open when the item was made; false: it turns out to be nothing. */
static bool settle(struct cli_story *story, struct cli_item *item)
{
    if (!item->strong && !cli_evidence_node(&story->evidence, &item->a) &&
        !cli_evidence_node(&story->evidence, &item->b))
        return false;
    if (item->tale == CLI_TALE_MALFORMED && item->dialect == Q2P_DIALECT_UNKNOWN) {
        struct cli_view view = {0};
        view.pair = cli_evidence_pair(&story->evidence, &item->a, &item->b);
        view.back = cli_evidence_pair(&story->evidence, &item->b, &item->a);
        view.src = cli_evidence_endpoint(&story->evidence, &item->a);
        view.dst = cli_evidence_endpoint(&story->evidence, &item->b);
        item->dialect = cli_evidence_habit(&view);
        if (item->dialect == Q2P_DIALECT_UNKNOWN)
            item->dialect = Q2P_DIALECT_CLASSIC;
        item->status = item->statuses[item->dialect];
        return !cli_readable(item->status);
    }
    if (item->tale != CLI_TALE_TRANSMISSION || !item->sending)
        return item->tale != CLI_TALE_TRANSMISSION;
    const struct cli_sending *sending = item->sending;
    judge(story, item);
    story->totals.repeated += sending->duplicates;
    /* Behind the end of a sending, single fragments are repetitions of it, unless they make a
     * whole one or the receiver took them for a new one and asks for the rest. */
    if (sending->again && !cli_sending_whole(sending) && !sending->lists && !sending->gave_up) {
        story->totals.repeated += sending->passed.count;
        return false;
    }
    return true;
}

static void count(struct cli_totals *totals, const struct cli_item *item)
{
    totals->transmissions += item->tale == CLI_TALE_TRANSMISSION;
    totals->complete += item->tale == CLI_TALE_TRANSMISSION && item->verdict == CLI_VERDICT_WHOLE;
    totals->empty += item->tale == CLI_TALE_TRANSMISSION && item->verdict == CLI_VERDICT_EMPTY;
    totals->connected += item->tale == CLI_TALE_CONNECTED;
    totals->malformed += item->tale == CLI_TALE_MALFORMED;
}

static void tell_oldest(struct cli_story *story)
{
    struct cli_item *item = Q2P__LIST_ITEM(story->items.next, struct cli_item, link);
    q2p__list_drop(&item->link);
    story->items_count--;
    if (item->sending)
        cli_crew_wait(story->crew, &item->sending->job);
    bool told = settle(story, item);
    if (told) {
        count(&story->totals, item);
        story->config.tell(story->config.ctx, item);
    }
    if (item->sending && story->config.judged)
        story->config.judged(story->config.whole_ctx, item->sending,
                             told && item->verdict == CLI_VERDICT_WHOLE);
    struct cli_pair *pair = cli_evidence_pair(&story->evidence, &item->a, &item->b);
    if (pair && pair->join == item)
        pair->join = NULL;
    if (pair && pair->mismatch == item)
        pair->mismatch = NULL;
    struct cli_sending *sending = item->sending;
    if (sending) {
        story->memory -= sending->memory;
        if (pair && pair->recent == sending)
            pair->recent = NULL;
        if (q2p__table_find(&story->evidence.sendings, &sending->key) == sending)
            q2p__table_drop(&story->evidence.sendings, sending);
        cli_sending_free(sending);
    }
    free(item);
}

void cli_story_end(struct cli_story *story, struct cli_totals *out)
{
    while (!q2p__list_empty(&story->items))
        tell_oldest(story);
    uint32_t cursor = 0;
    const struct cli_pair *pair;
    while ((pair = q2p__table_next(&story->evidence.pairs, &cursor)))
        if (cli_evidence_node(&story->evidence, &pair->key.from) ||
            cli_evidence_node(&story->evidence, &pair->key.to))
            story->totals.q2p += pair->datagrams;
    *out = story->totals;
}

/* ---- following ------------------------------------------------------------------------------ */

static struct cli_item *add_item(struct cli_story *story, const struct cli_view *view,
                                 enum cli_tale tale)
{
    if (story->items_count >= story->config.items_max) {
        tell_oldest(story);
        story->totals.early++;
    }
    struct cli_item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->tale = tale;
    item->t_ns = view->in->t_ns;
    item->frame = view->in->frame;
    item->a = view->in->src;
    item->b = view->in->dst;
    item->times = 1;
    item->strong = view->likeness == Q2P_LIKENESS_STRONG;
    q2p__list_init(&item->link);
    q2p__list_append(&story->items, &item->link);
    story->items_count++;
    return item;
}

static int malformed(struct cli_story *story, const struct cli_view *view, int status)
{
    struct cli_item *item = add_item(story, view, CLI_TALE_MALFORMED);
    if (!item)
        return Q2P_ERR_MEMORY;
    item->status = status;
    item->len = view->in->total;
    item->dialect = view->packet.dialect;
    return Q2P_OK;
}

/* As long as the dialect is a guess, what is wrong in any of them may turn out to be wrong. */
static int malformed_somewhere(struct cli_story *story, const struct cli_view *view)
{
    const struct cli_datagram *in = view->in;
    int statuses[Q2P_DIALECT_OPTIONS + 1] = {0};
    bool sound = true;
    for (int each = Q2P_DIALECT_EARLY; each <= Q2P_DIALECT_OPTIONS; each++) {
        struct q2p_packet packet;
        statuses[each] =
            q2p_wire_read(&packet, (enum q2p_dialect)each, in->bytes, in->have, in->total);
        sound = sound && cli_readable(statuses[each]);
    }
    if (sound)
        return Q2P_OK;
    int status = malformed(story, view, view->status);
    if (status)
        return status;
    struct cli_item *item = Q2P__LIST_ITEM(story->items.prev, struct cli_item, link);
    item->dialect = Q2P_DIALECT_UNKNOWN;
    memcpy(item->statuses, statuses, sizeof statuses);
    return Q2P_OK;
}

static int follow_connect_failed(struct cli_story *story, const struct cli_view *view)
{
    view->pair->failed = true;
    view->pair->failed_id = view->packet.network_id;
    struct cli_pair *refused = view->back; /* whoever was refused spoke first, if it was captured */
    if (!refused || view->dst->network_id == view->packet.network_id)
        return Q2P_OK;
    if (refused->mismatch) {
        refused->mismatch->times++;
        return Q2P_OK;
    }
    struct cli_item *item = add_item(story, view, CLI_TALE_MISMATCH);
    if (!item)
        return Q2P_ERR_MEMORY;
    item->a = view->in->dst;
    item->b = view->in->src;
    item->network_id = view->dst->network_id;
    item->other_id = view->packet.network_id;
    refused->mismatch = item;
    return Q2P_OK;
}

static int follow_membership(struct cli_story *story, const struct cli_view *view)
{
    struct cli_item *item;
    switch (view->packet.event) {
    case Q2P_EV_JOIN:
        if (view->pair->join) {
            view->pair->join->times++;
            return Q2P_OK;
        }
        item = add_item(story, view, CLI_TALE_JOIN);
        view->pair->join = item;
        return item ? Q2P_OK : Q2P_ERR_MEMORY;
    case Q2P_EV_CONNECT:
        view->pair->connect = true;
        return Q2P_OK;
    case Q2P_EV_CONNECTED:
        if (!view->back || !view->back->connect || view->back->connected || view->pair->connected)
            return Q2P_OK;
        view->back->connected = true;
        item = add_item(story, view, CLI_TALE_CONNECTED);
        if (!item)
            return Q2P_ERR_MEMORY;
        item->a = view->in->dst;
        item->b = view->in->src;
        return Q2P_OK;
    case Q2P_EV_CONNECT_FAILED:
        return follow_connect_failed(story, view);
    default:
        return Q2P_OK;
    }
}

/* A sending begins here; it takes the place of an older one with its key. */
static struct cli_sending *start(struct cli_story *story, const struct cli_view *view,
                                 struct cli_sending *old)
{
    const struct q2p_packet *packet = &view->packet;
    struct cli_sending_key key = {.src = view->in->src, .dst = view->in->dst};
    memcpy(key.hash.bytes, view->in->bytes + packet->hash_at.at, Q2P_HASH_LEN);
    struct cli_sending *sending = cli_sending_new(&key, packet->dialect, packet->length);
    if (!sending)
        return NULL;
    /* in options, a start is a word of its own; elsewhere a straggler looks like one */
    sending->again =
        old && (old->gave_up ? packet->event == Q2P_EV_TRANSPORT : cli_sending_whole(old));
    sending->network_id = packet->network_id;
    sending->hashing = story->config.hashing;
    sending->crew = story->crew;
    sending->whole = story->config.whole;
    sending->whole_ctx = story->config.whole_ctx;
    sending->first_ns = view->in->t_ns;
    sending->first_frame = view->in->frame;
    if (old)
        q2p__table_drop(&story->evidence.sendings, old);
    struct cli_item *item = add_item(story, view, CLI_TALE_TRANSMISSION); /* makes room, too */
    if (!item || q2p__table_add(&story->evidence.sendings, sending) != Q2P_OK) {
        cli_sending_free(sending); /* an item without a sending is told as nothing */
        return NULL;
    }
    item->sending = sending;
    view->pair->recent = sending;
    story->memory += sending->memory;
    return sending;
}

/* Is this sending open to more of it? */
static bool open_to(const struct cli_sending *sending, const struct cli_view *view)
{
    return sending && !sending->orphan && !sending->gave_up && !cli_sending_whole(sending) &&
           sending->dialect == view->packet.dialect;
}

static int follow_fragment(struct cli_story *story, const struct cli_view *view,
                           struct cli_sending *sending)
{
    const struct q2p_packet *packet = &view->packet;
    bool first = packet->length > 0; /* in classic, a resend has length 0 (PROTOCOL.md 3.6) */
    if (!open_to(sending, view) && first)
        sending = start(story, view, sending);
    else if (!sending) {
        sending = start(story, view, NULL);
        if (!sending)
            return Q2P_ERR_MEMORY;
        sending->orphan = true;
        Q2P__LIST_ITEM(story->items.prev, struct cli_item, link)->tale = CLI_TALE_ORPHAN;
    }
    if (!sending)
        return Q2P_ERR_MEMORY;
    sending->last_ns = view->in->t_ns;
    sending->last_frame = view->in->frame;
    if (sending->orphan || sending->gave_up) {
        sending->late++;
        return Q2P_OK;
    }
    size_t before = sending->memory;
    int status = cli_sending_fragment(sending, packet, view->in->bytes, view->in->total);
    story->memory += sending->memory - before;
    if (status == Q2P_ERR_SYN || status == Q2P_ERR_SHARE)
        return malformed(story, view, status);
    return status;
}

static int follow_transmission(struct cli_story *story, const struct cli_view *view)
{
    const struct q2p_packet *packet = &view->packet;
    if (!packet->hash_at.len || (packet->event != Q2P_EV_TRANSPORT_FAILED && !packet->body_at.len &&
                                 packet->event != Q2P_EV_OPTIONS))
        return Q2P_OK; /* the capture was cut before anything of use */
    const uint8_t *hash = view->in->bytes + packet->hash_at.at;
    struct cli_sending *sending;
    if (packet->event != Q2P_EV_TRANSPORT_FAILED) {
        sending = view->sending;
        if (!sending)
            sending = cli_evidence_sending(&story->evidence, &view->in->src, &view->in->dst, hash);
        if (packet->event == Q2P_EV_TRANSPORT)
            return follow_fragment(story, view, sending);
        if (sending && packet->state_at.len)
            return Q2P_OK; /* a question opens nothing (PROTOCOL.md 6.8) */
        /* a second start for a transmission under way changes nothing (PROTOCOL.md 6.4) */
        if (open_to(sending, view) || start(story, view, sending))
            return Q2P_OK;
        return Q2P_ERR_MEMORY;
    }
    sending = cli_evidence_sending(&story->evidence, &view->in->dst, &view->in->src, hash);
    if (!sending || sending->orphan || sending->dialect != packet->dialect) {
        story->totals.unmatched++;
        return Q2P_OK;
    }
    if (sending->gave_up || view->status == Q2P_ERR_CUT)
        return Q2P_OK;
    sending->last_ns = view->in->t_ns;
    sending->last_frame = view->in->frame;
    if (!packet->lost_count) {
        sending->gave_up = true;
        return Q2P_OK;
    }
    size_t before = sending->memory;
    int status = cli_sending_list(sending, packet, view->in->bytes);
    story->memory += sending->memory - before;
    return status;
}

static int follow(struct cli_story *story, const struct cli_view *view)
{
    switch (view->packet.event) {
    case Q2P_EV_OPTIONS:
    case Q2P_EV_TRANSPORT:
    case Q2P_EV_TRANSPORT_FAILED:
        return follow_transmission(story, view);
    default:
        return follow_membership(story, view);
    }
}

int cli_story_datagram(struct cli_story *story, const struct cli_datagram *in)
{
    struct cli_view view;
    story->totals.datagrams++;
    if (!cli_evidence_look(&story->evidence, in, &view))
        return Q2P_OK;
    if (!cli_evidence_learn(&story->evidence, &view)) {
        story->totals.early++;
        return Q2P_OK;
    }
    int status = Q2P_OK;
    bool list = view.packet.event == Q2P_EV_TRANSPORT_FAILED && view.status == Q2P_ERR_OVERSIZE;
    if (view.proven == Q2P_DIALECT_UNKNOWN && cli_evidence_habit(&view) == Q2P_DIALECT_UNKNOWN)
        status = malformed_somewhere(story, &view);
    else if (!cli_readable(view.status))
        status = malformed(story, &view, view.status);
    if (status == Q2P_OK && (cli_readable(view.status) || list))
        status = follow(story, &view);
    while (story->memory > story->config.memory_max && !q2p__list_empty(&story->items)) {
        tell_oldest(story);
        story->totals.early++;
    }
    return status;
}
