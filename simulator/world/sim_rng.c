/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_rng.c - xoshiro256** streams seeded through splitmix64 from a name; hash steps. */
#include "sim_rng.h"

#include <string.h>

static uint64_t rotate(uint64_t word, int by)
{
    return word << by | word >> (64 - by);
}

static uint64_t split(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Little-endian whatever the machine, so that every machine makes the same trace hash. */
static uint64_t read_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#define FOLD UINT64_C(0x9fb21c651e98df25)

/* Two words with one multiplication; the turn lets the upper bits of one step reach the lower ones
 * of the next. */
static uint64_t fold(uint64_t hash, const uint8_t *at)
{
    return rotate((hash + read_word(at)) * FOLD ^ read_word(at + 8), 29);
}

/* Four lanes, so that a processor can do four multiplications at once. */
uint64_t sim_mix_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len / 64 * 64;
    uint64_t a = hash + len, b = a + FOLD, c = b + FOLD, d = c + FOLD, rest = 0;
    for (; at < end; at += 64) {
        a = fold(a, at);
        b = fold(b, at + 16);
        c = fold(c, at + 32);
        d = fold(d, at + 48);
    }
    hash = sim_mix(a + rotate(b, 21), c + rotate(d, 43));
    for (len %= 64; len >= 8; at += 8, len -= 8)
        hash = sim_mix(hash, read_word(at));
    for (size_t i = 0; i < len; i++)
        rest |= (uint64_t)at[i] << 8 * i;
    return sim_mix(hash, rest);
}

void sim_rng_init(struct sim_rng *rng, uint64_t seed, const char *name)
{
    uint64_t state = sim_mix_bytes(sim_mix(0, seed), name, strlen(name));
    for (int i = 0; i < 4; i++)
        rng->state[i] = split(&state);
}

uint64_t sim_rng_next(struct sim_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t out = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return out;
}

uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound)
{
    uint64_t unfair = (0 - bound) % bound; /* 2^64 mod bound: draws below it would favour some */
    uint64_t draw = sim_rng_next(rng);
    while (draw < unfair)
        draw = sim_rng_next(rng);
    return draw % bound;
}

void sim_rng_fill(struct sim_rng *rng, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = sim_rng_next(rng);
        for (size_t j = i; j < len && j < i + 8; j++, word >>= 8)
            out[j] = (uint8_t)word;
    }
}
