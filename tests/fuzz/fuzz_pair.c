/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_pair.c - two nodes back to back under a hostile network: input bytes say what they send each
 * other and what becomes of every datagram: lost, doubled, held, spoiled. Nothing is delivered
 * twice or changed, memory stays in its bounds, nobody spins, and in the end all is quiet. Where
 * nothing was lost, spoiled or very late, everything arrives.
 */
#include <stdbool.h>
#include <string.h>

#include <q2p/node.h>
#include <q2p/status.h>

#include "fuzz.h"

#define FLIGHTS_MAX 1024 /* datagrams on their way; more are lost */
#define SENDS_MAX 8
#define LEN_MAX 6000
#define TURNS_MAX 400000
#define MOMENT_MAX 20000 /* turns and datagrams at one point in time */
#define SMALL_MEMORY 8000
#define TIMEOUT_NS (3 * Q2P_SECOND)

struct flight {
    q2p_time at;
    int to;
    size_t len;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

struct sent {
    int from;
    size_t offset, len;
    struct q2p_hash hash;
    unsigned delivered, released, failed;
};

struct side {
    q2p_node *node;
    struct q2p_addr addr;
    size_t held;
    uint64_t datagrams;
};

struct world {
    struct side sides[2];
    struct tape tape;
    q2p_time now;
    size_t flights_count;
    struct sent sends[SENDS_MAX];
    size_t sends_count, memory_max;
    bool lossy, spoiled;         /* something was */
    bool alike;                  /* both speak the same dialect from the start */
    unsigned moment;             /* turns since time went on */
    uint16_t order[FLIGHTS_MAX]; /* which arrives first; behind flights_count: free ones */
    struct flight flights[FLIGHTS_MAX];
};

static uint8_t data[LEN_MAX + 256 * SENDS_MAX];

static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct side *side = ctx;

    MUST(side->held >= old_len);
    side->held += new_len - old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

/* ---- the network ---- */

/* Takes its place by the time of arrival: only what is told to overtake does. */
static void fly(struct world *world, const struct flight *flight)
{
    size_t place = world->flights_count;

    if (place == FLIGHTS_MAX) {
        world->lossy = true;
        return;
    }
    uint16_t slot = world->order[place];
    memcpy(&world->flights[slot], flight, offsetof(struct flight, bytes) + flight->len);
    for (; place > 0 && world->flights[world->order[place - 1]].at > flight->at; place--)
        world->order[place] = world->order[place - 1];
    world->order[place] = slot;
    world->flights_count++;
}

/* What becomes of a datagram; with nothing left of the input it arrives after a millisecond. */
static void launch(struct world *world, int from, const struct q2p_datagram *out)
{
    struct flight flight;
    unsigned fate = next_byte(&world->tape);

    MUST(out->len >= Q2P_HEADER_LEN && out->len <= Q2P_DATAGRAM_MAX);
    MUST(q2p_addr_equal(&out->peer, &world->sides[!from].addr));
    flight.at = world->now + Q2P_MILLISECOND;
    flight.to = !from;
    flight.len = out->len;
    memcpy(flight.bytes, out->bytes, out->len);
    switch (fate & 7) {
    case 1: /* lost */
        world->lossy = true;
        return;
    case 2: /* doubled */
        fly(world, &flight);
        flight.at += (fate >> 3) * 20 * Q2P_MILLISECOND;
        break;
    case 3: /* spoiled */
        flight.bytes[next_word(&world->tape) % flight.len] ^= (uint8_t)(1 << (fate >> 5));
        world->spoiled = true;
        break;
    case 4: /* held for up to a second and a half; so long there and back is no time to answer */
        flight.at += (fate >> 3) * 50 * Q2P_MILLISECOND;
        world->lossy |= flight.at - world->now > TIMEOUT_NS / 4;
        break;
    case 5: /* overtakes */
        flight.at = world->now + 1;
        break;
    case 6: /* cut off */
        flight.len -= (fate >> 3) % flight.len;
        world->spoiled = true;
        break;
    default:
        break;
    }
    fly(world, &flight);
}

static const struct flight *first_flight(const struct world *world)
{
    return world->flights_count > 0 ? &world->flights[world->order[0]] : NULL;
}

/* ---- the nodes ---- */

static struct sent *find(struct world *world, int from, const struct q2p_hash *hash)
{
    for (size_t i = 0; i < world->sends_count; i++)
        if (world->sends[i].from == from && memcmp(&world->sends[i].hash, hash, sizeof *hash) == 0)
            return &world->sends[i];
    return NULL;
}

static void take_delivered(struct world *world, int at, const struct q2p_happening *it)
{
    struct sent *sent = find(world, !at, &it->hash);

    MUST(it->data_len == it->length);
    MUST(sent || world->spoiled);
    if (!sent)
        return;
    sent->delivered++;
    MUST(sent->delivered == 1);
    if (it->check == Q2P_CHECK_NONE && world->spoiled)
        return; /* the key may be of an address that we do not know: nobody can tell */
    MUST(it->data_len == sent->len && memcmp(it->data, data + sent->offset, sent->len) == 0);
}

static void take_happening(struct world *world, int at, const struct q2p_happening *it)
{
    struct sent *sent = find(world, at, &it->hash);

    MUST(it->syns_count <= Q2P_SYNS_MAX);
    if (it->on == Q2P_ON_DELIVERED)
        take_delivered(world, at, it);
    if (it->on == Q2P_ON_CORRUPT)
        MUST(world->spoiled);
    if (it->on == Q2P_ON_RELEASED || it->on == Q2P_ON_FAILED) {
        MUST(sent && sent->released + sent->failed == 0);
        sent->released += it->on == Q2P_ON_RELEASED;
        sent->failed += it->on == Q2P_ON_FAILED;
    }
}

static void settle(struct world *world, int index)
{
    struct side *side = &world->sides[index];
    const struct q2p_counters *counters = q2p_node_counters(side->node);
    struct q2p_happening it;
    struct q2p_datagram out;
    bool more = true;

    while (more) {
        more = false;
        for (; q2p_node_output(side->node, world->now, &out) == 1; more = true) {
            side->datagrams++;
            MUST(++world->moment < MOMENT_MAX);
            launch(world, index, &out);
        }
        for (; q2p_node_happening(side->node, &it) == 1; more = true)
            take_happening(world, index, &it);
    }
    MUST(counters->memory_peak <= world->memory_max);
    MUST(counters->memory <= side->held);
}

/* Sends bytes of their own, so that no two transmissions have the same key. */
static void start(struct world *world, unsigned how)
{
    struct sent *sent = &world->sends[world->sends_count];
    size_t len = next_word(&world->tape) % (how & 2 ? LEN_MAX : 1500);

    if (world->sends_count == SENDS_MAX)
        return;
    *sent = (struct sent){.from = how & 1, .offset = 256 * world->sends_count, .len = len + 1};
    int status =
        q2p_node_send(world->sides[sent->from].node, world->now, &world->sides[!sent->from].addr,
                      data + sent->offset, sent->len, &sent->hash);
    MUST(status == Q2P_OK);
    world->sends_count++;
    settle(world, sent->from);
}

static q2p_time next_time(const struct world *world)
{
    q2p_time next = Q2P_NEVER;

    if (first_flight(world))
        next = first_flight(world)->at;
    for (int i = 0; i < 2; i++)
        if (q2p_node_deadline(world->sides[i].node) < next)
            next = q2p_node_deadline(world->sides[i].node);
    return next;
}

static void arrive(struct world *world)
{
    const struct flight *flight = first_flight(world);
    uint8_t *exact = malloc(flight->len ? flight->len : 1);
    struct q2p_datagram in = {world->sides[!flight->to].addr, exact, flight->len};
    int to = flight->to;
    uint16_t slot = world->order[0];

    memmove(world->order, world->order + 1, --world->flights_count * sizeof slot);
    world->order[world->flights_count] = slot;
    memcpy(exact, flight->bytes, flight->len);
    (void)q2p_node_input(world->sides[to].node, world->now, &in);
    free(exact);
    settle(world, to);
}

static void run(struct world *world, q2p_time until)
{
    for (int turns = 0;; turns++) {
        q2p_time next = next_time(world);

        MUST(turns < TURNS_MAX);
        if (next > until)
            break;
        if (next > world->now) {
            world->now = next;
            world->moment = 0;
        }
        MUST(++world->moment < MOMENT_MAX);
        if (first_flight(world) && first_flight(world)->at <= world->now)
            arrive(world);
        for (int i = 0; i < 2; i++)
            if (q2p_node_deadline(world->sides[i].node) <= world->now) {
                q2p_node_tick(world->sides[i].node, world->now);
                settle(world, i);
            }
    }
    world->now = until;
    world->moment = 0;
}

/* ---- a run ---- */

static void open_sides(struct world *world, unsigned how)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *side = &world->sides[i];
        struct q2p_config config;

        q2p_config_init(&config);
        config.dialect = how >> i & 1 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC;
        config.keepalive_ns = 0; /* so that quiet is quiet */
        config.timeout_ns = TIMEOUT_NS;
        config.keep_ns = 5 * Q2P_SECOND;
        config.alloc = (struct q2p_alloc){side, resize};
        if (how & 4) {
            config.memory_max = SMALL_MEMORY;
            config.length_max = SMALL_MEMORY / 2;
            world->lossy = true; /* what does not fit is refused */
        }
        world->memory_max = config.memory_max;
        side->addr = (struct q2p_addr){.ip = {10, 0, 0, (uint8_t)(i + 1)}, .ip_len = 4};
        side->addr.port = 10000;
        MUST(q2p_node_new(&side->node, &config) == Q2P_OK);
        MUST(q2p_node_own(side->node, &side->addr) == Q2P_OK);
    }
    world->alike = (how & 1) == (how >> 1 & 1);
    if (how & 8) {
        MUST(q2p_node_join(world->sides[0].node, 0, &world->sides[1].addr) == Q2P_OK);
        settle(world, 0);
    }
}

/* All has ended; nobody has anything more to say, or to hold. */
static void check_end(struct world *world)
{
    uint64_t before = world->sides[0].datagrams + world->sides[1].datagrams;

    run(world, world->now + 60 * Q2P_SECOND);
    MUST(world->sides[0].datagrams + world->sides[1].datagrams == before);
    for (int i = 0; i < 2; i++)
        MUST(q2p_node_counters(world->sides[i].node)->memory == 0);
    for (size_t i = 0; i < world->sends_count; i++) {
        const struct sent *sent = &world->sends[i];

        MUST(sent->released + sent->failed == 1);
        if (!world->lossy && !world->spoiled)
            MUST(sent->delivered == 1 || (sent->failed && !world->alike));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct world world;

    if (data[0] == 0)
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)(i * 7 + i / 256 * 13 + 1);
    memset(&world, 0, offsetof(struct world, flights));
    for (size_t i = 0; i < FLIGHTS_MAX; i++)
        world.order[i] = (uint16_t)i;
    world.tape = (struct tape){bytes, bytes + size};
    open_sides(&world, next_byte(&world.tape));
    for (unsigned i = 0; i < SENDS_MAX && world.tape.at < world.tape.end; i++) {
        unsigned how = next_byte(&world.tape);

        start(&world, how);
        if (how & 4)
            run(&world, world.now + (how >> 3) * 20 * Q2P_MILLISECOND);
    }
    run(&world, world.now + 200 * Q2P_SECOND);
    check_end(&world);
    for (int i = 0; i < 2; i++) {
        q2p_node_free(world.sides[i].node);
        MUST(world.sides[i].held == 0);
    }
    return 0;
}
