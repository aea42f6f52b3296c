/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_node.c - input bytes are operations on two nodes back to back: datagrams of strangers (and
 * forged ones), loss, doubling, time, joins, sends, resends, allocators that refuse. Whatever
 * comes, limits hold, every datagram fits, no node spins, and each transmission ends once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/machine.h>
#include <q2p/node.h>
#include <q2p/status.h>

#include "fuzz.h"

#define QUEUE_MAX 256   /* datagrams on their way; more are lost */
#define LIVE_MAX 64     /* transmissions known at once */
#define OUTPUT_MAX 8192 /* datagrams in one go; more is a flood */
#define DATA_MAX 4096   /* more is not more of anything but time */
#define PEERS_MAX 5
#define MEMORY_MAX 9000

struct flight {
    int from, to;
    size_t len;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

/* A transmission that has begun and not ended, as its happenings told. */
struct live {
    struct q2p_addr peer;
    struct q2p_hash hash;
    bool outgoing;
    int open, unsent; /* the same bytes sent again begin before the end of the first is told */
};

struct side {
    q2p_node *node;
    struct q2p_addr addr;
    struct live live[LIVE_MAX];
    size_t held, allocations_left;
};

struct world {
    struct side sides[2];
    size_t queued;
    q2p_time now;
    struct tape tape;
    struct flight queue[QUEUE_MAX];
};

static uint8_t data[DATA_MAX];

/* 0 and 1 are the nodes themselves, the others are strangers. */
static struct q2p_addr addr_of(unsigned index)
{
    struct q2p_addr addr = {.ip = {10, 0, 0, (uint8_t)(index + 1)}, .port = 10000, .ip_len = 4};
    return addr;
}

/* Counts what is held, and refuses when the tape said so. */
static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct side *side = ctx;

    if (new_len == 0) {
        MUST(side->held >= old_len);
        side->held -= old_len;
        free(old);
        return NULL;
    }
    if (side->allocations_left == 0)
        return NULL;
    side->allocations_left--;
    void *fresh = realloc(old, new_len);
    side->held += new_len - old_len;
    return fresh;
}

static struct live *find(struct side *side, const struct q2p_happening *it, bool outgoing)
{
    for (size_t i = 0; i < LIVE_MAX; i++) {
        struct live *live = &side->live[i];
        if (live->open > 0 && live->outgoing == outgoing &&
            q2p_addr_equal(&live->peer, &it->peer) &&
            memcmp(&live->hash, &it->hash, sizeof it->hash) == 0)
            return live;
    }
    return NULL;
}

static void begin(struct side *side, const struct q2p_happening *it, bool outgoing)
{
    struct live *live = find(side, it, outgoing);

    for (size_t i = 0; i < LIVE_MAX && !live; i++)
        if (side->live[i].open == 0)
            live = &side->live[i];
    MUST(live);
    if (live->open == 0)
        *live = (struct live){it->peer, it->hash, outgoing, 0, 0};
    live->open++;
    live->unsent++;
    MUST(live->open <= (outgoing ? 2 : 1));
}

static void end(struct side *side, const struct q2p_happening *it, bool outgoing)
{
    struct live *live = find(side, it, outgoing);
    MUST(live);
    live->open--;
}

static void check_delivered(const struct q2p_happening *it)
{
    MUST(it->data_len == it->length);
    for (size_t i = 0; i < it->data_len; i++)
        (void)*(const volatile uint8_t *)(it->data + i); /* all of it is readable */
    MUST(it->check != Q2P_CHECK_WRONG);
}

static void take_happening(struct side *side, const struct q2p_happening *it)
{
    struct live *live;

    MUST(it->syns_count <= Q2P_SYNS_MAX);
    switch (it->on) {
    case Q2P_ON_RECEIVING:
        begin(side, it, false);
        break;
    case Q2P_ON_DELIVERED:
        check_delivered(it);
        end(side, it, false);
        break;
    case Q2P_ON_EXPIRED:
    case Q2P_ON_CORRUPT:
        end(side, it, false);
        break;
    case Q2P_ON_SENT:
        live = find(side, it, true);
        MUST(live && live->unsent > 0);
        live->unsent--;
        MUST(it->data == NULL || (it->data >= data && it->data <= data + sizeof data));
        break;
    case Q2P_ON_LOST:
    case Q2P_ON_RESTORED:
    case Q2P_ON_ARRIVED:
        MUST(find(side, it, true));
        break;
    case Q2P_ON_FAILED:
    case Q2P_ON_RELEASED:
        end(side, it, true);
        break;
    case Q2P_ON_REFUSED:
        MUST(it->text && strlen(it->text) < Q2P_DATAGRAM_MAX);
        break;
    case Q2P_ON_JOIN:
    case Q2P_ON_CONNECT:
    case Q2P_ON_CONNECTED:
    case Q2P_ON_UNREACHED:
    case Q2P_ON_MISMATCH:
    case Q2P_ON_GONE:
        break;
    }
}

static void launch(struct world *world, int from, const struct q2p_datagram *out)
{
    MUST(out->len >= Q2P_HEADER_LEN && out->len <= Q2P_DATAGRAM_MAX);
    MUST(q2p_addr_usable(&out->peer));
    MUST(!q2p_addr_equal(&out->peer, &world->sides[from].addr));
    for (int to = 0; to < 2; to++) {
        if (!q2p_addr_equal(&out->peer, &world->sides[to].addr) || world->queued == QUEUE_MAX)
            continue;
        struct flight *flight = &world->queue[world->queued++];
        flight->from = from;
        flight->to = to;
        flight->len = out->len;
        memcpy(flight->bytes, out->bytes, out->len);
    }
}

static void drain_happenings(struct side *side)
{
    struct q2p_happening it;
    while (q2p_node_happening(side->node, &it) == 1)
        take_happening(side, &it);
}

/* Fetches all a node has to say, and checks what must hold at rest. */
static void settle(struct world *world, int index)
{
    struct side *side = &world->sides[index];
    struct q2p_datagram out;
    int count = 0;

    do {
        drain_happenings(side);
        for (; q2p_node_output(side->node, world->now, &out) == 1; count++)
            launch(world, index, &out);
        MUST(count < OUTPUT_MAX);
        if (q2p_node_deadline(side->node) <= world->now)
            q2p_node_tick(side->node, world->now);
        count++;
    } while (q2p_node_deadline(side->node) <= world->now);
    drain_happenings(side);
    MUST(q2p_node_peers(side->node, NULL, 0) <= PEERS_MAX);
    MUST(q2p_node_counters(side->node)->memory <= MEMORY_MAX);
    MUST(q2p_node_counters(side->node)->memory_peak <= MEMORY_MAX);
}

static void give(struct world *world, int to, struct q2p_addr from, const uint8_t *bytes,
                 size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);

    memcpy(exact, bytes, len);
    struct q2p_datagram in = {from, exact, len};
    (void)q2p_node_input(world->sides[to].node, world->now, &in);
    free(exact);
    settle(world, to);
}

/* The datagram at that place of the queue; the last one takes its place: so they overtake. */
static void deliver(struct world *world, size_t which, bool lose, bool keep)
{
    struct flight flight = world->queue[which];

    if (!keep)
        world->queue[which] = world->queue[--world->queued];
    if (!lose)
        give(world, flight.to, world->sides[flight.from].addr, flight.bytes, flight.len);
}

static void start(struct world *world, int from, unsigned to, size_t len, unsigned offset)
{
    struct side *side = &world->sides[from];
    struct q2p_happening it = {.peer = addr_of(to)};

    len %= DATA_MAX - 255;
    int status = q2p_node_send(side->node, world->now, &it.peer, data + offset, len, &it.hash);
    if (status == Q2P_OK)
        begin(side, &it, true);
    settle(world, from);
}

static void repair(struct world *world, int from, unsigned which, uint32_t syn)
{
    struct side *side = &world->sides[from];
    struct live *live = &side->live[which % 8];
    uint32_t syns[3] = {syn, syn, syn / 2};

    if (live->open == 0 || !live->outgoing)
        return;
    if (which & 0x80) {
        if (q2p_node_cancel(side->node, &live->peer, &live->hash) == Q2P_OK)
            live->open--;
    } else {
        MUST(q2p_node_resend(side->node, world->now, &live->peer, &live->hash, syns, 3) <= 3);
    }
    settle(world, from);
}

static void pass(struct world *world, q2p_time ns)
{
    q2p_time until = world->now + ns;

    for (int steps = 0; steps < 1000; steps++) {
        q2p_time first = until;
        for (int i = 0; i < 2; i++)
            if (q2p_node_deadline(world->sides[i].node) < first)
                first = q2p_node_deadline(world->sides[i].node);
        world->now = first > world->now ? first : world->now;
        for (int i = 0; i < 2; i++)
            settle(world, i);
        if (world->now >= until)
            break;
    }
    world->now = until;
    settle(world, 0);
    settle(world, 1);
}

static void take_datagram(struct world *world, int to)
{
    unsigned from = next_byte(&world->tape) % 8;
    size_t len = next_word(&world->tape) % 600, left = (size_t)(world->tape.end - world->tape.at);

    len = len < left ? len : left;
    const uint8_t *bytes = world->tape.at;
    world->tape.at += len;
    give(world, to, addr_of(from), bytes, len);
}

static void operate(struct world *world)
{
    unsigned word = next_byte(&world->tape);
    int side = word >> 3 & 1;
    unsigned more = word >> 4;

    switch (word & 7) {
    case 0:
        take_datagram(world, side);
        break;
    case 1:
        pass(world, (q2p_time)next_word(&world->tape) * Q2P_MILLISECOND * (more & 1 ? 10 : 1));
        break;
    case 2: {
        size_t len = next_word(&world->tape);
        start(world, side, more & 1 ? 2 + more % 6 : (unsigned)!side, len, next_byte(&world->tape));
        break;
    }
    case 3:
        for (unsigned i = 0; i <= more && world->queued > 0; i++)
            deliver(world, 0, false, false);
        break;
    case 4:
        if (world->queued > 0)
            deliver(world, next_byte(&world->tape) % world->queued, more & 1, more & 2);
        break;
    case 5: {
        struct q2p_addr to = addr_of(more & 1 ? 2 + more % 6 : (unsigned)!side);
        (void)q2p_node_join(world->sides[side].node, world->now, &to);
        settle(world, side);
        break;
    }
    case 6: {
        unsigned which = next_byte(&world->tape);
        repair(world, side, which, next_word(&world->tape));
        break;
    }
    case 7:
        world->sides[side].allocations_left = more < 8 ? more : SIZE_MAX;
        break;
    }
}

static bool open_side(struct world *world, int index, unsigned how)
{
    struct side *side = &world->sides[index];
    struct q2p_config config;

    q2p_config_init(&config);
    if (how & 1)
        q2p_config_original(&config);
    config.dialect = how & 2 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC;
    config.open = how & 4;
    config.repair = !(how & 8);
    config.peers_max = PEERS_MAX;
    config.memory_max = MEMORY_MAX;
    config.incoming_max = 6;
    config.incoming_peer_max = 3;
    config.outgoing_max = 4;
    config.alloc = (struct q2p_alloc){side, resize};
    side->addr = addr_of((unsigned)index);
    side->allocations_left = SIZE_MAX;
    if (q2p_node_new(&side->node, &config) != Q2P_OK)
        return false;
    return !(how & 16) || q2p_node_own(side->node, &side->addr) == Q2P_OK;
}

static bool is_over(const struct world *world)
{
    for (int i = 0; i < 2; i++) {
        if (q2p_node_counters(world->sides[i].node)->memory > 0)
            return false;
        for (size_t k = 0; k < LIVE_MAX; k++)
            if (world->sides[i].live[k].open > 0)
                return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct world world;

    memset(&world, 0, offsetof(struct world, queue));
    if (data[1] == 0)
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)(i * 7 + i / 251);
    world.tape = (struct tape){bytes, bytes + size};
    for (int i = 0; i < 2; i++)
        MUST(open_side(&world, i, next_byte(&world.tape) | 16));
    for (int i = 0; i < 400 && world.tape.at < world.tape.end; i++)
        operate(&world);
    /* Left alone, everything that began comes to its end. */
    world.queued = 0;
    for (int i = 0; i < 40 && !is_over(&world); i++) {
        pass(&world, 5 * Q2P_SECOND);
        world.queued = 0;
    }
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < LIVE_MAX; k++)
            MUST(world.sides[i].live[k].open == 0);
        MUST(q2p_node_counters(world.sides[i].node)->memory == 0);
        q2p_node_free(world.sides[i].node);
        MUST(world.sides[i].held == 0);
    }
    return 0;
}
