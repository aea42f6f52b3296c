/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * svg.h - writes SVG (and safe text for HTML) straight to a file. Coordinates are integers in
 * tenths of a pixel, so that the same input gives the same bytes everywhere; colours are classes
 * of the page's style sheet. All text is escaped here: it comes from the files of strangers.
 */
#ifndef SVG_H
#define SVG_H

#include <stdint.h>
#include <stdio.h>

#define SVG_PX(pixels) ((pixels)*10)
#define SVG_REPLACEMENT 0xfffdu /* U+FFFD */

struct svg_point {
    int32_t x, y; /* tenths of a pixel */
};
#define SVG_AT(x, y) ((struct svg_point){(x), (y)})

/* One character of UTF-8 (RFC 3629); anything else is U+FFFD, and one byte. */
uint32_t svg_take_letter(const char **text);

/* Writes text as XML character data or attribute value. What XML forbids, what is not UTF-8, and
 * what turns the direction of writing, becomes U+FFFD. */
void svg_escape(FILE *out, const char *text);

/* The same for a format; longer than 600 bytes is cut. */
__attribute__((format(printf, 2, 3))) void svg_escapef(FILE *out, const char *format, ...);

/* At most `letters` of text, then an ellipsis; escaped. */
void svg_escape_short(FILE *out, const char *text, int letters);

/* A picture of its own; label is for who cannot see it. */
void svg_begin(FILE *out, const char *class, struct svg_point size, const char *label);
void svg_end(FILE *out);

/* What stands between has `title` as tooltip, if that is not NULL. */
void svg_group(FILE *out, const char *class, const char *title);
void svg_group_end(FILE *out);

void svg_line(FILE *out, const char *class, struct svg_point from, struct svg_point to);
void svg_rect(FILE *out, const char *class, struct svg_point at, struct svg_point size);
void svg_circle(FILE *out, const char *class, struct svg_point at, int32_t radius);
void svg_text(FILE *out, const char *class, struct svg_point at, const char *text);
void svg_text_short(FILE *out, const char *class, struct svg_point at, const char *text,
                    int letters);
__attribute__((format(printf, 4, 5))) void svg_textf(FILE *out, const char *class,
                                                     struct svg_point at, const char *format, ...);

/* A path by pieces: svg_path, then commands such as svg_to(out, 'L', point), then the end. */
void svg_path(FILE *out, const char *class);
void svg_to(FILE *out, char command, struct svg_point point);
void svg_path_end(FILE *out);

/* A triangle whose tip is at `tip`; direction 1 = to the right, -1 = to the left. */
void svg_arrow(FILE *out, const char *class, struct svg_point tip, int direction);

/* A cross where something ended. */
void svg_cross(FILE *out, const char *class, struct svg_point at);

/* 1, 2 or 5 times a power of ten, so that `range` has about `ticks` of them; at least 1. */
int64_t svg_step(int64_t range, int ticks);

/* 1,000 * sin of an angle in thousandths of a full turn, by integers. */
int32_t svg_sine(int32_t angle);

#endif
