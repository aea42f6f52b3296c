/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_send.c - `q2p send`: hands one file to one peer and waits until it asks for nothing more. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <q2p/status.h>

#include "cli_out.h"
#include "cli_peer.h"
#include "cmd.h"

struct send_values {
    struct cli_peer_values peer;
    const char *to;
    q2p_time wait_ns, quiet_ns;
};

struct sending {
    struct cli_peer peer;
    const struct send_values *values;
    struct q2p_addr to;
    struct q2p_hash hash;
    uint8_t *data;
    size_t len;
    q2p_time begin, shown; /* shown: when progress was, last */
    bool connected, over, failed;
    uint64_t lost; /* fragments reported lost */
};

enum { SEND_RETRIES = 4 }; /* of an OPTIONS without answer: 7.75 s, then it failed */

#define PROGRESS_AFTER_NS Q2P_SECOND
#define PROGRESS_EACH_NS (200 * Q2P_MILLISECOND)

static int read_data(struct sending *sending, const char *path)
{
    FILE *file = cli_open(path);
    size_t room = 0, got;
    if (!file)
        return CLI_INPUT;
    do {
        if (sending->len == room) {
            room = room ? room * 2 : 1 << 16;
            uint8_t *data = realloc(sending->data, room);
            if (!data) {
                cli_error("%s: %s", path, strerror(ENOMEM));
                return CLI_ENVIRONMENT;
            }
            sending->data = data;
        }
        got = fread(sending->data + sending->len, 1, room - sending->len, file);
        sending->len += got;
    } while (got && sending->len <= UINT32_MAX);
    bool broken = ferror(file);
    int why = errno;
    if (file != stdin)
        fclose(file);
    if (broken || sending->len > UINT32_MAX || !sending->len) {
        cli_error("%s: %s", path,
                  broken         ? strerror(why)
                  : sending->len ? "over 4 GiB - 1 cannot be sent as one transmission"
                                 : "there is nothing in it to send");
        return CLI_INPUT;
    }
    return CLI_FINE;
}

/* Only where a person is looking, and only if it takes long enough to wonder. */
static void show_progress(struct sending *sending, bool last)
{
    const struct cli_common *common = &sending->values->peer.common;
    q2p_time now = q2p_drive_now();
    if (common->json || common->quiet || !isatty(STDERR_FILENO) ||
        now - sending->begin < PROGRESS_AFTER_NS ||
        (!last && now - sending->shown < PROGRESS_EACH_NS))
        return;
    sending->shown = now;
    const struct q2p_counters *counters = q2p_node_counters(sending->peer.node);
    uint64_t first = counters->fragments_out - counters->fragments_resent;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu32 " fragments sent, %" PRIu64 " again%s", first,
            q2p_wire_fragments((uint32_t)sending->len), counters->fragments_resent,
            last ? "\n" : " ");
}

static void take_happenings(struct sending *sending)
{
    struct q2p_happening on;
    while (q2p_node_happening(sending->peer.node, &on)) {
        bool ours = q2p_addr_equal(&on.peer, &sending->to);
        cli_peer_tell(&sending->peer, &on, NULL);
        if (!ours)
            continue;
        switch (on.on) {
        case Q2P_ON_CONNECT:
        case Q2P_ON_CONNECTED:
            sending->connected = true;
            break;
        case Q2P_ON_LOST:
            sending->lost += on.syns_count;
            break;
        case Q2P_ON_FAILED:
        case Q2P_ON_RELEASED:
            if (memcmp(&on.hash, &sending->hash, sizeof on.hash))
                break;
            sending->failed = on.on == Q2P_ON_FAILED;
            sending->over = true;
            break;
        default:
            break;
        }
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

static int conclude(struct sending *sending)
{
    const struct q2p_counters *counters = q2p_node_counters(sending->peer.node);
    show_progress(sending, true);
    cli_peer_sum_up(&sending->peer);
    if (sending->failed) {
        cli_error("%s did not receive everything: it gave up, or never answered",
                  sending->values->to);
        return CLI_FAILED;
    }
    if (!sending->values->peer.common.json && !sending->values->peer.common.quiet)
        printf("%12s  %" PRIu32 " fragments sent, %" PRIu64 " reported lost, %" PRIu64
               " sent again, and %.3g s of silence:\n%12s  Q2P never acknowledges, so silence is "
               "all there is to know\n",
               "", q2p_wire_fragments((uint32_t)sending->len), sending->lost,
               counters->fragments_resent, (double)sending->values->quiet_ns / 1e9, "");
    return CLI_FINE;
}

static int transmit(struct sending *sending)
{
    int code = cli_peer_resolve(&sending->peer, &sending->to, sending->values->to);
    if (!code && sending->values->peer.seeds.count)
        code = wait_connected(sending);
    if (code)
        return code;
    sending->begin = q2p_drive_now();
    int status = q2p_node_send(sending->peer.node, sending->begin, &sending->to, sending->data,
                               sending->len, &sending->hash);
    if (status < 0) {
        cli_error("--to %s: %s", sending->values->to, q2p_status_text(status));
        return CLI_USAGE;
    }
    while (!sending->over) {
        code = cli_peer_step(&sending->peer, Q2P_NEVER);
        take_happenings(sending);
        show_progress(sending, false);
        if (code || (code = stopped()))
            return code;
    }
    return conclude(sending);
}

static int run(const void *at, int argc, char **argv)
{
    struct sending sending = {.values = at};
    struct q2p_config config;
    (void)argc;
    if (!sending.values->to) {
        cli_error("send: --to HOST:PORT is missing");
        return CLI_USAGE;
    }
    q2p_config_init(&config);
    config.keep_ns = sending.values->quiet_ns;
    config.retries_max = SEND_RETRIES;
    int code = read_data(&sending, argv[0]);
    if (!code) {
        code = cli_peer_open(&sending.peer, &sending.values->peer, &config);
        if (!code)
            code = transmit(&sending);
        cli_peer_close(&sending.peer);
    }
    free(sending.data); /* lent to the node until now */
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
    .args = "FILE|-",
    .sentence = "Hands a file to a peer and repairs what gets lost on the way.",
    .about = "Sends to the peer directly; with --seed it joins first and waits until the peer is\n"
             "connected, which opens a way through NATs. Fragments that the peer reports lost are\n"
             "sent again. Q2P never acknowledges: success is the peer's silence (--quiet-after).\n"
             "Exit code 1: the peer was not reached, gave up or never answered.",
    .example = "  q2p send picture.jpg --to 192.0.2.7:10000\n"
               "  tar c src | q2p send - --to 198.51.100.4:10002 --seed seed.example.org:10000",
    .options = options,
    .values_size = sizeof(struct send_values),
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
