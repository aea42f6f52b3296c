/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_matrix.h - the punching tables, NAT kind against NAT kind, as one self-contained page: a
 * heat map each, side by side, cells that differ from the expected result marked. Same input,
 * same bytes.
 */
#ifndef REPORT_MATRIX_H
#define REPORT_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum report_cell_state {
    REPORT_CELL_NONE, /* neither knows the other */
    REPORT_CELL_HALF, /* one of them does */
    REPORT_CELL_FULL  /* connected */
};

/* trials 0: the cell is its state alone. Otherwise it is coloured by full / trials, and state is
 * what can be reached without loss. */
struct report_matrix_cell {
    enum report_cell_state state, wanted; /* wanted: what theory says */
    uint32_t trials, full, half;
    uint32_t wanted_ppb; /* of full, with loss; UINT32_MAX: theory says nothing */
    const char *note;    /* more for the tooltip; NULL = nothing */
};

struct report_matrix_axes {
    const char *rows_are, *columns_are; /* "newcomer", "known" */
    const char *const *rows, *const *columns;
    size_t rows_count, columns_count;
};

struct report_matrix_table {
    const char *title, *about; /* about: a sentence, or NULL */
    uint32_t loss_ppb;         /* of every datagram; 0 is not shown */
    const bool *fits; /* a cell is as it should be, as cells; NULL: if state is as wanted */
    const struct report_matrix_cell *cells; /* row by row */
    const struct report_matrix_axes *axes;  /* of its own, or NULL */
};

/* All borrowed; any text is fine, it is escaped. */
struct report_matrix {
    const char *title, *verdict;    /* verdict: one sentence below the title */
    const char *again;              /* the command line that makes this page again */
    struct report_matrix_axes axes; /* of most tables: "EIM/EIF" ... */
    const struct report_matrix_table *tables;
    size_t tables_count;
    bool ok;
};

/* Errors of writing show in ferror(out). */
void report_matrix_html(const struct report_matrix *matrix, FILE *out);

#endif
