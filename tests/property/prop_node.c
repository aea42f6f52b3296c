/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prop_node.c - one node and a world that says anything: well-formed messages with confused
 * contents, broken ones, any order, any time. After every step the promises must hold: limits,
 * sizes, a clock that gets on, at most one end for each beginning, data that fit their key.
 */
#include <nettle/md5.h>
#include <string.h>

#include <q2p/node.h>
#include <q2p/status.h>

#define PROP "prop_node"
#include "prop.h"

#define STEPS 3000
#define LIVES 150
#define KEYS 12

struct life {
    uint64_t seed, random;
    q2p_node *node;
    struct q2p_config config;
    q2p_time now;
    size_t held;
    unsigned step;
    int open[KEYS][8]; /* transmissions announced and not ended, by key and source */
    uint8_t payloads[KEYS][3000];
    size_t lens[KEYS];
    struct q2p_hash keys[KEYS];
};

static uint32_t draw(struct life *life, uint32_t below)
{
    return dice_draw(&life->random, below);
}

static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct life *life = ctx;

    if (new_len > old_len && life->config.seed % 3 == 0 && draw(life, 50) == 0)
        return NULL; /* in every third life memory is short now and then */
    life->held += new_len - old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

static struct q2p_addr source(uint32_t i)
{
    struct q2p_addr addr = {.ip = {10, 0, 0, (uint8_t)(1 + i / 2)}, .ip_len = 4};

    addr.port = (uint16_t)(5 + i % 2); /* two to a host */
    return addr;
}

static struct q2p_addr any_addr(struct life *life)
{
    return draw(life, 10) ? source(draw(life, 8)) : (struct q2p_addr){.ip = {0}, .ip_len = 4};
}

static uint8_t *any_payload(struct life *life, uint32_t key)
{
    return life->payloads[key % KEYS];
}

static void say(struct life *life)
{
    uint8_t bytes[600];
    uint32_t key = draw(life, KEYS), syns[130];
    uint32_t length = (uint32_t)life->lens[key];
    enum q2p_dialect dialect = draw(life, 2) ? Q2P_DIALECT_CLASSIC : Q2P_DIALECT_OPTIONS;
    struct q2p_message message = {.event = (enum q2p_event)draw(life, Q2P_EV_UNKNOWN),
                                  .network_id = (uint16_t)(draw(life, 30) == 0),
                                  .length = length,
                                  .address = any_addr(life),
                                  .hash = life->keys[key],
                                  .lost = syns,
                                  .lost_count = draw(life, 4) ? draw(life, 5) : draw(life, 130)};
    struct q2p_datagram in = {source(draw(life, 8)), bytes, 0};
    int len;

    for (size_t i = 0; i < message.lost_count; i++)
        syns[i] = draw(life, 8);
    message.syn = draw(life, 8);
    message.body = any_payload(life, key) + (message.syn * 484 < length ? message.syn * 484 : 0);
    message.body_len = q2p_wire_share(length, message.syn);
    if (draw(life, 20) == 0)
        message.length = draw(life, 2) ? 0 : draw(life, UINT32_MAX);
    len = q2p_wire_write(bytes, sizeof bytes, dialect, &message);
    if (len < 0)
        return;
    in.len = (size_t)len;
    if (draw(life, 20) == 0)
        bytes[draw(life, (uint32_t)len)] ^= (uint8_t)(1 << draw(life, 8));
    if (draw(life, 20) == 0)
        in.len = draw(life, (uint32_t)len + 1);
    q2p_node_input(life->node, life->now, &in);
}

static void act(struct life *life)
{
    uint32_t key = draw(life, KEYS), syns[4] = {0, 1, 2, draw(life, 9)};
    struct q2p_addr addr = any_addr(life);
    struct q2p_hash hash = life->keys[draw(life, KEYS)];

    switch (draw(life, 4)) {
    case 0:
        q2p_node_join(life->node, life->now, &addr);
        break;
    case 1:
        q2p_node_send(life->node, life->now, &addr, any_payload(life, key), life->lens[key], &hash);
        q2p_node_resend(life->node, life->now, &addr, &hash, syns, 3);
        break;
    case 2:
        q2p_node_resend(life->node, life->now, &addr, &hash, syns, draw(life, 5));
        break;
    default:
        q2p_node_cancel(life->node, &addr, &hash);
    }
}

/* Which key and which source a happening is about. */
static int *open_of(struct life *life, const struct q2p_happening *what)
{
    for (uint32_t key = 0; key < KEYS; key++)
        for (uint32_t i = 0; i < 8; i++) {
            struct q2p_addr addr = source(i);

            if (memcmp(&life->keys[key], &what->hash, sizeof what->hash) == 0 &&
                q2p_addr_equal(&addr, &what->peer))
                return &life->open[key][i];
        }
    return NULL;
}

static void check_delivered(struct life *life, const struct q2p_happening *what)
{
    uint8_t digest[Q2P_HASH_LEN];
    struct md5_ctx md5;

    PROMISE(life, what->data_len == what->length);
    md5_init(&md5);
    if (what->data_len)
        md5_update(&md5, what->data_len, what->data);
    md5_digest(&md5, sizeof digest, digest);
    PROMISE(life, (memcmp(digest, what->hash.bytes, sizeof digest) == 0) ==
                      (what->check == Q2P_CHECK_DATA));
    PROMISE(life, what->dialect == Q2P_DIALECT_OPTIONS || what->check == Q2P_CHECK_DATA);
}

static void listen(struct life *life)
{
    struct q2p_happening what;

    while (q2p_node_happening(life->node, &what)) {
        int *open = open_of(life, &what);

        PROMISE(life, strcmp(q2p_on_name(what.on), "unknown") != 0);
        PROMISE(life, what.syns_count <= Q2P_SYNS_MAX);
        if (what.on == Q2P_ON_RECEIVING && open) {
            PROMISE(life, *open == 0);
            *open = 1;
        }
        if (what.on == Q2P_ON_DELIVERED || what.on == Q2P_ON_EXPIRED || what.on == Q2P_ON_CORRUPT) {
            PROMISE(life, !open || *open == 1);
            if (open)
                *open = 0;
        }
        if (what.on == Q2P_ON_DELIVERED)
            check_delivered(life, &what);
    }
}

static void fetch(struct life *life)
{
    const struct q2p_counters *counters = q2p_node_counters(life->node);
    struct q2p_datagram out;
    struct q2p_packet packet;
    unsigned count = 0;

    while (q2p_node_output(life->node, life->now, &out)) {
        enum q2p_dialect dialect = q2p_wire_dialect(out.bytes, out.len, out.len);

        PROMISE(life, ++count < 5000);
        PROMISE(life, out.len <= Q2P_DATAGRAM_MAX && q2p_addr_usable(&out.peer));
        PROMISE(life, q2p_wire_read(&packet, dialect ? dialect : Q2P_DIALECT_CLASSIC, out.bytes,
                                    out.len, out.len) == Q2P_OK);
    }
    PROMISE(life, q2p_node_peers(life->node, NULL, 0) <= life->config.peers_max);
    PROMISE(life, counters->memory_peak <= life->config.memory_max);
}

static void make_payloads(struct life *life)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        struct md5_ctx md5;

        life->lens[key] = key == 0 ? 0 : draw(life, sizeof life->payloads[0]) + 1;
        for (size_t i = 0; i < life->lens[key]; i++)
            life->payloads[key][i] = (uint8_t)draw(life, 256);
        md5_init(&md5);
        md5_update(&md5, life->lens[key], life->payloads[key]);
        md5_digest(&md5, sizeof life->keys[key].bytes, life->keys[key].bytes);
    }
}

static void live(uint64_t seed)
{
    struct life *life = calloc(1, sizeof *life);

    if (!life)
        abort();
    life->seed = life->random = seed;
    make_payloads(life);
    q2p_config_init(&life->config);
    if (seed % 4 == 0)
        q2p_config_original(&life->config);
    life->config.alloc = (struct q2p_alloc){life, resize};
    life->config.seed = seed;
    life->config.peers_max = (uint16_t)(1 + draw(life, 6));
    life->config.incoming_max = (uint16_t)(1 + draw(life, 30));
    life->config.incoming_peer_max = (uint16_t)(1 + draw(life, 6));
    life->config.memory_max = 2000 + draw(life, 30000);
    life->config.dialect = seed % 2 ? Q2P_DIALECT_CLASSIC : Q2P_DIALECT_OPTIONS;
    while (q2p_node_new(&life->node, &life->config) != Q2P_OK)
        ;
    for (life->step = 0; life->step < STEPS; life->step++) {
        q2p_time deadline;

        if (draw(life, 20))
            say(life);
        else
            act(life);
        if (draw(life, 10)) {
            fetch(life);
            listen(life);
            fetch(life);
            listen(life);
        }
        deadline = q2p_node_deadline(life->node);
        if (deadline > life->now && deadline < Q2P_NEVER && draw(life, 8) == 0)
            life->now = deadline;
        if (draw(life, 200) == 0)
            life->now += (q2p_time)draw(life, 40) * Q2P_SECOND;
        if (draw(life, 2))
            q2p_node_tick(life->node, life->now);
    }
    q2p_node_free(life->node);
    PROMISE(life, life->held == 0);
    free(life);
}

int main(int argc, char **argv)
{
    return prop_main(argc, argv, live, LIVES);
}
