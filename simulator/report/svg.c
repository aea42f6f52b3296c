/* SPDX-License-Identifier: GPL-2.0-or-later */
/* svg.c - elements as text; the one place where text is escaped. */
#include "svg.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_MAX 600

/* ---- text -------------------------------------------------------------------------------- */

uint32_t svg_take_letter(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    int more = at[0] < 0x80 ? 0 : at[0] < 0xc2 ? -1 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t letter = more > 0 ? at[0] & (0x3fu >> more) : at[0];
    (*text)++;
    if (more < 0 || at[0] > 0xf4)
        return SVG_REPLACEMENT;
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return SVG_REPLACEMENT;
        letter = letter << 6 | (at[i] & 0x3f);
    }
    if (letter < least[more] || letter > 0x10ffff || (letter >= 0xd800 && letter < 0xe000))
        return SVG_REPLACEMENT;
    *text += more;
    return letter;
}

static bool is_allowed(uint32_t letter)
{
    bool control = (letter < 0x20 && letter != '\t' && letter != '\n') ||
                   (letter >= 0x7f && letter < 0xa0) || (letter & 0xfffe) == 0xfffe;
    bool turns = letter == 0x200e || letter == 0x200f || letter == 0x61c ||
                 (letter >= 0x202a && letter <= 0x202e) || (letter >= 0x2066 && letter <= 0x2069);
    return !control && !turns;
}

static void put_letter(FILE *out, uint32_t letter)
{
    if (!is_allowed(letter))
        letter = SVG_REPLACEMENT;
    if (letter == '<')
        fputs("&lt;", out);
    else if (letter == '>')
        fputs("&gt;", out);
    else if (letter == '&')
        fputs("&amp;", out);
    else if (letter == '"')
        fputs("&quot;", out);
    else if (letter == '\'')
        fputs("&#39;", out);
    else if (letter < 0x80)
        fputc((int)letter, out);
    else if (letter < 0x800)
        fprintf(out, "%c%c", (int)(0xc0 | letter >> 6), (int)(0x80 | (letter & 0x3f)));
    else if (letter < 0x10000)
        fprintf(out, "%c%c%c", (int)(0xe0 | letter >> 12), (int)(0x80 | (letter >> 6 & 0x3f)),
                (int)(0x80 | (letter & 0x3f)));
    else
        fprintf(out, "%c%c%c%c", (int)(0xf0 | letter >> 18), (int)(0x80 | (letter >> 12 & 0x3f)),
                (int)(0x80 | (letter >> 6 & 0x3f)), (int)(0x80 | (letter & 0x3f)));
}

void svg_escape(FILE *out, const char *text)
{
    while (*text)
        put_letter(out, svg_take_letter(&text));
}

void svg_escape_short(FILE *out, const char *text, int letters)
{
    int count = 0;
    for (const char *at = text; *at; count++)
        svg_take_letter(&at);
    for (int i = 0; *text && i < (count > letters ? letters - 1 : letters); i++)
        put_letter(out, svg_take_letter(&text));
    if (*text)
        put_letter(out, 0x2026);
}

void svg_escapef(FILE *out, const char *format, ...)
{
    char text[FORMAT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    svg_escape(out, text);
}

/* ---- elements ---------------------------------------------------------------------------- */

static void put_number(FILE *out, int32_t tenths)
{
    int32_t size = abs(tenths);
    fprintf(out, "%s%d", tenths < 0 ? "-" : "", size / 10);
    if (size % 10)
        fprintf(out, ".%d", size % 10);
}

static void put_numbers(FILE *out, const char *names, const int32_t *values)
{
    for (size_t i = 0; *names; i++) { /* "x1 y1 " */
        size_t len = strcspn(names, " ");
        fprintf(out, " %.*s=\"", (int)len, names);
        put_number(out, values[i]);
        fputc('"', out);
        names += len + 1;
    }
}

static void open_element(FILE *out, const char *name, const char *class)
{
    fprintf(out, "<%s", name);
    if (class && *class)
        fprintf(out, " class=\"%s\"", class);
}

void svg_begin(FILE *out, const char *class, struct svg_point size, const char *label)
{
    open_element(out, "svg xmlns=\"http://www.w3.org/2000/svg\"", class);
    put_numbers(out, "width height ", (int32_t[]){size.x, size.y});
    fputs(" viewBox=\"0 0 ", out);
    put_number(out, size.x);
    fputc(' ', out);
    put_number(out, size.y);
    fputs("\" role=\"img\" aria-label=\"", out);
    svg_escape(out, label);
    fputs("\">\n", out);
}

void svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

void svg_group(FILE *out, const char *class, const char *title)
{
    open_element(out, "g", class);
    fputc('>', out);
    if (!title)
        return;
    fputs("<title>", out);
    svg_escape(out, title);
    fputs("</title>", out);
}

void svg_group_end(FILE *out)
{
    fputs("</g>\n", out);
}

void svg_line(FILE *out, const char *class, struct svg_point from, struct svg_point to)
{
    open_element(out, "line", class);
    put_numbers(out, "x1 y1 x2 y2 ", (int32_t[]){from.x, from.y, to.x, to.y});
    fputs("/>", out);
}

void svg_rect(FILE *out, const char *class, struct svg_point at, struct svg_point size)
{
    open_element(out, "rect", class);
    put_numbers(out, "x y width height ", (int32_t[]){at.x, at.y, size.x, size.y});
    fputs("/>", out);
}

void svg_circle(FILE *out, const char *class, struct svg_point at, int32_t radius)
{
    open_element(out, "circle", class);
    put_numbers(out, "cx cy r ", (int32_t[]){at.x, at.y, radius});
    fputs("/>", out);
}

void svg_text(FILE *out, const char *class, struct svg_point at, const char *text)
{
    svg_text_short(out, class, at, text, INT_MAX);
}

void svg_text_short(FILE *out, const char *class, struct svg_point at, const char *text,
                    int letters)
{
    open_element(out, "text", class);
    put_numbers(out, "x y ", (int32_t[]){at.x, at.y});
    fputc('>', out);
    svg_escape_short(out, text, letters);
    fputs("</text>", out);
}

void svg_textf(FILE *out, const char *class, struct svg_point at, const char *format, ...)
{
    char text[FORMAT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    svg_text(out, class, at, text);
}

void svg_path(FILE *out, const char *class)
{
    open_element(out, "path", class);
    fputs(" d=\"", out);
}

void svg_to(FILE *out, char command, struct svg_point point)
{
    if (command)
        fputc(command, out);
    put_number(out, point.x);
    fputc(' ', out);
    put_number(out, point.y);
    fputc(' ', out);
}

void svg_path_end(FILE *out)
{
    fputs("\"/>", out);
}

void svg_arrow(FILE *out, const char *class, struct svg_point tip, int direction)
{
    int32_t back = tip.x - direction * SVG_PX(7);
    svg_path(out, class);
    svg_to(out, 'M', tip);
    svg_to(out, 'L', (struct svg_point){back, tip.y - SVG_PX(4)});
    svg_to(out, 'L', (struct svg_point){back, tip.y + SVG_PX(4)});
    fputs("Z", out);
    svg_path_end(out);
}

void svg_cross(FILE *out, const char *class, struct svg_point at)
{
    const int32_t arm = SVG_PX(4);
    svg_path(out, class);
    svg_to(out, 'M', (struct svg_point){at.x - arm, at.y - arm});
    svg_to(out, 'L', (struct svg_point){at.x + arm, at.y + arm});
    svg_to(out, 'M', (struct svg_point){at.x - arm, at.y + arm});
    svg_to(out, 'L', (struct svg_point){at.x + arm, at.y - arm});
    svg_path_end(out);
}

/* ---- numbers ----------------------------------------------------------------------------- */

int64_t svg_step(int64_t range, int ticks)
{
    int64_t step = 1;
    while (step <= INT64_MAX / 10 && range / step > ticks) {
        if (range / (2 * step) <= ticks)
            return 2 * step;
        if (range / (5 * step) <= ticks)
            return 5 * step;
        step *= 10;
    }
    return step;
}

/* Bhaskara's formula for half a turn: error below 2 thousandths. */
int32_t svg_sine(int32_t angle)
{
    int32_t turn = (angle % 1000 + 1000) % 1000, half = turn % 500;
    int64_t product = (int64_t)half * (500 - half);
    int64_t sine = 16000 * product / (5 * 250000 - 4 * product);
    return (int32_t)(turn < 500 ? sine : -sine);
}
