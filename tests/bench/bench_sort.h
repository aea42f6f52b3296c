/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_sort.h - the results of rounds, from the least to the most: the middle one counts. */
#ifndef BENCH_SORT_H
#define BENCH_SORT_H

#include <stdlib.h>

static inline int bench_by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void bench_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, bench_by_size);
}

#endif
