/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_ping.c - `q2p ping`: asks a peer again and again for an answer, and how long it takes. In
 * options it sends OPTIONS with a random key and no length, which concerns no transmission; in
 * classic, which has no such thing, CONNECT. A small machine of its own behind the driver.
 */
#define _DEFAULT_SOURCE /* getrandom */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>

#include <q2p/status.h>

#include "cli_out.h"
#include "cli_peer.h"
#include "cmd.h"

enum { UNDER_WAY_MAX = 256 }; /* probes remembered */

struct ping_values {
    struct cli_peer_values peer;
    uint64_t count;
    q2p_time interval_ns, timeout_ns;
};

struct probe {
    struct q2p_hash nonce;
    uint64_t number; /* 0: none, or over */
    q2p_time sent_at;
};

struct ping {
    struct cli_peer peer;
    const struct ping_values *values;
    struct q2p_addr to;
    struct probe probe[UNDER_WAY_MAX];    /* number n is in n % UNDER_WAY_MAX */
    q2p_time next_at;                     /* when the next probe leaves */
    uint64_t sent, heard, answered, lost; /* heard: datagrams, answers or not */
    double least_ms, most_ms, sum_ms, squares_ms;
    uint8_t bytes[Q2P_DATAGRAM_MAX];
};

/* CONNECT makes the original tell its program each time: not more than one per second. */
#define CLASSIC_INTERVAL_NS Q2P_SECOND
#define REFUSED_NS (Q2P_SECOND / 4) /* an answer that a forged refusal overtook comes by then */
#define INTERVAL_LEAST_NS (50 * Q2P_MILLISECOND) /* more often, nodes stop answering */

static bool all_sent(const struct ping *ping)
{
    return ping->values->count && ping->sent == ping->values->count;
}

static void tell_answer(struct ping *ping, uint64_t number, q2p_time took_ns)
{
    const struct cli_common *common = &ping->values->peer.common;
    if (common->json) {
        cli_json_open("pong", cli_wall_ns());
        cli_json_addr("peer", &ping->to);
        cli_json_number("number", number);
        cli_json_number("rtt_ns", (uint64_t)took_ns);
        cli_json_close();
    } else if (!common->quiet) {
        char peer[Q2P_ADDR_TEXT_MAX];
        q2p_addr_print(&ping->to, peer, sizeof peer);
        printf("answer from %s: number %" PRIu64 ", %.3f ms\n", peer, number,
               (double)took_ns / 1e6);
        fflush(stdout);
    }
}

static void answer(struct ping *ping, q2p_time now, struct probe *probe)
{
    q2p_time took_ns = now - probe->sent_at;
    double ms = (double)took_ns / 1e6;
    ping->least_ms = !ping->answered || ms < ping->least_ms ? ms : ping->least_ms;
    ping->most_ms = ms > ping->most_ms ? ms : ping->most_ms;
    ping->sum_ms += ms;
    ping->squares_ms += ms * ms;
    ping->answered++;
    tell_answer(ping, probe->number, took_ns);
    probe->number = 0;
}

/* The one that is answered: by its key, or in classic the oldest still under way. */
static struct probe *probe_of(struct ping *ping, const struct q2p_packet *packet,
                              const uint8_t *bytes)
{
    struct probe *found = NULL;
    for (int i = 0; i < UNDER_WAY_MAX; i++) {
        struct probe *probe = &ping->probe[i];
        if (!probe->number)
            continue;
        if (packet->event == Q2P_EV_OPTIONSFEEDBACK &&
            memcmp(probe->nonce.bytes, bytes + packet->hash_at.at, Q2P_HASH_LEN) != 0)
            continue;
        if (!found || probe->number < found->number)
            found = probe;
    }
    return found;
}

static int ping_input(void *self, q2p_time now, const struct q2p_datagram *in)
{
    struct ping *ping = self;
    struct q2p_packet packet;
    enum q2p_dialect dialect = ping->values->peer.dialect;
    if (!q2p_addr_equal(&in->peer, &ping->to))
        return Q2P_ERR_ABSENT;
    ping->heard++;
    int status = q2p_wire_read(&packet, dialect, in->bytes, in->len, in->len);
    if (status < 0)
        return status;
    if (packet.event == Q2P_EV_CONNECT_FAILED)
        cli_error("the peer is of another network, %u", packet.network_id);
    if (packet.event !=
            (dialect == Q2P_DIALECT_OPTIONS ? Q2P_EV_OPTIONSFEEDBACK : Q2P_EV_CONNECTED) ||
        packet.network_id != ping->values->peer.network_id)
        return Q2P_ERR_ABSENT;
    struct probe *probe = probe_of(ping, &packet, in->bytes);
    if (!probe)
        return Q2P_ERR_ABSENT;
    answer(ping, now, probe);
    return Q2P_OK;
}

static int ping_output(void *self, q2p_time now, struct q2p_datagram *out)
{
    struct ping *ping = self;
    enum q2p_dialect dialect = ping->values->peer.dialect;
    if (now < ping->next_at || all_sent(ping))
        return 0;
    struct probe *probe = &ping->probe[(ping->sent + 1) % UNDER_WAY_MAX];
    ping->lost += probe->number != 0;
    *probe = (struct probe){.number = ++ping->sent, .sent_at = now};
    if (getrandom(probe->nonce.bytes, sizeof probe->nonce.bytes, 0) < 0)
        memcpy(probe->nonce.bytes, &now, sizeof now);
    struct q2p_message message = {.event = dialect == Q2P_DIALECT_OPTIONS ? Q2P_EV_OPTIONS
                                                                          : Q2P_EV_CONNECT,
                                  .network_id = (uint16_t)ping->values->peer.network_id,
                                  .hash = probe->nonce};
    int len = q2p_wire_write(ping->bytes, sizeof ping->bytes, dialect, &message);
    *out = (struct q2p_datagram){ping->to, ping->bytes, (size_t)len};
    ping->next_at = now + ping->values->interval_ns;
    return 1;
}

static q2p_time ping_deadline(const void *self)
{
    const struct ping *ping = self;
    return all_sent(ping) ? Q2P_NEVER : ping->next_at;
}

static void ping_tick(void *self, q2p_time now)
{
    struct ping *ping = self;
    for (int i = 0; i < UNDER_WAY_MAX; i++) {
        struct probe *probe = &ping->probe[i];
        if (!probe->number || now - probe->sent_at < ping->values->timeout_ns)
            continue;
        if (!ping->values->peer.common.json && !ping->values->peer.common.quiet) {
            printf("no answer to number %" PRIu64 "\n", probe->number);
            fflush(stdout);
        }
        probe->number = 0;
        ping->lost++;
    }
}

static const struct q2p_machine ping_machine = {.family = "ping",
                                                .input = ping_input,
                                                .output = ping_output,
                                                .deadline = ping_deadline,
                                                .tick = ping_tick};

static void sum_up(const struct ping *ping)
{
    const struct cli_common *common = &ping->values->peer.common;
    double n = ping->answered ? (double)ping->answered : 1, mean = ping->sum_ms / n;
    double deviation = sqrt(fmax(0, ping->squares_ms / n - mean * mean));
    if (common->json) {
        cli_json_open("summary", cli_wall_ns());
        cli_json_number("sent", ping->sent);
        cli_json_number("answered", ping->answered);
        if (ping->answered) {
            cli_json_number("rtt_min_ns", (uint64_t)llround(ping->least_ms * 1e6));
            cli_json_number("rtt_mean_ns", (uint64_t)llround(mean * 1e6));
            cli_json_number("rtt_max_ns", (uint64_t)llround(ping->most_ms * 1e6));
            cli_json_number("rtt_deviation_ns", (uint64_t)llround(deviation * 1e6));
        }
        cli_json_close();
        return;
    }
    if (common->quiet)
        return;
    printf("%" PRIu64 " sent, %" PRIu64 " answered, %.3g %% lost\n", ping->sent, ping->answered,
           ping->sent ? (double)(ping->sent - ping->answered) / (double)ping->sent * 100 : 0.0);
    if (ping->answered)
        printf("round trip min %.3f, mean %.3f, max %.3f, deviation %.3f ms\n", ping->least_ms,
               mean, ping->most_ms, deviation);
}

static int converse(struct ping *ping)
{
    bool refused = false;
    cli_peer_hear_refusals(&ping->peer);
    while (!cli_peer_signal() && !(all_sent(ping) && ping->answered + ping->lost == ping->sent)) {
        q2p_time now = q2p_drive_now();
        q2p_time look = now + (ping->values->timeout_ns < Q2P_SECOND / 4 ? ping->values->timeout_ns
                                                                         : Q2P_SECOND / 4);
        if (q2p_drive_step(ping->peer.drive, &ping_machine, ping, look) < 0) {
            cli_error("socket: %s", strerror(errno));
            return CLI_ENVIRONMENT;
        }
        ping_tick(ping, q2p_drive_now());
        refused = cli_peer_refused(&ping->peer, &ping->to, ping->sent, ping->heard, REFUSED_NS);
        if (refused && all_sent(ping)) /* there is nothing to wait for */
            break;
    }
    sum_up(ping);
    if (ping->answered)
        return CLI_FINE;
    char peer[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(&ping->to, peer, sizeof peer);
    cli_error(refused ? CLI_REFUSED : "%s never answered", peer);
    return CLI_FAILED;
}

static int run(const void *at, int argc, char **argv)
{
    struct ping ping = {.values = at};
    const struct ping_values *values = at;
    (void)argc;
    if (values->peer.dialect != Q2P_DIALECT_OPTIONS && values->interval_ns < CLASSIC_INTERVAL_NS) {
        cli_error("ping: --interval has to be 1s at least in classic, which asks by CONNECT");
        return CLI_USAGE;
    }
    int code = cli_peer_bind(&ping.peer, &values->peer);
    if (!code)
        code = cli_peer_resolve(&ping.peer, &ping.to, argv[0]);
    if (!code)
        code = converse(&ping);
    cli_peer_close(&ping.peer);
    return code;
}

static const struct cli_option options[] = {
    CLI_SOCKET_OPTIONS("0"),
    {"count", 'c', CLI_NUMBER, offsetof(struct ping_values, count), "NUMBER", "0", 0, 0,
     "ask so often; 0: until SIGINT or SIGTERM"},
    {"interval", 0, CLI_TIME, offsetof(struct ping_values, interval_ns), "TIME", "1s",
     INTERVAL_LEAST_NS, 0, "from one to the next, 50ms at least"},
    {"timeout", 0, CLI_TIME, offsetof(struct ping_values, timeout_ns), "TIME", "2s", 1, 0,
     "how long to wait for each answer"},
    {.name = NULL},
};

const struct cli_command cmd_ping = {
    .name = "ping",
    .args = "HOST:PORT",
    .sentence = "Asks a peer for answers, and tells how long they take.",
    .about = "With --dialect options it sends OPTIONS that open nothing, which every node of that\n"
             "dialect answers; nodes of the classic dialect may die of it, so it has to be asked\n"
             "for. In classic it sends CONNECT, once a second at most: those answer it who store\n"
             "whoever connects, as the original and --open do, and they store us.\n"
             "Exit code 1: not one answer came.",
    .example = "  q2p ping 192.0.2.7:10000 --dialect options --count 5",
    .options = options,
    .values_size = sizeof(struct ping_values),
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
