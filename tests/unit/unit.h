/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit.h - cmocka with the headers it wants in front of it, and bytes written as hex. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Bytes of a hex text, blanks between them allowed; returns how many, at most room. */
static inline size_t unit_hex(uint8_t *out, size_t room, const char *hex)
{
    size_t len = 0;
    int high = -1;

    for (; *hex != '\0'; hex++) {
        const char *digits = "0123456789abcdef", *digit = strchr(digits, *hex);
        if (*hex == ' ')
            continue;
        assert_non_null(digit);
        if (high < 0) {
            high = (int)(digit - digits);
            continue;
        }
        assert_true(len < room);
        out[len++] = (uint8_t)(high << 4 | (int)(digit - digits));
        high = -1;
    }
    assert_int_equal(high, -1);
    return len;
}

/* The same, padded with 'a' to len bytes if it is shorter. */
static inline size_t unit_datagram(uint8_t *out, size_t room, const char *hex, size_t len)
{
    size_t hex_len = unit_hex(out, room, hex);

    assert_true(len <= room);
    if (len > hex_len)
        memset(out + hex_len, 'a', len - hex_len);
    return len > hex_len ? len : hex_len;
}

#endif
