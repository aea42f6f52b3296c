/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hist.c - a bucket is the position of the highest bit and the HIST_FINE_BITS bits behind it. */
#include "hist.h"

#include <string.h>

#define FINE (UINT64_C(1) << HIST_FINE_BITS)

static uint32_t bucket_of(uint64_t value)
{
    uint32_t shift = 0;
    while (value >> shift >= 2 * FINE)
        shift++;
    return (uint32_t)(value < 2 * FINE ? value : shift * FINE + (value >> shift));
}

static uint64_t lowest_of(uint32_t bucket)
{
    uint32_t shift = bucket < 2 * FINE ? 0 : (uint32_t)(bucket / FINE - 1);
    return (bucket - shift * FINE) << shift;
}

void hist_add(struct hist *hist, uint64_t value)
{
    if (hist->count == 0 || value < hist->min)
        hist->min = value;
    if (value > hist->max)
        hist->max = value;
    hist->count++;
    hist->sum += value;
    hist->buckets[bucket_of(value)]++;
}

uint64_t hist_quantile(const struct hist *hist, uint32_t permille)
{
    uint64_t rank = (hist->count * permille + 999) / 1000, seen = 0;
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (hist->buckets[i] == 0 || seen < rank)
            continue;
        uint64_t value = i + 1 < HIST_BUCKETS ? lowest_of(i + 1) - 1 : UINT64_MAX;
        return value < hist->min ? hist->min : value < hist->max ? value : hist->max;
    }
    return hist->max;
}

void hist_bins(const struct hist *hist, uint64_t low, uint64_t width, uint64_t *bins,
               uint32_t bins_count)
{
    memset(bins, 0, bins_count * sizeof *bins);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        if (hist->buckets[i] == 0)
            continue;
        uint64_t value = lowest_of(i), bin = value < low ? 0 : (value - low) / width;
        bins[bin < bins_count ? bin : bins_count - 1] += hist->buckets[i];
    }
}
