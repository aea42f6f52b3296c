/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli_manifest.c - reads MANIFEST.yaml with libyaml; unknown keys are for people. */
#define _DEFAULT_SOURCE /* scandir */
#include "cli_manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <yaml.h>

#include "cli_data.h"
#include "cli_out.h"

enum { PATH_LEN_MAX = 4096 };

struct reading {
    yaml_document_t document;
    const char *path;
};

static yaml_node_t *node_at(struct reading *reading, int index)
{
    return yaml_document_get_node(&reading->document, index);
}

static const char *text_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_t *find(struct reading *reading, yaml_node_t *map, const char *key)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top;
         pair++) {
        const char *name = text_of(node_at(reading, pair->key));
        if (name && !strcmp(name, key))
            return node_at(reading, pair->value);
    }
    return NULL;
}

static int complain(const struct reading *reading, const yaml_node_t *node, const char *what)
{
    cli_error("%s:%zu: %s", reading->path, node ? node->start_mark.line + 1 : 1, what);
    return CLI_INPUT;
}

static int read_total(struct reading *reading, yaml_node_t *found, const char *key, int64_t *out)
{
    yaml_node_t *node = find(reading, found, key);
    const char *text = text_of(node);
    char *end = NULL;
    *out = -1;
    if (!node)
        return CLI_FINE;
    errno = 0;
    if (text)
        *out = strtoll(text, &end, 10);
    return !text || end == text || *end || errno || *out < 0
               ? complain(reading, node, "what must be found is a number")
               : CLI_FINE;
}

static int read_entry(struct reading *reading, yaml_node_t *node, struct cli_entry *out,
                      char path[PATH_LEN_MAX])
{
    static const char *const keys[] = {"packets", "complete", "incomplete", "pairs", "malformed"};
    int64_t *const values[] = {&out->found.packets, &out->found.complete, &out->found.incomplete,
                               &out->found.pairs, &out->found.malformed};
    const char *file = text_of(find(reading, node, "file"));
    yaml_node_t *found = find(reading, node, "found"), *replay = find(reading, node, "replay");
    const char *slash = strrchr(reading->path, '/');
    if (!file)
        return complain(reading, node, "an entry needs the key file");
    int folder_len = slash ? (int)(slash + 1 - reading->path) : 0;
    if (snprintf(path, PATH_LEN_MAX, "%.*s%s", folder_len, reading->path, file) >= PATH_LEN_MAX)
        return complain(reading, node, "the path is too long");
    out->path = path;
    out->listed = true;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (read_total(reading, found, keys[i], values[i]) != CLI_FINE)
            return CLI_INPUT;
    if (!replay)
        return CLI_FINE;
    if (replay->type != YAML_SEQUENCE_NODE)
        return complain(reading, replay, "replay is a list of addresses");
    for (yaml_node_item_t *item = replay->data.sequence.items.start;
         item < replay->data.sequence.items.top; item++) {
        const char *text = text_of(node_at(reading, *item));
        if (!text || out->replay.count == CLI_LIST_MAX)
            return complain(reading, replay, "replay is a list of at most 32 addresses");
        out->replay.items[out->replay.count++] = text;
    }
    return CLI_FINE;
}

static int visit_entries(struct reading *reading,
                         void (*visit)(void *ctx, const struct cli_entry *entry), void *ctx)
{
    yaml_node_t *root = yaml_document_get_root_node(&reading->document);
    yaml_node_t *captures = find(reading, root, "captures");
    char path[PATH_LEN_MAX];
    if (!captures || captures->type != YAML_SEQUENCE_NODE)
        return complain(reading, root, "a manifest has a list named captures");
    int worst = CLI_FINE;
    for (yaml_node_item_t *item = captures->data.sequence.items.start;
         item < captures->data.sequence.items.top; item++) {
        struct cli_entry entry = {0};
        if (read_entry(reading, node_at(reading, *item), &entry, path) == CLI_FINE)
            visit(ctx, &entry);
        else
            worst = CLI_INPUT;
    }
    return worst;
}

static int visit_manifest(const char *path, void (*visit)(void *ctx, const struct cli_entry *entry),
                          void *ctx)
{
    struct reading reading = {.path = path};
    yaml_parser_t parser;
    FILE *file = cli_open(path);
    if (!file)
        return CLI_INPUT;
    if (!yaml_parser_initialize(&parser)) {
        fclose(file);
        return CLI_ENVIRONMENT;
    }
    yaml_parser_set_input_file(&parser, file);
    int code = CLI_INPUT;
    if (yaml_parser_load(&parser, &reading.document)) {
        code = visit_entries(&reading, visit, ctx);
        yaml_document_delete(&reading.document);
    } else {
        cli_error("%s:%zu: %s", path, parser.problem_mark.line + 1, parser.problem);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return code;
}

static int is_capture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && (!strcmp(dot, ".pcap") || !strcmp(dot, ".pcapng"));
}

int cli_manifest_visit(const char *path, void (*visit)(void *ctx, const struct cli_entry *entry),
                       void *ctx)
{
    char inside[PATH_LEN_MAX];
    struct stat about;
    if (stat(path, &about) < 0) {
        cli_error("%s: %s", path, strerror(errno));
        return CLI_INPUT;
    }
    if (!S_ISDIR(about.st_mode))
        return visit_manifest(path, visit, ctx);
    cli_data_name_in(path, "MANIFEST.yaml", inside, sizeof inside);
    if (stat(inside, &about) == 0)
        return visit_manifest(inside, visit, ctx);
    struct dirent **names;
    int count = scandir(path, &names, is_capture, alphasort);
    if (count <= 0) {
        cli_error("%s: neither MANIFEST.yaml nor captures in it", path);
        return CLI_INPUT;
    }
    for (int i = 0; i < count; i++) {
        struct cli_entry entry = {.path = inside, .found = {-1, -1, -1, -1, -1}};
        cli_data_name_in(path, names[i]->d_name, inside, sizeof inside);
        visit(ctx, &entry);
        free(names[i]);
    }
    free(names);
    return CLI_FINE;
}
