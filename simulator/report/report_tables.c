/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_tables.c - transmissions, punches, links and counters of the page about a run. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "report_html.h"
#include "report_page.h"

#define ROWS_MAX 200 /* of each table */

__attribute__((format(printf, 3, 4))) static void cell(FILE *out, const char *class,
                                                       const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page_put(out, "td", class, "%s", text);
}

static void put_rest(FILE *out, uint64_t rest)
{
    if (rest > 0)
        page_put(out, "p", "soft", "… and %" PRIu64 " more; events.jsonl has all.", rest);
}

/* ---- transmissions ----------------------------------------------------------------------- */

static void put_outcome(FILE *out, const struct scn_transfer *transfer,
                        const struct report_transfer *told)
{
    bool came = transfer->delivered_ns != Q2P_NEVER;
    if (came && told->first_ns != Q2P_NEVER) {
        q2p_time took = transfer->delivered_ns - told->first_ns;
        cell(out, "r", "%s", page_time(took).s);
        cell(out, "r", "%s", page_rate(transfer->send->size, took).s);
        cell(out, "ok", "delivered at %s", page_time(transfer->delivered_ns).s);
        return;
    }
    cell(out, "r", "–");
    cell(out, "r", "–");
    if (transfer->failed_ns != Q2P_NEVER)
        cell(out, "no", "%s at %s", transfer->failed_how, page_time(transfer->failed_ns).s);
    else if (transfer->waiting)
        cell(out, "no", "never sent: not connected");
    else
        cell(out, "no", "%s", transfer->started ? "not complete at the end" : "not started");
}

static void put_transfers(FILE *out, const struct report_view *view)
{
    const struct scn_run *run = view->run;
    if (run->transfers_count == 0)
        return;
    page_card(out, "Transmissions", NULL);
    page_table(
        out,
        "name|from|to|>size|dialect|>fragments|>sent again|>lost|>lists|>time|>goodput|outcome");
    for (size_t i = 0; i < run->transfers_count && i < ROWS_MAX; i++) {
        const struct scn_transfer *transfer = &run->transfers[i];
        const struct report_transfer *told = &view->story->transfers[i];
        fputs("<tr>", out);
        cell(out, "b", "%.60s", transfer->send->as.text);
        cell(out, NULL, "%s", run->net.places[told->from]->name);
        cell(out, NULL, "%s", run->net.places[told->to]->name);
        cell(out, "r", "%s", page_size(transfer->send->size).s);
        cell(out, NULL, "%s", told->sent ? q2p_dialect_name(told->dialect) : "–");
        cell(out, "r", "%" PRIu32, told->fragments);
        cell(out, "r", "%" PRIu32, told->again);
        cell(out, "r", "%" PRIu32, told->gone);
        cell(out, "r", "%" PRIu32, told->lists);
        put_outcome(out, transfer, told);
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    put_rest(out, run->transfers_count > ROWS_MAX ? run->transfers_count - ROWS_MAX : 0);
    page_card_end(out);
}

/* ---- punches ----------------------------------------------------------------------------- */

static void put_punch(FILE *out, const struct scn_run *run, const struct report_punch *punch)
{
    uint32_t newcomer = punch->newcomer - run->first_place, known = punch->known - run->first_place;
    const struct scn_contact *there = scn_run_contact(&run->hosts[newcomer], known);
    const struct scn_contact *back = scn_run_contact(&run->hosts[known], newcomer);
    const char *name = run->net.places[punch->newcomer]->name;
    const char *known_name = run->net.places[punch->known]->name;
    fputs("<tr>", out);
    cell(out, "b", "%s", name);
    cell(out, "b", "%s", known_name);
    cell(out, NULL, "%s", run->net.places[punch->seed]->name);
    cell(out, "r", "%s", page_time(punch->asked_ns).s);
    if (there && back) {
        q2p_time met = there->since_ns > back->since_ns ? there->since_ns : back->since_ns;
        cell(out, "r", "%s", page_time(met > punch->asked_ns ? met - punch->asked_ns : 0).s);
        cell(out, "ok", "connected at %s", page_time(met).s);
    } else if (there || back) {
        cell(out, "r", "–");
        cell(out, "half", "half-open: only %s knows the other", there ? name : known_name);
    } else {
        cell(out, "r", "–");
        cell(out, "no", "not connected");
    }
    fputs("</tr>\n", out);
}

static void put_punches(FILE *out, const struct report_view *view)
{
    const struct report_story *story = view->story;
    size_t shown = story->punches_count < ROWS_MAX ? story->punches_count : ROWS_MAX;
    if (shown == 0)
        return;
    page_card(out, "Punches",
              "Pairs that a seed brought together: the time runs from its TOUCHREQUEST until both "
              "know each other.");
    page_table(out, "newcomer|known|through|>asked at|>took|outcome");
    for (size_t i = 0; i < shown; i++)
        put_punch(out, view->run, &story->punches[i]);
    page_table_end(out);
    put_rest(out, story->punches_count - shown);
    page_card_end(out);
}

/* ---- the network ------------------------------------------------------------------------- */

static void put_row(FILE *out, const char *name, const char *kind, const char *values)
{
    fputs("<tr>", out);
    cell(out, "b", "%s", name);
    cell(out, NULL, "%s", kind);
    cell(out, "wrap", "%s", values);
    fputs("</tr>\n", out);
}

static void put_network(FILE *out, const struct report_view *view)
{
    const struct scenario *scenario = view->run->scenario;
    char text[300], name[100];
    page_card(out, "NATs and links", NULL);
    page_table(out, "what|kind|how it behaves");
    for (size_t i = 0; i < scenario->nats.count && i < ROWS_MAX; i++) {
        const struct scn_nat *nat = &scenario->nats.items[i];
        report_print_keys("nats", nat, " mapping filtering ", text, sizeof text);
        put_row(out, nat->name, report_nat_kind(nat, name, sizeof name), text);
    }
    for (size_t i = 0; i < scenario->links.count && i < ROWS_MAX; i++) {
        const struct scn_link *link = &scenario->links.items[i];
        static const char *const arrows[] = {"–", "→", "←"};
        static const char *const ways[] = {"", " →", " ←"};
        struct scn_link plain = *link;
        plain.way = SCN_BOTH_WAYS;
        report_print_keys("links", &plain, " delay loss ", text, sizeof text);
        char *values = strstr(text, link->access.text ? ", " : "], ");
        if (link->access.text)
            snprintf(name, sizeof name, "%s%s", link->access.text, ways[link->way]);
        else
            snprintf(name, sizeof name, "%s %s %s", link->between[0].text, arrows[link->way],
                     link->between[1].text);
        put_row(out, name, link->access.text ? "access" : "link",
                values ? values + strcspn(values, " ") + 1 : "");
    }
    report_print_keys("default", &scenario->link_default, " delay loss ", text, sizeof text);
    put_row(out, scenario->links.count ? "all others" : "all", "link", text);
    page_table_end(out);
    page_card_end(out);
}

/* ---- counters ---------------------------------------------------------------------------- */

static void put_counters(FILE *out, const struct report_view *view)
{
    const struct scn_run *run = view->run;
    size_t nodes = run->scenario->nodes.count;
    struct q2p_counters any = {0};
    char heads[600] = "node|>peers";
    for (size_t i = 0; i < nodes; i++) {
        const struct q2p_counters *counters = q2p_node_counters(run->hosts[i].node);
#define XX(name, sentence) any.name |= counters->name;
        Q2P_COUNTER_MAP(XX)
#undef XX
    }
#define XX(name, sentence)                                                                         \
    if (any.name)                                                                                  \
        snprintf(heads + strlen(heads), sizeof heads - strlen(heads), "|>%s", #name);
    Q2P_COUNTER_MAP(XX)
#undef XX
    for (char *at = heads; *at; at++)
        if (*at == '_')
            *at = ' ';
    page_card(out, "Counters of the nodes", NULL);
    page_table(out, heads);
    for (size_t i = 0; i < nodes && i < ROWS_MAX; i++) {
        const struct q2p_counters *counters = q2p_node_counters(run->hosts[i].node);
        fputs("<tr>", out);
        cell(out, "b", "%s", run->scenario->nodes.items[i].name);
        cell(out, "r", "%zu", q2p_node_peers(run->hosts[i].node, NULL, 0));
#define XX(name, sentence)                                                                         \
    if (any.name)                                                                                  \
        cell(out, "r", "%" PRIu64, counters->name);
        /* cppcheck-suppress unknownMacro ; of q2p/node.h, where it does not look */
        Q2P_COUNTER_MAP(XX)
#undef XX
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    put_rest(out, nodes > ROWS_MAX ? nodes - ROWS_MAX : 0);
    page_card_end(out);
}

void report_put_tables(FILE *out, const struct report_view *view)
{
    put_transfers(out, view);
    put_punches(out, view);
    put_network(out, view);
    put_counters(out, view);
}
