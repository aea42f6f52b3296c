/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_columns.c - which nodes and NATs get a column of the ladder, in which order. */
#include "report_columns.h"

#include <stdlib.h>
#include <string.h>

#include "report_html.h"
#include "svg.h"

#define WIDTH SVG_PX(1036) /* that columns fill if they can */
#define WIDTH_MAX SVG_PX(400)
#define LETTERS_MIN 10
#define LETTERS_MAX 15

int report_column_of(const struct report_columns *columns, uint32_t place)
{
    for (int i = 0; i < columns->count; i++)
        if (columns->places[i] == place)
            return i;
    return -1;
}

int32_t report_column_x(const struct report_columns *columns, int column)
{
    return REPORT_COLUMNS_LEFT + columns->width * column + columns->width / 2;
}

static bool is_one_of(const struct scn_ref *a, const struct scn_ref *b, uint32_t node)
{
    return (a->text && a->index == node) || (b->text && b->index == node);
}

static bool is_about(const struct scenario *scenario, const struct scn_expect *expect,
                     uint32_t node)
{
    uint32_t step = expect->delivered.text ? expect->delivered.index
                    : expect->failed.text  ? expect->failed.index
                                           : SCN_NONE;
    const struct scn_step *sent =
        step < scenario->script.count ? &scenario->script.items[step] : NULL;
    if (sent && sent->has_send && is_one_of(&sent->send.from, &sent->send.to, node))
        return true;
    return is_one_of(&expect->connected[0], &expect->connected[1], node) ||
           is_one_of(&expect->not_connected[0], &expect->not_connected[1], node) ||
           (expect->at.text && expect->at.index == node);
}

/* 0: a seed, or something about it failed; 1: the file speaks of it; 2: neither. */
static int rank_of(const struct scn_run *run, uint32_t node)
{
    const struct scenario *scenario = run->scenario;
    int rank = 2;
    for (size_t i = 0; i < scenario->expect.count; i++)
        if (is_about(scenario, &scenario->expect.items[i], node))
            rank = run->verdicts[i].ok && rank > 0 ? 1 : 0;
    return rank > 0 && report_is_seed(scenario, node) ? 0 : rank;
}

/* The NATs of a node that have no column yet, the innermost first. */
static int nats_of(const struct report_columns *columns, uint32_t place, uint32_t *out)
{
    int count = 0;
    for (uint32_t realm = columns->run->net.places[place]->realm;
         realm != NET_REALM_PUBLIC && count < REPORT_COLUMNS_MAX;
         realm = columns->run->net.places[columns->run->net.gateways[realm]]->realm)
        if (report_column_of(columns, columns->run->net.gateways[realm]) < 0)
            out[count++] = columns->run->net.gateways[realm];
    return count;
}

/* NATs stand on that side of their nodes where the seed is, or most others are. */
static void add_columns(struct report_columns *columns, uint32_t place, bool left_half)
{
    uint32_t nats[REPORT_COLUMNS_MAX];
    int count = nats_of(columns, place, nats);
    if (columns->count + count + 1 > REPORT_COLUMNS_MAX)
        return;
    if (left_half)
        columns->places[columns->count++] = place;
    for (int i = 0; i < count; i++)
        columns->places[columns->count++] = nats[left_half ? i : count - 1 - i];
    if (!left_half)
        columns->places[columns->count++] = place;
}

/* All of them, or, if they do not fit, those with the best rank: at least three if possible. */
static size_t choose_nodes(struct report_columns *columns, bool *wanted)
{
    const struct scn_run *run = columns->run;
    size_t nodes = run->scenario->nodes.count, chosen = 0;
    for (uint32_t i = 0; i < nodes && columns->count < REPORT_COLUMNS_MAX; i++) {
        add_columns(columns, run->first_place + i, true);
        wanted[i] = report_column_of(columns, run->first_place + i) >= 0;
        chosen += wanted[i];
    }
    if (chosen == nodes)
        return chosen;
    memset(wanted, 0, nodes);
    columns->count = 0;
    chosen = 0;
    for (int rank = 0; rank < 3 && chosen < 3; rank++)
        for (uint32_t i = 0; i < nodes && columns->count < REPORT_COLUMNS_MAX; i++) {
            if (wanted[i] || rank_of(run, i) != rank)
                continue;
            add_columns(columns, run->first_place + i, true);
            wanted[i] = report_column_of(columns, run->first_place + i) >= 0;
            chosen += wanted[i];
        }
    return chosen;
}

void report_columns_choose(struct report_columns *columns, const struct scn_run *run)
{
    size_t nodes = run->scenario->nodes.count;
    bool *wanted = sim_alloc(nodes + 1);
    *columns = (struct report_columns){.run = run};
    size_t chosen = choose_nodes(columns, wanted);
    columns->count = 0;
    bool seen = false; /* a seed */
    size_t before = 0;
    for (uint32_t i = 0; i < nodes; i++) {
        if (!wanted[i])
            continue;
        seen |= report_is_seed(run->scenario, i);
        add_columns(columns, run->first_place + i, !seen && 2 * before++ + 1 < chosen);
    }
    free(wanted);
    size_t letters = LETTERS_MIN;
    for (int i = 0; i < columns->count; i++) {
        size_t len = strlen(columns->run->net.places[columns->places[i]]->name);
        letters = len > letters ? len : letters;
    }
    int32_t least =
        SVG_PX(8) * (int32_t)(letters < LETTERS_MAX ? letters : LETTERS_MAX) + SVG_PX(6);
    columns->width = (WIDTH - REPORT_COLUMNS_LEFT) / (columns->count ? columns->count : 1);
    if (columns->width < least)
        columns->width = least;
    if (columns->width > WIDTH_MAX)
        columns->width = WIDTH_MAX;
}
