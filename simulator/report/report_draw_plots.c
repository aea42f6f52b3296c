/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_draw_plots.c - bytes over time, delays, and how transmissions became complete. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_html.h"
#include "report_page.h"

#define WIDTH SVG_PX(360)
#define HEIGHT SVG_PX(200)
#define LEFT SVG_PX(52)
#define RIGHT SVG_PX(350)
#define TOP SVG_PX(12)
#define BOTTOM SVG_PX(172)
#define BARS 60
#define CURVES_MAX 200
#define CURVES_NAMED 6

/* ---- axes -------------------------------------------------------------------------------- */

struct plot {
    int64_t x_min, x_max, y_max;
};

static int32_t x_at(const struct plot *plot, int64_t x)
{
    return LEFT + (int32_t)((x - plot->x_min) * (RIGHT - LEFT) / (plot->x_max - plot->x_min));
}

static int32_t y_at(const struct plot *plot, int64_t y)
{
    return BOTTOM - (int32_t)(y * (BOTTOM - TOP) / plot->y_max);
}

/* A time that is a tick: all of an axis have one unit, as fits the last one. */
static struct page_word tick_time(int64_t time, int64_t last)
{
    struct page_word word;
    int64_t unit = last >= Q2P_SECOND        ? Q2P_SECOND
                   : last >= Q2P_MILLISECOND ? Q2P_MILLISECOND
                                             : Q2P_MICROSECOND;
    const char *name = unit == Q2P_SECOND ? "s" : unit == Q2P_MILLISECOND ? "ms" : "µs";
    int64_t part = time % unit / (unit / 1000); /* thousandths */
    int digits = part % 10 ? 3 : part % 100 ? 2 : part ? 1 : 0;
    for (int i = digits; i < 3; i++)
        part /= 10;
    if (digits)
        snprintf(word.s, sizeof word.s, "%" PRId64 ".%0*" PRId64 " %s", time / unit, digits, part,
                 name);
    else
        snprintf(word.s, sizeof word.s, "%" PRId64 " %s", time / unit, name);
    return word;
}

static void draw_axes(FILE *out, const struct plot *plot, struct page_word (*y_word)(uint64_t))
{
    int64_t step = svg_step(plot->y_max, 4);
    for (int64_t y = 0; y <= plot->y_max; y += step) {
        int32_t at = y_at(plot, y);
        svg_line(out, y ? "mesh" : "axis", SVG_AT(LEFT, at), SVG_AT(RIGHT, at));
        svg_text(out, "e s", SVG_AT(LEFT - SVG_PX(6), at + SVG_PX(4)), y_word((uint64_t)y).s);
    }
    int64_t range = plot->x_max - plot->x_min;
    step = svg_step(range, 4);
    for (int64_t x = (plot->x_min + step - 1) / step * step; x <= plot->x_max; x += step) {
        int32_t at = x_at(plot, x);
        svg_line(out, "axis", SVG_AT(at, BOTTOM), SVG_AT(at, BOTTOM + SVG_PX(4)));
        svg_text(out, at > RIGHT - SVG_PX(20) ? "e s" : "m s",
                 SVG_AT(at > RIGHT - SVG_PX(20) ? RIGHT : at, BOTTOM + SVG_PX(18)),
                 tick_time(x, plot->x_max).s);
    }
}

static struct page_word word_count(uint64_t count)
{
    struct page_word word;
    snprintf(word.s, sizeof word.s, "%" PRIu64, count);
    return word;
}

static struct page_word word_percent(uint64_t percent)
{
    struct page_word word;
    snprintf(word.s, sizeof word.s, "%" PRIu64 " %%", percent);
    return word;
}

static void key(FILE *out, const char *class, const char *name, const char *value)
{
    fprintf(out, "<span><i class=\"box %s\"></i>", class);
    svg_escape(out, name);
    if (*value) {
        fputc(' ', out);
        svg_escape(out, value);
    }
    fputs("</span>", out);
}

/* ---- bytes over time --------------------------------------------------------------------- */

static void add_bin(struct report_bin *to, const struct report_bin *from)
{
    to->first += from->first;
    to->again += from->again;
    to->control += from->control;
}

/* Bins in which fragments were sent, or all that are used if none were. */
static void find_busy(const struct report_story *story, uint32_t *first, uint32_t *last)
{
    bool fragments = story->total.first > 0;
    *first = REPORT_BINS;
    *last = 0;
    for (uint32_t i = 0; i < REPORT_BINS; i++) {
        const struct report_bin *bin = &story->bins[i];
        if (bin->first + bin->again + (fragments ? 0 : bin->control) == 0)
            continue;
        *first = *first < i ? *first : i;
        *last = i;
    }
    if (*first == REPORT_BINS)
        *first = 0;
    if (*last - *first < BARS / 3) { /* all at once: some silence around it */
        *first = *first > BARS / 12 ? *first - BARS / 12 : 0;
        *last = *first + BARS / 3 < REPORT_BINS ? *first + BARS / 3 : REPORT_BINS - 1;
    }
}

static void draw_bar(FILE *out, const struct plot *plot, const struct report_bin *bar,
                     struct svg_point x)
{
    const char *const classes[] = {"ctl", "first", "re"};
    uint64_t parts[] = {bar->control, bar->first, bar->again}, below = 0;
    char title[200];
    if (bar->control + bar->first + bar->again == 0)
        return;
    snprintf(title, sizeof title, "first %s, again %s, control %s", page_bytes(bar->first).s,
             page_bytes(bar->again).s, page_bytes(bar->control).s);
    svg_group(out, NULL, title);
    for (int i = 0; i < 3; i++) {
        int32_t low = y_at(plot, (int64_t)below), high = y_at(plot, (int64_t)(below += parts[i]));
        if (low > high)
            svg_rect(out, classes[i], SVG_AT(x.x, high), SVG_AT(x.y - x.x, low - high));
    }
    svg_group_end(out);
}

static void draw_bytes(FILE *out, const struct report_story *story)
{
    struct report_bin bars[BARS] = {0};
    uint32_t first, last;
    if (story->total.first + story->total.again + story->total.control == 0)
        return;
    find_busy(story, &first, &last);
    q2p_time width = story->until_ns / REPORT_BINS + 1;
    uint32_t per_bar = (last - first) / BARS + 1, count = (last - first) / per_bar + 1;
    for (uint32_t i = first; i <= last; i++)
        add_bin(&bars[(i - first) / per_bar], &story->bins[i]);
    struct plot plot = {first * width, (first + (int64_t)count * per_bar) * width, 1};
    for (uint32_t i = 0; i < count; i++) {
        int64_t all = (int64_t)(bars[i].first + bars[i].again + bars[i].control);
        plot.y_max = all > plot.y_max ? all : plot.y_max;
    }
    plot.y_max += plot.y_max / 20;
    char about[200];
    snprintf(about, sizeof about, "sent per %s%s", page_time(per_bar * width).s,
             story->total.first ? ", while fragments were on their way" : "");
    page_card(out, "Bytes over time", about);
    svg_begin(out, "plot", SVG_AT(WIDTH, HEIGHT), "bytes sent over time");
    draw_axes(out, &plot, page_bytes);
    for (uint32_t i = 0; i < count; i++) {
        struct svg_point x = {x_at(&plot, plot.x_min + (int64_t)i * per_bar * width),
                              x_at(&plot, plot.x_min + (int64_t)(i + 1) * per_bar * width)};
        if (x.y - x.x > SVG_PX(3))
            x.y -= SVG_PX(1);
        draw_bar(out, &plot, &bars[i], x);
    }
    svg_end(out);
    fputs("<p class=\"keys\">", out);
    if (story->total.first)
        key(out, "k1", "first sendings", page_bytes(story->total.first).s);
    if (story->total.again)
        key(out, "k2", "again", page_bytes(story->total.again).s);
    key(out, "k3", "control", page_bytes(story->total.control).s);
    fputs("</p>\n", out);
    page_card_end(out);
}

/* ---- delays ------------------------------------------------------------------------------ */

static void draw_delays(FILE *out, const struct hist *hist)
{
    uint64_t bins[BARS];
    if (hist->count == 0)
        return;
    /* The last bar takes the rest if a few are far off. */
    uint64_t most =
        hist_quantile(hist, 990) * 3 < hist->max ? hist_quantile(hist, 990) * 2 : hist->max;
    uint64_t width = (most - hist->min) / BARS + 1;
    if (width < hist->min / 200)
        width = hist->min / 200;
    hist_bins(hist, hist->min, width, bins, BARS);
    struct plot plot = {(int64_t)hist->min, (int64_t)(hist->min + BARS * width), 1};
    for (int i = 0; i < BARS; i++)
        plot.y_max = (int64_t)bins[i] > plot.y_max ? (int64_t)bins[i] : plot.y_max;
    page_card(out, "Delays", "from sending to arriving, datagrams that arrived");
    svg_begin(out, "plot", SVG_AT(WIDTH, HEIGHT), "histogram of delays");
    draw_axes(out, &plot, word_count);
    for (int i = 0; i < BARS; i++) {
        char title[160];
        int64_t low = plot.x_min + i * (int64_t)width;
        int32_t x = x_at(&plot, low), y = y_at(&plot, (int64_t)bins[i]);
        if (bins[i] == 0)
            continue;
        snprintf(title, sizeof title, "%s to %s: %" PRIu64, page_time(low).s,
                 page_time(i + 1 < BARS ? low + (int64_t)width : (int64_t)hist->max).s, bins[i]);
        svg_group(out, NULL, title);
        svg_rect(out, "first", SVG_AT(x, y),
                 SVG_AT(x_at(&plot, low + (int64_t)width) - x - SVG_PX(1), BOTTOM - y));
        svg_group_end(out);
    }
    svg_end(out);
    page_put(out, "p", "keys", "half within %s, 95 %% within %s, the longest %s",
             page_time((q2p_time)hist_quantile(hist, 500)).s,
             page_time((q2p_time)hist_quantile(hist, 950)).s, page_time((q2p_time)hist->max).s);
    page_card_end(out);
}

/* ---- transmissions ----------------------------------------------------------------------- */

static void draw_curve(FILE *out, const struct plot *plot, const struct report_transfer *transfer,
                       const char *class)
{
    int done = 0;
    svg_path(out, class);
    svg_to(out, 'M', SVG_AT(LEFT, BOTTOM));
    for (int i = 1; i <= REPORT_PROGRESS && transfer->progress_ns[i] != Q2P_NEVER; i++) {
        int32_t x = x_at(plot, transfer->progress_ns[i] - transfer->first_ns);
        svg_to(out, 'L', SVG_AT(x, y_at(plot, 100 * done / REPORT_PROGRESS)));
        svg_to(out, 'L', SVG_AT(x, y_at(plot, 100 * i / REPORT_PROGRESS)));
        done = i;
    }
    if (done < REPORT_PROGRESS)
        svg_to(out, 'L', SVG_AT(RIGHT, y_at(plot, 100 * done / REPORT_PROGRESS)));
    svg_path_end(out);
}

static void draw_progress(FILE *out, const struct report_view *view)
{
    const struct report_story *story = view->story;
    struct plot plot = {0, 1, 100};
    size_t shown = 0;
    for (size_t i = 0; i < story->transfers_count; i++)
        for (int j = 1; j <= REPORT_PROGRESS; j++) {
            const struct report_transfer *transfer = &story->transfers[i];
            if (transfer->progress_ns[j] != Q2P_NEVER &&
                transfer->progress_ns[j] - transfer->first_ns > plot.x_max)
                plot.x_max = transfer->progress_ns[j] - transfer->first_ns;
        }
    if (story->total.first == 0)
        return;
    plot.x_max += plot.x_max / 20;
    page_card(out, "Transmissions become complete",
              "different fragments arrived, since the first one left");
    svg_begin(out, "plot", SVG_AT(WIDTH, HEIGHT), "share of fragments over time");
    draw_axes(out, &plot, word_percent);
    svg_group(out, story->transfers_count > CURVES_NAMED ? "many" : NULL, NULL);
    for (size_t i = 0; i < story->transfers_count && shown < CURVES_MAX; i++) {
        char class[16], title[100];
        if (story->transfers[i].first_ns == Q2P_NEVER)
            continue;
        snprintf(class, sizeof class, "curve c%zu", shown++ % 4);
        snprintf(title, sizeof title, "%.80s", view->run->transfers[i].send->as.text);
        svg_group(out, NULL, title);
        draw_curve(out, &plot, &story->transfers[i], class);
        svg_group_end(out);
    }
    svg_group_end(out);
    svg_end(out);
    fputs("<p class=\"keys\">", out);
    shown = 0;
    for (size_t i = 0; i < story->transfers_count && story->transfers_count <= CURVES_NAMED; i++) {
        char class[8], title[48];
        if (story->transfers[i].first_ns == Q2P_NEVER)
            continue;
        snprintf(class, sizeof class, "c%zu", shown++ % 4);
        snprintf(title, sizeof title, "%.40s", view->run->transfers[i].send->as.text);
        key(out, class, title, "");
    }
    fputs("</p>\n", out);
    page_card_end(out);
}

void report_draw_plots(FILE *out, const struct report_view *view)
{
    fputs("<div class=\"grid\">\n", out);
    draw_progress(out, view);
    draw_bytes(out, view->story);
    draw_delays(out, &view->story->delay_ns);
    fputs("</div>\n", out);
}
