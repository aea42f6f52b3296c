/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hist.h - a histogram of values of any size in fixed memory: each value falls into a bucket whose
 * width is less than 1 % of the value, so quantiles are right to 1 %.
 */
#ifndef HIST_H
#define HIST_H

#include <stdint.h>

#define HIST_FINE_BITS 7 /* 128 buckets per doubling */
#define HIST_BUCKETS ((64 - HIST_FINE_BITS + 1) << HIST_FINE_BITS)

struct hist {
    uint64_t count, sum;
    uint64_t min, max; /* exact; both 0 if count is */
    uint64_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t value);

/* The smallest value that `permille` of all values do not exceed, to the precision of a bucket. */
uint64_t hist_quantile(const struct hist *hist, uint32_t permille);

/* Counts values into bins_count bins of equal width from low on; what is outside goes into the
 * first or the last one. */
void hist_bins(const struct hist *hist, uint64_t low, uint64_t width, uint64_t *bins,
               uint32_t bins_count);

#endif
