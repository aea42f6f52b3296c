/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_json.c - writes the objects; strings are escaped, numbers are integers. */
#include "report_json.h"

#include <inttypes.h>

#include "svg.h"

void report_json_string(FILE *out, const char *text)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    while (*text) {
        const char *start = text;
        uint32_t letter = svg_take_letter(&text);
        if (letter == '"' || letter == '\\')
            fprintf(out, "\\%c", (int)letter);
        else if (letter < 0x20 || letter == SVG_REPLACEMENT)
            fprintf(out, "\\u%04x", (unsigned)letter);
        else
            fwrite(start, 1, (size_t)(text - start), out);
    }
    fputc('"', out);
}

static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, ",\"%s\":", key);
    report_json_string(out, text);
}

static void put_addr(FILE *out, const char *key, const struct q2p_addr *addr)
{
    char text[Q2P_ADDR_TEXT_MAX];
    q2p_addr_print(addr, text, sizeof text);
    put_text(out, key, text);
}

static void put_begin(FILE *out, const char *type, q2p_time t_ns)
{
    fprintf(out, "{\"type\":\"%s\",\"t_ns\":%" PRId64, type, t_ns);
}

void report_json_happening(FILE *out, const struct scn_host *host, const struct q2p_happening *what,
                           const char *peer)
{
    put_begin(out, "happening", host->run->world.now);
    put_text(out, "node", host->place->name);
    put_text(out, "on", q2p_on_name(what->on));
    put_text(out, "peer", peer);
    put_addr(out, "addr", &what->peer);
    if (what->dialect != Q2P_DIALECT_UNKNOWN)
        put_text(out, "dialect", q2p_dialect_name(what->dialect));
    if (q2p_on_is_transmission(what->on)) {
        fputs(",\"hash\":\"", out);
        for (int i = 0; i < Q2P_HASH_LEN; i++)
            fprintf(out, "%02x", what->hash.bytes[i]);
        fprintf(out, "\",\"length\":%" PRIu32, what->length);
    }
    if (what->on == Q2P_ON_MISMATCH)
        fprintf(out, ",\"network_id\":%u", what->network_id);
    if (what->on == Q2P_ON_REFUSED)
        put_text(out, "text", what->text);
    if (what->on == Q2P_ON_LOST || what->on == Q2P_ON_EXPIRED) {
        fprintf(out, ",\"missing\":%" PRIu32 ",\"syns\":[", what->missing);
        for (size_t i = 0; i < what->syns_count; i++)
            fprintf(out, "%s%" PRIu32, i ? "," : "", what->syns[i]);
        fputc(']', out);
    }
    fputs("}\n", out);
}

void report_json_mapping(FILE *out, const struct net_place *nat, const struct net_nat_made *made,
                         q2p_time t_ns)
{
    put_begin(out, "mapping", t_ns);
    put_text(out, "nat", nat->name);
    put_addr(out, "inside", made->inside);
    put_addr(out, "outside", &made->outside);
    put_addr(out, "remote", made->to);
    fputs(",\"draws\":[", out);
    for (uint32_t draw = made->first_draw; draw < made->end_draw; draw++)
        fprintf(out, "%s%" PRIu32, draw > made->first_draw ? "," : "", draw);
    fputs("]}\n", out);
}

static void put_verdict(FILE *out, const struct scn_run *run, size_t index)
{
    char text[200];
    const struct scn_verdict *verdict = &run->verdicts[index];
    scn_expect_print(run, index, text, sizeof text);
    put_begin(out, "expectation", verdict->at_ns);
    put_text(out, "expect", text);
    fprintf(out, ",\"ok\":%s", verdict->ok ? "true" : "false");
    put_text(out, "why", *verdict->why ? verdict->why : NULL);
    fputc('}', out);
}

void report_json_verdict(FILE *out, const struct scn_run *run, size_t index)
{
    put_verdict(out, run, index);
    fputc('\n', out);
}

void report_json_violation(FILE *out, const struct scn_run *run)
{
    put_begin(out, "violation", run->violation_ns);
    put_text(out, "oracle", run->violation);
    fputs("}\n", out);
}

static void put_whole(FILE *out, const struct scn_run *run)
{
    fputs(",\"expectations\":[", out);
    for (size_t i = 0; i < run->scenario->expect.count; i++) {
        if (i > 0)
            fputc(',', out);
        put_verdict(out, run, i);
    }
    fputs("],\"nodes\":{", out);
    for (size_t i = 0; i < run->scenario->nodes.count; i++) {
        const struct q2p_counters *counters = q2p_node_counters(run->hosts[i].node);
        fprintf(out, "%s\"%s\":{\"peers\":%zu", i ? "," : "", run->scenario->nodes.items[i].name,
                q2p_node_peers(run->hosts[i].node, NULL, 0));
#define XX(name, sentence) fprintf(out, ",\"" #name "\":%" PRIu64, counters->name);
        /* cppcheck-suppress unknownMacro ; of q2p/node.h, where it does not look */
        Q2P_COUNTER_MAP(XX)
#undef XX
        fputc('}', out);
    }
    fputc('}', out);
}

void report_json_run(FILE *out, const struct scn_run *run, bool ok, const char *again, bool whole)
{
    put_begin(out, "run", run->world.now);
    put_text(out, "name", run->scenario->name.text);
    fprintf(out, ",\"seed\":%" PRIu64 ",\"ok\":%s", run->seed, ok ? "true" : "false");
    put_text(out, "violation", *run->violation ? run->violation : NULL);
    fprintf(out, ",\"datagrams\":{\"sent\":%" PRIu64, run->sent);
    for (int fate = NET_FATE_DELIVERED; fate < NET_FATES; fate++)
        fprintf(out, ",\"%s\":%" PRIu64, net_fate_word((enum net_fate)fate), run->fates[fate]);
    uint32_t pair[2];
    fprintf(out, "},\"half_open\":%" PRIu64 ",\"trace_hash\":\"%016" PRIx64 "\"",
            scn_run_half_open(run, pair), run->trace_hash);
    put_text(out, "again", again);
    if (whole)
        put_whole(out, run);
    fputs("}\n", out);
}
