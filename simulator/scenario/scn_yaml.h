/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_yaml.h - a YAML file as a tree in which everything knows its line and column, and a list of
 * everything that is wrong with it. Aliases, tags and a second document are refused.
 */
#ifndef SCN_YAML_H
#define SCN_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scn_shape { SCN_SCALAR, SCN_LIST, SCN_MAP };

struct scn_yaml {
    enum scn_shape shape;
    int line, column;       /* from 1 */
    char *text;             /* scalar */
    struct scn_yaml *key;   /* in a map: this value's key */
    struct scn_yaml *first; /* list and map: children, in the file's order */
    struct scn_yaml *last;
    struct scn_yaml *next; /* sibling */
};

/* Messages "file:line:column: what", kept in the order of the file. */
struct scn_errors {
    const char *file;
    struct scn_error *items;
    size_t count, room;
};
struct scn_error {
    int line, column;
    char text[160];
};

/* where NULL: the message is about the file as a whole. */
__attribute__((format(printf, 3, 4))) void
scn_error(struct scn_errors *errors, const struct scn_yaml *where, const char *format, ...);

/* One error as the user sees it. */
void scn_error_print(const struct scn_errors *errors, size_t index, char *out, size_t room);
void scn_errors_free(struct scn_errors *errors);

/* Reads a file ("-" = standard input); NULL if it is no YAML (errors say why). Owned. */
struct scn_yaml *scn_yaml_read(const char *file, struct scn_errors *errors);
void scn_yaml_free(struct scn_yaml *yaml);

/* The value of a key, or NULL. */
const struct scn_yaml *scn_yaml_get(const struct scn_yaml *map, const char *key);

#endif
