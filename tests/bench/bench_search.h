/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_search.h - seconds that laboratory and search take; ends the program if they are wrong. */
#ifndef BENCH_SEARCH_H
#define BENCH_SEARCH_H

#include <stddef.h>
#include <stdint.h>

double bench_matrix_seconds(void); /* every table of nine by nine, both scopes */

/* Trials of punching with the original's messages under 10 % loss, held to (1 - p)^6. */
double bench_oracle_seconds(uint64_t trials);

/* A planted failure; *left: the decisions that it needs, *events: of the run that has all. */
double bench_shrink_seconds(size_t *left, uint64_t *events);

#endif
