/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_pile.c - fragments of one transmission in any order, some twice, some never, and lists of
 * what is missing: the pile against a plain table of what came; then a node that is sent the same
 * fragments. Its lists name what it lacks, in order, at most three bytes for one that came, and
 * what it delivers is what was sent.
 */
#include <nettle/md5.h>
#include <stdbool.h>
#include <string.h>

#include <q2p/node.h>
#include <q2p/status.h>

#include "fuzz.h"
#include "q2p_pile.h"

#define FRAGMENTS_MAX 140 /* more than one list names */
#define SYNS_ROOM 140

struct model {
    struct tape tape;
    uint32_t length, total;
    bool has[FRAGMENTS_MAX];
    uint32_t have;
    size_t held;
    long allocations_left; /* then one is refused */
};

static uint8_t data[FRAGMENTS_MAX * Q2P_FRAGMENT_LEN];

static void *resize(void *ctx, void *old, size_t old_len, size_t new_len)
{
    struct model *model = ctx;

    if (new_len > 0 && model->allocations_left-- == 0)
        return NULL;
    MUST(model->held >= old_len);
    model->held += new_len - old_len;
    if (new_len == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_len);
}

/* The next fragment that the tape names: mostly one near the last, now and then any. */
static uint32_t next_syn(struct model *model, uint32_t last)
{
    unsigned word = next_byte(&model->tape);

    if (word < 160)
        return (last + 1 + word / 32) % model->total;
    if (word < 224)
        return (last + model->total - word % 32) % model->total;
    return next_word(&model->tape) % model->total;
}

static void check_missing(struct model *model, const struct q2p__pile *pile)
{
    uint32_t syns[SYNS_ROOM], cursor = next_word(&model->tape) % (model->total + 1);
    uint32_t end = next_word(&model->tape) % (model->total + 1), from = cursor;
    size_t max = next_byte(&model->tape) % SYNS_ROOM;
    size_t count = q2p__pile_missing(pile, &cursor, end, syns, max), found = 0;

    MUST(count <= max);
    for (uint32_t syn = from; syn < end && found < max; syn++)
        if (!model->has[syn]) {
            MUST(found < count && syns[found] == syn);
            found++;
        }
    MUST(found == count);
}

static void check_pile(struct model *model, struct q2p__pile *pile)
{
    uint32_t gap = 0;

    while (gap < model->total && model->has[gap])
        gap++;
    MUST(pile->gap == gap && pile->have == model->have);
    MUST(q2p__pile_held(pile) == model->held);
    MUST(model->held <= 2 * (size_t)model->have * Q2P_FRAGMENT_LEN + 48 * model->have + 512);
}

/* The pile by itself; what it takes, and that it takes as much as it had said before. */
static void pile_up(struct model *model)
{
    struct q2p_alloc alloc = {model, resize};
    struct q2p__pile pile;
    uint32_t syn = model->total - 1;
    size_t room;

    q2p__pile_init(&pile, model->total, next_word(&model->tape) * 65537u);
    while (model->have < model->total && model->tape.at < model->tape.end) {
        syn = next_syn(model, syn);
        MUST(q2p__pile_has(&pile, syn) == model->has[syn]);
        if (!model->has[syn]) {
            size_t before = model->held, would = q2p__pile_would_hold(&pile, syn);
            int status = q2p__pile_add(&pile, &alloc, syn, data + syn * Q2P_FRAGMENT_LEN,
                                       q2p_wire_share(model->length, syn));
            MUST(would >= before && (status == Q2P_OK || status == Q2P_ERR_MEMORY));
            MUST(model->held <= would && (status != Q2P_OK || model->held == would));
            model->has[syn] |= status == Q2P_OK;
            model->have += status == Q2P_OK;
        } else {
            check_missing(model, &pile);
        }
        if (model->allocations_left > 0)
            check_pile(model, &pile);
    }
    if (model->have == model->total) {
        q2p__pile_sort(&pile);
        uint8_t *whole = q2p__pile_take(&pile, &alloc, &room);
        MUST(model->held == room && room >= model->length);
        MUST(memcmp(whole, data, model->length) == 0);
        resize(model, whole, room, 0);
    }
    q2p__pile_free(&pile, &alloc);
    MUST(model->held == 0);
}

/* ---- a node ---- */

struct receiver {
    q2p_node *node;
    struct model *model;
    enum q2p_dialect dialect;
    struct q2p_addr from;
    struct q2p_hash hash;
    q2p_time now;
    size_t bytes_in, bytes_out;
    unsigned begun, delivered, ended;
};

static void take_list(struct receiver *receiver, const struct q2p_datagram *out)
{
    struct q2p_packet packet;

    MUST(q2p_wire_read(&packet, receiver->dialect, out->bytes, out->len, out->len) == Q2P_OK);
    receiver->bytes_out += out->len;
    MUST(receiver->bytes_out <= 3 * receiver->bytes_in);
    if (packet.event != Q2P_EV_TRANSPORT_FAILED)
        return;
    MUST(packet.lost_count <= Q2P_SYNS_MAX);
    for (uint32_t i = 0; i < packet.lost_count; i++) {
        uint32_t syn = q2p_wire_lost(&packet, out->bytes, i);
        MUST(syn < receiver->model->total && !receiver->model->has[syn]);
        MUST(i == 0 || syn > q2p_wire_lost(&packet, out->bytes, i - 1));
    }
}

static void settle(struct receiver *receiver)
{
    struct q2p_happening it;
    struct q2p_datagram out;

    while (q2p_node_output(receiver->node, receiver->now, &out) == 1) {
        MUST(q2p_addr_equal(&out.peer, &receiver->from));
        take_list(receiver, &out);
    }
    while (q2p_node_happening(receiver->node, &it) == 1) {
        receiver->begun += it.on == Q2P_ON_RECEIVING;
        receiver->ended += it.on == Q2P_ON_EXPIRED;
        MUST(it.on != Q2P_ON_CORRUPT);
        if (it.on != Q2P_ON_DELIVERED)
            continue;
        receiver->delivered++;
        MUST(it.data_len == receiver->model->length && it.check == Q2P_CHECK_DATA);
        MUST(memcmp(it.data, data, it.data_len) == 0);
    }
}

static void say(struct receiver *receiver, struct q2p_message *message)
{
    uint8_t bytes[Q2P_DATAGRAM_MAX];
    int len;

    message->hash = receiver->hash;
    message->length = receiver->model->length;
    len = q2p_wire_write(bytes, sizeof bytes, receiver->dialect, message);
    MUST(len > 0);
    receiver->bytes_in += (size_t)len;
    struct q2p_datagram in = {receiver->from, bytes, (size_t)len};
    (void)q2p_node_input(receiver->node, receiver->now, &in);
    settle(receiver);
}

static void pass(struct receiver *receiver, q2p_time ns)
{
    q2p_time until = receiver->now + ns;

    for (int turns = 0; q2p_node_deadline(receiver->node) <= until; turns++) {
        MUST(turns < 5000);
        if (q2p_node_deadline(receiver->node) > receiver->now)
            receiver->now = q2p_node_deadline(receiver->node);
        q2p_node_tick(receiver->node, receiver->now);
        settle(receiver);
    }
    receiver->now = until;
}

static void receive(struct receiver *receiver)
{
    struct model *model = receiver->model;
    uint32_t syn = model->total - 1;

    if (receiver->dialect == Q2P_DIALECT_OPTIONS)
        say(receiver, &(struct q2p_message){.event = Q2P_EV_OPTIONS});
    while (model->have < model->total && model->tape.at < model->tape.end && receiver->ended == 0) {
        syn = next_syn(model, syn);
        if (!model->has[syn]) {
            model->has[syn] = true;
            model->have++;
        }
        say(receiver, &(struct q2p_message){.event = Q2P_EV_TRANSPORT,
                                            .syn = syn,
                                            .body = data + syn * Q2P_FRAGMENT_LEN,
                                            .body_len = q2p_wire_share(model->length, syn)});
        if (next_byte(&model->tape) >= 224)
            pass(receiver, next_word(&model->tape) * 20 * Q2P_MILLISECOND / 64);
    }
    MUST(receiver->delivered == (model->have == model->total && receiver->ended == 0));
    pass(receiver, 60 * Q2P_SECOND);
    MUST(receiver->begun == receiver->delivered + receiver->ended);
    MUST(q2p_node_counters(receiver->node)->memory == 0);
}

/* The key of the first bytes of data; made once for each length. */
static struct q2p_hash key_of(uint32_t length)
{
    static struct q2p_hash keys[sizeof data];
    static bool known[sizeof data];
    struct md5_ctx md5;

    if (!known[length]) {
        md5_init(&md5);
        md5_update(&md5, length, data);
        md5_digest(&md5, sizeof keys[length].bytes, keys[length].bytes);
        known[length] = true;
    }
    return keys[length];
}

static void open_receiver(struct model *model, unsigned how)
{
    struct receiver receiver = {.model = model,
                                .dialect = how & 1 ? Q2P_DIALECT_OPTIONS : Q2P_DIALECT_CLASSIC,
                                .from = {.ip = {10, 0, 0, 9}, .port = 9, .ip_len = 4}};
    struct q2p_config config;

    q2p_config_init(&config);
    if (how & 2)
        q2p_config_original(&config);
    config.timeout_ns = 3 * Q2P_SECOND;
    config.alloc = (struct q2p_alloc){model, resize};
    memset(model->has, 0, sizeof model->has);
    model->have = 0;
    model->allocations_left = -1;
    receiver.hash = key_of(model->length);
    MUST(q2p_node_new(&receiver.node, &config) == Q2P_OK);
    receive(&receiver);
    q2p_node_free(receiver.node);
    MUST(model->held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct model model;
    struct tape half;

    if (size < 5)
        return 0;
    if (data[1] == 0)
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)(i * 7 + i / 251 + 1);
    half = (struct tape){bytes + 5, bytes + size};
    memset(&model, 0, sizeof model);
    model.length =
        1 + (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) % (sizeof data - 1);
    model.total = q2p_wire_fragments(model.length);
    model.allocations_left = bytes[3] < 128 ? bytes[3] : -1;
    model.tape = half;
    pile_up(&model);
    model.tape = half;
    open_receiver(&model, bytes[4]);
    return 0;
}
