/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_matrix.h - punching tables: each NAT type as newcomer against each as known node, real nodes
 * on both ends, every cell held to theory.
 */
#ifndef LAB_MATRIX_H
#define LAB_MATRIX_H

#include "lab_punch.h"
#include "report_matrix.h"

/* name, newcomer, known, title, sentence */
#define LAB_TABLE_MAP(XX)                                                                          \
    XX(CLASSIC, CLASSIC, CLASSIC, "classic", "both send again and again")                          \
    XX(ORIGINAL, ORIGINAL, ORIGINAL, "original", "the original: each message once")                \
    XX(OURS, OURS, OURS, "ours", "this library's default on both ends")                            \
    XX(OURS_JOINS, OURS, ORIGINAL, "ours>original", "ours joins; known node and seed: original")   \
    XX(ORIGINAL_JOINS, ORIGINAL, OURS, "original>ours", "the original joins; known node: ours")

enum lab_table {
#define XX(name, newcomer, known, title, sentence) LAB_TABLE_##name,
    LAB_TABLE_MAP(XX)
#undef XX
        LAB_TABLES
};
const char *lab_table_title(enum lab_table table);
const char *lab_table_about(enum lab_table table);

struct lab_matrix_plan {
    enum lab_table table;
    enum net_nat_scope scope;
    uint32_t wan_ppb;   /* of every datagram in the public network */
    uint32_t trials;    /* of each cell; 1 if nothing is lost */
    q2p_time after_ns;  /* the newcomer comes so long after the known node */
    q2p_time forget_ns; /* of the NATs */
    uint64_t seed;
};

struct lab_matrix {
    struct report_matrix_cell cells[LAB_NATS][LAB_NATS]; /* newcomer, known */
    bool fits[LAB_NATS][LAB_NATS];                       /* is as theory has it */
    unsigned full, half; /* cells; with loss those in which it ever came to that */
    unsigned wrong;      /* do not fit */
    uint64_t trials;     /* of cells that can work in theory, and how many of them did */
    uint64_t successes, halves;
    bool fits_all; /* ... and so does their sum, which shows what is too little for one cell */
};

void lab_matrix_run(struct lab_matrix *out, const struct lab_matrix_plan *plan);

#endif
