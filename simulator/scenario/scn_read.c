/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scn_read.c - from the tree to the structs, section by section along the schema. It never stops
 * at an error: whoever has made three mistakes learns of three.
 */
#include <stdlib.h>
#include <string.h>

#include "scn_resolve.h"
#include "scn_schema.h"
#include "scn_vary.h"
#include "sim_world.h"

#define WORD_MAX 24       /* longer words get no suggestion */
#define NODES_MAX 1000000 /* however many lines ask for some */

/* Edits between two words: insert, delete, change, swap neighbours. */
static size_t distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b), d[WORD_MAX + 1][WORD_MAX + 1];
    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[a_len][b_len];
}

static const struct scn_key *find_key(const char *section, const char *name)
{
    for (const struct scn_key *key = scn_schema; key->section; key++)
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const struct scn_key *scn_key_like(const char *section, const char *also, const char *name)
{
    const struct scn_key *best = NULL;
    size_t best_distance = 3;
    for (const struct scn_key *key = scn_schema; key->section; key++) {
        if (section && strcmp(key->section, section) != 0 &&
            (!also || strcmp(key->section, also) != 0))
            continue;
        size_t edits = distance(name, key->name);
        if (edits < best_distance && edits < strlen(key->name)) {
            best = key;
            best_distance = edits;
        }
    }
    return best;
}

static void report_unknown(struct scn_errors *errors, const struct scn_yaml *name,
                           const char *section, const char *also)
{
    const struct scn_key *best = scn_key_like(section, also, name->text);
    if (best)
        scn_error(errors, name, "unknown key '%.40s' (did you mean '%s'?)", name->text, best->name);
    else
        scn_error(errors, name, "unknown key '%.40s'", name->text);
}

/* Reads the keys of a section into its struct; unknown ones may belong to a section `also`, whose
 * struct is read elsewhere. */
static bool read_section(struct scn_errors *errors, const char *section, const char *also,
                         const struct scn_yaml *map, void *object)
{
    size_t errors_before = errors->count;
    if (map->shape != SCN_MAP) {
        scn_error(errors, map, "want keys and values here, such as {key: value}");
        return false;
    }
    for (const struct scn_yaml *value = map->first; value; value = value->next) {
        const struct scn_key *key = find_key(section, value->key->text);
        if (key && key->kind != SCN_PART)
            scn_value_read(key, value, object, errors);
        else if (!key && !(also && find_key(also, value->key->text)))
            report_unknown(errors, value->key, section, also);
    }
    for (const struct scn_key *key = scn_schema; key->section; key++)
        if (strcmp(key->section, section) == 0 && !key->fallback && !scn_yaml_get(map, key->name))
            scn_error(errors, map->key ? map->key : map, "missing key '%s'", key->name);
    return errors->count == errors_before;
}

/* A profile is the ground on which the other keys of the same map stand. */
static void read_protocol(struct scn_errors *errors, const struct scn_yaml *map,
                          struct scn_protocol *protocol, bool report)
{
    const struct scn_yaml *profile = scn_yaml_get(map, "profile");
    if (profile && profile->shape == SCN_SCALAR && strcmp(profile->text, "original") == 0)
        q2p_config_original(&protocol->config);
    if (report) {
        read_section(errors, "protocol", NULL, map, protocol);
        return;
    }
    for (const struct scn_yaml *value = map->first; value; value = value->next) {
        const struct scn_key *key = find_key("protocol", value->key->text);
        if (key)
            scn_value_read(key, value, protocol, errors);
    }
}

static bool is_name(const char *text, size_t number_len)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char later[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return *text && strchr(first, *text) && strspn(text, later) == strlen(text) &&
           strlen(text) + number_len + 7 < SCN_NAME_MAX;
}

/* Of several nodes each gets a number, and is to have a name that could be read, too. */
static bool check_name(struct scn_errors *errors, const struct scn_yaml *name, uint32_t count)
{
    size_t number_len = 0;
    for (uint32_t last = count > 1 ? count - 1 : 0; last > 0; last /= 10)
        number_len += number_len == 0 ? 2 : 1;
    if (is_name(name->text, number_len))
        return true;
    scn_error(errors, name,
              "bad name '%.40s': want a letter, then letters, digits, - or _, up to %d in all",
              name->text, SCN_NAME_MAX - 8);
    return false;
}

static void count_up(struct q2p_addr *addr)
{
    for (int i = addr->ip_len - 1; i >= 0; i--)
        if (++addr->ip[i] != 0)
            break;
}

#define ADD(list)                                                                                  \
    ((list).count == (list).room                                                                   \
         ? (void)((list).items = sim_grow((list).items, &(list).room, sizeof *(list).items))       \
         : (void)0,                                                                                \
     memset(&(list).items[(list).count], 0, sizeof *(list).items), &(list).items[(list).count++])

static void read_node(struct scenario *out, struct scn_errors *errors, const struct scn_yaml *map)
{
    struct scn_node node = {.where = map->key, .protocol = out->protocol};
    scn_defaults("nodes", &node);
    if (!read_section(errors, "nodes", "protocol", map, &node) && map->shape != SCN_MAP)
        return;
    read_protocol(errors, map, &node.protocol, false);
    bool fine = check_name(errors, map->key, node.count);
    if (fine && node.count > NODES_MAX - out->nodes.count) { /* each may be few enough */
        scn_error(errors, map->key, "more than %d nodes in all", NODES_MAX);
        fine = false;
    }
    if (!fine) {
        free(node.joins.items);
        return;
    }
    for (uint32_t i = 0, count = node.count; i < count; i++) {
        int len = (int)strlen(map->key->text);
        if (count > 1)
            snprintf(node.name, sizeof node.name, "%.*s-%u", len, map->key->text, (unsigned)i);
        else
            snprintf(node.name, sizeof node.name, "%s", map->key->text);
        node.count = 1;
        *ADD(out->nodes) = node;
        node.joins.room = 0; /* the first one owns the list */
        count_up(&node.at);
    }
}

static void read_nat(struct scenario *out, struct scn_errors *errors, const struct scn_yaml *map)
{
    struct scn_nat *nat = ADD(out->nats);
    const struct scn_yaml *preset = scn_yaml_get(map, "preset");
    struct scn_errors twice = {0}; /* what is wrong with it is said when the section is read */
    nat->where = map->key;
    scn_defaults("nats", nat);
    if (preset && scn_value_read(find_key("nats", "preset"), preset, nat, &twice))
        net_nat_preset(nat->preset, &nat->config);
    scn_errors_free(&twice);
    read_section(errors, "nats", NULL, map, nat);
    nat->config.port_first = (uint32_t)nat->ports.min;
    nat->config.port_last = (uint32_t)nat->ports.max;
    if (check_name(errors, map->key, 1))
        snprintf(nat->name, sizeof nat->name, "%s", map->key->text);
}

static void read_link(struct scenario *out, struct scn_errors *errors, const struct scn_yaml *map)
{
    struct scn_link *link = ADD(out->links);
    const struct scn_yaml *access = scn_yaml_get(map, "access");
    *link = out->link_default;
    link->table = link->messages = (struct scn_refs){0};
    link->delays = NULL;
    if (access) { /* has nothing of the default link, not even a delay */
        *link = (struct scn_link){0};
        scn_defaults("links", link);
        link->delay_ns = (struct scn_range){-1, -1};
    }
    if (!read_section(errors, "links", NULL, map, link))
        return;
    if (!link->between[0].text == !access)
        scn_error(errors, map, "want one of between, access");
    scn_link_finish(link, map, errors);
}

static void read_step(struct scenario *out, struct scn_errors *errors, const struct scn_yaml *map)
{
    struct scn_step *step = ADD(out->script);
    const struct scn_yaml *send = scn_yaml_get(map, "send"), *set = scn_yaml_get(map, "set");
    step->where = map;
    if (!read_section(errors, "script", NULL, map, step) && map->shape != SCN_MAP)
        return;
    int verbs = !!send + !!set + !!step->rebind.text + !!step->reboot.text + !!step->crash.text +
                !!step->restart.text + !!step->join.text + (step->partition.count > 0) +
                (step->heal != 0);
    if (verbs != 1)
        scn_error(errors, map,
                  "want one of send, set, rebind, reboot, crash, restart, join, partition, heal");
    if (step->port > 0 && !step->restart.text)
        scn_error(errors, map, "at-port goes with restart");
    if (step->partition_way > 0 && step->partition.count == 0)
        scn_error(errors, map, "partition-way goes with partition");
    if (send)
        step->has_send = read_section(errors, "send", NULL, send, &step->send);
    if (set) {
        step->has_set = read_section(errors, "set", NULL, set, &step->set);
        step->set.given = scn_link_given(set);
        if (step->has_set && !step->set.between[0].text == !step->set.access.text)
            scn_error(errors, set, "want one of link, access");
        scn_link_finish(&step->set, set, errors);
    }
}

static void read_expect(struct scenario *out, struct scn_errors *errors, const struct scn_yaml *map)
{
    struct scn_expect *expect = ADD(out->expect);
    expect->where = map;
    expect->peers.min = -1;
    expect->before_ns = Q2P_NEVER;
    if (!read_section(errors, "expect", NULL, map, expect))
        return;
    int verbs = !!expect->connected[0].text + !!expect->not_connected[0].text +
                !!expect->delivered.text + !!expect->failed.text + !!expect->seen.text +
                !!expect->never.text + (expect->peers.min != -1);
    if (verbs != 1)
        scn_error(errors, map,
                  "want one of connected, not-connected, delivered, failed, seen, never, peers");
}

typedef void (*read_item)(struct scenario *, struct scn_errors *, const struct scn_yaml *);

static void read_items(struct scenario *out, struct scn_errors *errors, const char *section,
                       enum scn_shape shape, read_item item)
{
    const struct scn_yaml *all = scn_yaml_get(out->yaml, section);
    if (!all)
        return;
    if (all->shape != shape) {
        scn_error(errors, all, "%s wants %s", section,
                  shape == SCN_MAP ? "NAME: {...} for each" : "a list: - {...} for each");
        return;
    }
    for (const struct scn_yaml *value = all->first; value; value = value->next)
        item(out, errors, value);
}

bool scn_read(struct scenario *out, const char *file, struct scn_errors *errors)
{
    return scn_read_variant(out, file, 0, errors);
}

bool scn_read_variant(struct scenario *out, const char *file, uint32_t variant,
                      struct scn_errors *errors)
{
    *out = (struct scenario){0};
    errors->file = file;
    out->yaml = scn_yaml_read(file, errors);
    if (!out->yaml)
        return false;
    out->variants = scn_vary_count(out->yaml, errors);
    if (variant > out->variants && errors->count == 0)
        scn_error(errors, NULL, "there is no variant %u; there are %u", (unsigned)variant,
                  (unsigned)out->variants);
    else if (variant > 0 && errors->count == 0)
        scn_vary_apply(out->yaml, variant, errors);
    scn_defaults("", out);
    scn_defaults("protocol", &out->protocol);
    scn_defaults("default", &out->link_default);
    read_section(errors, "", NULL, out->yaml, out);
    const struct scn_yaml *protocol = scn_yaml_get(out->yaml, "protocol");
    const struct scn_yaml *link_default = scn_yaml_get(out->yaml, "default");
    if (protocol)
        read_protocol(errors, protocol, &out->protocol, true);
    if (link_default)
        read_section(errors, "default", NULL, link_default, &out->link_default);
    scn_link_finish(&out->link_default, link_default, errors);
    read_items(out, errors, "nats", SCN_MAP, read_nat);
    read_items(out, errors, "nodes", SCN_MAP, read_node);
    read_items(out, errors, "links", SCN_LIST, read_link);
    read_items(out, errors, "script", SCN_LIST, read_step);
    read_items(out, errors, "expect", SCN_LIST, read_expect);
    scn_resolve(out, errors);
    return errors->count == 0;
}

static void free_link(struct scn_link *link)
{
    free(link->table.items);
    free(link->messages.items);
    free(link->delays);
}

void scn_free(struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->nats.count; i++)
        free(scenario->nats.items[i].pool.items);
    for (size_t i = 0; i < scenario->links.count; i++)
        free_link(&scenario->links.items[i]);
    for (size_t i = 0; i < scenario->script.count; i++) {
        free_link(&scenario->script.items[i].set);
        free(scenario->script.items[i].partition.items);
    }
    free_link(&scenario->link_default);
    for (size_t i = 0; i < scenario->nodes.count; i++)
        if (scenario->nodes.items[i].joins.room > 0)
            free(scenario->nodes.items[i].joins.items);
    free(scenario->nodes.items);
    free(scenario->nats.items);
    free(scenario->links.items);
    free(scenario->script.items);
    free(scenario->expect.items);
    scn_yaml_free(scenario->yaml);
}
