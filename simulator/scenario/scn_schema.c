/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_schema.c - the one table of the scenario language. */
#include "scn_schema.h"

#include <string.h>

#define FIELD(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define CONFIG(member)                                                                             \
    offsetof(struct scn_protocol, config) + offsetof(struct q2p_config, member),                   \
        sizeof(((struct q2p_config *)0)->member)
#define MOST INT64_MAX
#define YES_NO "no|yes"
#define DIALECT_WORDS "||classic|options" /* the numbers of enum q2p_dialect */

const struct scn_section scn_sections[] = {
    {"", "the file as a whole"},
    {"protocol", "how nodes behave; a node may say each of these keys itself as well"},
    {"nodes", "name: {...} - the Q2P nodes"},
    {"nats", "name: {...} - the NATs between nodes and the public network (RFC 4787)"},
    {"links", "- {...} - ways through the public network; both directions are alike"},
    {"default", "what a link is that nobody describes"},
    {"script", "- {...} - what happens when"},
    {"send", "script: a transmission"},
    {"set", "script: changes a link from now on"},
    {"expect", "- {...} - what must have come true in the end; exit code 1 if it has not"},
    {NULL, NULL},
};

/* clang-format off */
#define DEFAULT(text) text
#define NOTHING(text) "" /* as it was */
#define LINK_KEYS(section, d) \
    {section, "delay", SCN_TIMES, FIELD(scn_link, delay_ns), d("20ms"), NULL, Q2P_MICROSECOND, SCN_DAY, "one way; a range is drawn from uniformly, so datagrams overtake"}, \
    {section, "jitter", SCN_TIME, FIELD(scn_link, config.jitter_ns), d("0"), NULL, 0, SCN_DAY, "comes on top of the delay; its largest, its standard deviation (normal) or its mean"}, \
    {section, "shape", SCN_WORD, FIELD(scn_link, config.shape), d("uniform"), NET_SHAPE_WORDS, 0, 0, "how the jitter is distributed"}, \
    {section, "delays", SCN_REFS, FIELD(scn_link, table), "", NULL, 0, 0, "instead of delay: a list of times, each as likely as the others"}, \
    {section, "correlation", SCN_LOSS, FIELD(scn_link, config.correlation_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "chance that a datagram takes as long as the one before it, of delays that vary"}, \
    {section, "loss", SCN_LOSS, FIELD(scn_link, config.loss_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "each datagram by itself; with to-bad: in the good state"}, \
    {section, "to-bad", SCN_LOSS, FIELD(scn_link, config.to_bad_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "bursts after Gilbert and Elliott: from the good state to the bad one, per datagram"}, \
    {section, "to-good", SCN_LOSS, FIELD(scn_link, config.to_good_ppb), d("30%"), NULL, 0, NET_LOSS_ALWAYS, "... and back; bursts are 1/to-good long"}, \
    {section, "bad-loss", SCN_LOSS, FIELD(scn_link, config.bad_loss_ppb), d("100%"), NULL, 0, NET_LOSS_ALWAYS, "loss in the bad state"}, \
    {section, "bad-delay", SCN_TIME, FIELD(scn_link, config.bad_delay_ns), d("0"), NULL, 0, SCN_DAY, "what gets through in the bad state comes so much later: loss and delay go together"}, \
    {section, "lose-every", SCN_COUNT, FIELD(scn_link, config.lose_every), d("0"), NULL, 0, UINT32_MAX, "loses the n-th of every n datagrams, 0 = none"}, \
    {section, "lose-mask", SCN_TEXT, FIELD(scn_link, mask), "", NULL, 0, 0, "of 0 and 1 = lost, such as 0010; again and again"}, \
    {section, "lose-trace", SCN_TEXT, FIELD(scn_link, trace), "", NULL, 0, 0, "of 0 and 1 = lost; once, after its end nothing is lost"}, \
    {section, "lose-message", SCN_REFS, FIELD(scn_link, messages), "", NULL, 0, 0, "loses datagrams by what they say: one or a list of CONNECT, TRANSPORT, ..."}, \
    {section, "lose-message-first", SCN_COUNT, FIELD(scn_link, config.lose_events_first), d("0"), NULL, 0, UINT32_MAX, "... only the first so many in each direction, 0 = all"}, \
    {section, "duplicate", SCN_LOSS, FIELD(scn_link, config.duplicate_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "arrives twice"}, \
    {section, "corrupt", SCN_LOSS, FIELD(scn_link, config.corrupt_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "one bit flips"}, \
    {section, "truncate", SCN_LOSS, FIELD(scn_link, config.truncate_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "the end is missing"}, \
    {section, "reorder", SCN_LOSS, FIELD(scn_link, config.reorder_ppb), d("0%"), NULL, 0, NET_LOSS_ALWAYS, "comes later than it should, so that others overtake"}, \
    {section, "reorder-by", SCN_TIME, FIELD(scn_link, config.reorder_ns), d("10ms"), NULL, 0, SCN_DAY, "... by so much"}, \
    {section, "mtu", SCN_SIZE, FIELD(scn_link, config.mtu), d("0"), NULL, 0, 65535, "bytes with IP and UDP headers (28) that get through, 0 = any"}, \
    {section, "cut", SCN_BOOL, FIELD(scn_link, config.cut), d("no"), YES_NO, 0, 1, "nothing gets through"}, \
    {section, "rate", SCN_RATE, FIELD(scn_link, config.rate), d("0"), NULL, 0, UINT32_MAX, "of the wire, headers included, 0 = as fast as you like"}, \
    {section, "queue", SCN_SIZE, FIELD(scn_link, config.queue_len), d("64KiB"), NULL, 0, UINT32_MAX, "before the wire, in bytes; what does not fit is lost; 0 = endless"}, \
    {section, "queue-kind", SCN_WORD, FIELD(scn_link, config.queue_kind), d("drop-tail"), NET_QUEUE_WORDS, 0, 0, "codel (RFC 8289), red (Floyd and Jacobson): lose early, so that the queue stays short"}, \
    {section, "red-min", SCN_SIZE, FIELD(scn_link, config.red_min), d("0"), NULL, 0, UINT32_MAX, "red loses nothing below so many bytes waiting on average, 0 = a quarter of the queue"}, \
    {section, "red-max", SCN_SIZE, FIELD(scn_link, config.red_max), d("0"), NULL, 0, UINT32_MAX, "... and everything above so many, 0 = three quarters"}, \
    {section, "red-loss", SCN_LOSS, FIELD(scn_link, config.red_ppb), d("10%"), NULL, 0, NET_LOSS_ALWAYS, "... and this share just below red-max"},

const struct scn_key scn_schema[] = {
    {"", "name", SCN_TEXT, FIELD(scenario, name), "", NULL, 0, 0, "a title"},
    {"", "about", SCN_TEXT, FIELD(scenario, about), "", NULL, 0, 0, "what it shows, in a sentence"},
    {"", "seed", SCN_COUNT, FIELD(scenario, seed), "1", NULL, 0, MOST, "of the dice: file and seed make the run; --seed goes first"},
    {"", "until", SCN_TIME, FIELD(scenario, until_ns), "30s", NULL, Q2P_MILLISECOND, SCN_DAY, "virtual time at which the run ends"},
    {"", "protocol", SCN_PART, 0, 0, "", NULL, 0, 0, "how nodes behave"},
    {"", "nodes", SCN_PART, 0, 0, NULL, NULL, 0, 0, "the Q2P nodes, by name"},
    {"", "nats", SCN_PART, 0, 0, "", NULL, 0, 0, "the NATs, by name"},
    {"", "links", SCN_PART, 0, 0, "", NULL, 0, 0, "a list of links"},
    {"", "default", SCN_PART, 0, 0, "", NULL, 0, 0, "all other links"},
    {"", "script", SCN_PART, 0, 0, "", NULL, 0, 0, "a list of steps"},
    {"", "expect", SCN_PART, 0, 0, "", NULL, 0, 0, "a list of expectations"},
    {"", "vary", SCN_PART, 0, 0, "", NULL, 0, 0, "what sweeps try: SECTION.KEY: [VALUE, ...] for each, such as default.loss: [1%, 5%], nats.home-a.mapping: [address] or links.1.delay: [5ms, 1s]; all combinations are variants, counted from 1"},

    {"protocol", "profile", SCN_WORD, FIELD(scn_protocol, profile), "default", "default|original", 0, 1, "original: timers and single-shot messages of the Go program; other keys go on top"},
    {"protocol", "dialect", SCN_WORD, CONFIG(dialect), "", DIALECT_WORDS, 0, 0, "spoken to a peer until its own is known"},
    {"protocol", "network-id", SCN_COUNT, CONFIG(network_id), "", NULL, 0, 65535, "nodes of different networks do not meet"},
    {"protocol", "peers-max", SCN_COUNT, CONFIG(peers_max), "", NULL, 1, 128, "connection limit"},
    {"protocol", "lost", SCN_TIME, CONFIG(lost_ns), "", NULL, Q2P_MILLISECOND, SCN_DAY, "a receiver lists what is missing this often"},
    {"protocol", "timeout", SCN_TIME, CONFIG(timeout_ns), "", NULL, Q2P_MILLISECOND, SCN_DAY, "... and gives up this long after the last new fragment"},
    {"protocol", "timeout-total", SCN_BOOL, CONFIG(timeout_total), "", YES_NO, 0, 1, "timeout counts from the start of the transmission instead"},
    {"protocol", "remember", SCN_TIME, CONFIG(remember_ns), "", NULL, 0, SCN_DAY, "a finished incoming key stays known"},
    {"protocol", "keep", SCN_TIME, CONFIG(keep_ns), "", NULL, 0, SCN_DAY, "a sender keeps what it sent for repairs"},
    {"protocol", "repair", SCN_BOOL, CONFIG(repair), "", YES_NO, 0, 1, "resend what is reported lost"},
    {"protocol", "rate", SCN_RATE, CONFIG(rate), "", NULL, 0, UINT32_MAX, "sending pace of a node, 0 = none"},
    {"protocol", "burst", SCN_COUNT, CONFIG(burst), "", NULL, 1, 65535, "datagrams that may leave at once"},
    {"protocol", "length-max", SCN_SIZE, CONFIG(length_max), "", NULL, 1, UINT32_MAX, "longer transmissions are refused"},
    {"protocol", "memory-max", SCN_SIZE, CONFIG(memory_max), "", NULL, 0, MOST, "for fragments received, all peers together"},
    {"protocol", "incoming-max", SCN_COUNT, CONFIG(incoming_max), "", NULL, 1, 65535, "transmissions being received"},
    {"protocol", "incoming-peer-max", SCN_COUNT, CONFIG(incoming_peer_max), "", NULL, 1, 65535, "... from one address"},
    {"protocol", "outgoing-max", SCN_COUNT, CONFIG(outgoing_max), "", NULL, 1, 65535, "transmissions being sent or kept"},
    {"protocol", "persist", SCN_BOOL, CONFIG(persist), "", YES_NO, 0, 1, "repeat control messages until answered; answer TOUCH with CONNECT"},
    {"protocol", "retry", SCN_TIME, CONFIG(retry_ns), "", NULL, Q2P_MILLISECOND, SCN_DAY, "first repetition, doubling each time"},
    {"protocol", "retries-max", SCN_COUNT, CONFIG(retries_max), "", NULL, 0, 65535, "repetitions of one message"},
    {"protocol", "keepalive", SCN_TIME, CONFIG(keepalive_ns), "", NULL, 0, SCN_DAY, "keep NAT mappings alive this often, 0 = never"},
    {"protocol", "silence", SCN_TIME, CONFIG(silence_ns), "", NULL, 0, SCN_DAY, "give up a connected peer that keep-alives have not raised for so long, 0 = never"},
    {"protocol", "open", SCN_BOOL, CONFIG(open), "", YES_NO, 0, 1, "store whoever connects unasked"},
    {"protocol", "answers-max", SCN_COUNT, CONFIG(answers_max), "", NULL, 0, 65535, "control messages per second caused by one address, 0 = any"},
    {"protocol", "probe", SCN_BOOL, CONFIG(probe), "", YES_NO, 0, 1, "find out how fast each way is (PROTOCOL.md 6.9); no: the rate alone"},
    {"protocol", "early", SCN_BOOL, CONFIG(early), "", YES_NO, 0, 1, "list gaps as soon as they show"},
    {"protocol", "extend", SCN_BOOL, CONFIG(extend), "", YES_NO, 0, 1, "use the extension (PROTOCOL.md 6.8)"},
    {"protocol", "verify", SCN_BOOL, CONFIG(verify), "", YES_NO, 0, 1, "hash what is sent and received; no: keys are made up"},

    {"nodes", "at", SCN_ADDR, FIELD(scn_node, at), NULL, NULL, 0, 0, "its own address; behind a NAT the inside one"},
    {"nodes", "count", SCN_COUNT, FIELD(scn_node, count), "1", NULL, 1, 1000000, "more than 1: NAME-0, NAME-1, ..., with addresses counting up"},
    {"nodes", "behind", SCN_REF, FIELD(scn_node, behind), "", NULL, 0, 0, "its NAT; without one it is public"},
    {"nodes", "joins", SCN_REFS, FIELD(scn_node, joins), "", NULL, 0, 0, "its seeds"},
    {"nodes", "start", SCN_TIME, FIELD(scn_node, start_ns), "0", NULL, 0, SCN_DAY, "when it joins"},
    {"nodes", "stop", SCN_TIME, FIELD(scn_node, stop_ns), "0", NULL, 0, SCN_DAY, "when it leaves without a word, 0 = never"},
    {"nodes", "clock-offset", SCN_TIME, FIELD(scn_node, clock_offset_ns), "0", NULL, 0, 100 * SCN_DAY, "its clock is ahead by so much"},
    {"nodes", "clock-fast", SCN_COUNT, FIELD(scn_node, clock_fast_ppm), "0", NULL, 0, 1000000, "its clock runs fast, in parts per million"},
    {"nodes", "clock-slow", SCN_COUNT, FIELD(scn_node, clock_slow_ppm), "0", NULL, 0, 900000, "its clock runs slow, in parts per million"},

    {"nats", "outside", SCN_IP, FIELD(scn_nat, outside), NULL, NULL, 0, 0, "its public address"},
    {"nats", "behind", SCN_REF, FIELD(scn_nat, behind), "", NULL, 0, 0, "another NAT, as behind a carrier's"},
    {"nats", "preset", SCN_WORD, FIELD(scn_nat, preset), "", NET_NAT_PRESET_WORDS, 0, 0, "a device; other keys go on top. linux-masq: conntrack, which lets strangers occupy ports; -drop: it does not"},
    {"nats", "pool", SCN_REFS, FIELD(scn_nat, pool), "", NULL, 0, 0, "more public addresses"},
    {"nats", "mapping", SCN_WORD, FIELD(scn_nat, config.mapping), "endpoint-independent", NET_NAT_KIND_WORDS, 0, 0, "RFC 4787 4.1: an inside endpoint has one outside port for all, per remote address, or per remote address and port"},
    {"nats", "filtering", SCN_WORD, FIELD(scn_nat, config.filtering), "address-and-port", NET_NAT_KIND_WORDS, 0, 0, "RFC 4787 5: who may answer: all, addresses sent to, or exactly the endpoints sent to"},
    {"nats", "scope", SCN_WORD, FIELD(scn_nat, config.scope), "mapping", NET_NAT_SCOPE_WORDS, 0, 0, "whether the right to answer holds for one mapping or for all of an inside endpoint"},
    {"nats", "ports", SCN_WORD, FIELD(scn_nat, config.ports), "preserve", NET_NAT_PORTS_WORDS, 0, 0, "how outside ports are chosen; see overload for using one twice"},
    {"nats", "port-range", SCN_COUNTS, FIELD(scn_nat, ports), "1024..65535", NULL, 1, 65535, "outside ports to choose from"},
    {"nats", "block", SCN_COUNT, FIELD(scn_nat, config.block_len), "512", NULL, 1, 65535, "with ports block: ports of each inside host (RFC 7422)"},
    {"nats", "overload", SCN_BOOL, FIELD(scn_nat, config.overload), "no", YES_NO, 0, 1, "RFC 4787 4.2.1: a port serves several inside endpoints that talk to different remotes"},
    {"nats", "pooling", SCN_WORD, FIELD(scn_nat, config.pooling), "paired", NET_NAT_POOLING_WORDS, 0, 0, "RFC 4787 4.1: with a pool, does an inside host always have the same address?"},
    {"nats", "quota", SCN_COUNT, FIELD(scn_nat, config.quota), "0", NULL, 0, UINT32_MAX, "mappings of each inside host, 0 = any"},
    {"nats", "hairpin", SCN_WORD, FIELD(scn_nat, config.hairpin), "none", NET_NAT_HAIRPIN_WORDS, 0, 0, "RFC 4787 6: its hosts reach each other through the outside address; internal: and see each other's inside one"},
    {"nats", "forget-after", SCN_TIME, FIELD(scn_nat, config.forget_ns), "2min", NULL, Q2P_MILLISECOND, SCN_DAY, "mappings and rights end so long after the last datagram that counts"},
    {"nats", "forget-new", SCN_TIME, FIELD(scn_nat, config.forget_new_ns), "0", NULL, 0, SCN_DAY, "... as long as nobody has answered, 0 = as forget-after; Linux: 30s"},
    {"nats", "refresh", SCN_WORD, FIELD(scn_nat, config.refresh), "out", NET_NAT_REFRESH_WORDS, 0, 0, "RFC 4787 4.3: which direction counts"},
    {"nats", "clash", SCN_BOOL, FIELD(scn_nat, config.clash), "no", YES_NO, 0, 1, "a datagram that may not come in occupies its port towards its sender, as Linux has it without a rule that drops"},
    {"nats", "icmp-kills", SCN_BOOL, FIELD(scn_nat, config.icmp_kills), "no", YES_NO, 0, 1, "RFC 4787 REQ-12 forbids it: an ICMP error (a host that is down answers with one) ends the mapping"},

    {"links", "between", SCN_PAIR, FIELD(scn_link, between), "", NULL, 0, 0, "two nodes or NATs; a node behind a NAT stands for its NAT"},
    {"links", "access", SCN_REF, FIELD(scn_link, access), "", NULL, 0, 0, "instead: a node; what is between it and its place in the network, such as its home network"},
    {"links", "way", SCN_WORD, FIELD(scn_link, way), "both", SCN_WAY_WORDS, 0, 0, "there: only from the first to the second, or from the node of an access link; back: only the other way"},
    LINK_KEYS("links", DEFAULT)

    LINK_KEYS("default", DEFAULT)

    {"script", "at", SCN_TIME, FIELD(scn_step, at_ns), NULL, NULL, 0, SCN_DAY, "virtual time"},
    {"script", "send", SCN_PART, 0, 0, "", NULL, 0, 0, "{from, to, size, as}: a transmission"},
    {"script", "set", SCN_PART, 0, 0, "", NULL, 0, 0, "{link or access, delay, loss, ...}: changes a link"},
    {"script", "rebind", SCN_REF, FIELD(scn_step, rebind), "", NULL, 0, 0, "a NAT that forgets everything and chooses new ports"},
    {"script", "reboot", SCN_REF, FIELD(scn_step, reboot), "", NULL, 0, 0, "a NAT that forgets everything"},
    {"script", "crash", SCN_REF, FIELD(scn_step, crash), "", NULL, 0, 0, "a node that stops without a word"},
    {"script", "restart", SCN_REF, FIELD(scn_step, restart), "", NULL, 0, 0, "a node that starts anew, knowing nothing, and joins its seeds"},
    {"script", "at-port", SCN_COUNT, FIELD(scn_step, port), "", NULL, 0, 65535, "with restart: its port from now on; nobody is at the old one"},
    {"script", "join", SCN_REF, FIELD(scn_step, join), "", NULL, 0, 0, "a node that joins its seeds (again)"},
    {"script", "partition", SCN_REFS, FIELD(scn_step, partition), "", NULL, 0, 0, "these are cut off from all others, but not from each other"},
    {"script", "partition-way", SCN_WORD, FIELD(scn_step, partition_way), "", NET_SIDE_WORDS, 0, 0, "only what they send is stopped (out), or only what is sent to them (in)"},
    {"script", "heal", SCN_WORD, FIELD(scn_step, heal), "", "|all", 0, 0, "ends all partitions"},

    {"send", "from", SCN_REF, FIELD(scn_send, from), NULL, NULL, 0, 0, "a node"},
    {"send", "to", SCN_REF, FIELD(scn_send, to), NULL, NULL, 0, 0, "a node. It is sent to the address learned by punching; if there is none, to its own if no NAT hides it; else the transmission waits until they are connected"},
    {"send", "size", SCN_SIZE, FIELD(scn_send, size), NULL, NULL, 1, UINT32_MAX, "of the payload, which the seed makes"},
    {"send", "as", SCN_TEXT, FIELD(scn_send, as), NULL, NULL, 0, 0, "its name in expectations and reports"},

    {"set", "link", SCN_PAIR, FIELD(scn_link, between), "", NULL, 0, 0, "as links.between"},
    {"set", "access", SCN_REF, FIELD(scn_link, access), "", NULL, 0, 0, "as links.access"},
    {"set", "way", SCN_WORD, FIELD(scn_link, way), "", SCN_WAY_WORDS, 0, 0, "as links.way"},
    LINK_KEYS("set", NOTHING)

    {"expect", "connected", SCN_PAIR, FIELD(scn_expect, connected), "", NULL, 0, 0, "both know each other"},
    {"expect", "not-connected", SCN_PAIR, FIELD(scn_expect, not_connected), "", NULL, 0, 0, "not both of them know the other in the end"},
    {"expect", "delivered", SCN_TEXT, FIELD(scn_expect, delivered), "", NULL, 0, 0, "this transmission arrives whole"},
    {"expect", "failed", SCN_TEXT, FIELD(scn_expect, failed), "", NULL, 0, 0, "this transmission fails: at its sender, or given up by its receiver"},
    {"expect", "seen", SCN_TEXT, FIELD(scn_expect, seen), "", NULL, 0, 0, "this wire message (CONNECT_FAILED) is received, or this happens (mismatch)"},
    {"expect", "never", SCN_TEXT, FIELD(scn_expect, never), "", NULL, 0, 0, "... never is or does"},
    {"expect", "peers", SCN_COUNTS, FIELD(scn_expect, peers), "", NULL, 0, 128, "how many peers the node `at` has in the end"},
    {"expect", "before", SCN_TIME, FIELD(scn_expect, before_ns), "", NULL, Q2P_MILLISECOND, SCN_DAY, "for connected, delivered, failed and seen: not later"},
    {"expect", "at", SCN_REF, FIELD(scn_expect, at), "", NULL, 0, 0, "for seen, never and peers: this node"},
    {NULL, NULL, SCN_TEXT, 0, 0, NULL, NULL, 0, 0, NULL},
};
/* clang-format on */

void scn_defaults(const char *section, void *object)
{
    if (strcmp(section, "protocol") == 0) {
        q2p_config_init(&((struct scn_protocol *)object)->config);
        return;
    }
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        if (strcmp(key->section, section) != 0 || key->kind <= SCN_PAIR || !key->fallback ||
            !*key->fallback)
            continue;
        struct scn_errors errors = {0};
        struct scn_yaml value = {.shape = SCN_SCALAR};
        char text[64];
        snprintf(text, sizeof text, "%s", key->fallback);
        value.text = text;
        if (!scn_value_read(key, &value, object, &errors))
            scn_errors_free(&errors); /* a wrong row; the schema test finds it */
    }
}

/* ---- explaining -------------------------------------------------------------------------- */

static void explain_key(const struct scn_key *key, FILE *out)
{
    char want[160], fallback[64] = "";
    struct scn_protocol protocol = {0};
    scn_value_want(key, want, sizeof want);
    if (strcmp(key->section, "protocol") == 0) {
        scn_defaults("protocol", &protocol);
        scn_value_write(key, &protocol, fallback, sizeof fallback);
    } else if (key->fallback) {
        snprintf(fallback, sizeof fallback, "%s", key->fallback);
    }
    fprintf(out, "%s%s%s: %s", key->section, *key->section ? "." : "", key->name, want);
    if (!key->fallback)
        fputs("; must be given", out);
    else if (*fallback)
        fprintf(out, "; default %s", fallback);
    fprintf(out, "\n    %s\n", key->help);
}

static bool is_section(const char *name)
{
    const struct scn_section *section = scn_sections;
    while (section->name && strcmp(section->name, name) != 0)
        section++;
    return section->name;
}

bool scn_explain(const char *what, FILE *out)
{
    bool found = false;
    const char *dot = what ? strchr(what, '.') : NULL;
    size_t len = dot ? (size_t)(dot - what) : strlen(what ? what : "");
    for (const struct scn_section *section = scn_sections; section->name; section++) {
        bool mine =
            !what || (strlen(section->name) == len && strncmp(section->name, what, len) == 0);
        if (what && !dot && !*section->name) { /* "seed": a key of the whole file */
            for (const struct scn_key *key = scn_schema; !*key->section; key++)
                if (strcmp(key->name, what) == 0 && !is_section(what)) {
                    explain_key(key, out);
                    found = true;
                }
        }
        if (!mine)
            continue;
        if (!dot)
            fprintf(out, "%s%s%s\n", section->name, *section->name ? ": " : "", section->help);
        for (const struct scn_key *key = scn_schema; key->section; key++) {
            if (strcmp(key->section, section->name) != 0 ||
                (dot && strcmp(key->name, dot + 1) != 0))
                continue;
            explain_key(key, out);
            found = true;
        }
        if (!dot)
            fputc('\n', out);
    }
    return found;
}

void scn_starter(FILE *out)
{
    fputs("# A Q2P scenario. Try it: q2p-sim run FILE. What a key means: q2p-sim explain KEY\n"
          "name: two peers behind NATs meet through a seed\n"
          "seed: 1                       # of the dice; file and seed make the run\n"
          "until: 20s                    # virtual time\n"
          "\n"
          "# protocol: {dialect: options, lost: 500ms, timeout: 10s}\n"
          "\n"
          "nodes:\n"
          "  seed:  {at: 203.0.113.1:10000}\n"
          "  alice: {at: 10.0.0.2:10001, behind: home-a, joins: seed}\n"
          "  bob:   {at: 10.1.0.2:10002, behind: home-b, joins: seed, start: 200ms}\n"
          "\n"
          "nats:\n"
          "  home-a: {outside: 198.51.100.1, filtering: address-and-port}\n"
          "  home-b: {outside: 198.51.100.2, filtering: address-and-port}\n"
          "\n"
          "links:\n"
          "  - {between: [alice, bob], delay: 15ms..25ms, loss: 1%}\n"
          "default: {delay: 10ms}        # every other link\n"
          "\n"
          "script:\n"
          "  - {at: 2s, send: {from: alice, to: bob, size: 100KiB, as: picture}}\n"
          "  # - {at: 5s, set: {link: [alice, bob], loss: 100%}}\n"
          "  # - {at: 8s, rebind: home-b}\n"
          "\n"
          "expect:\n"
          "  - {connected: [alice, bob], before: 3s}\n"
          "  - {delivered: picture}\n",
          out);
}
