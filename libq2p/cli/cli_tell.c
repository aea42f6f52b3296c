/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_tell.c - the tales of a capture in words and as JSON Lines. */
#include "cli_tell.h"

#include <inttypes.h>

#include <q2p/status.h>

#include "cli_out.h"

/* numbers listed of one transmission; missing_count has the rest */
enum { MISSING_MAX = 1000 };

static const char *verdict_word(enum cli_verdict verdict)
{
    switch (verdict) {
    case CLI_VERDICT_WHOLE:
        return "complete";
    case CLI_VERDICT_EMPTY:
        return "empty";
    case CLI_VERDICT_MISSING:
        return "missing";
    case CLI_VERDICT_GAVE_UP:
        return "gave-up";
    case CLI_VERDICT_GAVE_UP_WHOLE:
        return "gave-up-whole";
    case CLI_VERDICT_FOREIGN:
        return "foreign-network";
    case CLI_VERDICT_UNHEARD:
        return "unheard";
    }
    return "";
}

static const char *verdict_text(enum cli_verdict verdict)
{
    switch (verdict) {
    case CLI_VERDICT_WHOLE:
        return "complete";
    case CLI_VERDICT_EMPTY:
        return "empty: a question, as ping asks, or nothing to carry";
    case CLI_VERDICT_MISSING:
        return "incomplete";
    case CLI_VERDICT_GAVE_UP:
        return "incomplete: the receiver gave up";
    case CLI_VERDICT_GAVE_UP_WHOLE:
        return "not received: all of it passed here, but the receiver gave up";
    case CLI_VERDICT_FOREIGN:
        return "not received: the receiver is of another network";
    case CLI_VERDICT_UNHEARD:
        return "not received: the receiver speaks options only";
    }
    return "";
}

static const char *proof_word(enum cli_key_proof proof)
{
    static const char *const words[] = {[CLI_KEY_OPEN] = "open",
                                        [CLI_KEY_DATA] = "data",
                                        [CLI_KEY_ADDRESS] = "data+address",
                                        [CLI_KEY_OTHER] = "other"};
    return words[proof];
}

static const char *proof_text(enum cli_key_proof proof)
{
    static const char *const words[] = {
        [CLI_KEY_OPEN] = "",
        [CLI_KEY_DATA] = ", the MD5 of the data",
        [CLI_KEY_ADDRESS] = ", the MD5 of the data and the destination",
        [CLI_KEY_OTHER] = ", which is not the MD5 of this data, with or without the destination"};
    return words[proof];
}

/* Nobody got anything if the receiver did not listen. */
static bool is_missing(const struct cli_item *item, uint32_t syn)
{
    return item->verdict == CLI_VERDICT_FOREIGN || item->verdict == CLI_VERDICT_UNHEARD ||
           !cli_sending_holds(item->sending, syn);
}

static void json_missing(const struct cli_item *item)
{
    uint32_t listed = 0;
    cli_json_raw("missing", "[");
    for (uint32_t syn = 0; listed < item->missing && listed < MISSING_MAX; syn++)
        if (is_missing(item, syn))
            cli_json_item(syn, listed++ == 0);
    cli_json_end("]");
    cli_json_number("missing_count", item->missing);
}

static void json_transmission(const struct cli_item *item)
{
    const struct cli_sending *sending = item->sending;
    bool whole = item->verdict == CLI_VERDICT_WHOLE;
    cli_json_addr("src", &item->a);
    cli_json_addr("dst", &item->b);
    cli_json_text("dialect", q2p_dialect_name(sending->dialect));
    cli_json_hash("hash", &sending->key.hash);
    if (item->tale == CLI_TALE_ORPHAN) {
        cli_json_number("fragments", sending->late);
        return;
    }
    cli_json_number("length", sending->length);
    cli_json_bool("complete", whole);
    if (whole && *sending->sha256)
        cli_json_text("sha256", sending->sha256);
    else
        cli_json_raw("sha256", "null");
    json_missing(item);
    cli_json_text("verdict", verdict_word(item->verdict));
    cli_json_text("hash_of", proof_word(sending->proof));
    cli_json_number("network_id", sending->network_id);
    cli_json_number("lists", sending->lists);
    cli_json_number("duplicates", sending->duplicates);
    cli_json_number("late", sending->late);
    cli_json_number("last_frame", sending->last_frame);
    cli_json_number("last_ns", (uint64_t)sending->last_ns);
}

static const char *tale_word(enum cli_tale tale)
{
    static const char *const words[] = {
        [CLI_TALE_JOIN] = "join",         [CLI_TALE_CONNECTED] = "connected",
        [CLI_TALE_MISMATCH] = "mismatch", [CLI_TALE_MALFORMED] = "malformed",
        [CLI_TALE_ORPHAN] = "orphan",     [CLI_TALE_TRANSMISSION] = "transmission"};
    return words[tale];
}

/* Only then is it of use to say which. */
static bool several_interfaces(const struct cli_listener *listener)
{
    return cli_capture_interfaces(listener->capture) > 1;
}

static void json_interface(const struct cli_listener *listener, const struct cli_item *item)
{
    char name[CLI_INTERFACE_MAX];
    cli_capture_interface(listener->capture, item->a.scope_id, name);
    cli_json_text("interface", name);
}

static void tell_json(const struct cli_listener *listener, const struct cli_item *item)
{
    cli_json_open(tale_word(item->tale), item->t_ns);
    if (listener->named)
        cli_json_text("file", listener->path);
    if (several_interfaces(listener))
        json_interface(listener, item);
    cli_json_number("frame", item->frame);
    switch (item->tale) {
    case CLI_TALE_JOIN:
        cli_json_addr("peer", &item->a);
        cli_json_addr("seed", &item->b);
        cli_json_number("times", item->times);
        break;
    case CLI_TALE_CONNECTED:
        cli_json_addr("a", &item->a);
        cli_json_addr("b", &item->b);
        break;
    case CLI_TALE_MISMATCH:
        cli_json_addr("a", &item->a);
        cli_json_addr("b", &item->b);
        cli_json_number("a_network_id", item->network_id);
        cli_json_number("b_network_id", item->other_id);
        cli_json_number("times", item->times);
        break;
    case CLI_TALE_MALFORMED:
        cli_json_addr("src", &item->a);
        cli_json_addr("dst", &item->b);
        cli_json_text("dialect", q2p_dialect_name(item->dialect));
        cli_json_number("bytes", item->len);
        cli_json_text("status", q2p_status_name(item->status));
        cli_json_text("sentence", q2p_status_text(item->status));
        break;
    case CLI_TALE_ORPHAN:
    case CLI_TALE_TRANSMISSION:
        json_transmission(item);
        break;
    }
    cli_json_close();
}

static void print_missing(const struct cli_item *item)
{
    uint32_t listed = 0, syn = 0;
    const char *between = " ";
    printf("; %" PRIu32 " missing:", item->missing);
    for (; listed < item->missing && listed < 20; syn++) {
        if (!is_missing(item, syn))
            continue;
        printf("%s%" PRIu32, between, syn);
        between = ", ";
        listed++;
    }
    fputs(listed < item->missing ? ", ...\n" : "\n", stdout);
}

static void print_transmission(const struct cli_item *item)
{
    const struct cli_sending *sending = item->sending;
    bool whole = item->verdict == CLI_VERDICT_WHOLE;
    char hash[2 * Q2P_HASH_LEN + 1];
    cli_hex(hash, sending->key.hash.bytes, Q2P_HASH_LEN);
    if (item->tale == CLI_TALE_ORPHAN) {
        printf("%" PRIu32 " fragments of %s, whose start is not in the capture\n", sending->late,
               hash);
        return;
    }
    printf("%s transmission of %" PRIu32 " bytes, %s%s%s", q2p_dialect_name(sending->dialect),
           sending->length, cli_colour(whole ? CLI_GOOD : CLI_BAD), verdict_text(item->verdict),
           cli_colour(CLI_PLAIN));
    if (item->missing)
        print_missing(item);
    else
        putchar('\n');
    printf("%12s  key %s%s", "", hash, proof_text(sending->proof));
    if (sending->lists)
        printf(", lost fragments listed %" PRIu32 " times", sending->lists);
    if (sending->late)
        printf(", %" PRIu32 " fragments too late", sending->late);
    printf("\n");
    if (whole && *sending->sha256)
        printf("%12s  sha256 %s\n", "", sending->sha256);
}

static void tell_person(const struct cli_listener *listener, const struct cli_item *item)
{
    char a[Q2P_ADDR_TEXT_MAX], b[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(&item->a, a, sizeof a);
    q2p_addr_print(&item->b, b, sizeof b);
    printf("%s%12.6f%s  ", cli_colour(CLI_FAINT), (double)(item->t_ns - listener->start_ns) / 1e9,
           cli_colour(CLI_PLAIN));
    if (several_interfaces(listener)) {
        char name[CLI_INTERFACE_MAX];
        cli_capture_interface(listener->capture, item->a.scope_id, name);
        printf("%s: ", name);
    }
    switch (item->tale) {
    case CLI_TALE_JOIN:
        printf("%s joins through %s", a, b);
        printf(item->times > 1 ? " (%" PRIu32 " times)\n" : "\n", item->times);
        break;
    case CLI_TALE_CONNECTED:
        printf("%s and %s %sare connected%s\n", a, b, cli_colour(CLI_GOOD), cli_colour(CLI_PLAIN));
        break;
    case CLI_TALE_MISMATCH:
        printf("%s of network %u is refused by %s of network %u (%" PRIu32 " times)\n", a,
               item->network_id, b, item->other_id, item->times);
        break;
    case CLI_TALE_MALFORMED:
        printf("%s to %s: frame %" PRIu64 ", %zu bytes, %smalformed%s: %s\n", a, b, item->frame,
               item->len, cli_colour(CLI_BAD), cli_colour(CLI_PLAIN),
               q2p_status_text(item->status));
        break;
    case CLI_TALE_ORPHAN:
    case CLI_TALE_TRANSMISSION:
        printf("%s to %s: ", a, b);
        print_transmission(item);
        break;
    }
}

void cli_tell(void *ctx, const struct cli_item *item)
{
    const struct cli_listener *listener = ctx;
    if (listener->json)
        tell_json(listener, item);
    else if (!listener->quiet)
        tell_person(listener, item);
}

/* What could not be read; the rest has been. */
void cli_tell_flaws(const char *path, const struct cli_flaws *flaws)
{
    if (flaws->cut)
        cli_error("%s: %" PRIu64 " packets are cut by the snap length; the first is frame %" PRIu64,
                  path, flaws->cut, flaws->cut_first);
    if (flaws->strange)
        cli_error("%s: %" PRIu64 " frames are of link layers that cannot be read; the first, of "
                  "type %u, is frame %" PRIu64,
                  path, flaws->strange, flaws->strange_link, flaws->strange_first);
    if (flaws->joined)
        cli_error(
            "%s: %" PRIu64 " packets are several fragments that a kernel had joined, the first "
            "is frame %" PRIu64 "; they cannot be read: record elsewhere, or let the node run "
            "with --no-offload",
            path, flaws->joined, flaws->joined_first);
    if (flaws->torn)
        cli_error("%s: %" PRIu64 " fragmented IP packets are not all there, or have fragments that "
                  "contradict each other; the first begins in frame %" PRIu64,
                  path, flaws->torn, flaws->torn_first);
}

void cli_tell_sum(const struct cli_listener *listener, const struct cli_totals *totals,
                  uint64_t frames, int64_t end_ns)
{
    uint64_t incomplete = totals->transmissions - totals->complete;
    if (listener->json) {
        cli_json_open("summary", end_ns);
        cli_json_text("file", listener->path);
        cli_json_number("frames", frames);
        cli_json_number("datagrams", totals->datagrams);
        cli_json_number("q2p", totals->q2p);
        cli_json_number("transmissions", totals->transmissions);
        cli_json_number("complete", totals->complete);
        cli_json_number("incomplete", incomplete);
        cli_json_number("connected", totals->connected);
        cli_json_number("malformed", totals->malformed);
        cli_json_number("repeated", totals->repeated);
        cli_json_number("unmatched", totals->unmatched);
        cli_json_number("early", totals->early);
        cli_json_close();
    } else if (!listener->quiet) {
        printf("%s%s%s: %" PRIu64 " frames, %" PRIu64 " of Q2P; %" PRIu64
               " transmissions complete, %" PRIu64 " not; %" PRIu64 " pairs connected; %" PRIu64
               " malformed datagrams\n",
               cli_colour(CLI_BOLD), listener->path, cli_colour(CLI_PLAIN), frames, totals->q2p,
               totals->complete, incomplete, totals->connected, totals->malformed);
    }
    if (totals->early)
        cli_error("%s: %" PRIu64 " happenings did not fit in memory and were told early or left "
                  "out; --memory allows more",
                  listener->path, totals->early);
}
