/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_ladder.c - draws the ladder: arrows between columns, a cross where a message ended. */
#include "report_ladder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_WIDTH 20
#define COLUMNS_MAX 8

void report_ladder_add(struct report_ladder *ladder, const struct report_row *row)
{
    if (ladder->count == ladder->room)
        ladder->rows = sim_grow(ladder->rows, &ladder->room, sizeof *ladder->rows);
    ladder->rows[ladder->count++] = *row;
}

void report_ladder_free(struct report_ladder *ladder)
{
    free(ladder->rows);
    *ladder = (struct report_ladder){0};
}

static int compare_rows(const void *a, const void *b)
{
    const struct report_row *x = a, *y = b;
    if (x->sent_ns != y->sent_ns)
        return x->sent_ns < y->sent_ns ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The middle of a place's column, or -1. */
static int column_of(const struct net *net, uint32_t place)
{
    int column = 0;
    for (uint32_t i = 0; i < net->places_count && column < COLUMNS_MAX; i++) {
        if (i == place)
            return !net_is_nat(net->places[i]) ? column * COLUMN_WIDTH + COLUMN_WIDTH / 2 : -1;
        column += !net_is_nat(net->places[i]);
    }
    return -1;
}

static void draw(const struct report_row *row, int from, int to, char *line, int width)
{
    bool arrived = row->fate == NET_FATE_DELIVERED;
    int left = from < to ? from : to, right = from < to ? to : from;
    for (int i = left + 1; i < right; i++)
        line[i] = '-';
    if (!arrived) { /* the last part of the way is missing */
        for (int i = 1; i <= COLUMN_WIDTH / 4; i++)
            line[from < to ? to - i : to + i] = ' ';
        line[from < to ? to - COLUMN_WIDTH / 4 : to + COLUMN_WIDTH / 4] = 'x';
    } else {
        line[from < to ? to - 1 : to + 1] = from < to ? '>' : '<';
    }
    const char *title = q2p_event_name(row->event);
    int len = (int)strlen(title),
        middle = from < to ? from + COLUMN_WIDTH / 2 : from - COLUMN_WIDTH / 2;
    if (right - left > COLUMN_WIDTH) /* a long arrow: the name stands in its own middle */
        middle = (left + right) / 2;
    int start = middle - len / 2;
    if (!arrived)
        start += from < to ? -1 : 1;
    for (int i = 0; i < len && start + i > 0 && start + i < width; i++)
        line[start + i] = title[i];
}

static void print_row(const struct report_row *row, const struct net *net, int columns, FILE *out)
{
    char line[COLUMNS_MAX * COLUMN_WIDTH + 1];
    int width = columns * COLUMN_WIDTH, from = column_of(net, row->from);
    int to = row->to == NET_NOWHERE ? -1 : column_of(net, row->to);
    memset(line, ' ', sizeof line);
    for (int i = 0; i < columns; i++)
        line[i * COLUMN_WIDTH + COLUMN_WIDTH / 2] = '|';
    line[width] = '\0';
    if (from >= 0 && to >= 0)
        draw(row, from, to, line, width);
    fprintf(out, "%9" PRId64 ".%03d ms %s", row->sent_ns / Q2P_MILLISECOND,
            (int)(row->sent_ns / Q2P_MICROSECOND % 1000), line);
    if (from < 0 || to < 0)
        fprintf(out, "  %s: %s to %s", q2p_event_name(row->event), net->places[row->from]->name,
                row->to == NET_NOWHERE ? "nobody" : net->places[row->to]->name);
    if (row->fate != NET_FATE_DELIVERED)
        fprintf(out, "  %s %s", net_fate_sentence(row->fate), row->where);
    fputc('\n', out);
}

void report_ladder_print(struct report_ladder *ladder, const struct net *net, size_t rows_max,
                         FILE *out)
{
    int columns = 0;
    if (ladder->count > 0)
        qsort(ladder->rows, ladder->count, sizeof *ladder->rows, compare_rows);
    fprintf(out, "%16s", "");
    for (uint32_t i = 0; i < net->places_count && columns < COLUMNS_MAX; i++) {
        const struct net_place *place = net->places[i];
        if (net_is_nat(place))
            continue;
        int len = (int)strlen(place->name), before = (COLUMN_WIDTH - len) / 2;
        before = before > 0 ? before : 0;
        fprintf(out, "%*s%-*s", before, "", COLUMN_WIDTH - before, place->name);
        columns++;
    }
    fputc('\n', out);
    for (size_t i = 0; i < ladder->count && i < rows_max; i++)
        print_row(&ladder->rows[i], net, columns, out);
    if (ladder->count > rows_max)
        fprintf(out, "%16s... and %zu more\n", "", ladder->count - rows_max);
    report_ladder_free(ladder);
}
