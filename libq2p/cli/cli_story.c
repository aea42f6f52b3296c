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

#include "base_table.h"

/* What an address has shown. */
struct endpoint {
    struct q2p_addr addr;
    bool proven;              /* it is a Q2P node */
    bool classic;             /* it has spoken classic or early */
    uint16_t network_id;      /* of its latest message */
    enum q2p_dialect dialect; /* the latest it was heard in */
};

/* What `from` has said to `to`. */
struct pair_key {
    struct q2p_addr from, to;
};
struct pair {
    struct pair_key key;
    uint64_t datagrams;
    bool connect;                     /* CONNECT, */
    bool connected;                   /* and it was answered */
    bool options;                     /* something only the options dialect has */
    bool failed;                      /* CONNECT_FAILED, */
    uint16_t failed_id;               /* as a node of this network */
    enum q2p_dialect dialect;         /* the latest it was spoken in */
    struct cli_item *join, *mismatch; /* told once, with how often */
};

struct cli_story {
    struct cli_story_config config;
    struct q2p_alloc alloc;
    uint64_t secret[2]; /* zeros: a capture has nobody who waits for an answer */
    struct base_table endpoints, pairs, sendings;
    struct base_link items; /* oldest first */
    size_t items_count, memory;
    struct cli_totals totals;
};

/* One datagram on its way through the rules. */
struct view {
    const struct cli_datagram *in;
    struct endpoint *src, *dst; /* NULL: never seen */
    struct pair *pair, *back;   /* src to dst, dst to src */
    enum q2p_likeness likeness;
    enum q2p_dialect proven; /* by the datagram alone, or by what it answers */
    struct q2p_packet packet;
    int status;
};

static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    (void)ctx;
    (void)old_len;
    if (new_len)
        return realloc(old, new_len);
    free(old);
    return NULL;
}

int cli_story_new(struct cli_story **out, const struct cli_story_config *config)
{
    struct cli_story *story = calloc(1, sizeof *story);
    *out = story;
    if (!story)
        return Q2P_ERR_MEMORY;
    story->config = *config;
    story->alloc.resize = resize;
    base_list_init(&story->items);
    base_table_init(&story->endpoints, &story->alloc, story->secret);
    base_table_init(&story->pairs, &story->alloc, story->secret);
    base_table_init(&story->sendings, &story->alloc, story->secret);
    size_t max = config->items_max;
    base_table_shape(&story->endpoints, offsetof(struct endpoint, addr), sizeof(struct q2p_addr),
                     max);
    base_table_shape(&story->pairs, offsetof(struct pair, key), sizeof(struct pair_key), max);
    base_table_shape(&story->sendings, offsetof(struct cli_sending, key),
                     sizeof(struct cli_sending_key), max);
    return Q2P_OK;
}

static void free_all(struct base_table *table)
{
    uint32_t cursor = 0;
    void *item;
    while ((item = base_table_next(table, &cursor)))
        free(item);
    base_table_clear(table);
}

void cli_story_free(struct cli_story *story)
{
    if (!story)
        return;
    while (!base_list_empty(&story->items)) {
        struct cli_item *item = BASE_LIST_ITEM(story->items.next, struct cli_item, link);
        base_list_drop(&item->link);
        cli_sending_free(item->sending);
        free(item);
    }
    base_table_clear(&story->sendings);
    free_all(&story->endpoints);
    free_all(&story->pairs);
    free(story);
}

static struct pair *find_pair(const struct cli_story *story, const struct q2p_addr *from,
                              const struct q2p_addr *to)
{
    struct pair_key key = {*from, *to};
    return base_table_find(&story->pairs, &key);
}

static struct cli_sending *find_sending(const struct cli_story *story, const struct q2p_addr *src,
                                        const struct q2p_addr *dst, const uint8_t *hash)
{
    struct cli_sending_key key = {.src = *src, .dst = *dst};
    memcpy(key.hash.bytes, hash, Q2P_HASH_LEN);
    return base_table_find(&story->sendings, &key);
}

/* ---- which dialect -------------------------------------------------------------------------- */

static bool readable(int status)
{
    return status == Q2P_OK || status == Q2P_ERR_CUT;
}

/*
 * The messages that only their context tells apart answer a transmission, or belong to one: with
 * its key, in its dialect (PROTOCOL.md 4).
 */
static enum q2p_dialect dialect_of_sending(const struct cli_story *story,
                                           const struct cli_datagram *in)
{
    for (int each = Q2P_DIALECT_EARLY; each <= Q2P_DIALECT_OPTIONS; each++) {
        struct q2p_packet packet;
        int status = q2p_wire_read(&packet, (enum q2p_dialect)each, in->bytes, in->have, in->total);
        if ((!readable(status) && status != Q2P_ERR_OVERSIZE) || !packet.hash_at.len)
            continue;
        const uint8_t *hash = in->bytes + packet.hash_at.at;
        const struct cli_sending *sending = packet.event == Q2P_EV_TRANSPORT
                                                ? find_sending(story, &in->src, &in->dst, hash)
                                                : find_sending(story, &in->dst, &in->src, hash);
        if (sending && sending->dialect == packet.dialect)
            return packet.dialect;
    }
    return Q2P_DIALECT_UNKNOWN;
}

/* The first dialect in which it is well-formed; classic if there is none. */
static enum q2p_dialect guess(const struct cli_datagram *in)
{
    static const enum q2p_dialect order[] = {Q2P_DIALECT_CLASSIC, Q2P_DIALECT_OPTIONS,
                                             Q2P_DIALECT_EARLY};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct q2p_packet packet;
        if (readable(q2p_wire_read(&packet, order[i], in->bytes, in->have, in->total)))
            return order[i];
    }
    return Q2P_DIALECT_CLASSIC;
}

/* What the two are known to speak, the nearest evidence first; unknown if there is none. */
static enum q2p_dialect habit(const struct view *view)
{
    const enum q2p_dialect known[] = {
        view->pair ? view->pair->dialect : Q2P_DIALECT_UNKNOWN,
        view->back ? view->back->dialect : Q2P_DIALECT_UNKNOWN,
        view->src ? view->src->dialect : Q2P_DIALECT_UNKNOWN,
        view->dst ? view->dst->dialect : Q2P_DIALECT_UNKNOWN,
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] != Q2P_DIALECT_UNKNOWN)
            return known[i];
    return Q2P_DIALECT_UNKNOWN;
}

/* Fills a view; false: nothing says that this is Q2P. */
static bool look(const struct cli_story *story, const struct cli_datagram *in, struct view *view)
{
    *view = (struct view){.in = in};
    view->src = base_table_find(&story->endpoints, &in->src);
    view->dst = base_table_find(&story->endpoints, &in->dst);
    view->pair = find_pair(story, &in->src, &in->dst);
    view->back = find_pair(story, &in->dst, &in->src);
    view->likeness = q2p_wire_likeness(in->bytes, in->have, in->total);
    uint16_t port = story->config.port;
    if (view->likeness == Q2P_LIKENESS_NONE && !view->src && !view->dst && in->src.port != port &&
        in->dst.port != port)
        return false;

    view->proven = dialect_of_sending(story, in);
    if (view->proven == Q2P_DIALECT_UNKNOWN && view->likeness != Q2P_LIKENESS_NONE)
        view->proven = q2p_wire_dialect(in->bytes, in->have, in->total);
    enum q2p_dialect dialect = view->proven;
    if (dialect == Q2P_DIALECT_UNKNOWN)
        dialect = habit(view);
    if (dialect == Q2P_DIALECT_UNKNOWN)
        dialect = guess(in);
    view->status = q2p_wire_read(&view->packet, dialect, in->bytes, in->have, in->total);
    return true;
}

bool cli_story_knows(const struct cli_story *story, const struct cli_datagram *in,
                     enum q2p_dialect *out)
{
    struct view view;
    bool known = look(story, in, &view);
    *out = known ? view.packet.dialect : Q2P_DIALECT_UNKNOWN;
    return known;
}

/* ---- telling -------------------------------------------------------------------------------- */

static bool is_proven(const struct cli_story *story, const struct q2p_addr *addr)
{
    const struct endpoint *endpoint = base_table_find(&story->endpoints, addr);
    return endpoint && endpoint->proven;
}

/*
 * Did the receiver take in what passed? Not if it is of another network and said so, nor if it
 * answers in a dialect that has no such message and was never heard in one that has.
 */
static void judge(const struct cli_story *story, struct cli_item *item)
{
    const struct cli_sending *sending = item->sending;
    const struct pair *back = find_pair(story, &item->b, &item->a);
    const struct endpoint *dst = base_table_find(&story->endpoints, &item->b);
    bool silent = !sending->lists && !sending->gave_up;
    item->missing = q2p_wire_fragments(sending->length);
    if (back && back->failed && back->failed_id != sending->network_id) {
        item->verdict = CLI_VERDICT_FOREIGN;
    } else if (sending->dialect != Q2P_DIALECT_OPTIONS && silent && back && back->options &&
               !(dst && dst->classic)) {
        item->verdict = CLI_VERDICT_UNHEARD;
    } else {
        item->missing = cli_sending_missing(sending);
        item->verdict = sending->gave_up             ? CLI_VERDICT_GAVE_UP
                        : cli_sending_whole(sending) ? CLI_VERDICT_WHOLE
                        : sending->length            ? CLI_VERDICT_MISSING
                                                     : CLI_VERDICT_EMPTY;
    }
}

/* Settles what was left open when the item was made; false: it turns out to be nothing. */
static bool settle(struct cli_story *story, struct cli_item *item)
{
    if (!item->strong && !is_proven(story, &item->a) && !is_proven(story, &item->b))
        return false;
    if (item->tale == CLI_TALE_MALFORMED && item->dialect == Q2P_DIALECT_UNKNOWN) {
        struct view view = {0};
        view.pair = find_pair(story, &item->a, &item->b);
        view.back = find_pair(story, &item->b, &item->a);
        view.src = base_table_find(&story->endpoints, &item->a);
        view.dst = base_table_find(&story->endpoints, &item->b);
        item->dialect = habit(&view);
        if (item->dialect == Q2P_DIALECT_UNKNOWN)
            item->dialect = Q2P_DIALECT_CLASSIC;
        item->status = item->statuses[item->dialect];
        return !readable(item->status);
    }
    if (item->tale != CLI_TALE_TRANSMISSION || !item->sending)
        return item->tale != CLI_TALE_TRANSMISSION;
    const struct cli_sending *sending = item->sending;
    judge(story, item);
    story->totals.repeated += sending->duplicates;
    /* Behind a complete sending, single fragments are repetitions, unless they make a whole one
     * or the receiver took them for a new one and asks for the rest. */
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
    totals->connected += item->tale == CLI_TALE_CONNECTED;
    totals->malformed += item->tale == CLI_TALE_MALFORMED;
}

static void tell_oldest(struct cli_story *story)
{
    struct cli_item *item = BASE_LIST_ITEM(story->items.next, struct cli_item, link);
    base_list_drop(&item->link);
    story->items_count--;
    if (settle(story, item)) {
        count(&story->totals, item);
        story->config.tell(story->config.ctx, item);
    }
    struct pair *pair = find_pair(story, &item->a, &item->b);
    if (pair && pair->join == item)
        pair->join = NULL;
    if (pair && pair->mismatch == item)
        pair->mismatch = NULL;
    struct cli_sending *sending = item->sending;
    if (sending) {
        story->memory -= sending->memory;
        if (base_table_find(&story->sendings, &sending->key) == sending)
            base_table_drop(&story->sendings, sending);
        cli_sending_free(sending);
    }
    free(item);
}

void cli_story_end(struct cli_story *story, struct cli_totals *out)
{
    while (!base_list_empty(&story->items))
        tell_oldest(story);
    uint32_t cursor = 0;
    const struct pair *pair;
    while ((pair = base_table_next(&story->pairs, &cursor)))
        if (is_proven(story, &pair->key.from) || is_proven(story, &pair->key.to))
            story->totals.q2p += pair->datagrams;
    *out = story->totals;
}

/* ---- following ------------------------------------------------------------------------------ */

static struct cli_item *add_item(struct cli_story *story, const struct view *view,
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
    base_list_init(&item->link);
    base_list_append(&story->items, &item->link);
    story->items_count++;
    return item;
}

static int malformed(struct cli_story *story, const struct view *view, int status)
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
static int malformed_somewhere(struct cli_story *story, const struct view *view)
{
    const struct cli_datagram *in = view->in;
    int statuses[Q2P_DIALECT_OPTIONS + 1] = {0};
    bool sound = true;
    for (int each = Q2P_DIALECT_EARLY; each <= Q2P_DIALECT_OPTIONS; each++) {
        struct q2p_packet packet;
        statuses[each] =
            q2p_wire_read(&packet, (enum q2p_dialect)each, in->bytes, in->have, in->total);
        sound = sound && readable(statuses[each]);
    }
    if (sound)
        return Q2P_OK;
    int status = malformed(story, view, view->status);
    if (status)
        return status;
    struct cli_item *item = BASE_LIST_ITEM(story->items.prev, struct cli_item, link);
    item->dialect = Q2P_DIALECT_UNKNOWN;
    memcpy(item->statuses, statuses, sizeof statuses);
    return Q2P_OK;
}

static int follow_connect_failed(struct cli_story *story, const struct view *view)
{
    view->pair->failed = true;
    view->pair->failed_id = view->packet.network_id;
    struct pair *refused = view->back; /* whoever was refused spoke first, if it was captured */
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

static int follow_membership(struct cli_story *story, const struct view *view)
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
static struct cli_sending *start(struct cli_story *story, const struct view *view,
                                 struct cli_sending *old)
{
    const struct q2p_packet *packet = &view->packet;
    struct cli_sending_key key = {.src = view->in->src, .dst = view->in->dst};
    memcpy(key.hash.bytes, view->in->bytes + packet->hash_at.at, Q2P_HASH_LEN);
    struct cli_sending *sending = cli_sending_new(&key, packet->dialect, packet->length);
    if (!sending)
        return NULL;
    sending->again = old && cli_sending_whole(old);
    sending->network_id = packet->network_id;
    sending->first_ns = view->in->t_ns;
    sending->first_frame = view->in->frame;
    if (old)
        base_table_drop(&story->sendings, old);
    struct cli_item *item = add_item(story, view, CLI_TALE_TRANSMISSION); /* makes room, too */
    if (!item || base_table_add(&story->sendings, sending) != Q2P_OK) {
        cli_sending_free(sending); /* an item without a sending is told as nothing */
        return NULL;
    }
    item->sending = sending;
    story->memory += sending->memory;
    return sending;
}

/* Is this sending open to more of it? */
static bool open_to(const struct cli_sending *sending, const struct view *view)
{
    return sending && !sending->orphan && !sending->gave_up && !cli_sending_whole(sending) &&
           sending->dialect == view->packet.dialect;
}

static int follow_fragment(struct cli_story *story, const struct view *view,
                           struct cli_sending *sending)
{
    const struct q2p_packet *packet = &view->packet;
    bool first = packet->length > 0; /* in classic, a resend has length 0 (PROTOCOL.md 3.6) */
    if (!open_to(sending, view) && first)
        sending = start(story, view, sending);
    else if (!sending) {
        sending = start(story, view, NULL);
        if (sending)
            sending->orphan = true;
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

static int follow_transmission(struct cli_story *story, const struct view *view)
{
    const struct q2p_packet *packet = &view->packet;
    if (!packet->hash_at.len || (packet->event != Q2P_EV_TRANSPORT_FAILED && !packet->body_at.len &&
                                 packet->event != Q2P_EV_OPTIONS))
        return Q2P_OK; /* the capture was cut before anything of use */
    const uint8_t *hash = view->in->bytes + packet->hash_at.at;
    struct cli_sending *sending;
    if (packet->event != Q2P_EV_TRANSPORT_FAILED) {
        sending = find_sending(story, &view->in->src, &view->in->dst, hash);
        if (packet->event == Q2P_EV_TRANSPORT)
            return follow_fragment(story, view, sending);
        /* a second start for a transmission under way changes nothing (PROTOCOL.md 6.4) */
        if (open_to(sending, view) || start(story, view, sending))
            return Q2P_OK;
        return Q2P_ERR_MEMORY;
    }
    sending = find_sending(story, &view->in->dst, &view->in->src, hash);
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

/* What the datagram shows about the two. */
static void learn(struct cli_story *story, const struct view *view)
{
    const struct cli_datagram *in = view->in;
    if (view->likeness == Q2P_LIKENESS_STRONG)
        view->src->proven = true;
    if (view->likeness != Q2P_LIKENESS_NONE) {
        view->src->proven = view->src->proven || in->src.port == story->config.port;
        view->dst->proven = view->dst->proven || in->dst.port == story->config.port;
        /* whoever says something sensible to a node is one, too */
        view->src->proven = view->src->proven || view->dst->proven;
    }
    view->pair->datagrams++;
    if (readable(view->status))
        view->src->network_id = view->packet.network_id;
    if (view->proven == Q2P_DIALECT_UNKNOWN)
        return;
    view->src->dialect = view->pair->dialect = view->proven;
    if (view->proven == Q2P_DIALECT_OPTIONS)
        view->pair->options = true;
    else
        view->src->classic = true;
}

static void *add(struct base_table *table, size_t size, const void *key, size_t key_len)
{
    void *item = calloc(1, size);
    if (!item)
        return NULL;
    memcpy((char *)item + table->key_at, key, key_len);
    if (base_table_add(table, item) == Q2P_OK)
        return item;
    free(item);
    return NULL;
}

int cli_story_datagram(struct cli_story *story, const struct cli_datagram *in)
{
    struct view view;
    story->totals.datagrams++;
    if (!look(story, in, &view))
        return Q2P_OK;
    struct pair_key key = {in->src, in->dst};
    if (!view.src)
        view.src = add(&story->endpoints, sizeof *view.src, &in->src, sizeof in->src);
    if (!view.dst) /* which may be the same */
        view.dst = base_table_find(&story->endpoints, &in->dst);
    if (!view.dst)
        view.dst = add(&story->endpoints, sizeof *view.dst, &in->dst, sizeof in->dst);
    if (!view.pair)
        view.pair = add(&story->pairs, sizeof *view.pair, &key, sizeof key);
    if (!view.src || !view.dst || !view.pair) {
        story->totals.early++; /* more addresses than we remember */
        return Q2P_OK;
    }
    learn(story, &view);

    int status = Q2P_OK;
    bool list = view.packet.event == Q2P_EV_TRANSPORT_FAILED && view.status == Q2P_ERR_OVERSIZE;
    if (view.proven == Q2P_DIALECT_UNKNOWN && habit(&view) == Q2P_DIALECT_UNKNOWN)
        status = malformed_somewhere(story, &view);
    else if (!readable(view.status))
        status = malformed(story, &view, view.status);
    if (status == Q2P_OK && (readable(view.status) || list)) {
        switch (view.packet.event) {
        case Q2P_EV_OPTIONS:
        case Q2P_EV_TRANSPORT:
        case Q2P_EV_TRANSPORT_FAILED:
            status = follow_transmission(story, &view);
            break;
        default:
            status = follow_membership(story, &view);
        }
    }
    while (story->memory > story->config.memory_max && !base_list_empty(&story->items)) {
        tell_oldest(story);
        story->totals.early++;
    }
    return status;
}
