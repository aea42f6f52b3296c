/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_draw_ladder.c - who said what to whom, as a picture: a column per node and NAT, a row per
 * message, a band per burst of fragments, a line per step of the script and per expectation that
 * is decided. What only repeats is folded, and so is what would not fit.
 */
#define _GNU_SOURCE /* open_memstream */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_columns.h"
#include "report_html.h"
#include "report_page.h"

#define ROWS_MAX 100
#define COLUMN_WIDTH_FULL SVG_PX(118) /* narrower heads have no address */
#define FOLD_MIN 4                    /* repetitions that make a row of their own */
#define HEAD_HEIGHT SVG_PX(52)
#define GAP_NS (500 * Q2P_MILLISECOND) /* longer silences show */

enum item_kind { ITEM_STEP, ITEM_VERDICT, ITEM_BURST, ITEM_MESSAGE };

struct item {
    q2p_time at_ns;
    enum item_kind kind;
    uint32_t index, burst;
};

struct ladder {
    FILE *out;
    const struct report_view *view;
    const struct net *net;
    struct report_columns columns;
    struct item *items;
    size_t items_count;
    uint32_t drawn[ROWS_MAX]; /* messages, to know repetitions */
    size_t drawn_count, rows;
    uint64_t folded[Q2P_EV_UNKNOWN + 1], folded_total; /* not drawn since the last row */
    q2p_time folded_ns, last_ns;
    uint64_t elsewhere; /* messages between nodes without columns */
    int32_t y;
};

/* ---- heads ------------------------------------------------------------------------------- */

static void draw_heads(struct ladder *ladder, int32_t y)
{
    FILE *out = ladder->out;
    bool narrow = ladder->columns.width < COLUMN_WIDTH_FULL;
    int32_t wide = narrow ? ladder->columns.width - SVG_PX(6) : SVG_PX(120);
    for (int i = 0; i < ladder->columns.count; i++) {
        const struct net_place *place = ladder->net->places[ladder->columns.places[i]];
        const struct scenario *scenario = ladder->view->run->scenario;
        bool nat = net_is_nat(place);
        char text[Q2P_ADDR_TEXT_MAX + 200];
        q2p_addr_print(&place->addr, text, sizeof text);
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, " – %s", place->name);
        svg_group(out, NULL, text);
        svg_rect(out, nat ? "nat" : "notebg",
                 SVG_AT(report_column_x(&ladder->columns, i) - wide / 2, y),
                 SVG_AT(wide, SVG_PX(38)));
        svg_text_short(out, "m b", SVG_AT(report_column_x(&ladder->columns, i), y + SVG_PX(16)),
                       place->name, wide / SVG_PX(8));
        text[len] = '\0';
        if (nat)
            report_nat_kind(&scenario->nats.items[ladder->columns.places[i]], text, sizeof text);
        if (nat || !narrow)
            svg_text_short(out, "m s", SVG_AT(report_column_x(&ladder->columns, i), y + SVG_PX(31)),
                           text, 20);
        svg_group_end(out);
    }
}

/* ---- rows -------------------------------------------------------------------------------- */

static void put_clock(struct ladder *ladder, q2p_time at_ns)
{
    svg_textf(ladder->out, "e s", SVG_AT(REPORT_COLUMNS_LEFT - SVG_PX(2), ladder->y + SVG_PX(4)),
              "%" PRId64 ".%03d s", at_ns / Q2P_SECOND, (int)(at_ns / Q2P_MILLISECOND % 1000));
}

/* "again: JOIN x 6, CONNECT x 2" for what was folded before this row. */
static void draw_folded(struct ladder *ladder, uint64_t least)
{
    if (ladder->folded_total < least)
        return;
    char text[300];
    const char *between = ":";
    size_t len = (size_t)snprintf(text, sizeof text, "again");
    for (int event = 0; event <= Q2P_EV_UNKNOWN && len < sizeof text; event++) {
        if (ladder->folded[event] == 0)
            continue;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s %s", between,
                                q2p_event_name((enum q2p_event)event));
        between = ",";
        if (ladder->folded[event] > 1 && len < sizeof text)
            len += (size_t)snprintf(text + len, sizeof text - len, " × %" PRIu64,
                                    ladder->folded[event]);
    }
    ladder->y += SVG_PX(20);
    if (ladder->folded_ns >= ladder->last_ns)
        put_clock(ladder, ladder->folded_ns);
    svg_text(ladder->out, "s halo", SVG_AT(REPORT_COLUMNS_LEFT + SVG_PX(12), ladder->y + SVG_PX(4)),
             text);
    memset(ladder->folded, 0, sizeof ladder->folded);
    ladder->folded_total = 0;
    ladder->rows++;
}

static void start_row(struct ladder *ladder, q2p_time at_ns, int32_t height)
{
    draw_folded(ladder, FOLD_MIN);
    if (ladder->rows > 0 && at_ns - ladder->last_ns > GAP_NS)
        ladder->y += SVG_PX(9);
    ladder->last_ns = at_ns;
    ladder->y += height;
    ladder->rows++;
    put_clock(ladder, at_ns);
}

static void describe(const struct ladder *ladder, const struct report_message *message, char *out,
                     size_t room)
{
    char src[Q2P_ADDR_TEXT_MAX], dst[Q2P_ADDR_TEXT_MAX];
    const struct net_place *from = ladder->net->places[message->from];
    const char *to = message->to == NET_NOWHERE ? "nobody" : ladder->net->places[message->to]->name;
    q2p_addr_print(&message->dst, dst, sizeof dst);
    size_t len = (size_t)snprintf(out, room, "%s from %s to %s (%s)\nsent %s",
                                  q2p_event_name(message->event), from->name, to, dst,
                                  page_time(message->sent_ns).s);
    if (message->fate != NET_FATE_FLYING && len < room)
        len += (size_t)snprintf(out + len, room - len, ", %s %s after %s",
                                net_fate_sentence(message->fate), message->where,
                                page_time(message->fate_ns - message->sent_ns).s);
    if (message->src.ip_len && !q2p_addr_equal(&message->src, &from->addr) && len < room) {
        q2p_addr_print(&from->addr, dst, sizeof dst);
        q2p_addr_print(&message->src, src, sizeof src);
        snprintf(out + len, room - len, "\nits source %s became %s", dst, src);
    }
}

/* Where on the way it ended, as x. */
static int32_t end_of(const struct ladder *ladder, const struct report_message *message, int from,
                      int to)
{
    if (message->fate == NET_FATE_DELIVERED || message->fate == NET_FATE_FLYING)
        return report_column_x(&ladder->columns, to);
    for (int i = 0; i < ladder->columns.count; i++)
        if (message->fate != NET_FATE_LOST && i != from &&
            strcmp(ladder->net->places[ladder->columns.places[i]]->name, message->where) == 0)
            return report_column_x(&ladder->columns, i);
    return report_column_x(&ladder->columns, from) +
           (report_column_x(&ladder->columns, to) - report_column_x(&ladder->columns, from)) * 6 /
               10;
}

/* Small rings where a NAT on the way rewrites addresses. */
static void draw_nats(const struct ladder *ladder, uint32_t place, int32_t low, int32_t high)
{
    for (uint32_t realm = ladder->net->places[place]->realm; realm != NET_REALM_PUBLIC;
         realm = ladder->net->places[ladder->net->gateways[realm]]->realm) {
        int column = report_column_of(&ladder->columns, ladder->net->gateways[realm]);
        if (column >= 0 && report_column_x(&ladder->columns, column) > low &&
            report_column_x(&ladder->columns, column) < high)
            svg_circle(ladder->out, "dot",
                       SVG_AT(report_column_x(&ladder->columns, column), ladder->y), SVG_PX(3));
    }
}

static void draw_message(struct ladder *ladder, const struct report_message *message, int from,
                         int to)
{
    FILE *out = ladder->out;
    char text[500], label[60];
    bool gone = message->fate > NET_FATE_DELIVERED, right = to > from;
    int32_t start = report_column_x(&ladder->columns, from),
            end = end_of(ladder, message, from, to), sign = right ? 1 : -1;
    snprintf(label, sizeof label, "%s", q2p_event_name(message->event));
    if (message->event == Q2P_EV_TRANSPORT_FAILED)
        snprintf(label, sizeof label, "%s: %" PRIu32 " missing", q2p_event_name(message->event),
                 message->lost_count);
    bool fits = abs(end - start) > SVG_PX(7) * (int32_t)strlen(label);
    describe(ladder, message, text, sizeof text);
    start_row(ladder, message->sent_ns, SVG_PX(27));
    svg_group(out, gone ? "row gone" : "row", text);
    svg_line(out, "way", SVG_AT(start, ladder->y),
             SVG_AT(end - (gone ? 0 : sign * SVG_PX(5)), ladder->y));
    draw_nats(ladder, message->from, start < end ? start : end, start < end ? end : start);
    if (!gone && message->to != NET_NOWHERE)
        draw_nats(ladder, message->to, start < end ? start : end, start < end ? end : start);
    if (gone) {
        svg_cross(out, "x", SVG_AT(end, ladder->y));
        if (fits)
            svg_text(out, right ? "halo" : "halo e",
                     SVG_AT(end + sign * SVG_PX(9), ladder->y + SVG_PX(4)),
                     net_fate_word(message->fate));
    } else {
        svg_arrow(out, "tip", SVG_AT(end, ladder->y), sign);
    }
    svg_text(out, "m halo",
             SVG_AT((start + (fits ? end : report_column_x(&ladder->columns, to))) / 2,
                    ladder->y - SVG_PX(5)),
             label);
    svg_group_end(out);
}

static void draw_burst(struct ladder *ladder, const struct item *item)
{
    const struct report_transfer *transfer = &ladder->view->story->transfers[item->index];
    const struct report_burst *burst = &transfer->bursts[item->burst];
    const struct scn_send *send = ladder->view->run->transfers[item->index].send;
    FILE *out = ladder->out;
    int from = report_column_of(&ladder->columns, transfer->from),
        to = report_column_of(&ladder->columns, transfer->to);
    if (from < 0 || to < 0)
        return;
    int32_t left = report_column_x(&ladder->columns, from < to ? from : to),
            right = report_column_x(&ladder->columns, from < to ? to : from);
    struct svg_point at = {left, 0}, size = {right - left, SVG_PX(24)};
    char text[300];
    q2p_time took = burst->last_ns - burst->first_ns;
    size_t len =
        (size_t)snprintf(text, sizeof text, "%.40s: %" PRIu32 " fragment%s%s", send->as.text,
                         burst->sent, burst->sent == 1 ? "" : "s", burst->again ? " again" : "");
    if (burst->gone)
        len += (size_t)snprintf(text + len, sizeof text - len, ", %" PRIu32 " lost", burst->gone);
    if (took > 0)
        snprintf(text + len, sizeof text - len, ", in %s", page_time(took).s);
    start_row(ladder, burst->first_ns, SVG_PX(32));
    svg_group(out, burst->again ? "row again" : "row", text);
    at.y = ladder->y - SVG_PX(14);
    svg_rect(out, "band", at, size);
    size.x = (int32_t)((int64_t)size.x * burst->gone / burst->sent);
    size.y = SVG_PX(3);
    at.y += SVG_PX(21);
    if (from > to)
        at.x = right - size.x;
    if (burst->gone)
        svg_rect(out, "strip", at, size);
    svg_arrow(out, "bandtip", SVG_AT(from < to ? right : left, ladder->y - SVG_PX(2)),
              from < to ? 1 : -1);
    svg_text_short(out, "m", SVG_AT((left + right) / 2, ladder->y + SVG_PX(2)), text,
                   (right - left - SVG_PX(20)) / SVG_PX(7));
    svg_group_end(out);
    ladder->y += SVG_PX(3);
}

static void draw_note(struct ladder *ladder, const struct item *item)
{
    const struct scn_run *run = ladder->view->run;
    char text[400], what[200];
    const char *class = "step";
    if (item->kind == ITEM_STEP) {
        report_print_step(&run->scenario->script.items[item->index], text, sizeof text);
    } else {
        const struct scn_verdict *verdict = &run->verdicts[item->index];
        scn_expect_print(run, item->index, what, sizeof what);
        snprintf(text, sizeof text, "%s %s%s%s", verdict->ok ? "✓" : "✗", what,
                 *verdict->why ? ": " : "", verdict->why);
        class = verdict->ok ? "fine" : "bad";
    }
    start_row(ladder, item->at_ns, SVG_PX(24));
    int32_t end =
        report_column_x(&ladder->columns, ladder->columns.count - 1) + ladder->columns.width / 2;
    svg_group(ladder->out, class, text);
    svg_line(ladder->out, "note", SVG_AT(REPORT_COLUMNS_LEFT + SVG_PX(8), ladder->y),
             SVG_AT(end, ladder->y));
    svg_text_short(ladder->out, "halo",
                   SVG_AT(REPORT_COLUMNS_LEFT + SVG_PX(12), ladder->y + SVG_PX(4)), text,
                   (end - REPORT_COLUMNS_LEFT) / SVG_PX(7));
    svg_group_end(ladder->out);
}

/* ---- what comes when --------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return (x->burst > y->burst) - (x->burst < y->burst);
}

static void collect(struct ladder *ladder)
{
    const struct scn_run *run = ladder->view->run;
    const struct report_story *story = ladder->view->story;
    size_t room =
        story->messages_count + run->scenario->script.count + run->scenario->expect.count + 1;
    for (size_t i = 0; i < story->transfers_count; i++)
        room += story->transfers[i].bursts_count;
    struct item *items = ladder->items = sim_alloc(room * sizeof *items);
    size_t count = 0;
    for (uint32_t i = 0; i < story->messages_count; i++)
        items[count++] = (struct item){story->messages[i].sent_ns, ITEM_MESSAGE, i, 0};
    for (uint32_t i = 0; i < story->transfers_count; i++)
        for (uint32_t j = 0; j < story->transfers[i].bursts_count; j++)
            items[count++] =
                (struct item){story->transfers[i].bursts[j].first_ns, ITEM_BURST, i, j};
    for (uint32_t i = 0; i < run->scenario->script.count; i++)
        items[count++] = (struct item){run->scenario->script.items[i].at_ns, ITEM_STEP, i, 0};
    for (uint32_t i = 0; i < run->scenario->expect.count; i++)
        if (run->verdicts[i].at_ns < run->scenario->until_ns)
            items[count++] = (struct item){run->verdicts[i].at_ns, ITEM_VERDICT, i, 0};
    qsort(items, count, sizeof *items, compare_items);
    ladder->items_count = count;
}

/* The same was drawn before, and it is one of the messages that nodes repeat by themselves. */
static bool is_repeated(struct ladder *ladder, uint32_t index)
{
    const struct report_message *all = ladder->view->story->messages, *message = &all[index];
    for (size_t i = 0; i < ladder->drawn_count; i++) {
        const struct report_message *drawn = &all[ladder->drawn[i]];
        if (drawn->event == message->event && drawn->from == message->from &&
            drawn->to == message->to && drawn->fate == message->fate &&
            drawn->transfer == message->transfer && drawn->lost_count == message->lost_count)
            return true;
    }
    return false;
}

static void take_message(struct ladder *ladder, const struct item *item)
{
    const struct report_message *message = &ladder->view->story->messages[item->index];
    int from = report_column_of(&ladder->columns, message->from);
    int to = message->to == NET_NOWHERE ? -1 : report_column_of(&ladder->columns, message->to);
    if (message->to == NET_NOWHERE && from >= 0)
        to = from + 1 < ladder->columns.count ? from + 1 : from - 1;
    if (from < 0 || to < 0 || from == to) {
        ladder->elsewhere++;
    } else if (is_repeated(ladder, item->index)) {
        ladder->folded_total++;
        ladder->folded_ns = message->sent_ns;
        ladder->folded[message->event]++;
    } else {
        draw_message(ladder, message, from, to);
        if (ladder->drawn_count < ROWS_MAX)
            ladder->drawn[ladder->drawn_count++] = item->index;
    }
}

static size_t draw_rows(struct ladder *ladder)
{
    size_t i;
    for (i = 0; i < ladder->items_count && ladder->rows < ROWS_MAX; i++) {
        const struct item *item = &ladder->items[i];
        if (item->kind == ITEM_MESSAGE)
            take_message(ladder, item);
        else if (item->kind == ITEM_BURST)
            draw_burst(ladder, item);
        else
            draw_note(ladder, item);
    }
    draw_folded(ladder, 1);
    return ladder->items_count - i;
}

static void draw_lives(struct ladder *ladder)
{
    for (int i = 0; i < ladder->columns.count; i++) {
        bool nat = net_is_nat(ladder->net->places[ladder->columns.places[i]]);
        svg_line(ladder->out, nat ? "life n" : "life",
                 SVG_AT(report_column_x(&ladder->columns, i), SVG_PX(38)),
                 SVG_AT(report_column_x(&ladder->columns, i), ladder->y + SVG_PX(14)));
    }
}

void report_draw_ladder(FILE *out, const struct report_view *view)
{
    struct ladder ladder = {.view = view, .net = &view->run->net};
    char *body = NULL;
    size_t body_len = 0;
    report_columns_choose(&ladder.columns, view->run);
    collect(&ladder);
    ladder.out = open_memstream(&body, &body_len);
    if (!ladder.out)
        goto done;
    ladder.y = HEAD_HEIGHT;
    size_t left = draw_rows(&ladder);
    fclose(ladder.out);
    ladder.out = out;
    fputs("<div class=\"scroll\">", out);
    svg_begin(out, "ladder",
              SVG_AT(report_column_x(&ladder.columns, ladder.columns.count) -
                         ladder.columns.width / 2 + SVG_PX(8),
                     ladder.y + SVG_PX(64)),
              "ladder diagram: messages between nodes in the order of time");
    draw_lives(&ladder);
    fwrite(body, 1, body_len, out);
    draw_heads(&ladder, 0);
    draw_heads(&ladder, ladder.y + SVG_PX(16));
    svg_end(out);
    fputs("</div>\n", out);
    if (left + view->story->messages_missed + ladder.elsewhere > 0)
        page_put(out, "p", "soft",
                 "Not drawn: %" PRIu64 " later rows, %" PRIu64
                 " messages of nodes that have no column "
                 "here. trace.pcapng has every datagram.",
                 (uint64_t)left + view->story->messages_missed, ladder.elsewhere);
done:
    free(body);
    free(ladder.items);
}
