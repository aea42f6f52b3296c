/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dice.h - luck that repeats itself: the same start, the same draws, on every machine. */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

/* Evenly, as far as a test minds, from 0 to below - 1. Any start will do. */
static inline uint32_t dice_draw(uint64_t *dice, uint32_t below)
{
    *dice = *dice * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*dice >> 33) % below;
}

#endif
