/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scn_vary.c - variants are made in the tree, before anything of it is understood. */
#include "scn_vary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_world.h"

static uint32_t count_values(const struct scn_yaml *list)
{
    uint32_t count = 0;
    for (const struct scn_yaml *at = list->first; at; at = at->next)
        count++;
    return count;
}

uint32_t scn_vary_count(const struct scn_yaml *root, struct scn_errors *errors)
{
    const struct scn_yaml *vary = scn_yaml_get(root, "vary");
    uint64_t total = 1;
    if (!vary)
        return 0;
    size_t before = errors->count;
    if (vary->shape != SCN_MAP)
        scn_error(errors, vary, "vary wants SECTION.KEY: [VALUE, ...] for each");
    for (const struct scn_yaml *list = vary->first; list; list = list->next) {
        if (vary->shape != SCN_MAP)
            break;
        if (list->shape != SCN_LIST || !list->first)
            scn_error(errors, list, "want a list of values, such as [1%%, 5%%]");
        for (const struct scn_yaml *value = list->first; value; value = value->next)
            if (list->shape == SCN_LIST && value->shape != SCN_SCALAR)
                scn_error(errors, value, "want a plain value");
        total *= count_values(list);
        if (total > SCN_VARIANTS_MAX) {
            scn_error(errors, list, "more than %d combinations", SCN_VARIANTS_MAX);
            break;
        }
    }
    return errors->count == before && vary->first ? (uint32_t)total : 0;
}

/* Which of its values a list has in a variant; the last list changes fastest. */
static const struct scn_yaml *choose(const struct scn_yaml *list, uint32_t variant)
{
    uint32_t rest = variant - 1;
    for (const struct scn_yaml *at = list->next; at; at = at->next)
        rest /= count_values(at);
    const struct scn_yaml *value = list->first;
    for (rest %= count_values(list); rest > 0; rest--)
        value = value->next;
    return value;
}

/* ---- places ------------------------------------------------------------------------------ */

/* The child a word of the path names: a key of a map, or a number in a list, from 1. */
static struct scn_yaml *step_into(struct scn_yaml *at, const char *word, size_t len)
{
    struct scn_yaml *child = at->first;
    if (at->shape == SCN_LIST) {
        unsigned long number = strtoul(word, NULL, 10);
        while (child && --number > 0)
            child = child->next;
        return *word >= '1' && *word <= '9' ? child : NULL;
    }
    while (child && (strlen(child->key->text) != len || strncmp(child->key->text, word, len) != 0))
        child = child->next;
    return child;
}

static char *copy_text(const char *text, size_t len)
{
    char *out = sim_alloc(len + 1);
    memcpy(out, text, len);
    return out;
}

static struct scn_yaml *add_child(struct scn_yaml *map, const char *word, size_t len,
                                  const struct scn_yaml *where)
{
    struct scn_yaml *child = sim_alloc(sizeof *child);
    child->key = sim_alloc(sizeof *child->key);
    child->key->text = copy_text(word, len);
    child->line = child->key->line = where->line;
    child->column = child->key->column = where->column;
    if (map->last)
        map->last->next = child;
    else
        map->first = child;
    return map->last = child;
}

static void put(struct scn_yaml *root, const struct scn_yaml *path, const struct scn_yaml *value,
                struct scn_errors *errors)
{
    struct scn_yaml *at = root;
    for (const char *word = path->text; at; word++) {
        size_t len = strcspn(word, ".");
        bool last = word[len] == '\0';
        struct scn_yaml *child =
            len > 0 && at->shape != SCN_SCALAR ? step_into(at, word, len) : NULL;
        bool whole = at == root &&
                     (strncmp(word, "protocol", len) == 0 || strncmp(word, "default", len) == 0);
        if (!child && at->shape == SCN_MAP && len > 0 && (last || whole)) {
            child = add_child(at, word, len, value);
            child->shape = last ? SCN_SCALAR : SCN_MAP;
        }
        if (!child || (last && child->shape != SCN_SCALAR)) {
            scn_error(errors, path, "'%.60s' is no place for a value in this file", path->text);
            return;
        }
        at = child;
        if (last)
            break;
        word += len;
    }
    free(at->text);
    at->text = copy_text(value->text, strlen(value->text));
    at->line = value->line;
    at->column = value->column;
}

void scn_vary_apply(struct scn_yaml *root, uint32_t variant, struct scn_errors *errors)
{
    const struct scn_yaml *vary = scn_yaml_get(root, "vary");
    for (const struct scn_yaml *list = vary ? vary->first : NULL; list; list = list->next)
        put(root, list->key, choose(list, variant), errors);
}

void scn_vary_print(const struct scn_yaml *root, uint32_t variant, char *out, size_t room)
{
    const struct scn_yaml *vary = scn_yaml_get(root, "vary");
    size_t len = 0;
    *out = '\0';
    for (const struct scn_yaml *list = vary && variant > 0 ? vary->first : NULL; list && len < room;
         list = list->next)
        len += (size_t)snprintf(out + len, room - len, "%s%s=%s", len ? " " : "", list->key->text,
                                choose(list, variant)->text);
}
