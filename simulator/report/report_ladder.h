/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_ladder.h - who said what to whom when, as text: one column per node, one row per control
 * message. Transmissions stay out: they have thousands of rows. */
#ifndef REPORT_LADDER_H
#define REPORT_LADDER_H

#include <stdio.h>

#include "net_route.h"

struct report_row {
    q2p_time sent_ns, fate_ns;
    uint64_t id;
    uint32_t from, to; /* places; to NET_NOWHERE: nobody has that address */
    enum q2p_event event;
    enum net_fate fate;
    const char *where;
};

struct report_ladder {
    struct report_row *rows;
    size_t count, room;
};

void report_ladder_add(struct report_ladder *ladder, const struct report_row *row);

/* Prints at most rows_max rows; places are the columns (hosts), in this order. Frees. */
void report_ladder_print(struct report_ladder *ladder, const struct net *net, size_t rows_max,
                         FILE *out);
void report_ladder_free(struct report_ladder *ladder);

#endif
