/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_html.h - report.html, the page about a run: verdict, ladder, map, plots, tables. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report_story.h"
#include "scn_run.h"

struct report_view {
    struct scn_run *run;        /* judged */
    struct report_story *story; /* of this run */
    const char *again;          /* the command line that repeats it */
    bool ok;
};

/* Same run, same bytes. Errors of writing show in ferror(out). */
void report_html(FILE *out, const struct report_view *view);

/* ---- the parts, each in a file of its own ------------------------------------------------ */

void report_draw_ladder(FILE *out, const struct report_view *view);
void report_draw_map(FILE *out, const struct report_view *view);
void report_draw_plots(FILE *out, const struct report_view *view);
void report_put_tables(FILE *out, const struct report_view *view);

/* 0: neither of two nodes knows the other; 1, 2: only the first, the second does; 3: both. */
int report_known(const struct scn_run *run, uint32_t a, uint32_t b);

/* Does anybody join through it? (Of many nodes only the first thousand are asked.) */
bool report_is_seed(const struct scenario *scenario, uint32_t node);

/* "mapping address, ports random": the keys of "nats", "links" or "default" that are not at their
 * defaults, or stand in `always` (" mapping filtering "). Text, not escaped. */
void report_print_keys(const char *section, const void *object, const char *always, char *out,
                       size_t room);

/* The step as the file has it, without its time: "rebind: home-a". */
void report_print_step(const struct scn_step *step, char *out, size_t room);

/* "EIM / APDF" */
const char *report_nat_kind(const struct scn_nat *nat, char *out, size_t room);

#endif
