/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_out.h - how the commands speak: errors, JSON Lines, and words in colour where a person is
 * looking. Data goes to standard output, everything else to standard error.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdio.h>

#include <q2p/types.h>

/* "q2p: ..." and a newline, to standard error. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens a file to read, "-" for standard input; says why not and returns NULL. */
FILE *cli_open(const char *path);

/* Nanoseconds since 1970, the epoch of every "t_ns". */
int64_t cli_wall_ns(void);

/* Bytes as lower-case hex; out has room for 2 * len + 1. */
void cli_hex(char *out, const void *bytes, size_t len);

#define CLI_SHA256_TEXT 65
void cli_sha256(char out[CLI_SHA256_TEXT], const void *bytes, size_t len);

/*
 * One object per line: open, fields, close. It is valid JSON whatever the text is: what is not
 * printable ASCII becomes \u00XX byte by byte, but for UTF-8 in text, which names of files are.
 */
void cli_json_open(const char *type, int64_t t_ns);
void cli_json_text(const char *key, const char *text);
void cli_json_bytes(const char *key, const void *text, size_t len);
void cli_json_number(const char *key, uint64_t value);
void cli_json_bool(const char *key, bool value);
void cli_json_addr(const char *key, const struct q2p_addr *addr);
void cli_json_hash(const char *key, const struct q2p_hash *hash);
void cli_json_raw(const char *key, const char *json); /* null, or "[" before cli_json_item */
void cli_json_item(uint64_t value, bool first);
void cli_json_object(const char *name, bool first); /* {"name": in an array */
void cli_json_end(const char *bracket);
void cli_json_close(void);

/* Human output: an escape sequence or "". */
enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_GOOD, CLI_BAD, CLI_FAINT };
int cli_colour_set(const char *when); /* auto, always, never; -1: none of them */
const char *cli_colour(enum cli_colour colour);

/* Flushes standard output; false if something could not be written. */
bool cli_out_finish(void);

#endif
