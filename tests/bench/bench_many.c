/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_many.c - what needs no network: how much goes to somebody who never answers, what a peer
 * takes that does nothing, and what a datagram costs with many transmissions open. Time is virtual,
 * so only the costs depend on the machine.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "bench_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/q2p.h>

#include "bench_clock.h"

enum { FEW = 10, MANY = 10000, DATAGRAMS = 200000, LOST_LEN = 10000000, IDLE = 100, TURN = 64 };

#define TRIP_NS (10 * Q2P_MILLISECOND)

static void die(const char *what)
{
    fprintf(stderr, "bench_transfer: %s\n", what);
    exit(4);
}

static q2p_node *make_node(const struct q2p_config *config)
{
    q2p_node *node;
    if (q2p_node_new(&node, config) != Q2P_OK)
        die("out of memory");
    return node;
}

static struct q2p_addr address(uint32_t number)
{
    return (struct q2p_addr){
        .ip = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number},
        .port = 10000,
        .ip_len = 4};
}

static void make_hash(struct q2p_hash *out, uint32_t number)
{
    memset(out, 7, sizeof *out);
    memcpy(out->bytes, &number, sizeof number);
}

static size_t write(uint8_t *bytes, enum q2p_dialect dialect, const struct q2p_message *message)
{
    int len = q2p_wire_write(bytes, Q2P_DATAGRAM_MAX, dialect, message);
    if (len < 0)
        die("a datagram cannot be written");
    return (size_t)len;
}

/* ---- silence -------------------------------------------------------------------------------- */

struct ask {
    struct q2p_addr peer;
    struct q2p_hash hash;
};

static bool is_options(const struct q2p_datagram *out, struct ask *ask)
{
    struct q2p_packet packet;
    if (q2p_wire_read(&packet, Q2P_DIALECT_OPTIONS, out->bytes, out->len, out->len) != Q2P_OK ||
        packet.event != Q2P_EV_OPTIONS)
        return false;
    ask->peer = out->peer;
    memcpy(ask->hash.bytes, out->bytes + packet.hash_at.at, sizeof ask->hash.bytes);
    return true;
}

static void answer(q2p_node *node, q2p_time now, const struct ask *ask)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    struct q2p_message message = {.event = Q2P_EV_OPTIONSFEEDBACK, .hash = ask->hash};
    struct q2p_datagram in = {.peer = ask->peer, .bytes = bytes};
    in.len = write(bytes, Q2P_DIALECT_OPTIONS, &message);
    q2p_node_input(node, now, &in);
}

/* KiB that go to an address which answers so many OPTIONS, and is never heard again. */
static double silence(const uint8_t *data, enum q2p_dialect dialect, int answers)
{
    struct q2p_addr peer = address(1);
    struct q2p_happening on;
    struct q2p_datagram out;
    struct ask ask = {.peer.ip_len = 0};
    struct q2p_config config;
    q2p_config_init(&config);
    config.dialect = dialect;
    q2p_node *node = make_node(&config);
    q2p_time now = Q2P_SECOND;
    if (q2p_node_send(node, now, &peer, data, LOST_LEN, NULL) != Q2P_OK)
        die("cannot send");
    while (now < 120 * Q2P_SECOND) {
        bool asked = false;
        while (q2p_node_output(node, now, &out))
            asked |= dialect == Q2P_DIALECT_OPTIONS && is_options(&out, &ask);
        while (q2p_node_happening(node, &on))
            continue;
        if (asked && answers-- > 0) {
            now += TRIP_NS;
            answer(node, now, &ask);
            continue;
        }
        q2p_time deadline = q2p_node_deadline(node);
        if (deadline == Q2P_NEVER)
            break;
        now = deadline > now ? deadline : now;
        q2p_node_tick(node, now);
    }
    double sent = (double)q2p_node_counters(node)->bytes_out;
    q2p_node_free(node);
    return sent / 1024;
}

/* ---- an idle peer ---------------------------------------------------------------------------- */

static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    *(size_t *)ctx += new_len - old_len;
    if (new_len > 0)
        return realloc(old, new_len);
    free(old);
    return NULL;
}

static double idle_kib(void)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    struct q2p_message message = {.event = Q2P_EV_CONNECT};
    struct q2p_happening on;
    struct q2p_datagram out;
    struct q2p_config config;
    size_t held = 0;
    q2p_config_init(&config);
    config.alloc = (struct q2p_alloc){&held, resize};
    config.open = true;
    config.peers_max = IDLE;
    q2p_node *node = make_node(&config);
    size_t alone = held;
    for (uint32_t i = 0; i < IDLE; i++) {
        struct q2p_datagram in = {.peer = address(i + 1), .bytes = bytes};
        in.len = write(bytes, Q2P_DIALECT_CLASSIC, &message);
        q2p_node_input(node, Q2P_SECOND, &in);
        while (q2p_node_output(node, Q2P_SECOND, &out) || q2p_node_happening(node, &on))
            continue;
    }
    if (q2p_node_peers(node, NULL, 0) != IDLE)
        die("not all peers connected");
    double each = (double)(held - alone) / IDLE / 1024;
    q2p_node_free(node);
    return each;
}

struct ended {
    int sent, failed;
};

/* ---- many at once ---------------------------------------------------------------------------- */

static void drain(q2p_node *node, q2p_time now)
{
    struct q2p_datagram out;
    struct q2p_happening on;
    while (q2p_node_output(node, now, &out) || q2p_node_happening(node, &on))
        continue;
}

static void configure(struct q2p_config *config)
{
    q2p_config_init(config);
    config->dialect = Q2P_DIALECT_OPTIONS;
    config->incoming_max = config->outgoing_max = MANY;
    config->memory_max = (size_t)1 << 30;
    config->verify = false; /* hashing costs the same per byte, and would hide the rest */
}

static void count_ended(q2p_node *node, struct ended *ended)
{
    struct q2p_happening on;
    while (q2p_node_happening(node, &on)) {
        ended->sent += on.on == Q2P_ON_SENT;
        ended->failed += on.on == Q2P_ON_FAILED;
    }
}

/* s for a fragment that comes in, when so many transmissions from as many peers grow in turn. */
static double receiving(int count)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    uint32_t each = DATAGRAMS / (uint32_t)count;
    struct q2p_message message = {.event = Q2P_EV_OPTIONS, .length = (each + 1) * Q2P_FRAGMENT_LEN};
    struct q2p_config config;
    q2p_time now = Q2P_SECOND;
    configure(&config);
    q2p_node *node = make_node(&config);
    struct q2p_datagram in = {.bytes = bytes};
    for (int i = 0; i < count; i++) {
        make_hash(&message.hash, (uint32_t)i);
        in.peer = address((uint32_t)i);
        in.len = write(bytes, Q2P_DIALECT_OPTIONS, &message);
        q2p_node_input(node, now, &in);
        drain(node, now);
    }
    static const uint8_t body[Q2P_FRAGMENT_LEN];
    message =
        (struct q2p_message){.event = Q2P_EV_TRANSPORT, .body = body, .body_len = Q2P_FRAGMENT_LEN};
    double begin_s = bench_cpu_seconds();
    for (message.syn = 0; message.syn < each; message.syn++)
        for (int i = 0; i < count; i++, now += Q2P_MICROSECOND) {
            make_hash(&message.hash, (uint32_t)i);
            in.peer = address((uint32_t)i);
            in.len = write(bytes, Q2P_DIALECT_OPTIONS, &message);
            q2p_node_input(node, now, &in);
            if (i % TURN == 0)
                drain(node, now);
        }
    double took_s = bench_cpu_seconds() - begin_s;
    if (q2p_node_counters(node)->fragments_in != (uint64_t)each * (uint32_t)count)
        die("fragments were not taken");
    q2p_node_free(node);
    return took_s / DATAGRAMS;
}

/* Answered a round trip later. */
struct asked {
    int count;
    struct ask ask[MANY];
};

static void send_out(q2p_node *node, q2p_time now, struct asked *asked, struct ended *ended)
{
    struct q2p_datagram out;
    while (q2p_node_output(node, now, &out)) {
        if (asked->count < MANY && out.len < Q2P_FRAGMENT_LEN &&
            is_options(&out, &asked->ask[asked->count]))
            asked->count++;
        count_ended(node, ended);
    }
}

static void answer_all(q2p_node *node, q2p_time now, struct asked *asked, struct ended *ended)
{
    while (asked->count > 0) {
        answer(node, now, &asked->ask[--asked->count]);
        count_ended(node, ended);
    }
    if (q2p_node_deadline(node) <= now)
        q2p_node_tick(node, now);
    count_ended(node, ended);
}

/* s for a datagram that leaves, answers to probes included. */
static double sending(const uint8_t *data, int count)
{
    size_t len = DATAGRAMS / (size_t)count * Q2P_FRAGMENT_LEN;
    struct asked *asked = malloc(sizeof *asked);
    struct ended ended = {0};
    struct q2p_config config;
    q2p_time now = Q2P_SECOND;
    configure(&config);
    q2p_node *node = make_node(&config);
    if (!asked)
        die("out of memory");
    asked->count = 0;
    for (int i = 0; i < count; i++) {
        struct q2p_addr peer = address((uint32_t)i);
        if (q2p_node_send(node, now, &peer, data, len, NULL) != Q2P_OK)
            die("cannot send");
        send_out(node, now, asked, &ended);
    }
    double begin_s = bench_cpu_seconds();
    while (ended.sent < count && !ended.failed && now < 600 * Q2P_SECOND) {
        now += TRIP_NS;
        answer_all(node, now, asked, &ended);
        send_out(node, now, asked, &ended);
    }
    double took_s = bench_cpu_seconds() - begin_s;
    uint64_t datagrams = q2p_node_counters(node)->datagrams_out;
    if (ended.sent < count || datagrams < DATAGRAMS)
        die("not all could be sent");
    q2p_node_free(node);
    free(asked);
    return took_s / (double)datagrams;
}

/* ---- the bars -------------------------------------------------------------------------------- */

void bench_many(const struct bench_options *options, const uint8_t *data)
{
    double in[BENCH_ROUNDS_MAX], out[BENCH_ROUNDS_MAX];
    bench_bar(options, "silent peer: KiB sent, never an answer",
              silence(data, Q2P_DIALECT_OPTIONS, 0), BENCH_AT_MOST, 56);
    bench_bar(options, "silent peer: KiB sent, OPTIONS answered once",
              silence(data, Q2P_DIALECT_OPTIONS, 1), BENCH_AT_MOST, 56);
    bench_bar(options, "idle peer: KiB held", idle_kib(), BENCH_AT_MOST, 1);
    for (int i = 0; i < options->rounds; i++) {
        in[i] = receiving(FEW);
        in[i] = receiving(MANY) / in[i];
        out[i] = sending(data, FEW);
        out[i] = sending(data, MANY) / out[i];
    }
    bench_bar(options, "CPU of a fragment in, of 10,000 to 10 open",
              bench_median(in, options->rounds), BENCH_AT_MOST, 2);
    bench_bar(options, "CPU of a fragment out, of 10,000 to 10 open",
              bench_median(out, options->rounds), BENCH_AT_MOST, 2);
}
