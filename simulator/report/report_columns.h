/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_columns.h - the columns of a ladder: nodes, and their NATs beside them. */
#ifndef REPORT_COLUMNS_H
#define REPORT_COLUMNS_H

#include "scn_run.h"

#define REPORT_COLUMNS_MAX 14
#define REPORT_COLUMNS_LEFT 700 /* of the first one: times; tenths of a pixel, as all of SVG */

struct report_columns {
    const struct scn_run *run;
    uint32_t places[REPORT_COLUMNS_MAX];
    int count;
    int32_t width;
};

/* All nodes if they fit; else seeds and those about which an expectation failed, else those the
 * file speaks of. The run must be judged. */
void report_columns_choose(struct report_columns *columns, const struct scn_run *run);

/* The column of a place, or -1. */
int report_column_of(const struct report_columns *columns, uint32_t place);

/* The middle of a column. */
int32_t report_column_x(const struct report_columns *columns, int column);

#endif
