/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_send.c - `q2p send`: hands files to one peer and waits until it asks for nothing more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_data.h"
#include "cli_out.h"
#include "cli_peer.h"
#include "cli_progress.h"
#include "cmd.h"

struct send_values {
    struct cli_peer_values peer;
    const char *to;
    q2p_time wait_ns, quiet_ns;
};

/* One file. Its data is lent to the node from `sending` to `over`. */
struct item {
    struct cli_data data;
    struct q2p_hash hash;
    enum { WAITING, SENDING, SENT, OVER } state;
    bool again; /* it is sent for the second time */
};

struct sending {
    struct cli_peer peer;
    const struct send_values *values;
    struct q2p_addr to;
    struct item *items;
    size_t count, next, unsent, over; /* next: the first that is WAITING */
    struct cli_progress progress;
    bool connected;
    int worst;          /* exit code */
    uint64_t fragments; /* of all files so far */
    uint64_t lost;      /* fragments reported lost */
    size_t arrived;     /* files */
};

enum {
    SEND_RETRIES = 4, /* of an OPTIONS without answer: 7.75 s, then it failed */
    AT_ONCE_MAX = 8   /* half of what a node takes from one address at a time */
};

#define REFUSED_NS Q2P_SECOND         /* for so long the peer may still be starting */
#define EMPTY_PIPE_NS Q2P_MILLISECOND /* then it is looked at again */

static struct item *find(struct sending *sending, const struct q2p_hash *hash)
{
    for (size_t i = 0; i < sending->next; i++) {
        struct item *item = &sending->items[i];
        if (item->state != OVER && !memcmp(&item->hash, hash, sizeof *hash))
            return item;
    }
    return NULL;
}

static void finish(struct sending *sending, struct item *item, int code)
{
    if (item->state == SENDING)
        sending->unsent--;
    item->state = OVER;
    sending->over++;
    sending->worst = code > sending->worst ? code : sending->worst;
    cli_data_drop(&item->data);
}

static void tell_item(const struct sending *sending, const struct item *item)
{
    const struct cli_common *common = &sending->values->peer.common;
    if (common->json) {
        cli_json_open("sending", cli_wall_ns());
        cli_json_addr("peer", &sending->to);
        cli_json_hash("hash", &item->hash);
        cli_json_number("length", item->data.len);
        cli_json_text("file", item->data.path);
        cli_json_close();
    } else if (!common->quiet && (sending->count > 1 || item->again)) {
        char hash[2 * Q2P_HASH_LEN + 1];
        cli_hex(hash, item->hash.bytes, Q2P_HASH_LEN);
        printf("%12s  sending %s%s, %zu bytes, key %s\n", "", item->data.path,
               item->again ? " once more" : "", item->data.len, hash);
    }
}

static int start(struct sending *sending, struct item *item)
{
    struct q2p_content content = {item->data.bytes, item->data.len, &item->data.digest};
    return q2p_node_send_hashed(sending->peer.node, q2p_drive_now(), &sending->to, &content,
                                &item->hash);
}

/* All had left, and something was lost that the peer could not ask for in time, as an original
 * cannot: the node knows that by now, and makes several passes. */
static bool send_again(struct sending *sending, struct item *item)
{
    if (item->state != SENT || item->again || start(sending, item) != Q2P_OK)
        return false;
    item->again = true;
    item->state = SENDING;
    sending->unsent++;
    tell_item(sending, item);
    return true;
}

static void take_ours(struct sending *sending, const struct q2p_happening *on)
{
    struct item *item = find(sending, &on->hash);
    if (on->on == Q2P_ON_LOST)
        sending->lost += on->syns_count;
    if (!item)
        return;
    if (on->on == Q2P_ON_SENT && item->state == SENDING) {
        item->state = SENT;
        sending->unsent--;
    } else if (on->on == Q2P_ON_ARRIVED) {
        sending->arrived++;
    } else if (on->on == Q2P_ON_RELEASED) {
        finish(sending, item, CLI_FINE);
    } else if (on->on == Q2P_ON_FAILED) {
        cli_progress_clear(&sending->progress);
        if (send_again(sending, item))
            return;
        cli_error("%s did not receive all of %s: it gave up, or never answered",
                  sending->values->to, item->data.path);
        finish(sending, item, CLI_FAILED);
    }
}

static void take_happenings(struct sending *sending)
{
    struct q2p_happening on;
    while (q2p_node_happening(sending->peer.node, &on)) {
        cli_progress_clear(&sending->progress);
        cli_peer_tell(&sending->peer, &on, NULL);
        if (!q2p_addr_equal(&on.peer, &sending->to))
            continue;
        if (on.on == Q2P_ON_CONNECT || on.on == Q2P_ON_CONNECTED)
            sending->connected = true;
        else
            take_ours(sending, &on);
    }
}

static int stopped(void)
{
    int number = cli_peer_signal();
    return number ? CLI_SIGNAL + number : CLI_FINE;
}

/* Behind a NAT, the peer can be reached once both sides have punched: wait for that. */
static int wait_connected(struct sending *sending)
{
    q2p_time end = q2p_drive_now() + sending->values->wait_ns;
    while (!sending->connected) {
        int code = cli_peer_step(&sending->peer, end);
        take_happenings(sending);
        if (code || (code = stopped()))
            return code;
        if (!sending->connected && q2p_drive_now() >= end) {
            cli_error("%s is not connected after %.3g s: is it in this network, and known to a "
                      "seed by this address?",
                      sending->values->to, (double)sending->values->wait_ns / 1e9);
            return CLI_FAILED;
        }
    }
    return CLI_FINE;
}

static bool has_room(const struct sending *sending)
{
    return sending->next < sending->count && sending->unsent < AT_ONCE_MAX;
}

/* A piece and no more: what is under way goes on in between. */
static int read_piece(struct cli_data *data)
{
    int code = data->file || data->bytes ? CLI_FINE : cli_data_open(data);
    return !code && data->file && cli_data_ready(data) ? cli_data_more(data) : code;
}

static q2p_time next_piece(const struct sending *sending)
{
    const struct cli_data *data = has_room(sending) ? &sending->items[sending->next].data : NULL;
    if (!data || !data->file)
        return Q2P_NEVER;
    return cli_data_ready(data) ? 0 : q2p_drive_now() + EMPTY_PIPE_NS;
}

/*
 * Reads and starts files as long as there is room for more at a time. The same bytes once more
 * have to wait until they have left. Returns CLI_FINE, or the exit code that ends it all.
 */
static int start_items(struct sending *sending)
{
    while (has_room(sending)) {
        struct item *item = &sending->items[sending->next];
        int code = read_piece(&item->data);
        if (code == CLI_ENVIRONMENT)
            return code;
        if (code) {
            sending->next++;
            finish(sending, item, code);
            continue;
        }
        if (item->data.file)
            return CLI_FINE; /* there is more to read */
        int status = start(sending, item);
        if ((status == Q2P_ERR_BUSY || status == Q2P_ERR_FULL) && sending->over < sending->next)
            return CLI_FINE; /* later */
        if (status < 0)
            return cli_peer_refusal("--to", sending->values->to, status);
        take_happenings(sending); /* the end of the same bytes before, by its key */
        item->state = SENDING;
        sending->unsent++;
        sending->next++;
        sending->fragments += q2p_wire_fragments((uint32_t)item->data.len);
        tell_item(sending, item);
    }
    return CLI_FINE;
}

static bool is_refused(struct sending *sending)
{
    const struct q2p_counters *counters = q2p_node_counters(sending->peer.node);
    char peer[Q2P_ADDR_TEXT_MAX];
    if (!cli_peer_refused(&sending->peer, &sending->to, counters->datagrams_out,
                          counters->datagrams_in, REFUSED_NS))
        return false;
    q2p_addr_print(&sending->to, peer, sizeof peer);
    cli_progress_clear(&sending->progress);
    cli_error(CLI_REFUSED, peer);
    sending->worst = CLI_FAILED;
    return true;
}

static int conclude(struct sending *sending)
{
    const struct q2p_counters *counters = q2p_node_counters(sending->peer.node);
    cli_progress_clear(&sending->progress);
    cli_peer_sum_up(&sending->peer);
    if (sending->worst || sending->values->peer.common.json || sending->values->peer.common.quiet)
        return sending->worst;
    printf("%12s  %" PRIu64 " fragments sent, %" PRIu64 " reported lost, %" PRIu64 " sent again",
           "", sending->fragments, sending->lost, counters->fragments_resent);
    if (sending->arrived == sending->count)
        puts("; the peer says that all arrived");
    else
        printf(",\n%12s  and %.3g s of silence: this peer never acknowledges, so that is all there "
               "is to know\n",
               "", (double)sending->values->quiet_ns / 1e9);
    return sending->worst;
}

static int transmit(struct sending *sending)
{
    int code = cli_peer_resolve(&sending->peer, &sending->to, sending->values->to);
    if (!code && sending->values->peer.seeds.count)
        code = wait_connected(sending);
    cli_progress_begin(&sending->progress, &sending->values->peer.common, true);
    cli_peer_hear_refusals(&sending->peer);
    while (!code && sending->over < sending->count && !is_refused(sending)) {
        char tail[64] = "";
        code = start_items(sending);
        if (!code && sending->over < sending->count)
            code = cli_peer_step(&sending->peer, next_piece(sending));
        take_happenings(sending);
        if (sending->count > 1)
            snprintf(tail, sizeof tail, ", %zu of %zu files", sending->over, sending->count);
        cli_progress_show(&sending->progress, q2p_node_counters(sending->peer.node), tail);
        code = code ? code : stopped();
    }
    return code ? code : conclude(sending);
}

/* Whoever names a file that is not there need not wait for a connection to learn it. */
static int read_first(struct cli_data *data)
{
    int code = cli_data_open(data);
    while (!code && data->file)
        code = cli_data_more(data);
    return code;
}

static int run(const void *at, int argc, char **argv)
{
    struct sending sending = {.values = at, .count = (size_t)argc};
    struct q2p_config config;
    if (!sending.values->to) {
        cli_error("send: --to HOST:PORT is missing");
        return CLI_USAGE;
    }
    sending.items = calloc(sending.count, sizeof *sending.items);
    if (!sending.items) {
        cli_error("out of memory");
        return CLI_ENVIRONMENT;
    }
    for (int i = 0; i < argc; i++)
        sending.items[i].data.path = argv[i];
    q2p_config_init(&config);
    config.keep_ns = sending.values->quiet_ns;
    config.retries_max = SEND_RETRIES;
    int code = read_first(&sending.items[0].data);
    if (!code) {
        code = cli_peer_open(&sending.peer, &sending.values->peer, &config);
        if (!code)
            code = transmit(&sending);
        cli_peer_close(&sending.peer);
    }
    for (size_t i = 0; i < sending.count; i++)
        cli_data_drop(&sending.items[i].data); /* lent to the node until now */
    free(sending.items);
    return code;
}

static const struct cli_option options[] = {
    CLI_PEER_OPTIONS("0"),
    {"to", 't', CLI_TEXT, offsetof(struct send_values, to), "HOST:PORT", NULL, 0, 0,
     "the peer that gets it"},
    {"wait", 0, CLI_TIME, offsetof(struct send_values, wait_ns), "TIME", "10s", 1, 0,
     "with --seed: for the connection"},
    {"quiet-after", 0, CLI_TIME, offsetof(struct send_values, quiet_ns), "TIME", "7s", 1, 0,
     "end after so long a silence; the original speaks of losses only after 6s"},
    {.name = NULL},
};

const struct cli_command cmd_send = {
    .name = "send",
    .args = "FILE|-...",
    .sentence = "Hands files to a peer and repairs what gets lost on the way.",
    .about = "Sends to the peer directly; with --seed it joins first and waits until the peer is\n"
             "connected, which opens a way through NATs. Each file is one transmission; several\n"
             "are under way at a time. Fragments that the peer reports lost are sent again; and\n"
             "all once more if it gave up after all had left. It ends when the peer says that all\n"
             "arrived (ours do if both speak options), or else with its silence (--quiet-after).\n"
             "Exit code 1: the peer was not reached, refused, gave up or never answered.",
    .example = "  q2p send picture.jpg --to 192.0.2.7:10000\n"
               "  tar c src | q2p send - --to 198.51.100.4:10002 --seed seed.example.org:10000",
    .options = options,
    .values_size = sizeof(struct send_values),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
