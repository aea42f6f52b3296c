/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_yaml.c - from libyaml's events to a tree. Events rather than libyaml's own documents,
 * because those hide aliases and let the last of two equal keys win.
 */
#include "scn_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "sim_world.h"

#define DEPTH_MAX 16
#define ERRORS_MAX 100

void scn_error(struct scn_errors *errors, const struct scn_yaml *where, const char *format, ...)
{
    if (errors->count >= ERRORS_MAX)
        return;
    if (errors->count == errors->room)
        errors->items = sim_grow(errors->items, &errors->room, sizeof *errors->items);
    struct scn_error error = {0};
    if (where) {
        error.line = where->line;
        error.column = where->column;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(error.text, sizeof error.text, format, args);
    va_end(args);
    size_t at = errors->count++;
    for (; at > 0; at--) { /* in the order of the file, whoever found it first */
        const struct scn_error *before = &errors->items[at - 1];
        if (before->line < error.line ||
            (before->line == error.line && before->column <= error.column))
            break;
        errors->items[at] = *before;
    }
    errors->items[at] = error;
}

void scn_error_print(const struct scn_errors *errors, size_t index, char *out, size_t room)
{
    const struct scn_error *error = &errors->items[index];
    if (error->line > 0)
        snprintf(out, room, "%s:%d:%d: %s", errors->file, error->line, error->column, error->text);
    else
        snprintf(out, room, "%s: %s", errors->file, error->text);
}

void scn_errors_free(struct scn_errors *errors)
{
    free(errors->items);
    *errors = (struct scn_errors){.file = errors->file};
}

void scn_yaml_free(struct scn_yaml *yaml)
{
    while (yaml) {
        struct scn_yaml *next = yaml->next;
        if (yaml->key)
            scn_yaml_free(yaml->key);
        scn_yaml_free(yaml->first);
        free(yaml->text);
        free(yaml);
        yaml = next;
    }
}

const struct scn_yaml *scn_yaml_get(const struct scn_yaml *map, const char *key)
{
    if (!map || map->shape != SCN_MAP)
        return NULL;
    for (const struct scn_yaml *at = map->first; at; at = at->next)
        if (strcmp(at->key->text, key) == 0)
            return at;
    return NULL;
}

struct reader {
    yaml_parser_t parser;
    struct scn_errors *errors;
    int depth;
};

/* Gets the next event; false and an error if the text is no YAML. */
static bool next_event(struct reader *reader, yaml_event_t *event, struct scn_yaml *at)
{
    yaml_parser_t *parser = &reader->parser;
    bool fine = yaml_parser_parse(parser, event);
    const yaml_mark_t *mark = fine ? &event->start_mark
                              : parser->context_mark.line > parser->problem_mark.line
                                  ? &parser->context_mark
                                  : &parser->problem_mark;
    if (!fine && parser->error == YAML_READER_ERROR)
        mark = &parser->mark;
    *at = (struct scn_yaml){.line = (int)mark->line + 1, .column = (int)mark->column + 1};
    if (!fine)
        scn_error(reader->errors, at, "%s%s%s", parser->problem ? parser->problem : "not YAML",
                  parser->context ? ", " : "", parser->context ? parser->context : "");
    return fine;
}

static struct scn_yaml *read_value(struct reader *reader, yaml_event_t *event,
                                   const struct scn_yaml *at);

static void append(struct scn_yaml *parent, struct scn_yaml *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* A key: a plain text that is not there yet. */
static struct scn_yaml *read_key(struct reader *reader, yaml_event_t *event,
                                 const struct scn_yaml *at, const struct scn_yaml *map)
{
    struct scn_yaml *key = read_value(reader, event, at);
    if (key && key->shape != SCN_SCALAR) {
        scn_error(reader->errors, key, "a key must be a word");
        scn_yaml_free(key);
        return NULL;
    }
    const struct scn_yaml *twin = key ? scn_yaml_get(map, key->text) : NULL;
    if (twin)
        scn_error(reader->errors, key, "duplicate key '%s' (first in line %d)", key->text,
                  twin->key->line);
    return key;
}

static bool read_children(struct reader *reader, struct scn_yaml *parent)
{
    for (;;) {
        yaml_event_t event;
        struct scn_yaml at, *key = NULL;
        if (!next_event(reader, &event, &at))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        if (parent->shape == SCN_MAP) {
            key = read_key(reader, &event, &at, parent);
            if (!key || !next_event(reader, &event, &at)) {
                scn_yaml_free(key);
                return false;
            }
        }
        struct scn_yaml *child = read_value(reader, &event, &at);
        if (!child) {
            scn_yaml_free(key);
            return false;
        }
        child->key = key;
        append(parent, child);
    }
}

static bool refuse(struct reader *reader, const yaml_event_t *event, const struct scn_yaml *at)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT) {
        scn_error(reader->errors, at, "alias '*%s' is not allowed: write the value out",
                  (const char *)event->data.alias.anchor);
        return true;
    }
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    if (anchor)
        scn_error(reader->errors, at, "anchor '&%s' is not allowed", (const char *)anchor);
    else if (tag)
        scn_error(reader->errors, at, "tag '%s' is not allowed", (const char *)tag);
    return false; /* reported, but what follows can be read */
}

/* Takes the event over. NULL: reading cannot go on (and errors say why). */
static struct scn_yaml *read_value(struct reader *reader, yaml_event_t *event,
                                   const struct scn_yaml *at)
{
    struct scn_yaml *out = sim_alloc(sizeof *out);
    *out = *at;
    bool refused = refuse(reader, event, at), fine = true;
    if (event->type == YAML_SCALAR_EVENT || refused) {
        bool scalar = event->type == YAML_SCALAR_EVENT;
        size_t len = scalar ? event->data.scalar.length : 0;
        out->shape = SCN_SCALAR;
        out->text = sim_alloc(len + 1);
        if (scalar)
            memcpy(out->text, event->data.scalar.value, len);
        yaml_event_delete(event);
        return out;
    }
    out->shape = event->type == YAML_MAPPING_START_EVENT ? SCN_MAP : SCN_LIST;
    yaml_event_delete(event);
    if (++reader->depth > DEPTH_MAX) {
        scn_error(reader->errors, at, "nested more than %d deep", DEPTH_MAX);
        fine = false;
    }
    fine = fine && read_children(reader, out);
    reader->depth--;
    if (fine)
        return out;
    scn_yaml_free(out);
    return NULL;
}

static struct scn_yaml *read_document(struct reader *reader)
{
    struct scn_yaml *out = NULL, at;
    yaml_event_t event;
    for (;;) {
        if (!next_event(reader, &event, &at))
            break;
        if (event.type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(&event);
            if (!out)
                scn_error(reader->errors, NULL, "the file is empty");
            return out;
        }
        if (event.type == YAML_DOCUMENT_START_EVENT && out) {
            scn_error(reader->errors, &at, "a second document: one scenario per file");
            yaml_event_delete(&event);
            break;
        }
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
            event.type == YAML_DOCUMENT_END_EVENT) {
            yaml_event_delete(&event);
            continue;
        }
        out = read_value(reader, &event, &at);
        if (!out)
            break;
    }
    scn_yaml_free(out);
    return NULL;
}

struct scn_yaml *scn_yaml_read(const char *file, struct scn_errors *errors)
{
    struct reader reader = {.errors = errors};
    bool standard = strcmp(file, "-") == 0;
    errors->file = standard ? "standard input" : file;
    FILE *input = standard ? stdin : fopen(file, "rb");
    if (!input) {
        scn_error(errors, NULL, "%s", strerror(errno));
        return NULL;
    }
    int first = getc(input);
    if (first == EOF && ferror(input)) { /* a folder can be opened, but not read */
        scn_error(errors, NULL, "%s", strerror(errno));
        if (!standard)
            fclose(input);
        return NULL;
    }
    ungetc(first, input);
    if (!yaml_parser_initialize(&reader.parser))
        sim_alloc(SIZE_MAX); /* out of memory */
    yaml_parser_set_input_file(&reader.parser, input);
    struct scn_yaml *out = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    if (!standard)
        fclose(input);
    return out;
}
