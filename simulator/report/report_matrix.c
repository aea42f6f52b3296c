/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_matrix.c - tables of NAT against NAT as heat maps. */
#include "report_matrix.h"

#include <inttypes.h>
#include <string.h>

#include "report_page.h"
#include <q2p/version.h>

#define LEFT SVG_PX(92)
#define TOP SVG_PX(38)
#define CELL SVG_AT(SVG_PX(43), SVG_PX(30))

static const char *const state_words[] = {"not connected", "half-open", "connected"};
static const char *const state_marks[] = {"–", "half", "ok"};

static bool is_right(const struct report_matrix_table *table, size_t index)
{
    const struct report_matrix_cell *cell = &table->cells[index];
    return table->fits ? table->fits[index] : cell->trials > 0 || cell->state == cell->wanted;
}

static void describe(const struct report_matrix_axes *axes, const struct report_matrix_cell *cell,
                     size_t row, size_t column, char *out)
{
    const size_t room = 500;
    size_t len = (size_t)snprintf(out, room, "%.40s %.40s, %.40s %.40s\n", axes->rows_are,
                                  axes->rows[row], axes->columns_are, axes->columns[column]);
    if (cell->trials == 0)
        len += (size_t)snprintf(out + len, room - len, "%s; theory: %s", state_words[cell->state],
                                state_words[cell->wanted]);
    else
        len += (size_t)snprintf(out + len, room - len,
                                "%" PRIu32 " trials: %" PRIu32 " connected, %" PRIu32 " half-open",
                                cell->trials, cell->full, cell->half);
    if (cell->trials > 0 && cell->wanted_ppb != UINT32_MAX)
        len += (size_t)snprintf(out + len, room - len, "; theory: %s connected",
                                page_share(cell->wanted_ppb, 1000000000).s);
    if (cell->note && len < room)
        snprintf(out + len, room - len, "\n%.200s", cell->note);
}

static void draw_cell(FILE *out, const struct report_matrix_axes *axes,
                      const struct report_matrix_table *table, size_t index)
{
    size_t row = index / axes->columns_count, column = index % axes->columns_count;
    const struct report_matrix_cell *cell = &table->cells[index];
    struct svg_point at = {LEFT + (int32_t)column * CELL.x, TOP + (int32_t)row * CELL.y};
    char title[500], class[16];
    uint64_t percent = cell->trials ? (uint64_t)cell->full * 100 / cell->trials : 0;
    bool heat = cell->trials > 0 && cell->full > 0;
    describe(axes, cell, row, column, title);
    snprintf(class, sizeof class, "cell %sis%d", heat ? "hot " : "",
             !cell->trials ? (int)cell->state
             : cell->full  ? 2
                           : cell->half > 0);
    svg_group(out, class, title);
    svg_rect(out, NULL, at, CELL);
    if (heat) {
        fprintf(out, "<g fill-opacity=\"0.%02d\">", (int)(percent * 55 / 100));
        svg_rect(out, "heat", SVG_AT(at.x + SVG_PX(1), at.y + SVG_PX(1)),
                 SVG_AT(CELL.x - SVG_PX(2), CELL.y - SVG_PX(2)));
        fputs("</g>", out);
    }
    struct svg_point middle = {at.x + CELL.x / 2, at.y + SVG_PX(19)};
    if (heat)
        svg_textf(out, "m", middle, "%" PRIu64, percent);
    else
        svg_text(out, "m", middle,
                 state_marks[!cell->trials ? cell->state
                             : cell->half  ? REPORT_CELL_HALF
                                           : 0]);
    if (!is_right(table, index))
        svg_rect(out, "wrong", SVG_AT(at.x + SVG_PX(2), at.y + SVG_PX(2)),
                 SVG_AT(CELL.x - SVG_PX(4), CELL.y - SVG_PX(4)));
    svg_group_end(out);
}

/* "EIM/APDF" stands above a column in two lines. */
static void draw_labels(FILE *out, const struct report_matrix_axes *axes)
{
    for (size_t i = 0; i < axes->columns_count; i++) {
        const char *label = axes->columns[i], *slash = strchr(label, '/');
        int32_t x = LEFT + (int32_t)i * CELL.x + CELL.x / 2;
        char first[40];
        snprintf(first, sizeof first, "%.*s", (int)(slash ? slash - label : (long)strlen(label)),
                 label);
        svg_text_short(out, "m s", SVG_AT(x, SVG_PX(slash ? 16 : 30)), first, 7);
        if (slash)
            svg_text_short(out, "m s", SVG_AT(x, SVG_PX(30)), slash + 1, 7);
    }
    for (size_t i = 0; i < axes->rows_count; i++)
        svg_text_short(out, "e", SVG_AT(LEFT - SVG_PX(8), TOP + (int32_t)i * CELL.y + SVG_PX(19)),
                       axes->rows[i], 14);
}

static void put_table(FILE *out, const struct report_matrix_axes *axes,
                      const struct report_matrix_table *table)
{
    size_t cells = axes->rows_count * axes->columns_count, counts[3] = {0}, wrong = 0;
    uint64_t trials = 0, full = 0;
    char text[300];
    for (size_t i = 0; i < cells; i++) {
        const struct report_matrix_cell *cell = &table->cells[i];
        bool can = cell->trials > 0 && cell->wanted == REPORT_CELL_FULL;
        counts[!cell->trials ? cell->state : cell->full ? 2 : cell->half > 0]++;
        wrong += !is_right(table, i);
        trials += can ? cell->trials : 0;
        full += can ? cell->full : 0;
    }
    page_card(out, table->title, table->about);
    fputs("<div class=\"scroll\">", out);
    svg_begin(out, "fits",
              SVG_AT(LEFT + (int32_t)axes->columns_count * CELL.x + SVG_PX(2),
                     TOP + (int32_t)axes->rows_count * CELL.y + SVG_PX(2)),
              table->title);
    draw_labels(out, axes);
    for (size_t i = 0; i < cells; i++)
        draw_cell(out, axes, table, i);
    svg_end(out);
    fputs("</div>\n<p class=\"keys\">", out);
    page_put(out, "span", "ok", "%zu of %zu %s", counts[2], cells,
             trials ? "can connect" : "connected");
    if (counts[1])
        page_put(out, "span", "half", "%zu half-open", counts[1]);
    if (table->loss_ppb)
        page_put(out, "span", NULL, "%s loss", page_share(table->loss_ppb, 1000000000).s);
    if (trials) {
        snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " trials that can work did", full,
                 trials);
        page_put(out, "span", NULL, "%s", text);
    }
    if (wrong)
        page_put(out, "span", "no", "%zu not as theory has it", wrong);
    fputs("</p>\n", out);
    page_card_end(out);
}

void report_matrix_html(const struct report_matrix *matrix, FILE *out)
{
    page_begin(out, matrix->title);
    page_put(out, "div", "eye", "%s", "Q2P simulation");
    page_put(out, "h1", NULL, "%s", matrix->title);
    fprintf(out, "<div class=\"card verdict%s\">", matrix->ok ? "" : " no");
    page_put(out, "span", matrix->ok ? "pill" : "pill no", "%s",
             matrix->ok ? "✓ passed" : "✗ failed");
    page_put(out, "span", NULL, "%s", matrix->verdict);
    fputs("</div>\n", out);
    page_put(out, "pre", "again", "%s", matrix->again);
    fputs("<p class=\"soft\">", out);
    svg_escapef(out,
                "Rows are the NAT of the %.40s node, columns that of the %.40s one: mapping / "
                "filtering after RFC 4787. A red frame: not what theory says. Numbers are per cent "
                "of trials.",
                matrix->axes.rows_are, matrix->axes.columns_are);
    fputs("</p>\n<div class=\"grid wide\">\n", out);
    for (size_t i = 0; i < matrix->tables_count; i++) {
        const struct report_matrix_table *table = &matrix->tables[i];
        put_table(out, table->axes ? table->axes : &matrix->axes, table);
    }
    fputs("</div>\n", out);
    page_end(out, "q2p-sim " Q2P_VERSION);
}
