/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_threads.c - divides a run, notes what its parts have to tell, and tells it at the end of each
 * window. The script acts between windows, while all parts have come to the same instant.
 */
#include "scn_threads.h"

#include <stdlib.h>
#include <string.h>

#include "sim_parts.h"

enum note_kind { NOTE_SEEN, NOTE_FATE, NOTE_MAPPED, NOTE_GRANTED, NOTE_NEWS, NOTE_STARTED };

/* The observer's newest sighting of a packet, wherever that goes. */
struct shadow {
    struct sim_record *record;
    struct shadow *next; /* unused */
    struct ear *home;
};

/* A packet was seen, or met its fate. */
struct packet_note {
    q2p_time now;
    struct net_sight sight;
    struct q2p_addr inside;
    bool calm;
    enum net_fate fate;
    const char *where;
    struct sim_packet packet; /* as far as it has bytes */
};

struct mapped_note {
    q2p_time now;
    uint32_t place;
    struct q2p_addr inside, to;
    struct net_nat_made made;
};

/* Then come syns, data and text. */
struct news_note {
    q2p_time now;
    struct scn_news news;
    size_t syns_len, text_len;
};

struct started_note {
    q2p_time now;
    struct scn_started started;
};

/* What listens to one part. */
struct ear {
    struct scn_run *run;
    struct sim_part *part;
    struct shadow *unused;
    struct sim_arena shadows;
    char pad[SIM_LINE]; /* no line of memory is for two threads */
};

struct scn_threads {
    uint32_t count;
    struct sim_parts *parts;
    uint8_t *of;
    struct net *views;
    struct net_tap *taps;
    struct ear *ears;
};

/* ---- noting: on the thread of the part --------------------------------------------------- */

static void shade(struct ear *ear, struct sim_packet *packet)
{
    struct shadow *shadow = ear->unused;
    if (packet->record || !ear->run->trace)
        return;
    if (shadow)
        ear->unused = shadow->next;
    else
        shadow = sim_arena_take(&ear->shadows, sizeof *shadow);
    *shadow = (struct shadow){.home = ear};
    packet->record = (struct sim_record *)(void *)shadow;
}

static struct packet_note *note_packet(struct ear *ear, enum note_kind kind,
                                       const struct sim_packet *packet)
{
    struct packet_note *note = sim_journal_add(
        &ear->part->journal, kind, offsetof(struct packet_note, packet) + sim_packet_size(packet));
    note->now = ear->part->world.now;
    memcpy(&note->packet, packet, offsetof(struct sim_packet, bytes));
    memcpy(note->packet.bytes, packet->bytes, packet->len);
    return note;
}

static void note_seen(void *ctx, const struct net_sight *at, struct sim_packet *packet,
                      q2p_time now)
{
    struct ear *ear = ctx;
    const struct scn_run *run = ear->run;
    (void)now;
    shade(ear, packet);
    struct packet_note *note = note_packet(ear, NOTE_SEEN, packet);
    note->sight = *at;
    if (at->use != NET_USE_NONE)
        note->inside = *at->inside;
    note->calm = at->out && !net_is_nat(run->net.places[at->point]) &&
                 scn_oracle_calm(run, at->point - run->first_place);
}

static void note_fate(void *ctx, struct sim_packet *packet, enum net_fate fate, const char *where,
                      q2p_time now)
{
    struct packet_note *note = note_packet(ctx, NOTE_FATE, packet);
    (void)now;
    note->fate = fate;
    note->where = where;
}

static void note_mapped(void *ctx, uint32_t place, const struct net_nat_made *made)
{
    struct ear *ear = ctx;
    struct mapped_note *note = sim_journal_add(&ear->part->journal, NOTE_MAPPED, sizeof *note);
    *note = (struct mapped_note){ear->part->world.now, place, *made->inside, *made->to, *made};
}

static void note_granted(void *ctx, uint32_t place)
{
    struct ear *ear = ctx;
    uint32_t *note = sim_journal_add(&ear->part->journal, NOTE_GRANTED, sizeof *note);
    *note = place;
}

void scn_threads_news(struct scn_news *news)
{
    struct sim_part *part = news->host->place->net->world->part;
    const struct q2p_happening *what = &news->what;
    size_t syns_len = what->syns_count * sizeof *what->syns;
    size_t data_len = what->on == Q2P_ON_DELIVERED ? what->data_len : 0;
    size_t text_len = what->text ? strlen(what->text) + 1 : 0;
    struct news_note *note =
        sim_journal_add(&part->journal, NOTE_NEWS, sizeof *note + syns_len + data_len + text_len);
    char *at = (char *)(note + 1);
    *note = (struct news_note){part->world.now, *news, syns_len, text_len};
    note->news.calm = scn_oracle_calm(news->host->run, news->host->number);
    if (syns_len > 0)
        memcpy(at, what->syns, syns_len);
    if (text_len > 0)
        memcpy(at + syns_len, what->text, text_len);
    if (data_len > 0)
        memcpy(at + syns_len + text_len, what->data, data_len);
}

void scn_threads_started(const struct scn_host *host, const struct scn_started *started)
{
    struct sim_part *part = host->place->net->world->part;
    struct started_note *note = sim_journal_add(&part->journal, NOTE_STARTED, sizeof *note);
    *note = (struct started_note){part->world.now, *started};
}

/* ---- telling: while all parts wait ------------------------------------------------------- */

static void tell_seen(struct scn_run *run, struct packet_note *note)
{
    struct shadow *shadow = (struct shadow *)(void *)note->packet.record;
    run->calm = note->calm;
    note->packet.record = shadow ? shadow->record : NULL;
    note->sight.inside = &note->inside;
    scn_tap_seen(run, &note->sight, &note->packet, note->now);
    if (shadow)
        shadow->record = note->packet.record;
}

static void tell_fate(struct scn_run *run, struct packet_note *note)
{
    struct shadow *shadow = (struct shadow *)(void *)note->packet.record;
    note->packet.record = shadow ? shadow->record : NULL;
    scn_tap_fate(run, &note->packet, note->fate, note->where, note->now);
    if (shadow) {
        shadow->next = shadow->home->unused;
        shadow->home->unused = shadow;
    }
}

static void tell_mapped(struct scn_run *run, struct mapped_note *note)
{
    net_nat_told_made(run->net.places[note->place]->nat);
    note->made.inside = &note->inside;
    note->made.to = &note->to;
    scn_tap_mapped(run, note->place, &note->made);
}

static void tell_news(struct scn_run *run, struct news_note *note)
{
    struct q2p_happening *what = &note->news.what;
    const char *at = (const char *)(note + 1);
    if (note->syns_len > 0)
        what->syns = (const uint32_t *)(const void *)at;
    if (note->text_len > 0)
        what->text = at + note->syns_len;
    if (what->on == Q2P_ON_DELIVERED)
        what->data = (const uint8_t *)at + note->syns_len + note->text_len;
    run->calm = note->news.calm;
    scn_news_tell(run, &note->news);
}

static void tell(void *ctx, uint32_t part, struct sim_entry *entry)
{
    struct scn_run *run = ctx;
    void *note = sim_entry_payload(entry);
    (void)part;
    if (entry->kind == NOTE_GRANTED) {
        net_nat_told_granted(run->net.places[*(const uint32_t *)note]->nat);
        return;
    }
    memcpy(&run->world.now, note, sizeof run->world.now); /* all others begin with it */
    if (entry->kind == NOTE_SEEN)
        tell_seen(run, note);
    else if (entry->kind == NOTE_FATE)
        tell_fate(run, note);
    else if (entry->kind == NOTE_MAPPED)
        tell_mapped(run, note);
    else if (entry->kind == NOTE_NEWS)
        tell_news(run, note);
    else
        scn_news_started(run, &((const struct started_note *)note)->started);
}

/* ---- playing ----------------------------------------------------------------------------- */

/* A change of a link may change how long windows are. */
static void look_ahead(struct scn_run *run)
{
    q2p_time ahead = net_ahead(&run->net, run->threads->of);
    sim_parts_ahead(run->threads->parts, ahead);
    for (size_t i = 0; i < run->net.places_count; i++)
        if (net_is_nat(run->net.places[i]))
            net_nat_remember(run->net.places[i]->nat, ahead);
}

void scn_threads_play(struct scn_run *run, q2p_time until)
{
    struct scn_threads *threads = run->threads;
    for (;;) {
        q2p_time next = scn_run_next(run), stop = next < until ? next : until;
        sim_parts_run(threads->parts, stop);
        run->world.now = stop;
        if (next > until)
            break;
        if (scn_run_act(run))
            look_ahead(run);
        sim_parts_touched(threads->parts);
    }
}

/* ---- dividing ---------------------------------------------------------------------------- */

/* Links that the script gives no delay join what is to stay together. */
static size_t find_pairs(const struct scn_run *run, uint32_t (*pairs)[2])
{
    size_t count_found = 0;
    for (size_t i = 0; i < run->scenario->script.count; i++) {
        const struct scn_step *step = &run->scenario->script.items[i];
        const struct net_table *table = step->set.delays;
        bool none = false;
        for (uint32_t j = 0; table && j < table->count; j++)
            none |= table->items[j] <= 0;
        if (!step->has_set || !none || !step->set.between[0].text)
            continue;
        for (int end = 0; end < 2; end++)
            pairs[count_found][end] = scn_run_place(run, step->set.between[end].index)->index;
        count_found++;
    }
    return count_found;
}

static bool stops(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->nodes.count; i++)
        if (scenario->nodes.items[i].stop_ns > 0)
            return true;
    for (size_t i = 0; i < scenario->script.count; i++)
        if (scenario->script.items[i].crash.text)
            return true;
    return false;
}

/* What acts from one end of the world to the other without any delay. */
static bool is_possible(const struct scn_run *run, char *why, size_t room)
{
    for (size_t i = 0; i < run->net.places_count; i++) {
        const struct net_place *place = run->net.places[i];
        if (!net_is_nat(place))
            continue;
        const struct net_nat_config *config = &place->nat->config;
        if (config->icmp_kills && stops(run->scenario)) {
            snprintf(why, room,
                     "nats.%s.icmp-kills: errors about nodes that stop are there at once",
                     place->name);
            return false;
        }
        if (config->forget_new_ns > config->forget_ns) {
            snprintf(why, room, "nats.%s.forget-new: longer than forget-after", place->name);
            return false;
        }
    }
    return true;
}

static void listen(struct scn_run *run)
{
    struct scn_threads *threads = run->threads;
    threads->views = sim_alloc(threads->count * sizeof *threads->views);
    threads->taps = sim_alloc(threads->count * sizeof *threads->taps);
    threads->ears = sim_alloc(threads->count * sizeof *threads->ears);
    threads->parts = sim_parts_new(threads->count, run->seed, threads->of);
    sim_parts_listen(threads->parts, tell, run);
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sim_part *part = sim_parts_at(threads->parts, i);
        threads->ears[i] = (struct ear){.run = run, .part = part};
        threads->taps[i] = (struct net_tap){.ctx = &threads->ears[i],
                                            .seen = note_seen,
                                            .fate = note_fate,
                                            .mapped = note_mapped,
                                            .granted = note_granted};
        threads->views[i].world = &part->world;
        threads->views[i].tap = &threads->taps[i];
    }
    net_split(&run->net, threads->views, threads->count, threads->of);
    for (size_t i = 0; i < run->scenario->nodes.count; i++)
        run->hosts[i].heap = &run->hosts[i].place->net->world->heap;
    look_ahead(run);
}

/* Who is where, or NULL: nothing is apart. */
static struct scn_threads *divide(const struct scn_run *run, uint32_t wanted)
{
    uint32_t(*pairs)[2] = sim_alloc((run->scenario->script.count + 1) * sizeof *pairs);
    struct scn_threads *threads = sim_alloc(sizeof *threads);
    threads->of = sim_alloc(run->net.places_count + 1);
    size_t pairs_count = find_pairs(run, pairs);
    threads->count =
        net_divide(&run->net, wanted, threads->of, (const uint32_t(*)[2])pairs, pairs_count);
    free(pairs);
    if (threads->count > 1 && net_ahead(&run->net, threads->of) > 0)
        return threads;
    scn_threads_free(threads);
    return NULL;
}

uint32_t scn_threads_begin(struct scn_run *run, uint32_t wanted, char *why, size_t room)
{
    if (!is_possible(run, why, room))
        return 0;
    run->threads = divide(run, wanted);
    if (!run->threads) {
        snprintf(why, room, "all nodes are behind one NAT, or have links without delay");
        return 1;
    }
    listen(run);
    return run->threads->count;
}

void scn_threads_free(struct scn_threads *threads)
{
    if (!threads)
        return;
    for (uint32_t i = 0; threads->ears && i < threads->count; i++)
        sim_arena_free(&threads->ears[i].shadows);
    sim_parts_free(threads->parts);
    free(threads->of);
    free(threads->views);
    free(threads->taps);
    free(threads->ears);
    free(threads);
}
