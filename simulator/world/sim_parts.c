/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_parts.c - windows, what goes from one part to another between them, and threads. */
#define _GNU_SOURCE /* sysconf */
#include "sim_parts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPINS 4000 /* looks before a thread goes to sleep: some 20 us */

/* A number that threads wait for. */
struct gate {
    atomic_uint value;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

struct sim_parts {
    uint32_t count;
    unsigned spins;
    const uint8_t *of;
    struct sim_part *parts[SIM_PARTS_MAX];
    struct sim_journal *journals[SIM_PARTS_MAX];
    q2p_time ahead_ns, until; /* until: the end of the window */
    unsigned writing;         /* which boxes are filled */
    sim_parts_tell *tell;
    void *ctx;
    struct gate round, done; /* windows begun; parts that are through, all windows together */
    bool quit;
    uint32_t threads_count;
    pthread_t threads[SIM_PARTS_MAX];
};

/* ---- gates --------------------------------------------------------------------------------- */

static void init_gate(struct gate *gate)
{
    atomic_init(&gate->value, 0);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

static void free_gate(struct gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
    pthread_cond_destroy(&gate->changed);
}

static void add_gate(struct gate *gate)
{
    atomic_fetch_add_explicit(&gate->value, 1, memory_order_release);
    pthread_mutex_lock(&gate->lock);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void await_gate(struct gate *gate, unsigned wanted, unsigned spins)
{
    for (unsigned i = 0; i < spins; i++) {
        if (atomic_load_explicit(&gate->value, memory_order_acquire) == wanted)
            return;
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }
    pthread_mutex_lock(&gate->lock);
    while (atomic_load_explicit(&gate->value, memory_order_acquire) != wanted)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

/* ---- from part to part --------------------------------------------------------------------- */

/* What lies in an outbox: the time, then the packet as far as it has bytes. */
static size_t parcel_len(const struct sim_packet *packet)
{
    return (sizeof(q2p_time) + sim_packet_size(packet) + 7) & ~(size_t)7;
}

bool sim_part_carry(struct sim_part *part, q2p_time at, struct sim_packet *packet)
{
    uint32_t to = part->parts->of[packet->way_to];
    if (to == part->number)
        return false;
    struct sim_outbox *box = &part->boxes[part->parts->writing][to];
    while (box->room - box->len < parcel_len(packet))
        box->bytes = sim_grow(box->bytes, &box->room, 1);
    memcpy(box->bytes + box->len, &at, sizeof at);
    memcpy(box->bytes + box->len + sizeof at, packet, sim_packet_size(packet));
    box->len += parcel_len(packet);
    part->sent_at = at < part->sent_at ? at : part->sent_at;
    sim_packet_drop(&part->world, packet);
    return true;
}

static void take_in(struct sim_part *part, struct sim_outbox *box)
{
    for (size_t at = 0; at < box->len;) {
        const char *parcel = box->bytes + at;
        struct sim_packet *packet = sim_packet_take(&part->world);
        q2p_time when;
        memcpy(&when, parcel, sizeof when);
        parcel += sizeof when;
        memcpy(packet, parcel, offsetof(struct sim_packet, bytes));
        memcpy(packet->bytes, parcel + offsetof(struct sim_packet, bytes), packet->len);
        if (when <= part->world.now) { /* the window was longer than what is under way takes */
            fputs("q2p-sim: a datagram came too late from another thread\n", stderr);
            abort();
        }
        sim_world_deliver(&part->world, when, packet->way_end, packet);
        at += parcel_len(packet);
    }
    box->len = 0;
}

/* ---- windows ------------------------------------------------------------------------------- */

static void look(struct sim_part *part)
{
    part->next_at = sim_queue_next(&part->world.queue);
}

static void step(struct sim_part *part)
{
    struct sim_parts *parts = part->parts;
    for (uint32_t i = 0; i < parts->count; i++)
        take_in(part, &parts->parts[i]->boxes[!parts->writing][part->number]);
    part->sent_at = Q2P_NEVER;
    sim_world_run(&part->world, parts->until);
    look(part);
}

static void *work(void *self)
{
    struct sim_part *part = self;
    struct sim_parts *parts = part->parts;
    for (unsigned round = 1;; round++) {
        await_gate(&parts->round, round, parts->spins);
        if (parts->quit)
            return NULL;
        step(part);
        add_gate(&parts->done);
    }
}

static void tell_all(struct sim_parts *parts)
{
    struct sim_entry *entry;
    uint32_t whose;
    while ((entry = sim_journal_next(parts->journals, parts->count, &whose)))
        parts->tell(parts->ctx, whose, entry);
}

/* Where nothing comes in, and nothing is to do but in one part, nobody else need wake up. */
static bool is_alone(const struct sim_parts *parts)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        busy += parts->parts[i]->next_at <= parts->until;
        busy += parts->parts[i]->sent_at <= parts->until ? 2 : 0;
    }
    return busy <= 1;
}

static void run_window(struct sim_parts *parts)
{
    bool alone = is_alone(parts) || parts->threads_count == 0;
    parts->writing = !parts->writing;
    if (!alone)
        add_gate(&parts->round);
    for (uint32_t i = 0; i < (alone ? parts->count : 1); i++)
        step(parts->parts[i]);
    if (!alone)
        await_gate(&parts->done, atomic_load(&parts->round.value) * parts->threads_count,
                   parts->spins);
    tell_all(parts);
}

static q2p_time first_time(const struct sim_parts *parts)
{
    q2p_time first = Q2P_NEVER;
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct sim_part *part = parts->parts[i];
        first = part->next_at < first ? part->next_at : first;
        first = part->sent_at < first ? part->sent_at : first;
    }
    return first;
}

void sim_parts_run(struct sim_parts *parts, q2p_time until)
{
    q2p_time first;
    while ((first = first_time(parts)) <= until) {
        parts->until = until - first < parts->ahead_ns ? until : first + parts->ahead_ns - 1;
        run_window(parts);
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        struct sim_world *world = &parts->parts[i]->world;
        if (until > world->now)
            world->now = world->queue.now = until;
    }
}

void sim_parts_touched(struct sim_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        look(parts->parts[i]);
    tell_all(parts);
}

/* ---- building ------------------------------------------------------------------------------ */

static struct sim_part *make_part(struct sim_parts *parts, uint32_t number, uint64_t seed)
{
    struct sim_part *part = sim_alloc(sizeof *part);
    sim_world_init(&part->world, seed);
    part->world.part = part;
    part->parts = parts;
    part->number = number;
    part->next_at = part->sent_at = Q2P_NEVER;
    for (int i = 0; i < 2; i++)
        part->boxes[i] = sim_alloc(parts->count * sizeof *part->boxes[i]);
    return part;
}

struct sim_parts *sim_parts_new(uint32_t count, uint64_t seed, const uint8_t *of)
{
    struct sim_parts *parts = sim_alloc(sizeof *parts);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    parts->count = count;
    parts->of = of;
    parts->spins = cores >= (long)count ? SPINS : 0;
    init_gate(&parts->round);
    init_gate(&parts->done);
    for (uint32_t i = 0; i < count; i++) {
        parts->parts[i] = make_part(parts, i, seed);
        parts->journals[i] = &parts->parts[i]->journal;
    }
    for (uint32_t i = 1; i < count; i++) /* the first part has the caller's */
        if (pthread_create(&parts->threads[i], NULL, work, parts->parts[i]) != 0) {
            fputs("q2p-sim: no more threads\n", stderr);
            exit(4);
        }
    parts->threads_count = count - 1;
    return parts;
}

void sim_parts_free(struct sim_parts *parts)
{
    if (!parts)
        return;
    parts->quit = true;
    add_gate(&parts->round);
    for (uint32_t i = 0; i < parts->threads_count; i++)
        pthread_join(parts->threads[i + 1], NULL);
    for (uint32_t i = 0; i < parts->count; i++) {
        struct sim_part *part = parts->parts[i];
        for (uint32_t j = 0; j < 2 * parts->count; j++)
            free(part->boxes[j % 2][j / 2].bytes);
        free(part->boxes[0]);
        free(part->boxes[1]);
        sim_journal_free(&part->journal);
        sim_world_free(&part->world);
        free(part);
    }
    free_gate(&parts->round);
    free_gate(&parts->done);
    free(parts);
}

struct sim_part *sim_parts_at(struct sim_parts *parts, uint32_t number)
{
    return parts->parts[number];
}

void sim_parts_ahead(struct sim_parts *parts, q2p_time ahead_ns)
{
    parts->ahead_ns = ahead_ns;
}

void sim_parts_listen(struct sim_parts *parts, sim_parts_tell *tell, void *ctx)
{
    parts->tell = tell;
    parts->ctx = ctx;
}
