/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.h - what fuzz targets share: the entry that libFuzzer and fuzz_main.c call, MUST, a tape. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* An invariant: says which, and stops where a debugger or libFuzzer sees it. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What is left of the input; behind its end there are zeros. */
struct tape {
    const uint8_t *at, *end;
};

static inline unsigned next_byte(struct tape *tape)
{
    return tape->at < tape->end ? *tape->at++ : 0;
}

static inline unsigned next_word(struct tape *tape)
{
    unsigned low = next_byte(tape);
    return low | next_byte(tape) << 8;
}

#endif
