/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prop.h - what random lives share: promises that tell which life broke them, and the main program.
 * A struct life has a seed, random (its dice) and a step; PROP is the program's name.
 */
#ifndef PROP_H
#define PROP_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dice.h"

#define PROMISE(life, condition)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            prop_broken(#condition, (life)->seed, (life)->step);                                   \
    } while (0)

static inline _Noreturn void prop_broken(const char *what, uint64_t seed, unsigned step)
{
    fprintf(stderr, "broken: %s\nagain: " PROP " %" PRIu64 " (step %u)\n", what, seed, step);
    abort();
}

/* One life, if its seed is given, or those of the seeds 1 to lives. */
static inline int prop_main(int argc, char **argv, void (*live)(uint64_t seed), unsigned lives)
{
    if (argc > 1) {
        live(strtoull(argv[1], NULL, 10));
        return 0;
    }
    for (uint64_t seed = 1; seed <= lives; seed++)
        live(seed);
    printf("%u lives\n", lives);
    return 0;
}

#endif
