/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report_page.h - what all pages share: head, style sheet, tables, and how numbers read. A page is
 * one file that needs no network and no script, and is well-formed XML, too.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "svg.h"
#include <q2p/types.h>

/* A number in words; `page_time(t).s` lives until the end of the full expression. */
struct page_word {
    char s[40];
};
struct page_word page_time(q2p_time time);                     /* "4.557 s", "20.1 ms" */
struct page_word page_bytes(uint64_t bytes);                   /* "12.3 kB" */
struct page_word page_size(uint64_t bytes);                    /* "100 KiB" if it is that exactly */
struct page_word page_share(uint64_t part, uint64_t whole);    /* "4.7 %" */
struct page_word page_rate(uint64_t bytes, q2p_time duration); /* "15.2 Mbit/s" */

void page_begin(FILE *out, const char *title);
void page_end(FILE *out, const char *foot);

/* <name class="class">text</name>; class NULL or "": none. */
__attribute__((format(printf, 4, 5))) void page_put(FILE *out, const char *name, const char *class,
                                                    const char *format, ...);

/* <section class="card"><h2>title</h2>, and a paragraph if about is not NULL. */
void page_card(FILE *out, const char *title, const char *about);
void page_card_end(FILE *out);

/* A table that scrolls by itself; heads are separated by '|', a '>' before one aligns it right. */
void page_table(FILE *out, const char *heads);
void page_table_end(FILE *out);

#endif
