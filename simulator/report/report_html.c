/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_html.c - the page from top to bottom: what was expected, what came true, and how. */
#define _GNU_SOURCE /* open_memstream */
#include "report_html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_page.h"
#include <q2p/version.h>

#define UNFOLDED_MAX 7 /* expectations */
#define ASKED_MAX 1000 /* nodes, for their seeds */

int report_known(const struct scn_run *run, uint32_t a, uint32_t b)
{
    return (scn_run_contact(&run->hosts[a], b) != NULL) +
           2 * (scn_run_contact(&run->hosts[b], a) != NULL);
}

bool report_is_seed(const struct scenario *scenario, uint32_t node)
{
    for (size_t i = 0; i < scenario->nodes.count && i < ASKED_MAX; i++) {
        const struct scn_refs *joins = &scenario->nodes.items[i].joins;
        for (size_t j = 0; j < joins->count; j++)
            if (joins->items[j].index == node)
                return true;
    }
    return false;
}

void report_print_keys(const char *section, const void *object, const char *always, char *out,
                       size_t room)
{
    union {
        struct scn_nat nat;
        struct scn_link link;
    } ground = {0};
    size_t len = 0;
    *out = '\0';
    scn_defaults(section, &ground);
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        char value[160], same[160], word[40];
        if (strcmp(key->section, section) != 0 || key->kind == SCN_PART)
            continue;
        scn_value_write(key, object, value, sizeof value);
        scn_value_write(key, &ground, same, sizeof same);
        snprintf(word, sizeof word, " %s ", key->name);
        if (!*value || len >= room || (strcmp(value, same) == 0 && !strstr(always, word)))
            continue;
        len +=
            (size_t)snprintf(out + len, room - len, "%s%s %s", len ? ", " : "", key->name, value);
    }
}

void report_print_step(const struct scn_step *step, char *out, size_t room)
{
    char *line = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&line, &len);
    *out = '\0';
    if (!stream)
        return;
    scn_write_step(step, stream);
    fclose(stream);
    const char *start = strstr(line, ", "), *end = strrchr(line, '}');
    if (start && end > start)
        snprintf(out, room, "%.*s", (int)(end - start) - 2, start + 2);
    free(line);
}

const char *report_nat_kind(const struct scn_nat *nat, char *out, size_t room)
{
    static const char *const mapping[] = {"EIM", "ADM", "APDM"};
    static const char *const filtering[] = {"EIF", "ADF", "APDF"};
    snprintf(out, room, "%s / %s", mapping[nat->config.mapping], filtering[nat->config.filtering]);
    return out;
}

/* ---- head -------------------------------------------------------------------------------- */

static void print_failed(const struct scn_run *run, char *out, size_t room)
{
    size_t failed = 0, first = 0, count = run->scenario->expect.count;
    for (size_t i = count; i-- > 0;)
        if (!run->verdicts[i].ok) {
            failed++;
            first = i;
        }
    char what[200];
    if (failed == 0) {
        snprintf(out, room, "All was as expected, but an oracle was violated: %s.", run->violation);
        return;
    }
    scn_expect_print(run, first, what, sizeof what);
    const char *why = run->verdicts[first].why;
    snprintf(out, room, "%zu of %zu expectations failed%s “%s”%s%s%s.", failed, count,
             failed == 1 ? ":" : ", first", what, *why ? " (" : "", why, *why ? ")" : "");
}

static void put_verdict(FILE *out, const struct report_view *view)
{
    char text[600];
    size_t count = view->run->scenario->expect.count;
    if (!view->ok)
        print_failed(view->run, text, sizeof text);
    else if (count == 0)
        snprintf(text, sizeof text, "Nothing was expected, and no oracle was violated.");
    else
        snprintf(text, sizeof text,
                 "What was expected came true (%zu of %zu), and no oracle was violated.", count,
                 count);
    fprintf(out, "<div class=\"card verdict%s\">", view->ok ? "" : " no");
    page_put(out, "span", view->ok ? "pill" : "pill no", "%s", view->ok ? "✓ passed" : "✗ failed");
    page_put(out, "span", NULL, "%s", text);
    fputs("</div>\n<pre class=\"again\">", out);
    svg_escape(out, view->again);
    fputs("</pre>\n", out);
}

static void put_fact(FILE *out, const char *name, const char *value)
{
    fputs("<div>", out);
    page_put(out, "dt", NULL, "%s", name);
    page_put(out, "dd", NULL, "%s", value);
    fputs("</div>", out);
}

static void put_number(FILE *out, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put_fact(out, name, text);
}

static void put_head(FILE *out, const struct report_view *view)
{
    const struct scenario *scenario = view->run->scenario;
    page_put(out, "div", "eye", "%s", "Q2P simulation");
    fputs("<h1>", out);
    svg_escape(out, scenario->name.text ? scenario->name.text : "a scenario without a name");
    fputs("</h1>\n", out);
    if (scenario->about.text) {
        fputs("<p class=\"about\">", out);
        svg_escape(out, scenario->about.text);
        fputs("</p>\n", out);
    }
    put_verdict(out, view);
}

static void put_facts(FILE *out, const struct report_view *view)
{
    const struct scn_run *run = view->run;
    char hash[24];
    page_card(out, "The run", NULL);
    fputs("<dl class=\"facts\">", out);
    put_number(out, "seed", run->seed);
    put_fact(out, "virtual time", page_time(run->world.now).s);
    put_number(out, "nodes", run->scenario->nodes.count);
    put_number(out, "datagrams sent", run->sent);
    for (int fate = NET_FATE_DELIVERED; fate < NET_FATES; fate++)
        if (run->fates[fate] > 0)
            put_number(out, net_fate_word((enum net_fate)fate), run->fates[fate]);
    put_fact(out, "version", Q2P_VERSION);
    uint32_t pair[2];
    uint64_t half_open = scn_run_half_open(run, pair);
    snprintf(hash, sizeof hash, "%016" PRIx64, run->trace_hash);
    put_fact(out, "trace hash", hash);
    if (half_open > 0)
        put_number(out, "half-open pairs", half_open);
    fputs("</dl>\n", out);
    page_card_end(out);
}

static void put_expectation(FILE *out, const struct scn_run *run, size_t index)
{
    const struct scn_verdict *verdict = &run->verdicts[index];
    char what[300];
    scn_expect_print(run, index, what, sizeof what);
    fprintf(out, "<li class=\"%s\">", verdict->ok ? "yes" : "no");
    svg_escape(out, what);
    if (verdict->at_ns < run->scenario->until_ns)
        page_put(out, "small", NULL, "at %s%s%s", page_time(verdict->at_ns).s,
                 *verdict->why ? ": " : "", verdict->why);
    else if (*verdict->why)
        page_put(out, "small", NULL, "%s", verdict->why);
    fputs("</li>\n", out);
}

static void put_oracles(FILE *out, const struct scn_run *run)
{
    if (*run->violation) {
        fputs("<li class=\"no\">oracle", out);
        page_put(out, "small", NULL, "at %s: %s", page_time(run->violation_ns).s, run->violation);
    } else {
        fputs("<li class=\"yes\">oracles", out);
        page_put(out, "small", NULL, "%s",
                 "delivered is what was sent, once; no datagram over its limit; no peer beyond the "
                 "limit; lists name only what is missing; transmissions end; memory within its "
                 "bound; answers are small; time goes on");
    }
    fputs("</li>\n", out);
}

/* What failed comes first; of what came true the first few are unfolded. */
static void put_expectations(FILE *out, const struct report_view *view)
{
    const struct scn_run *run = view->run;
    size_t count = run->scenario->expect.count, shown = 0, folded = 0;
    page_card(out, "What was expected", NULL);
    fputs("<ul class=\"ticks\">", out);
    for (size_t i = 0; i < count; i++)
        if (!run->verdicts[i].ok) {
            put_expectation(out, run, i);
            shown++;
        }
    for (size_t i = 0; i < count; i++) {
        if (!run->verdicts[i].ok)
            continue;
        if (shown++ >= UNFOLDED_MAX && folded++ == 0) {
            put_oracles(out, run);
            fputs("</ul>\n<details>", out);
            page_put(out, "summary", NULL, "%zu more came true", count - shown + 1);
            fputs("<ul class=\"ticks\">", out);
        }
        put_expectation(out, run, i);
    }
    if (!folded)
        put_oracles(out, run);
    fputs(folded ? "</ul></details>\n" : "</ul>\n", out);
    page_card_end(out);
}

void report_html(FILE *out, const struct report_view *view)
{
    const struct scenario *scenario = view->run->scenario;
    page_begin(out, scenario->name.text ? scenario->name.text : "Q2P simulation");
    put_head(out, view);
    fputs("<div class=\"two\">\n<div>", out);
    put_expectations(out, view);
    put_facts(out, view);
    fputs("</div>\n<div class=\"tall\">", out);
    page_card(out, "Who met whom", NULL);
    report_draw_map(out, view);
    page_card_end(out);
    fputs("</div></div>\n", out);
    page_card(out, "Who said what to whom",
              "Time runs down. An arrow is a datagram, a band a burst of fragments (its red part "
              "never arrived), a ring a NAT that rewrites the address. Point at anything to read "
              "more.");
    report_draw_ladder(out, view);
    page_card_end(out);
    report_draw_plots(out, view);
    report_put_tables(out, view);
    page_end(out, "Beside this page: trace.pcapng for Wireshark, events.jsonl and report.json for "
                  "programs, scenario.resolved.yaml with every default.");
}
