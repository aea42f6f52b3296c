/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prop_siege.c - random hostile sequences against a node that serves an honest peer meanwhile: any
 * message from any of many addresses, right and wrong keys of what really is under way, broken and
 * cut ones, bursts and silences. After every step memory is within its bound; nobody who proved
 * nothing gets more than three bytes for one; and the honest peer's transmissions arrive, once.
 */
#define PROP "prop_siege"
#include "prop.h"
#include "siege.h"

#define LIVES 60
#define STEPS 3000
#define SOURCES 40
#define SENDS 12

struct life {
    struct siege siege;
    struct q2p_config config;
    uint64_t seed, random;
    unsigned step, sent;
    struct q2p_hash hashes[2 * SENDS]; /* of what the two send each other */
};

static uint8_t data[2 * SENDS][8000];

static uint32_t draw(struct life *life, uint32_t below)
{
    return dice_draw(&life->random, below);
}

/* A transmission that somebody knows of, or nobody. */
static struct q2p_hash any_hash(struct life *life)
{
    struct q2p_hash hash = {{(uint8_t)draw(life, 30)}};

    return life->sent > 0 && draw(life, 2) ? life->hashes[draw(life, life->sent)] : hash;
}

static void attack(struct life *life)
{
    static uint8_t body[Q2P_FRAGMENT_LEN];
    uint8_t bytes[600];
    uint32_t syns[Q2P_SYNS_MAX], from = draw(life, SOURCES);
    enum q2p_dialect dialect = draw(life, 2) ? Q2P_DIALECT_CLASSIC : Q2P_DIALECT_OPTIONS;
    struct q2p_message message = {.event = (enum q2p_event)draw(life, Q2P_EV_UNKNOWN),
                                  .network_id = (uint16_t)(draw(life, 10) == 0),
                                  .length =
                                      draw(life, 4) ? draw(life, 20000) : draw(life, 0x7fffffff),
                                  .address = siege_addr(draw(life, 2 * SOURCES)),
                                  .hash = any_hash(life),
                                  .lost = syns,
                                  .lost_count = draw(life, Q2P_SYNS_MAX),
                                  .body = body};

    if (message.event == Q2P_EV_CONNECTED && from % 8 > 0)
        return; /* who answers is there, and most are not */
    for (size_t i = 0; i < message.lost_count; i++)
        syns[i] = draw(life, 40);
    message.syn = draw(life, 42);
    message.body_len =
        draw(life, 4) ? q2p_wire_share(message.length, message.syn) : draw(life, 484);
    int len = q2p_wire_write(bytes, sizeof bytes, dialect, &message);
    if (len < 0)
        return;
    if (draw(life, 10) == 0)
        bytes[draw(life, (uint32_t)len)] ^= (uint8_t)(1 << draw(life, 8));
    if (draw(life, 20) == 0)
        len = (int)draw(life, (uint32_t)len + 1);
    siege_throw(&life->siege, from, bytes, (size_t)len);
}

static void serve(struct life *life)
{
    for (int i = 0; i < 2 && life->sent < 2 * SENDS; i++, life->sent++) {
        uint8_t *bytes = data[life->sent];
        size_t len = 1 + draw(life, sizeof data[0] - 1);

        memset(bytes, (int)life->sent, len);
        memcpy(bytes, &life->sent, len < sizeof life->sent ? len : sizeof life->sent);
        PROMISE(life, q2p_node_send(life->siege.nodes[i], life->siege.now, &life->siege.addrs[!i],
                                    bytes, len, &life->hashes[life->sent]) == Q2P_OK);
    }
}

static void check(struct life *life)
{
    const struct siege *siege = &life->siege;

    PROMISE(life, siege->unread == 0);
    PROMISE(life, siege->held <= siege_bound(&life->config));
    PROMISE(life, q2p_node_counters(siege->nodes[0])->memory_peak <= life->config.memory_max);
    PROMISE(life, q2p_node_peers(siege->nodes[0], NULL, 0) <= life->config.peers_max);
    PROMISE(life, siege->refusals <= 10 + 10 * (uint64_t)(siege->now / Q2P_SECOND + 1));
    for (unsigned i = 0; i < 2 * SOURCES; i++) {
        PROMISE(life,
                siege->evil[i].answered || siege->evil[i].bytes_out <= 3 * siege->evil[i].bytes_in);
        PROMISE(life, siege->evil[i].fragments == 0);
    }
}

static void live(uint64_t seed)
{
    struct life *life = calloc(1, sizeof *life);

    if (!life)
        abort();
    life->seed = life->random = seed;
    q2p_config_init(&life->config);
    life->config.dialect = seed % 2 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC;
    life->config.seed = seed;
    life->config.peers_max = (uint16_t)(1 + draw(life, 8));
    life->config.incoming_max = (uint16_t)(40 + draw(life, 100));
    life->config.memory_max = 400000;
    life->config.length_max = 100000;
    siege_init(&life->siege, &life->config);
    q2p_node_join(life->siege.nodes[1], 0, &life->siege.addrs[0]);
    siege_run(&life->siege, 10 * Q2P_MILLISECOND);
    for (life->step = 0; life->step < STEPS; life->step++) {
        attack(life);
        if (life->step % (STEPS / SENDS) == 0)
            serve(life);
        if (draw(life, 3) == 0)
            siege_run(&life->siege, life->siege.now + draw(life, 5) * Q2P_MILLISECOND);
        if (draw(life, 300) == 0)
            siege_run(&life->siege, life->siege.now + draw(life, 12) * Q2P_SECOND);
        if (life->step % 10 == 0)
            check(life);
    }
    siege_run(&life->siege, life->siege.now + 60 * Q2P_SECOND);
    check(life);
    PROMISE(life, life->siege.told[0][Q2P_ON_DELIVERED] >= SENDS); /* the others may, too */
    PROMISE(life, life->siege.told[1][Q2P_ON_DELIVERED] == SENDS);
    PROMISE(life, q2p_node_counters(life->siege.nodes[0])->memory == 0);
    siege_free(&life->siege);
    PROMISE(life, life->siege.held == 0);
    free(life);
}

int main(int argc, char **argv)
{
    return prop_main(argc, argv, live, LIVES);
}
