/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_replay_tell.c - a comparison told: the verdict, the rules that allow what is not the same,
 * and the first difference side by side, fields and bytes.
 */
#include "cli_replay_tell.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <q2p/status.h>

#include "cli_out.h"

enum { SYNS_SHOWN = 12, ROW = 8, ROWS_SHOWN = 8, COLUMN = 38, TEXT_MAX = 160 };

static const char *const sameness_words[] = {[CLI_SAME_IDENTICAL] = "identical",
                                             [CLI_SAME_EQUIVALENT] = "equivalent",
                                             [CLI_SAME_DIFFERENT] = "different",
                                             [CLI_SAME_SKIPPED] = "skipped"};

const char *cli_sameness_word(enum cli_sameness sameness)
{
    return sameness_words[sameness];
}

static const char *profile_word(const struct cli_plan *plan)
{
    return plan->profile == CLI_PROFILE_ORIGINAL ? "original" : "ours";
}

/* ---- one difference ------------------------------------------------------------------------- */

static double seconds(const struct cli_plan *plan, const struct cli_shot *shot)
{
    return (double)(shot->t_ns - plan->shots[0].t_ns) / 1e9;
}

enum field {
    FIELD_WHEN,
    FIELD_TO,
    FIELD_EVENT,
    FIELD_NETWORK,
    FIELD_HASH,
    FIELD_LENGTH,
    FIELD_ADDRESS,
    FIELDS
};
static const char *const field_words[] = {"at",   "to",     "event",  "network_id",
                                          "hash", "length", "address"};

static void print_list(char *out, size_t room, const struct cli_shot *shot)
{
    int at = snprintf(out, room, "%" PRIu32 " SYNs:", shot->packet.lost_count);
    for (uint32_t i = 0; i < shot->packet.lost_count && i < SYNS_SHOWN; i++)
        at += snprintf(out + at, room - (size_t)at, " %" PRIu32,
                       q2p_wire_lost(&shot->packet, shot->bytes, i));
    if (shot->packet.lost_count > SYNS_SHOWN)
        snprintf(out + at, room - (size_t)at, " ...");
}

/* One field of a message as text; empty if it has none. */
static void print_field(char out[TEXT_MAX], const struct cli_plan *plan,
                        const struct cli_shot *shot, enum field field)
{
    const struct q2p_packet *packet = &shot->packet;
    *out = '\0';
    switch (field) {
    case FIELD_WHEN:
        snprintf(out, TEXT_MAX, shot->frame ? "%.6f s, frame %" PRIu64 : "%.6f s",
                 seconds(plan, shot), shot->frame);
        break;
    case FIELD_TO:
        q2p_addr_print(&shot->peer, out, TEXT_MAX);
        break;
    case FIELD_EVENT:
        snprintf(out, TEXT_MAX, "%s (%s)", q2p_event_name(packet->event),
                 q2p_dialect_name(packet->dialect));
        break;
    case FIELD_NETWORK:
        snprintf(out, TEXT_MAX, "%u", packet->network_id);
        break;
    case FIELD_HASH:
        if (packet->hash_at.len)
            cli_hex(out, shot->bytes + packet->hash_at.at, packet->hash_at.len);
        break;
    case FIELD_LENGTH:
        if (packet->event == Q2P_EV_TRANSPORT_FAILED)
            print_list(out, TEXT_MAX, shot);
        else if (packet->event == Q2P_EV_TRANSPORT)
            snprintf(out, TEXT_MAX, "%" PRIu32 ", SYN %" PRIu32 ", body %" PRIu32, packet->length,
                     packet->syn, packet->body_at.len);
        else if (packet->length_at.len)
            snprintf(out, TEXT_MAX, "%" PRIu32, packet->length);
        break;
    case FIELD_ADDRESS:
        if (packet->address_at.len)
            q2p_addr_print(&packet->address, out, TEXT_MAX);
        break;
    case FIELDS:
        break;
    }
}

static void print_row(const char *word, const char *theirs, const char *ours, bool differs)
{
    printf("    %-11s %-*s %s%s%s\n", word, COLUMN, theirs, differs ? cli_colour(CLI_BAD) : "",
           ours, differs ? cli_colour(CLI_PLAIN) : "");
}

static void print_bytes(char out[TEXT_MAX], const struct cli_shot *shot, size_t row)
{
    int at = 0;
    *out = '\0';
    for (size_t i = row * ROW; shot && i < (row + 1) * ROW && i < shot->len; i++)
        at += snprintf(out + at, TEXT_MAX - (size_t)at, "%02x ", shot->bytes[i]);
    for (size_t i = row * ROW; shot && i < (row + 1) * ROW && i < shot->len; i++)
        at += snprintf(out + at, TEXT_MAX - (size_t)at, i % ROW ? "%c" : " %c",
                       isprint(shot->bytes[i]) ? shot->bytes[i] : '.');
}

static const char *section_of(const struct cli_comparison *comparison)
{
    const struct cli_shot *shot =
        comparison->theirs_first ? comparison->theirs_first : comparison->ours_first;
    return q2p_event_section(shot->packet.event);
}

static void print_difference(const struct cli_plan *plan, const struct cli_comparison *comparison)
{
    const struct cli_shot *theirs = comparison->theirs_first, *ours = comparison->ours_first;
    char left[TEXT_MAX], right[TEXT_MAX];
    printf("  first of %" PRIu64 " differences: %s%s%s; PROTOCOL.md %s\n", comparison->differences,
           cli_colour(CLI_BAD), comparison->reason, cli_colour(CLI_PLAIN), section_of(comparison));
    print_row("", "recorded", "ours", false);
    for (int field = 0; field < FIELDS; field++) {
        snprintf(left, sizeof left, "%s", theirs || field ? "" : "nothing");
        snprintf(right, sizeof right, "%s", ours || field ? "" : "nothing");
        if (theirs)
            print_field(left, plan, theirs, (enum field)field);
        if (ours)
            print_field(right, plan, ours, (enum field)field);
        if (*left || *right)
            print_row(field_words[field], left, right, strcmp(left, right) != 0);
    }
    size_t len = theirs ? theirs->len : 0;
    len = ours && ours->len > len ? ours->len : len;
    for (size_t row = 0; row * ROW < len; row++) {
        char word[24];
        print_bytes(left, theirs, row);
        print_bytes(right, ours, row);
        bool differs = strcmp(left, right) != 0;
        if (row >= ROWS_SHOWN && !(differs && theirs && ours))
            continue;
        snprintf(word, sizeof word, "%04zx", row * ROW);
        print_row(word, left, right, differs);
    }
}

/* ---- all of it ------------------------------------------------------------------------------ */

void cli_replay_tell_person(const char *path, const struct cli_plan *plan,
                            const struct cli_comparison *comparison, bool quiet)
{
    char self[Q2P_ADDR_TEXT_MAX];
    bool bad = comparison->sameness == CLI_SAME_DIFFERENT;
    q2p_addr_print(&plan->self, self, sizeof self);
    if (quiet && !bad)
        return;
    printf("%s as %s: %s%s%s", path, self, cli_colour(bad ? CLI_BAD : CLI_GOOD),
           cli_sameness_word(comparison->sameness), cli_colour(CLI_PLAIN));
    if (comparison->sameness == CLI_SAME_SKIPPED) {
        printf(", %s\n", plan->skip);
        return;
    }
    printf("; %s profile, %s, network %u, lists each %.2f s\n"
           "  %" PRIu64 " datagrams received, %" PRIu64 " recorded as sent, %" PRIu64
           " sent by ours, %" PRIu64 " of them the same\n",
           profile_word(plan), q2p_dialect_name(plan->dialect), plan->network_id,
           (double)plan->lost_ns / 1e9, comparison->received, comparison->recorded,
           comparison->ours, comparison->identical);
    for (int rule = 0; rule < CLI_RULES; rule++)
        if (comparison->rules[rule])
            printf("  %6" PRIu64 " %-14s PROTOCOL.md %-4s %s\n", comparison->rules[rule],
                   cli_rule_word((enum cli_rule)rule), cli_rule_section((enum cli_rule)rule),
                   cli_rule_sentence((enum cli_rule)rule));
    if (bad)
        print_difference(plan, comparison);
}

static void json_side(const char *side, const struct cli_shot *shot)
{
    char key[32], hex[2 * Q2P_DATAGRAM_MAX + 1];
    if (!shot)
        return;
    size_t len = shot->len < Q2P_DATAGRAM_MAX ? shot->len : Q2P_DATAGRAM_MAX;
    snprintf(key, sizeof key, "%s_t_ns", side);
    cli_json_number(key, (uint64_t)shot->t_ns);
    snprintf(key, sizeof key, "%s_event", side);
    cli_json_text(key, q2p_event_name(shot->packet.event));
    cli_hex(hex, shot->bytes, len);
    snprintf(key, sizeof key, "%s_bytes", side);
    cli_json_text(key, hex);
}

void cli_replay_tell_json(const char *path, const struct cli_plan *plan,
                          const struct cli_comparison *comparison)
{
    bool first = true;
    cli_json_open("replay", plan->end_ns);
    cli_json_text("file", path);
    cli_json_addr("as", &plan->self);
    cli_json_text("verdict", cli_sameness_word(comparison->sameness));
    if (comparison->sameness == CLI_SAME_SKIPPED) {
        cli_json_text("reason", plan->skip);
        cli_json_close();
        return;
    }
    cli_json_text("profile", profile_word(plan));
    cli_json_text("dialect", q2p_dialect_name(plan->dialect));
    cli_json_number("network_id", plan->network_id);
    cli_json_number("lost_ns", (uint64_t)plan->lost_ns);
    cli_json_number("received", comparison->received);
    cli_json_number("recorded", comparison->recorded);
    cli_json_number("ours", comparison->ours);
    cli_json_number("identical", comparison->identical);
    cli_json_raw("rules", "[");
    for (int rule = 0; rule < CLI_RULES; rule++) {
        if (!comparison->rules[rule])
            continue;
        cli_json_object(cli_rule_word((enum cli_rule)rule), first);
        cli_json_number("times", comparison->rules[rule]);
        cli_json_text("section", cli_rule_section((enum cli_rule)rule));
        cli_json_end("}");
        first = false;
    }
    cli_json_end("]");
    cli_json_number("differences", comparison->differences);
    if (comparison->differences) {
        cli_json_text("difference", comparison->reason);
        cli_json_text("section", section_of(comparison));
        if (comparison->theirs_first)
            cli_json_number("frame", comparison->theirs_first->frame);
        json_side("recorded", comparison->theirs_first);
        json_side("ours", comparison->ours_first);
    }
    cli_json_close();
}
