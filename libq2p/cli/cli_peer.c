/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_peer.c - a node behind a socket for the commands, and its happenings told. */
#define _DEFAULT_SOURCE /* getifaddrs, getrandom */
#include "cli_peer.h"

#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include <q2p/status.h>

#include "cli_out.h"

enum { SYNS_SHOWN = 20 };

#define LOOK_NS (250 * Q2P_MILLISECOND) /* how late a signal may be noticed */

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    signalled = number;
}

int cli_peer_signal(void)
{
    return signalled;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* The first eight addresses of this machine, so that the node knows keys made with one of them,
 * and itself when it is named. */
static void own_addresses(struct cli_peer *peer, uint16_t port)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0)
        return;
    for (const struct ifaddrs *each = list; each; each = each->ifa_next) {
        struct q2p_addr addr = {.port = port};
        if (!each->ifa_addr)
            continue;
        if (each->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *v4 = (const void *)each->ifa_addr;
            addr.ip_len = 4;
            memcpy(addr.ip, &v4->sin_addr, 4);
        } else if (each->ifa_addr->sa_family == AF_INET6) {
            const struct sockaddr_in6 *v6 = (const void *)each->ifa_addr;
            addr.ip_len = 16;
            memcpy(addr.ip, &v6->sin6_addr, 16);
            addr.scope_id = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? v6->sin6_scope_id : 0;
        } else {
            continue;
        }
        if (q2p_node_own(peer->node, &addr) < 0)
            break;
    }
    freeifaddrs(list);
}

/* The address of the socket; its ip_len is 0 if it listens on all of them. */
static struct q2p_addr bound_to(const struct cli_peer *peer)
{
    static const uint8_t all[16];
    struct q2p_addr own = {0};
    if (q2p_drive_address(peer->drive, &own) < 0 || !memcmp(own.ip, all, sizeof all))
        own.ip_len = 0;
    return own;
}

int cli_peer_resolve(const struct cli_peer *peer, struct q2p_addr *out, const char *text)
{
    uint8_t prefer = bound_to(peer).ip_len;
    int status = q2p_drive_resolve(out, text, prefer);
    if (status < 0) {
        cli_error("`%s`: %s", text,
                  status == Q2P_ERR_ADDRESS ? "want HOST:PORT, a.b.c.d:PORT or [v6]:PORT"
                                            : q2p_status_text(status));
        return status == Q2P_ERR_ADDRESS ? CLI_USAGE : CLI_ENVIRONMENT;
    }
    if (prefer && out->ip_len != prefer) {
        cli_error("`%s` cannot be reached from %s: one is IPv4, the other IPv6", text,
                  peer->values->ip);
        return CLI_USAGE;
    }
    return CLI_FINE;
}

static void tell_listening(const struct cli_peer *peer, uint16_t port)
{
    bool v6 = strchr(peer->values->ip, ':');
    char text[Q2P_ADDR_TEXT_MAX];
    snprintf(text, sizeof text, v6 ? "[%.45s]:%u" : "%.45s:%u", peer->values->ip, port);
    if (peer->values->common.json) {
        cli_json_open("listening", peer->start_ns);
        cli_json_text("address", text);
        cli_json_number("port", port);
        cli_json_number("network_id", peer->values->network_id);
        cli_json_text("dialect", q2p_dialect_name(peer->values->dialect));
        cli_json_close();
    } else if (!peer->values->common.quiet) {
        printf("%12s  listening on %s, network %" PRIu64 ", %s\n", "", text,
               peer->values->network_id, q2p_dialect_name(peer->values->dialect));
        fflush(stdout);
    }
}

int cli_peer_refusal(const char *option, const char *value, int status)
{
    cli_error("%s %s: %s", option, value,
              status == Q2P_ERR_ADDRESS ? "that is this node itself, or no place of a peer"
                                        : q2p_status_text(status));
    return status == Q2P_ERR_MEMORY ? CLI_ENVIRONMENT : CLI_USAGE;
}

int cli_peer_bind(struct cli_peer *peer, const struct cli_peer_values *values)
{
    *peer = (struct cli_peer){.values = values, .start_ns = cli_wall_ns()};
    int status = q2p_drive_open(&peer->drive, values->ip, (uint16_t)values->port);
    if (status == Q2P_ERR_ADDRESS) {
        cli_error("--ip: `%s` is not an address of numbers", values->ip);
        return CLI_USAGE;
    }
    if (status < 0) {
        const char *why = status == Q2P_ERR_SYSTEM ? strerror(errno) : q2p_status_text(status);
        if (status == Q2P_ERR_SYSTEM && errno == EADDRINUSE)
            why = "address already in use";
        cli_error(strchr(values->ip, ':') ? "cannot listen on [%s]:%" PRIu64 ": %s"
                                          : "cannot listen on %s:%" PRIu64 ": %s",
                  values->ip, values->port, why);
        return CLI_ENVIRONMENT;
    }
    if (values->no_offload)
        q2p_drive_choose(peer->drive, Q2P_CALLS_BATCH);
    catch_signals();
    return CLI_FINE;
}

int cli_peer_open(struct cli_peer *peer, const struct cli_peer_values *values,
                  struct q2p_config *config)
{
    int code = cli_peer_bind(peer, values);
    if (code)
        return code;
    config->network_id = (uint16_t)values->network_id;
    config->dialect = values->dialect;
    config->rate = values->rate > UINT32_MAX ? UINT32_MAX : (uint32_t)values->rate;
    if (getrandom(&config->seed, sizeof config->seed, 0) < 0)
        config->seed = (uint64_t)peer->start_ns;
    q2p_drive_memory(&config->alloc);
    int status = q2p_node_new(&peer->node, config);
    if (status < 0) {
        cli_error("%s", q2p_status_text(status));
        return status == Q2P_ERR_INVALID ? CLI_USAGE : CLI_ENVIRONMENT;
    }
    struct q2p_addr own = bound_to(peer);
    if (own.ip_len) /* it may be one of many, or of a range, as 127.0.0.2 is */
        q2p_node_own(peer->node, &own);
    own_addresses(peer, own.port);
    tell_listening(peer, own.port);
    for (size_t i = 0; i < values->seeds.count; i++) {
        struct q2p_addr seed;
        code = cli_peer_resolve(peer, &seed, values->seeds.items[i]);
        if (code)
            return code;
        status = q2p_node_join(peer->node, q2p_drive_now(), &seed);
        if (status < 0)
            return cli_peer_refusal("--seed", values->seeds.items[i], status);
    }
    return CLI_FINE;
}

void cli_peer_close(struct cli_peer *peer)
{
    q2p_node_free(peer->node);
    q2p_drive_close(peer->drive);
}

int cli_peer_step(struct cli_peer *peer, q2p_time until)
{
    q2p_time look = q2p_drive_now() + LOOK_NS;
    int status =
        q2p_drive_step(peer->drive, &q2p_node_machine, peer->node, until < look ? until : look);
    if (status >= 0)
        return CLI_FINE;
    cli_error("socket: %s", strerror(errno));
    return CLI_ENVIRONMENT;
}

void cli_peer_hear_refusals(struct cli_peer *peer)
{
    peer->hears_refusals = q2p_drive_hear_refusals(peer->drive, true) == Q2P_OK;
}

bool cli_peer_refused(struct cli_peer *peer, const struct q2p_addr *to, uint64_t sent,
                      uint64_t heard, q2p_time grace_ns)
{
    q2p_time now = q2p_drive_now();
    struct q2p_addr by;
    if (!peer->hears_refusals)
        return false;
    if (heard > 0) { /* from now on it would only be a way to disturb us */
        peer->hears_refusals = false;
        q2p_drive_hear_refusals(peer->drive, false);
        return false;
    }
    while (q2p_drive_refused(peer->drive, &by)) {
        if (!q2p_addr_equal(&by, to))
            continue;
        peer->refused_at = peer->refused_at ? peer->refused_at : now;
        peer->refused_sent = sent;
    }
    return peer->refused_at && peer->refused_sent == sent && now - peer->refused_at >= grace_ns;
}

/* ---- happenings ----------------------------------------------------------------------------- */

static const char *check_word(enum q2p_check check)
{
    static const char *const words[] = {[Q2P_CHECK_NONE] = "unknown",
                                        [Q2P_CHECK_DATA] = "data",
                                        [Q2P_CHECK_ADDRESS] = "data+address",
                                        [Q2P_CHECK_WRONG] = "wrong"};
    return words[check];
}

static void tell_json(const struct q2p_happening *on, const char *file)
{
    char sha256[CLI_SHA256_TEXT];
    cli_json_open(q2p_on_name(on->on), cli_wall_ns());
    cli_json_addr("peer", &on->peer);
    if (on->dialect != Q2P_DIALECT_UNKNOWN)
        cli_json_text("dialect", q2p_dialect_name(on->dialect));
    if (q2p_on_is_transmission(on->on)) {
        cli_json_hash("hash", &on->hash);
        cli_json_number("length", on->length);
    }
    if (on->on == Q2P_ON_MISMATCH)
        cli_json_number("network_id", on->network_id);
    if (on->on == Q2P_ON_REFUSED)
        cli_json_text("text", on->text ? on->text : "");
    if (on->on == Q2P_ON_LOST || on->on == Q2P_ON_EXPIRED) {
        cli_json_raw("syns", "[");
        for (size_t i = 0; i < on->syns_count; i++)
            cli_json_item(on->syns[i], i == 0);
        cli_json_end("]");
        cli_json_number("missing", on->missing);
    }
    if (on->on == Q2P_ON_DELIVERED) {
        cli_sha256(sha256, on->data, on->data_len);
        cli_json_text("sha256", sha256);
        cli_json_text("hash_of", check_word(on->check));
        if (file)
            cli_json_text("file", file);
    }
    cli_json_close();
}

static void print_syns(const struct q2p_happening *on)
{
    for (size_t i = 0; i < on->syns_count && i < SYNS_SHOWN; i++)
        printf("%s %" PRIu32, i ? "," : "", on->syns[i]);
    fputs(on->missing > SYNS_SHOWN ? ", ...\n" : "\n", stdout);
}

static void print_happening(const struct q2p_happening *on, const char *file)
{
    char peer[Q2P_ADDR_TEXT_MAX], hash[2 * Q2P_HASH_LEN + 1], sha256[CLI_SHA256_TEXT];
    const char *plain = cli_colour(CLI_PLAIN);
    q2p_addr_print(&on->peer, peer, sizeof peer);
    cli_hex(hash, on->hash.bytes, Q2P_HASH_LEN);
    switch (on->on) {
    case Q2P_ON_JOIN:
        printf("%s joined through us\n", peer);
        break;
    case Q2P_ON_CONNECT:
    case Q2P_ON_CONNECTED:
        printf("%sconnected%s with %s, %s\n", cli_colour(CLI_GOOD), plain, peer,
               on->on == Q2P_ON_CONNECT ? "which asked" : "which we asked");
        break;
    case Q2P_ON_UNREACHED:
    case Q2P_ON_GONE:
        printf("%s%s%s: %s\n", cli_colour(CLI_BAD), q2p_on_name(on->on), plain, peer);
        break;
    case Q2P_ON_REFUSED:
        printf("%srefused%s by %s: %s\n", cli_colour(CLI_BAD), plain, peer,
               on->text ? on->text : "");
        break;
    case Q2P_ON_MISMATCH:
        printf("%s is of another network, %u\n", peer, on->network_id);
        break;
    case Q2P_ON_RECEIVING:
        printf("receiving %" PRIu32 " bytes from %s, %s, key %s\n", on->length, peer,
               q2p_dialect_name(on->dialect), hash);
        break;
    case Q2P_ON_DELIVERED:
        cli_sha256(sha256, on->data, on->data_len);
        printf("%sreceived%s %zu bytes from %s, key %s\n%12s  sha256 %s%s%s\n",
               cli_colour(CLI_GOOD), plain, on->data_len, peer, hash, "", sha256,
               file ? "\n              saved as " : "", file ? file : "");
        break;
    case Q2P_ON_EXPIRED:
        printf("%sgiven up%s: %" PRIu32 " fragments of %s from %s never came:", cli_colour(CLI_BAD),
               plain, on->missing, hash, peer);
        print_syns(on);
        break;
    case Q2P_ON_CORRUPT:
        printf("%scorrupt%s: what %s sent does not match its key %s\n", cli_colour(CLI_BAD), plain,
               peer, hash);
        break;
    case Q2P_ON_SENT:
        printf("sent %" PRIu32 " bytes to %s, %s, key %s\n", on->length, peer,
               q2p_dialect_name(on->dialect), hash);
        break;
    case Q2P_ON_LOST:
        printf("%s lacks %zu fragments:", peer, on->syns_count);
        print_syns(on);
        break;
    case Q2P_ON_RESTORED:
        printf("all fragments that %s lacked were sent again\n", peer);
        break;
    case Q2P_ON_FAILED:
        printf("%sfailed%s: %s gave up on %s, or never answered\n", cli_colour(CLI_BAD), plain,
               peer, hash);
        break;
    case Q2P_ON_ARRIVED:
        printf("%sarrived%s: %s has all of %s\n", cli_colour(CLI_GOOD), plain, peer, hash);
        break;
    case Q2P_ON_RELEASED:
        printf("%squiet%s: %s asks for nothing more of %s\n", cli_colour(CLI_GOOD), plain, peer,
               hash);
        break;
    }
    fflush(stdout);
}

void cli_peer_tell(const struct cli_peer *peer, const struct q2p_happening *on, const char *file)
{
    if (peer->values->common.json) {
        tell_json(on, file);
    } else if (!peer->values->common.quiet) {
        printf("%s%12.6f%s  ", cli_colour(CLI_FAINT),
               (double)(cli_wall_ns() - peer->start_ns) / 1e9, cli_colour(CLI_PLAIN));
        print_happening(on, file);
    }
}

void cli_peer_sum_up(const struct cli_peer *peer)
{
    const struct q2p_counters *counters = q2p_node_counters(peer->node);
    if (peer->values->common.json) {
        cli_json_open("summary", cli_wall_ns());
#define XX(name, sentence) cli_json_number(#name, counters->name);
        Q2P_COUNTER_MAP(XX)
#undef XX
        cli_json_close();
    } else if (!peer->values->common.quiet) {
#define XX(name, sentence)                                                                         \
    if (counters->name)                                                                            \
        printf("%12" PRIu64 "  %-20s %s\n", counters->name, #name, sentence);
        Q2P_COUNTER_MAP(XX)
#undef XX
    }
}
